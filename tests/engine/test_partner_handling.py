"""Requests of Databricks carried out on a real ClickHouse: every scenario, every way to fail, two services at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.changes import Change, RecordStep
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import HousekeysError, RefusedError, UnreachableError
from core.partner.accounts import facts
from core.partner.accounts.decision import Scenario
from core.partner.handling.orphans import erase_orphans
from core.partner.handling.settling import Settling
from core.partner.messages.requests import AccountInfo, AccountUserInfo, CloudProvider, ConnectionInfo
from core.partner.messages.responses import (
    Connection,
    ConnectionTestResult,
    DeleteConnectionResponse,
    ErrorReason,
    ResourceStatus,
)
from core.partner.provisioning.quotas import read_members
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sign_in_links import PARAMETER, LinkPurpose
from core.profiles.partner import PagePolicy, TrialPolicy
from core.running.runner import Report
from core.secrets import Secret
from tests.engine.gated_engine import STATEMENT, GatedEngine
from tests.engine.partner_service_place import NOTHING, ONE, ServicePlace
from tests.unit.partner.account_examples import TOKEN, asked

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOST = UnreachableError("The connection was lost.")
DENIED = RefusedError("Not enough privileges.")
TESTER = "ann@databricks-test.com"
_numbers = itertools.count()


@pytest_asyncio.fixture(loop_scope="module")
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[ServicePlace]:
    place = await ServicePlace(shared_engine, tmp_path, f"handling{next(_numbers)}").prepare()
    yield place
    await place.leave()


def link_of(place: ServicePlace, answer: Connection, purpose: LinkPurpose) -> tuple[str, str]:
    """The account and the user of the sign-in link that an answer leads to."""
    base, _, token = answer.redirect_uri.partition(f"?{PARAMETER}=")
    assert base == f"{place.policy.base_url}/welcome"
    link = place.keys.signer.look(token, purpose)
    return link.account_id, link.user_id


async def told(place: ServicePlace, *arguments: Any, **more: Any) -> tuple[str, str]:
    """Connect; the scenario, and what the user is led to or why not."""
    handled = await place.handler.connect(asked(*arguments, **more))
    assert handled.body is not None
    if isinstance(handled.body, Connection):
        return handled.word, handled.body.redirect_value
    return handled.word, handled.body.error_reason


async def test_scenarios(place: ServicePlace) -> None:
    """What each request leads to, and what is there in ClickHouse afterwards."""
    first = await place.connect(asked("ann@acme.com", 1))
    connection = str(first.connection_id)
    account, user = link_of(place, first, LinkPurpose.SET_PASSWORD)
    known = await place.known()
    assert (known.connections[connection].account_id, known.connections[connection].user_id) == (account, user)
    kept = await place.secrets.get(SealedPlace(connection, SecretName.PERSONAL_ACCESS_TOKEN))
    assert kept is not None and kept.reveal() == TOKEN
    assert await place.made() == ONE
    await check_rights(place, account, user)

    assert await told(place, "bea@acme.com", 1) == (Scenario.ADDED, "sign_in")
    assert await told(place, "ann@acme.com", 2) == (Scenario.EXISTING, "sign_in")
    assert await told(place, "ann@acme.com", 1, connection=connection) == (Scenario.EXISTING, "sign_in")
    assert await told(place, "cid@acme.com", 1, connection=connection) == (Scenario.ADDED, "sign_in")
    assert await place.made() == {"databases": 1, "roles": 1, "users": 3, "secrets": 3}
    missing = (Scenario.UNKNOWN_CONNECTION, ErrorReason.CONNECTION_NOT_FOUND)
    assert await told(place, "ann@acme.com", 2, connection=connection) == missing
    elsewhere = asked("ann@acme.com", 1, hostname="169.254.169.254")
    refused = await place.handler.connect(elsewhere)
    assert refused.error is not None and refused.error.error_reason is ErrorReason.BAD_REQUEST

    tested = await place.handler.test_connection(ConnectionInfo(connection))
    assert isinstance(tested.body, ConnectionTestResult) and tested.word == "passed"
    deleted = await place.delete(connection)
    assert deleted.body == DeleteConnectionResponse(ResourceStatus.RESOURCES_DELETED)
    assert await place.made() == {"databases": 1, "roles": 1, "users": 3, "secrets": 2}
    again = await place.delete(connection)
    assert again.error is not None and again.error.error_reason is ErrorReason.CONNECTION_NOT_FOUND
    assert await told(place, "ann@acme.com", 1, connection=connection) == missing
    gone = await place.handler.test_connection(ConnectionInfo(connection))
    assert gone.error is not None and gone.error.error_reason is ErrorReason.CONNECTION_NOT_FOUND
    assert connection not in await place.live()


async def check_rights(place: ServicePlace, account: str, user: str) -> None:
    """The user has what the template says on the one database, through the role, and no password that is known."""
    role, name = f"{place.database}_role_{account}", f"{place.database}_user_{user}"
    granted = await place.engine.query(f"SHOW GRANTS FOR {role}")
    database = f"{place.database}_db_{account}"
    rights = f"GRANT SELECT, INSERT, CREATE TABLE, DROP TABLE ON {database}.* TO {role}"
    assert [row[0] for row in granted.rows] == [rights]
    assert [row[0] for row in (await place.engine.query(f"SHOW GRANTS FOR {name}")).rows] == [f"GRANT {role} TO {name}"]
    shown = str((await place.engine.query(f"SHOW CREATE USER {name}")).first_cell())
    assert "IDENTIFIED WITH sha256_password" in shown and f"DEFAULT DATABASE {database}" in shown


async def test_trials_and_hooks(place: ServicePlace, tmp_path: Path) -> None:
    """A trial that ends, the hooks of Databricks' tests, and pages of the partner's own."""
    pages = PagePolicy(purchase="https://www.acme.example/buy")
    trials = place.another(
        tmp_path / "trials", trial=TrialPolicy("account", 14), test_hooks=True, pages=pages, supports_demo=True
    )
    first = await trials.connect(asked(TESTER, 7))
    demo = await told(trials, TESTER, 7, demo=True)
    assert demo == (Scenario.DEMO, "create_trial")
    assert (await trials.made())["databases"] == 2
    ended = await trials.handler.expire_account(AccountUserInfo(TESTER, 1, CloudProvider.AWS, 7))
    assert ended.body is None
    led = await trials.connect(asked(TESTER, 7, connection=first.connection_id))
    assert (led.redirect_value, led.redirect_uri) == ("purchase_product", "https://www.acme.example/buy")
    refused = await trials.handler.delete_account(AccountInfo("acme.com", CloudProvider.AWS, 7))
    assert refused.error is not None and refused.error.error_reason is ErrorReason.BAD_REQUEST
    assert (await trials.handler.delete_account(AccountInfo("databricks-test.com", CloudProvider.AWS, 7))).body is None
    assert (await trials.made(), await trials.live()) == (NOTHING, set())
    after = (Scenario.UNKNOWN_CONNECTION, ErrorReason.CONNECTION_NOT_FOUND)
    assert await told(trials, TESTER, 7, connection=first.connection_id) == after


async def test_an_account_that_was_deleted_in_part(place: ServicePlace, tmp_path: Path) -> None:
    """Databricks hears of 500 and asks again, another process perhaps: the rest goes then, and only after it 404."""
    hooked = place.another(tmp_path / "hooked", test_hooks=True)
    account = AccountInfo("databricks-test.com", CloudProvider.AWS, 7)
    await hooked.connect(asked(TESTER, 7))
    await hooked.connect(asked("bob@acme.com", 7))
    hooked.engine.fault, hooked.engine.statements_left = (
        DENIED,
        2,
    )  # by then the secrets are erased and the user is gone
    first = await hooked.handler.delete_account(account)
    assert first.error is not None and first.error.error_reason is ErrorReason.GENERAL_ERROR
    hooked.engine.repair()
    assert await hooked.made() != ONE
    other = place.another(tmp_path / "other", test_hooks=True)
    assert (await other.handler.delete_account(account)).error is None
    assert await other.made() == ONE
    for process in (hooked, other):
        gone = await process.handler.delete_account(account)
        assert gone.error is not None and gone.error.error_reason is ErrorReason.ACCOUNT_NOT_FOUND


async def add_beside_another(place: ServicePlace, folder: Path, at: str, email: str, others: str) -> str:
    """Connect while somebody else writes the list of the quota: before it is written here, or right after."""
    gate = GatedEngine(place.engine.engine, at)
    slow = place.another(folder / at, gate)
    held = asyncio.create_task(slow.connect(asked(email)))
    await gate.reached.wait()
    await place.engine.engine.command(f"ALTER QUOTA {place.policy.resources.quota} TO {others}")
    gate.opened.set()
    _, user = link_of(slow, await held, LinkPurpose.SET_PASSWORD)
    made = sum(sql.startswith("CREATE USER") for sql in slow.engine.statements)
    assert made == (2 if at == STATEMENT else 1)  # taken back, and made with the new list
    return place.policy.resources.user.replace("{user}", user)


async def test_quota_and_settings_profile(place: ServicePlace, tmp_path: Path) -> None:
    """A new user is beside those who are in the quota already, and gets the settings profile."""
    quota, profile, before = (f"{place.database}_{what}" for what in ("quota", "profile", "before"))
    for sql in (
        f"CREATE USER {before} IDENTIFIED WITH no_password",
        f"CREATE SETTINGS PROFILE {profile} SETTINGS max_threads = 2",
        f"CREATE QUOTA {quota} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 100 TO {before}",
    ):
        await place.engine.engine.command(sql)
    template = replace(place.policy.resources, quota=quota, settings_profile=profile)
    limited = place.another(tmp_path / "limited", resources=template)
    answer = await limited.connect(asked())
    _, user = link_of(limited, answer, LinkPurpose.SET_PASSWORD)
    name = template.user.replace("{user}", user)
    assert (await read_members(place.engine, quota)).to.names == (before, name)
    assert f"SETTINGS PROFILE `{profile}`" in str((await place.engine.query(f"SHOW CREATE USER {name}")).first_cell())
    second = await add_beside_another(limited, tmp_path, STATEMENT, "bea@b.example", name)
    third = await add_beside_another(limited, tmp_path, "journal", "cid@c.example", second)
    assert (await read_members(place.engine, quota)).to.names == (second, third)
    absent = place.another(tmp_path / "absent", resources=replace(template, quota="nowhere"))
    handled = await absent.handler.connect(asked("bea@acme.com"))
    assert handled.error is not None and "no quota nowhere" in str(handled.error.debugging_message)
    assert handled.error.error_reason is ErrorReason.GENERAL_ERROR


async def fail(place: ServicePlace, fault: HousekeysError, *, arrives: bool = False, **after: int) -> None:
    """A new company connects while something goes wrong, which then ends. Nothing of it is left."""
    place.engine.fault, place.engine.arrives = fault, arrives
    place.engine.statements_left, place.engine.inserts_left = after.get("statements"), after.get("inserts")
    handled = await place.handler.connect(asked())
    assert handled.error is not None, (handled, after)
    assert handled.error.error_reason is ErrorReason.GENERAL_ERROR
    assert handled.error.display_message and TOKEN not in str(handled)
    place.engine.repair()
    await place.settled()
    assert (await place.made(), await place.live()) == (NOTHING, set()), (after, arrives)


async def test_lost_or_denied_at_any_step(place: ServicePlace) -> None:
    """Facts that reach the journal though nobody knows of it are followed by those that take them back."""
    await fail(place, DENIED, statements=2)
    await fail(place, LOST, arrives=True, inserts=0)  # the secrets
    await fail(place, LOST, arrives=True, inserts=1)  # the facts
    assert await place.connect(asked())


async def test_a_service_that_ends_before_it_could_take_back(place: ServicePlace, tmp_path: Path) -> None:
    """The facts wait in a file of a process that goes; the next one on this machine finds that nobody was told."""
    place.engine.fault, place.engine.inserts_left = LOST, 1
    assert (await place.handler.connect(asked())).error is not None
    await place.handler.close()
    after = place.another(tmp_path)
    await after.handler.settle_at_start()
    assert (await after.made(), await after.live()) == (NOTHING, set())


async def test_a_service_that_is_killed_between_a_failure_and_its_taking_back(
    place: ServicePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made is in no facts then; the next service on this machine finds it all the same."""

    async def killed(settling: Settling, report: Report) -> None:
        """It had no time to do anything."""

    monkeypatch.setattr(Settling, "take_back", killed)
    place.engine.fault, place.engine.statements_left = DENIED, 2
    assert (await place.handler.connect(asked())).error is not None
    assert await place.made() != NOTHING
    after = place.another(tmp_path)
    await after.handler.settle_at_start()
    assert (await after.made(), await after.live()) == (NOTHING, set())


