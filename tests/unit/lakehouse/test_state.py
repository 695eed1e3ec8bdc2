"""What the journal's events add up to: the stage that is next, and how a connection stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.changes import Event
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope
from core.lakehouse.facts import API_CONNECTION, HAND, define, event
from core.lakehouse.provisioning.by_hand import plan_described, plan_done, plan_verified
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.state import Condition, ConnectionState, Stage, fold
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, Memory


def defined(connection: ApiConnection = AWS) -> Memory:
    memory = Memory()
    memory.tell(Wanted(connection).definition())
    return memory


def by_hand(memory: Memory, name: str, until: Stage) -> ConnectionState:
    """Do by hand what is next, until `until` is next."""
    while (state := memory.state(name)).stage is not until:
        if state.stage is Stage.DESCRIBE:
            memory.run(plan_described(state, EXTERNAL_ID))
        elif state.stage is Stage.VERIFY:
            memory.run(plan_verified(state, Wanted.of(state).documents(EXTERNAL_ID).trust))
        else:
            memory.run(plan_done(state, state.stage))
    return state


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda c: c.provider.value)
def test_the_way_by_hand_leads_from_the_definition_to_ready(connection: ApiConnection) -> None:
    memory = defined(connection)
    stages = []
    for stage in Stage:
        stages.append(by_hand(memory, connection.name, stage).stage)
    assert stages == list(Stage)
    ready = memory.state(connection.name)
    assert (ready.condition, ready.external_id, ready.trusted_id) == (Condition.READY, EXTERNAL_ID, EXTERNAL_ID)
    assert ready.connection == connection
    assert ready.granted is not None
    assert ready.granted.by_hand
    assert ready.granted.operator == "ann"


def test_every_step_by_hand_can_be_forgotten_again() -> None:
    memory = defined()
    for stage in list(Stage)[:-1]:
        before = by_hand(memory, AWS.name, stage)
        if stage is Stage.DESCRIBE:
            change = plan_described(before, EXTERNAL_ID)
        elif stage is Stage.VERIFY:
            change = plan_verified(before, Wanted.of(before).documents(EXTERNAL_ID).trust)
        else:
            change = plan_done(before, stage)
        memory.run(change)
        assert memory.state(AWS.name).stage is not stage
        memory.undo(change)
        after = memory.state(AWS.name)
        assert (after.stage, after.external_id, after.trusted_id, after.differences) == (
            stage,
            before.external_id,
            before.trusted_id,
            before.differences,
        )


def test_a_role_that_asks_for_no_external_id_is_the_worst() -> None:
    memory = defined()
    memory.tell(event(AWS.name, "trust", by=HAND, external_id=""))
    assert memory.state(AWS.name).condition is Condition.OPEN


def test_an_external_id_that_was_replaced_is_told() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(event(AWS.name, "verify", external_id="AnotherOne", trusted_id=EXTERNAL_ID, differences=["It is new."]))
    state = memory.state(AWS.name)
    assert (state.condition, state.stage, state.differences) == (Condition.MISMATCH, Stage.TIGHTEN, ("It is new.",))


def test_what_a_look_found_wrong_is_drift_until_a_look_finds_it_right() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(event(AWS.name, "verify", differences=["The policy is another."]))
    assert (memory.state(AWS.name).condition, memory.state(AWS.name).stage) == (Condition.DRIFTED, Stage.VERIFY)
    memory.tell(event(AWS.name, "verify", differences=[]))
    assert memory.state(AWS.name).condition is Condition.READY


def test_a_look_at_what_was_there_before_housekeys_tells_how_far_it_is() -> None:
    memory = defined()
    memory.tell(event(AWS.name, "verify", external_id=EXTERNAL_ID, trusted_id=EXTERNAL_ID, differences=[]))
    assert memory.state(AWS.name).condition is Condition.READY
    missing = event(
        AWS.name, "verify", external_id="", trusted_id="", missing=["role", "connection"], differences=["-"]
    )
    memory.tell(missing)
    gone = memory.state(AWS.name)
    assert (gone.condition, gone.stage, gone.created) == (Condition.DRIFTED, Stage.TRUST, None)


def test_a_look_at_the_lakehouse_alone_never_says_that_all_is_well() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.VERIFY)
    alone = event(AWS.name, "verify", differences=[], only_lakehouse=True, external_id=EXTERNAL_ID)
    memory.tell(alone)
    assert memory.state(AWS.name).condition is Condition.UNVERIFIED
    memory.tell(event(AWS.name, "verify", differences=["The policy is another."]))
    memory.tell(alone)
    assert memory.state(AWS.name).differences == ("The policy is another.",)


def test_a_trust_policy_that_differs_is_what_is_put_right_next() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    wrong = {**Wanted(AWS).documents(EXTERNAL_ID).trust, "Statement": []}
    memory.run(plan_verified(memory.state(AWS.name), wrong))
    state = memory.state(AWS.name)
    assert (state.stage, state.condition, state.trusted_id) == (
        Stage.TIGHTEN,
        Condition.DRIFTED,
        PLACEHOLDER_EXTERNAL_ID,
    )
    memory.run(plan_done(state, Stage.TIGHTEN))
    assert memory.state(AWS.name).stage is Stage.VERIFY
    assert by_hand(memory, AWS.name, Stage.READY).condition is Condition.READY


def test_a_drop_takes_the_external_id_along_and_leaves_the_role() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(event(AWS.name, "drop", by=HAND))
    state = memory.state(AWS.name)
    assert (state.stage, state.external_id, state.trusted_id) == (Stage.CREATE, "", EXTERNAL_ID)
    assert by_hand(memory, AWS.name, Stage.READY).condition is Condition.READY


def test_a_removed_connection_is_forgotten_and_can_be_defined_anew() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(event(AWS.name, "remove"))
    assert fold(memory.rows) == {}
    memory.tell(Wanted(AWS).definition())
    assert memory.state(AWS.name).stage is Stage.GRANT


def test_the_same_definition_with_other_policies_only_asks_for_the_policies_again() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(define(AWS, PolicyScope.LEAST, ("more",), "-x"))
    state = memory.state(AWS.name)
    assert (state.stage, state.scope, state.more_buckets, state.policy_suffix) == (
        Stage.GRANT,
        PolicyScope.LEAST,
        ("more",),
        "-x",
    )
    assert state.external_id == EXTERNAL_ID


def test_another_definition_with_the_same_role_remembers_what_the_role_trusts() -> None:
    memory = defined()
    by_hand(memory, AWS.name, Stage.READY)
    memory.tell(Wanted(replace(AWS, code_bucket="another-bucket")).definition())
    state = memory.state(AWS.name)
    assert (state.stage, state.trusted_id, state.external_id) == (Stage.GRANT, EXTERNAL_ID, "")
    memory.tell(Wanted(replace(AWS, role_arn="arn:aws-cn:iam::123456789012:role/Another")).definition())
    assert memory.state(AWS.name).trusted is None


def test_rows_that_others_wrote_harm_nothing() -> None:
    memory = defined()
    memory.tell(
        Event(API_CONNECTION, "broken", "define", {"provider": "ibm"}),
        Event(API_CONNECTION, "nobody", "trust", {"external_id": "x"}),
        Event(API_CONNECTION, AWS.name, "sing", {}),
    )
    memory.tell(Wanted(ALIYUN).definition())
    assert sorted(fold(memory.rows)) == [AWS.name, ALIYUN.name]


def test_the_placeholder_is_no_mismatch() -> None:
    memory = defined()
    state = by_hand(memory, AWS.name, Stage.TIGHTEN)
    assert (state.trusted_id, state.condition) == (PLACEHOLDER_EXTERNAL_ID, Condition.UNFINISHED)
