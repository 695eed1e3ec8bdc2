"""Plans from what is there: only what is missing, in an order that never leaves a role open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.changes import CallStep, Change, Danger, Found, RecordStep
from core.errors import BadInputError, RefusedError
from core.lakehouse.cloud_access import Document, PolicyName, RoleState
from core.lakehouse.connections import ApiConnection, ConnectionDescription, ExternalFunction
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope
from core.lakehouse.provisioning.by_hand import plan_done
from core.lakehouse.provisioning.ending import plan_recreation, plan_removal
from core.lakehouse.provisioning.neighbours import Neighbours
from core.lakehouse.provisioning.plan import Wanted, plan_provisioning
from core.lakehouse.provisioning.situation import CloudSituation, LakehouseSituation
from core.lakehouse.sql.statements import Syntax
from core.lakehouse.state import Condition, Stage, fold
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, Memory

NOT_CREATED = LakehouseSituation(None)
CREATED = LakehouseSituation(ConnectionDescription({"name": "c", "externalId": EXTERNAL_ID}))


def bare(wanted: Wanted) -> CloudSituation:
    """An account with nothing but what the cloud provides."""
    provided: dict[PolicyName, Document] = {p.policy: {} for p in wanted.documents().permissions if p.policy.provided}
    return CloudSituation(wanted.documents().account, None, provided)


def furnished(wanted: Wanted, external_id: str, trust: Document | None = None) -> CloudSituation:
    """An account where all is as wanted, its role asking for `external_id` or trusting by `trust`."""
    documents = wanted.documents(external_id)
    role = RoleState(
        documents.role,
        wanted.connection.role_arn,
        documents.trust if trust is None else trust,
        frozenset(p.policy for p in documents.permissions),
    )
    policies = {p.policy: p.document or {} for p in documents.permissions}
    return CloudSituation(documents.account, role, policies)


def acts(change: Change) -> list[str]:
    return [step.operation if isinstance(step, CallStep) else "record" for step in change.steps]


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda c: c.provider.value)
def test_from_nothing_to_ready_in_one_change(connection: ApiConnection) -> None:
    wanted = Wanted(connection)
    change = plan_provisioning(wanted, None, bare(wanted), NOT_CREATED)
    own = sum(not p.policy.provided for p in wanted.documents().permissions)
    every = len(wanted.documents().permissions)
    assert acts(change) == [
        "record",
        *["create_policy"] * own,
        "create_role",
        *["attach_policy"] * every,
        "create_connection",
        "describe_connection",
        "update_trust",
        "read_back",
    ]
    tighten = change.steps[-2]
    assert isinstance(tighten, CallStep)
    assert tighten.takes == {"external_id": Found(len(change.steps) - 3, "external_id")}
    assert "<the external id that DESC CONNECTION tells>" in tighten.preview()
    assert change.danger is Danger.ROUTINE
    assert change.reversible
    memory = Memory()
    memory.run(change)
    assert memory.state(connection.name).condition is Condition.READY
    memory.undo(change)
    assert fold(memory.rows) == {}


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda c: c.provider.value)
def test_where_all_is_as_wanted_nothing_is_planned(connection: ApiConnection) -> None:
    wanted, memory = Wanted(connection), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    state = memory.state(connection.name)
    change = plan_provisioning(wanted, state, furnished(wanted, EXTERNAL_ID), CREATED)
    assert change.steps == ()


def test_what_is_there_already_is_taken_over_without_a_call_that_changes() -> None:
    wanted, memory = Wanted(AWS), Memory()
    change = plan_provisioning(wanted, None, furnished(wanted, EXTERNAL_ID), CREATED)
    assert set(acts(change)) == {"record", "read_back"}
    memory.run(change)
    assert memory.state(AWS.name).condition is Condition.READY


def test_a_policy_that_drifted_is_put_right_and_said_to_disrupt() -> None:
    wanted, memory = Wanted(AWS), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    there = furnished(wanted, EXTERNAL_ID)
    drifted = {**there.policies, PolicyName("LakehouseAccess"): {"Version": "2012-10-17", "Statement": []}}
    change = plan_provisioning(wanted, memory.state(AWS.name), replace(there, policies=drifted), CREATED)
    assert acts(change) == ["update_policy", "read_back"]
    assert change.danger is Danger.DISRUPTIVE
    assert "LakehouseAccess is there and is put right" in change.consequences[0]


def test_a_role_that_is_open_is_closed_before_the_connection_is_created() -> None:
    wanted = Wanted(AWS)
    trusts_all: Document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws-cn:iam::028022243208:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    change = plan_provisioning(wanted, None, furnished(wanted, EXTERNAL_ID, trusts_all), NOT_CREATED)
    made = acts(change)
    assert made.index("update_trust") < made.index("create_connection")
    closing = change.steps[made.index("update_trust")]
    assert isinstance(closing, CallStep)
    assert closing.arguments["external_id"] == PLACEHOLDER_EXTERNAL_ID
    assert closing.undo is None  # an open role is never brought back
    assert any("no external id" in sentence for sentence in change.consequences)


def test_a_role_that_was_opened_is_closed_before_anything_else_is_put_right() -> None:
    wanted, memory = Wanted(AWS), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    trust = wanted.documents(EXTERNAL_ID).trust
    anybody: Document = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    opened = furnished(wanted, EXTERNAL_ID, {**trust, "Statement": [*trust["Statement"], anybody]})
    there = replace(opened, policies={**opened.policies, PolicyName("LakehouseAccess"): {"Statement": []}})
    change = plan_provisioning(wanted, memory.state(AWS.name), there, CREATED)
    assert acts(change) == ["update_trust", "update_policy", "read_back"]
    closing = change.steps[0]
    assert isinstance(closing, CallStep)
    assert (closing.arguments["external_id"], closing.undo) == (EXTERNAL_ID, None)


def test_a_connection_of_another_role_is_not_taken_for_the_wanted_one() -> None:
    wanted = Wanted(AWS)
    theirs = ConnectionDescription({"role_arn": "arn:aws-cn:iam::1:role/Theirs", "externalId": EXTERNAL_ID})
    with pytest.raises(RefusedError, match=r"another definition\. In the Lakehouse its role is arn:aws-cn:iam::1:role"):
        plan_provisioning(wanted, None, bare(wanted), LakehouseSituation(theirs))
    ours = ConnectionDescription({"cloud_function.role_arn": AWS.role_arn.upper(), "externalId": EXTERNAL_ID})
    assert plan_provisioning(wanted, None, bare(wanted), LakehouseSituation(ours)).steps


def test_with_the_lakehouse_by_hand_the_plan_ends_at_the_role() -> None:
    wanted, memory = Wanted(AWS), Memory()
    change = plan_provisioning(wanted, None, bare(wanted), None)
    assert acts(change)[-1] == "attach_policy"
    memory.run(change)
    assert memory.state(AWS.name).stage is Stage.CREATE
    assert (
        plan_provisioning(wanted, memory.state(AWS.name), furnished(wanted, PLACEHOLDER_EXTERNAL_ID), None).steps == ()
    )


def test_with_the_cloud_by_hand_only_the_definition_is_recorded_until_there_is_a_role() -> None:
    wanted, memory = Wanted(AWS), Memory()
    change = plan_provisioning(wanted, None, None, NOT_CREATED)
    assert acts(change) == ["record"]
    memory.run(change)
    memory.tell(*(step.events[0] for step in _role_by_hand(memory)))
    change = plan_provisioning(wanted, memory.state(AWS.name), None, NOT_CREATED)
    assert acts(change) == ["create_connection", "describe_connection"]


def _role_by_hand(memory: Memory) -> list[RecordStep]:
    state = memory.state(AWS.name)
    granted = plan_done(state, Stage.GRANT).steps[0]
    placeholder = plan_done(replace(state, granted=state.defined), Stage.TRUST).steps[0]
    return [step for step in (granted, placeholder) if isinstance(step, RecordStep)]


def test_a_policy_that_the_cloud_should_provide_and_does_not_is_refused() -> None:
    wanted = Wanted(ALIYUN)
    with pytest.raises(RefusedError, match="Alibaba Cloud has no policy AliyunFCFullAccess"):
        plan_provisioning(wanted, None, CloudSituation(wanted.documents().account, None), NOT_CREATED)


def test_a_definition_with_the_vendors_own_account_is_refused_before_anything_is_planned() -> None:
    wanted = Wanted(replace(AWS, role_arn="arn:aws-cn:iam::028022243208:role/CzUdfRole"))
    with pytest.raises(BadInputError, match="028022243208"):
        plan_provisioning(wanted, None, None, None)


def test_two_connections_do_not_share_a_role_nor_overwrite_each_others_policies() -> None:
    memory = Memory()
    memory.run(plan_provisioning(Wanted(AWS), None, None, None))
    unusable = replace(AWS, name="odd", role_arn="no role", code_bucket="")  # as others may have written it
    neighbours = Neighbours([*map(Wanted.of, fold(memory.rows).values()), Wanted(unusable)])
    other = replace(AWS, name="second", code_bucket="other-bucket")
    with pytest.raises(RefusedError, match=f"connection {AWS.name}"):
        neighbours.refuse_shared_role(Wanted(other))
    other = replace(other, role_arn="arn:aws-cn:iam::123456789012:role/SecondUdf")
    neighbours.refuse_shared_role(Wanted(other))
    apart = neighbours.with_own_policies(Wanted(other))
    names = {p.policy.name for p in apart.documents().permissions}
    assert names == {"LakehouseAccess-SecondUdf", "AWSLambdaBasicExecutionRole"}
    elsewhere = replace(other, role_arn="arn:aws-cn:iam::999999999999:role/SecondUdf")
    assert neighbours.with_own_policies(Wanted(elsewhere)).policy_suffix == ""


def test_a_comment_makes_the_statement_take_the_form_that_can_hold_it() -> None:
    wanted = Wanted(replace(AWS, comment="for Noah"))
    [create] = [s for s in plan_provisioning(wanted, None, bare(wanted), NOT_CREATED).steps if _creates(s)]
    assert "COMMENT 'for Noah'" in create.preview()
    [create] = [
        s
        for s in plan_provisioning(Wanted(AWS), None, bare(wanted), NOT_CREATED, Syntax.PROPERTIES).steps
        if _creates(s)
    ]
    assert "'cloud_function.provider'='aws'" in create.preview()


def _creates(step: object) -> bool:
    return isinstance(step, CallStep) and step.operation == "create_connection"


# -- the end


def test_recreating_closes_the_role_first_and_types_the_name() -> None:
    wanted, memory = Wanted(AWS), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    change = plan_recreation(memory.state(AWS.name), wanted, furnished(wanted, EXTERNAL_ID), CREATED)
    assert acts(change) == ["update_trust", "drop_connection"]
    assert (change.danger, change.confirm_name) == (Danger.DESTRUCTIVE, AWS.name)
    assert "another external id" in change.consequences[0]
    memory.tell(*change.steps[1].events)
    assert memory.state(AWS.name).stage is Stage.CREATE


def test_a_connection_in_use_is_neither_recreated_nor_removed() -> None:
    memory = Memory()
    memory.run(plan_provisioning(Wanted(AWS), None, None, None))
    used = replace(CREATED, functions=(ExternalFunction("public.f", AWS.name),))
    with pytest.raises(RefusedError, match=r"in use by public\.f"):
        plan_recreation(memory.state(AWS.name), Wanted(AWS), None, used)
    with pytest.raises(RefusedError, match=r"in use by public\.f"):
        plan_removal(memory.state(AWS.name), None, used)


def test_removing_takes_the_role_and_its_own_policies_and_leaves_what_the_cloud_provides() -> None:
    wanted, memory = Wanted(AWS), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    state = memory.state(AWS.name)
    change = plan_removal(state, furnished(wanted, EXTERNAL_ID), CREATED)
    assert acts(change) == [
        "drop_connection",
        "detach_policy",
        "detach_policy",
        "delete_role",
        "delete_policy",
        "record",
    ]
    memory.run(change)
    assert fold(memory.rows) == {}
    kept = plan_removal(state, furnished(wanted, EXTERNAL_ID), CREATED, keep_role=True)
    assert acts(kept) == ["drop_connection", "record"]


def test_a_role_that_others_use_as_well_is_not_deleted() -> None:
    wanted, memory = Wanted(AWS, PolicyScope.LEAST), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    there = furnished(wanted, EXTERNAL_ID)
    assert there.role is not None
    shared = replace(there.role, attached=there.role.attached | {PolicyName("Payroll")})
    with pytest.raises(RefusedError, match="Payroll"):
        plan_removal(memory.state(AWS.name), replace(there, role=shared), CREATED)


def test_recreating_for_another_role_says_that_the_former_one_stays() -> None:
    wanted, memory = Wanted(AWS), Memory()
    memory.run(plan_provisioning(wanted, None, bare(wanted), NOT_CREATED))
    moved = Wanted(replace(AWS, role_arn=f"{AWS.role_arn}2"))
    change = plan_recreation(memory.state(AWS.name), moved, furnished(wanted, EXTERNAL_ID), CREATED)
    assert f"The role {AWS.role_arn} stays, and nobody can assume it: delete it in the cloud." in change.consequences
    change = plan_recreation(memory.state(AWS.name), moved, None, None)
    assert f"The role {AWS.role_arn} stays: delete it by hand in the cloud." in change.consequences
    same = plan_recreation(memory.state(AWS.name), wanted, furnished(wanted, EXTERNAL_ID), CREATED)
    assert not any("stays" in sentence for sentence in same.consequences)
