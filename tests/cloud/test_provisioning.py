"""From nothing to ready and back, in each cloud and a Lakehouse over HTTP: provisioned, drifted, mended, recreated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from core.errors import HousekeysError, RefusedError, UnreachableError
from core.lakehouse.cloud_access import CloudAccess
from core.lakehouse.connections import ExternalFunction
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope
from core.lakehouse.looking import plan_recording
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.provisioning.verification import trusted_id
from core.lakehouse.reaching import client as client_module
from core.lakehouse.state import Condition, Stage
from tests.cloud.accounts import Account, aws_account
from tests.cloud.connection_place import PASSWORD_VARIABLE, ConnectionPlace, connection_in
from tests.cloud.fixtures import AwsServer
from tests.lakehouse_stub import PASSWORD, LakehouseStub


@pytest.fixture
def lakehouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[LakehouseStub]:
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as stub:
        yield stub


@pytest_asyncio.fixture
async def place(account: Account, lakehouse: LakehouseStub, tmp_path: Path) -> AsyncIterator[ConnectionPlace]:
    place = ConnectionPlace(tmp_path, account.provider, account.url, lakehouse.url)
    yield place
    await place.reach.close()


async def provisioned(place: ConnectionPlace, account: Account) -> Wanted:
    wanted = Wanted(connection_in(account))
    await place.run(await place.connections.plan_create(wanted))
    return wanted


async def test_one_change_leads_from_nothing_to_ready(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, cloud: CloudAccess
) -> None:
    wanted = await provisioned(place, account)
    state = await place.connections.state("udf")
    told = lakehouse.connections["udf"].external_id
    assert (state.condition, state.stage, state.external_id) == (Condition.READY, Stage.READY, told)
    role = await cloud.role("LakehouseRole")
    assert role is not None
    assert trusted_id(role) == told
    assert {policy.name for policy in role.attached} == {p.policy.name for p in wanted.documents().permissions}
    again = await place.connections.plan_resume("udf")
    assert again.steps == ()
    [look] = await place.connections.look([state])
    assert (look.differences, look.error) == ((), None)


async def test_the_whole_way_can_be_taken_back(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, cloud: CloudAccess
) -> None:
    wanted = await provisioned(place, account)
    runner = place.runner()
    report = await runner.run(await runner.last_undoable())
    assert report.succeeded, [str(outcome.error) for outcome in report.failed_outcomes]
    assert lakehouse.connections == {}
    assert await cloud.role("LakehouseRole") is None
    own = [p.policy for p in wanted.documents().permissions if not p.policy.provided]
    assert [await cloud.policy(policy) for policy in own] == [None] * len(own)
    assert await place.connections.states() == {}


async def test_drift_is_found_and_put_right(place: ConnectionPlace, account: Account, cloud: CloudAccess) -> None:
    wanted = await provisioned(place, account)
    own = next(p.policy.name for p in wanted.documents().permissions if not p.policy.provided)
    await cloud.update_policy(own, account.permission("s3:GetObject"))
    await cloud.attach_policy("LakehouseRole", account.provided)
    await cloud.update_trust("LakehouseRole", account.trust("SomebodyElse"))
    [look] = await place.connections.look([await place.connections.state("udf")])
    assert any(words.startswith("Trust policy of LakehouseRole") for words in look.differences)
    assert any(words.startswith(f"Policy {own}") for words in look.differences)
    await place.run(plan_recording([look]))
    assert (await place.connections.state("udf")).condition is Condition.MISMATCH
    await place.run(await place.connections.plan_resume("udf"))
    state = await place.connections.state("udf")
    provided = {p.policy for p in wanted.documents().permissions if p.policy.provided}
    if account.provided in provided:
        assert state.condition is Condition.READY
    else:  # what somebody else attached is told, and never detached
        assert [words for words in state.differences if account.provided.name in words] == list(state.differences)


async def test_recreating_gives_another_external_id_and_the_role_is_closed_in_between(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, cloud: CloudAccess
) -> None:
    await provisioned(place, account)
    first = lakehouse.connections["udf"].external_id
    left_over = await place.connections.plan_recreate("udf")
    await place.run(left_over)
    assert (await place.connections.state("udf")).stage is Stage.CREATE
    assert trusted_id(await cloud.role("LakehouseRole")) == PLACEHOLDER_EXTERNAL_ID
    await place.run(await place.connections.plan_resume("udf"))
    state = await place.connections.state("udf")
    assert (state.condition, state.external_id) == (Condition.READY, lakehouse.connections["udf"].external_id)
    assert state.external_id != first
    report = await place.runner().run(replace(left_over, steps=left_over.steps[-1:]))  # continued too late
    assert "it is another one now" in str(report.failed_outcomes[0].error)
    assert "udf" in lakehouse.connections


async def test_a_connection_in_use_stays_until_its_functions_are_dropped(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, cloud: CloudAccess
) -> None:
    await provisioned(place, account)
    function = ExternalFunction("public.f", "udf", "m.C", (("FILE", "oss://b/f.zip"),))
    await place.run(await place.connections.plan_create_function(function))
    with pytest.raises(RefusedError, match=r"in use by public\.f"):
        await place.connections.plan_remove("udf")
    await place.run(await place.connections.plan_drop_function("public.f"))
    await place.run(await place.connections.plan_remove("udf"))
    assert lakehouse.connections == {}
    assert await cloud.role("LakehouseRole") is None
    assert await place.connections.states() == {}


async def test_the_least_policies_are_put_in_the_place_of_the_documented_ones(
    place: ConnectionPlace, account: Account, cloud: CloudAccess
) -> None:
    wanted = await provisioned(place, account)
    least = Wanted(wanted.connection, PolicyScope.LEAST)
    await place.run(await place.connections.plan_create(least))
    for permission in least.documents().permissions:
        assert await cloud.policy(permission.policy) is not None
    assert (await place.connections.state("udf")).scope is PolicyScope.LEAST


async def test_what_somebody_did_since_the_plan_is_not_overwritten(
    place: ConnectionPlace, account: Account, cloud: CloudAccess, lakehouse: LakehouseStub
) -> None:
    wanted = Wanted(connection_in(account))
    change = await place.connections.plan_create(wanted)
    await cloud.create_role("LakehouseRole", account.trust("SomebodyElse"), "theirs")
    report = await place.runner().run(change)
    [failed] = report.failed_outcomes
    assert isinstance(failed.error, RefusedError)
    assert "since the plan was made" in failed.error.message
    assert lakehouse.connections == {}
    assert trusted_id(await cloud.role("LakehouseRole")) == "SomebodyElse"


async def test_a_lakehouse_that_fails_leaves_a_closed_role_and_the_way_goes_on_later(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, cloud: CloudAccess
) -> None:
    lakehouse.fail("CREATE API CONNECTION", "role arn is not exist")
    report = await place.runner().run(await place.connections.plan_create(Wanted(connection_in(account))))
    assert isinstance(report.failed_outcomes[0].error, HousekeysError)
    assert trusted_id(await cloud.role("LakehouseRole")) == PLACEHOLDER_EXTERNAL_ID
    state = await place.connections.state("udf")
    assert (state.stage, state.condition) == (Stage.CREATE, Condition.UNFINISHED)
    lakehouse.heal()
    await place.run(await place.connections.plan_resume("udf"))
    assert (await place.connections.state("udf")).condition is Condition.READY


async def test_a_board_shows_what_is_known_though_the_lakehouse_does_not_answer(
    place: ConnectionPlace, account: Account, lakehouse: LakehouseStub, tmp_path: Path
) -> None:
    await provisioned(place, account)
    lakehouse.connections.clear()  # somebody else dropped it
    [state] = (await place.connections.board()).states
    assert (state.condition, state.stage) == (Condition.DRIFTED, Stage.VERIFY)
    assert state.differences == ("The Lakehouse does not list the connection udf any more.",)
    alone = ConnectionPlace(tmp_path, account.provider, account.url, "http://127.0.0.1:1")
    board = await alone.connections.board()
    assert [(state.name, state.condition) for state in board.states] == [("udf", Condition.READY)]
    assert isinstance(board.error, UnreachableError)
    await alone.reach.close()


async def test_another_accounts_credentials_are_refused(place: ConnectionPlace, account: Account) -> None:
    connection = connection_in(account)
    arn = connection.role_arn.replace(account.number, "9" * len(account.number))
    with pytest.raises(RefusedError, match=f"account {account.number}"):
        await place.connections.plan_create(Wanted(replace(connection, role_arn=arn)))


async def test_many_that_ask_at_once_open_each_side_once(place: ConnectionPlace, lakehouse: LakehouseStub) -> None:
    await asyncio.gather(*(place.connections.board() for _ in range(5)))
    assert lakehouse.logins == 1


async def test_a_role_is_made_under_the_path_that_its_arn_names(
    aws_server: AwsServer, lakehouse: LakehouseStub, tmp_path: Path
) -> None:
    account = aws_account(aws_server.url, "aws")
    place = ConnectionPlace(tmp_path, account.provider, account.url, lakehouse.url)
    wanted = Wanted(connection_in(account, role="team/udf/LakehouseUdf"))
    change = await place.connections.plan_create(wanted)
    previews = [step.preview() for step in change.steps]
    assert any(text.startswith("iam CreateRole LakehouseUdf under /team/udf/\n") for text in previews)
    await place.run(change)
    assert (await place.connections.state("udf")).condition is Condition.READY
    access = await account.open()
    role = await access.role("LakehouseUdf")
    assert role is not None and role.arn == account.role_arn.format("team/udf/LakehouseUdf")
    await access.close()
    await place.reach.close()