async def test_a_caller_that_goes_away(place: ServicePlace, shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    """What was begun is finished, though nobody waits for the answer; the service waits for it when it ends."""
    gate = GatedEngine(shared_engine, STATEMENT)
    left = place.another(tmp_path / "left", gate)
    call = asyncio.create_task(left.handler.connect(asked()))
    await gate.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    gate.opened.set()
    await left.handler.close()
    assert await place.made() == ONE and len(await place.live()) == 1


async def test_account_that_is_deleted_meanwhile(
    place: ServicePlace, shared_engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """Facts about an account that is not there any more say nothing: nobody is told that they do."""
    first = await place.connect(asked("ann@acme.com"))
    account, _ = link_of(place, first, LinkPurpose.SET_PASSWORD)
    gate = GatedEngine(shared_engine, STATEMENT)
    slow = place.another(tmp_path / "slow", gate)
    held = asyncio.create_task(slow.handler.connect(asked("bea@acme.com")))
    await gate.reached.wait()
    deleted = Change("Delete the account", (RecordStep("Record it", (facts.account_deleted(account),)),))
    assert (await place.runner.run(deleted)).succeeded
    gate.opened.set()
    handled = await held
    assert handled.error is not None and handled.error.error_reason is ErrorReason.GENERAL_ERROR
    assert (await place.made(), await place.live()) == (ONE, set())


async def test_secrets_of_no_partner_connection(place: ServicePlace) -> None:
    """Those of a deleted one go at once, those of one that nobody knows when nobody knows it a while later either."""
    there, gone = [str((await place.connect(asked(workspace=number))).connection_id) for number in (1, 2)]
    await place.delete(gone, 2)
    for connection in (gone, "pcunknown"):
        await place.secrets.keep(SealedPlace(connection, SecretName.PERSONAL_ACCESS_TOKEN), Secret(TOKEN))
    await erase_orphans(place.settling, place.table, seconds=0)
    assert set().union(*(await place.table.by_key()).values()) == {there}


async def test_secrets_that_cannot_be_erased(place: ServicePlace, tmp_path: Path) -> None:
    """Databricks hears of 500 and asks again, another process perhaps; the second answer after success is 404."""
    connection = str((await place.connect(asked())).connection_id)
    place.engine.fault, place.engine.statements_left = DENIED, 0
    first = await place.delete(connection)
    assert first.error is not None and first.error.error_reason is ErrorReason.GENERAL_ERROR
    place.engine.repair()
    assert (await place.made())["secrets"] == 1
    other = place.another(tmp_path / "other")
    await other.handler.settle_at_start()
    again = await other.delete(connection)
    assert again.body == DeleteConnectionResponse(ResourceStatus.RESOURCES_DELETED)
    assert await place.made() == {**ONE, "secrets": 0}
    for process in (place, other):
        gone = await process.delete(connection)
        assert gone.error is not None and gone.error.error_reason is ErrorReason.CONNECTION_NOT_FOUND


async def test_two_services_make_one_account(
    place: ServicePlace, shared_engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """One is held up before its facts, which are older and count; then its line is lost, as the other's give way.

    The next service on its machine brings that to an end.
    """
    gate = GatedEngine(shared_engine, "journal")
    slow = place.another(tmp_path / "slow", gate)
    held = asyncio.create_task(slow.connect(asked("ann@acme.com")))
    await gate.reached.wait()
    answers = [await place.connect(asked("bea@acme.com"))]
    slow.engine.fault, slow.engine.statements_left = LOST, 0
    gate.opened.set()
    answers.append(await held)
    await slow.handler.close()
    await place.another(tmp_path / "slow").handler.settle_at_start()
    known = await place.known()
    (account,) = known.accounts.values()
    assert await place.live() == {answer.connection_id for answer in answers}
    assert sorted(user.email for user in known.users.values()) == ["ann@acme.com", "bea@acme.com"]
    assert await place.made() == {"databases": 1, "roles": 1, "users": 2, "secrets": 2}
    users = sorted(user.name for user in known.users.values())
    assert await holders(place) == [(name, account.role, account.database) for name in users]


async def holders(place: ServicePlace) -> list[tuple[str, ...]]:
    """The users with the roles that they have and the database that they begin in."""
    found = await place.engine.query(
        "SELECT u.name, g.granted_role_name, u.default_database FROM system.users AS u"
        " JOIN system.role_grants AS g ON g.user_name = u.name"
        f" WHERE startsWith(u.name, '{place.database}_') ORDER BY u.name"
    )
    return [tuple(map(str, row)) for row in found.rows]
