"""The partner connections and accounts of a profile in a real ClickHouse: what is known, and what can be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.clickhouse.capabilities import probe
from core.clickhouse.errors import NoRightError
from core.errors import BadInputError, NotFoundError, RefusedError
from core.journal.journal import Journal
from core.partner.accounts.folding import fold
from core.partner.partner_connections import PartnerConnections, Standing
from core.partner.storage.known_state import KnownState
from core.partner.storage.ordered_folding import SUBJECT_KINDS
from core.paths import Paths
from core.profiles import Preferences, Profile
from core.session import Session
from tests.engine.denying_engine import DenyingEngine
from tests.engine.partner_storage_place import EPOCH, NOW, TOKEN, Storage, answered, partner_with
from tests.engine.running_place import OPERATOR
from tests.unit.partner.account_examples import POLICY

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_journal_tells_what_is_new(storage: Storage) -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com", "eve@other.com")
    first = KnownState(storage.journal)
    await first.load()
    assert not first.known.accounts
    await storage.tell(partner)
    assert await first.catch_up()
    assert first.known == fold(await storage.journal.news(SUBJECT_KINDS, EPOCH, {})) == partner.known
    assert not await first.catch_up()
    second = KnownState(storage.journal)
    await second.fresh(1)
    assert second.known == first.known
    seconds = Counter(int(row.at.timestamp()) for row in partner.rows)
    assert await storage.journal.news(SUBJECT_KINDS, EPOCH, seconds) == []
    some = seconds - Counter([max(seconds)])
    assert [row.at for row in await storage.journal.news(SUBJECT_KINDS, EPOCH, some)] == [partner.rows[-1].at] * 3
    assert await storage.journal.count_of_kinds(SUBJECT_KINDS, NOW) == len(partner.rows)


async def test_what_is_known_is_listed_with_its_last_request(storage: Storage) -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com", "eve@other.com")
    await storage.tell(partner)
    connections = storage.connections
    states = await connections.states()
    assert [state.connection.id for state in states] == list(partner.known.connections)[::-1]
    assert {state.standing for state in states} == {Standing.ACTIVE}
    ann = states[-1]
    assert (ann.account.domain, ann.user and ann.user.email) == ("acme.com", "ann@acme.com")
    assert ann.last_seen == ann.connection.configured
    await storage.log.append([answered(1, connection_id=ann.connection.id, at=NOW)])
    assert (await connections.state(ann.connection.id)).last_seen == NOW
    assert (await connections.requests(connection=ann.connection.id))[0].at == NOW
    accounts = await connections.accounts()
    assert [(len(one.users), len(one.connections)) for one in accounts] == [(1, 1), (2, 2)]
    assert (await connections.account("acme.com")).account == ann.account
    with pytest.raises(NotFoundError, match="Did you mean"):
        await connections.state(ann.connection.id + "x")
    with pytest.raises(BadInputError, match="3 ids"):
        await connections.state("pc")
    with pytest.raises(NotFoundError):
        await connections.account("nobody.example")


async def test_who_may_not_read_the_log_sees_the_partner_connections_all_the_same(storage: Storage) -> None:
    partner = partner_with("ann@acme.com")
    await storage.tell(partner)
    engine = DenyingEngine(storage.engine.engine, "partner_requests")
    connections = PartnerConnections(engine, Journal(engine, storage.journal.database), POLICY)
    (state,) = await connections.states()
    assert state == await connections.state(state.connection.id)
    assert state.last_request is None
    assert state.lacking == "SELECT ON housekeys.partner_requests"
    with pytest.raises(NoRightError):
        await connections.requests(10)


async def test_a_partner_connection_is_deleted_with_its_secrets(storage: Storage) -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com")
    await storage.tell(partner)
    session = await session_at(storage)
    connections = session.partner_connections
    state = (await connections.states())[0]
    await storage.sealed.write(replace(TOKEN, connection_id=state.connection.id), "sealed")
    change = await connections.plan_delete(state.connection.id)
    assert "sealed1" not in change.preview()
    report = await session.runner.run(change)
    assert report.succeeded, report.failed_outcomes
    assert await storage.sealed.names(state.connection.id) == []
    assert [one.connection.id for one in await connections.states()] != [state.connection.id]
    gone = await connections.state(state.connection.id)
    assert gone.standing is Standing.DELETED
    assert gone in await connections.states(deleted=True)
    with pytest.raises(RefusedError, match="deleted already"):
        await connections.plan_delete(state.connection.id)

    # one whose secrets could not be erased is deleted once more
    await storage.sealed.write(replace(TOKEN, connection_id=state.connection.id), "sealed")
    rest = await connections.plan_delete(state.connection.id)
    assert [step.kind for step in rest.steps] == ["call"]
    assert (await session.runner.run(rest)).succeeded
    assert await storage.sealed.names(state.connection.id) == []
    with pytest.raises(RefusedError, match="deleted already"):
        await connections.plan_delete(state.connection.id)


async def session_at(storage: Storage) -> Session:
    """A session on an engine that is open already."""
    profile = Profile("prod", database=storage.journal.database, partner=POLICY)
    capabilities = await probe(storage.engine, database=profile.database, cluster=None)
    session = Session(
        profile,
        Preferences(),
        Paths.locate({"HOUSEKEYS_HOME": str(storage.folder)}),
        storage.runner.read_only,
        OPERATOR,
        storage.engine,
        capabilities,
        storage.journal,
        storage.runner,
    )
    session.runner.open_service = session._open_service
    return session


async def test_accounts_end_go_on_and_go(storage: Storage) -> None:
    await storage.tell(partner_with("ann@acme.com", "bob@acme.com"))
    connections = storage.connections
    storage.runner.open_service = _service_of(connections)

    async def standing() -> Standing:
        return (await connections.account("acme.com")).standing

    await storage.run(await connections.plan_expire_account("acme.com"))
    assert await standing() is Standing.EXPIRED
    with pytest.raises(BadInputError, match="has passed"):
        await connections.plan_renew("acme.com", NOW - timedelta(days=1))
    await storage.run(await connections.plan_renew("acme.com", NOW + timedelta(days=5)))
    assert await standing() is Standing.ACTIVE
    await storage.run(await connections.plan_purchase("acme.com"))
    with pytest.raises(RefusedError, match="already"):
        await connections.plan_purchase("acme.com")
    await storage.run(await connections.plan_invite("acme.com", "Cy@Partner.example"))
    with pytest.raises(RefusedError, match="already"):
        await connections.plan_invite("acme.com", "cy@partner.example")
    with pytest.raises(BadInputError):
        await connections.plan_invite("acme.com", "nobody")
    state = await connections.account("acme.com")
    assert {user.email for user in state.users} == {"ann@acme.com", "bob@acme.com", "cy@partner.example"}
    database = state.account.database
    await storage.engine.command(f"CREATE DATABASE `{database}`")
    change = await connections.plan_delete_account("acme.com")
    assert change.confirm_name == database
    await storage.run(change)
    assert await connections.accounts() == []
    assert [one.standing for one in await connections.accounts(deleted=True)] == [Standing.DELETED]
    with pytest.raises(RefusedError, match="is deleted"):
        await connections.plan_purchase(state.account.id)

    # what could not be dropped goes when it is deleted once more
    await storage.engine.command(f"CREATE DATABASE `{database}`")
    await storage.sealed.write(replace(TOKEN, connection_id=state.connections[0].id), "sealed")
    rest = await connections.plan_delete_account("acme.com")
    assert (rest.confirm_name, len(rest.steps)) == (database, 2)
    await storage.run(rest)
    with pytest.raises(RefusedError, match="is deleted, and nothing of it is left"):
        await connections.plan_delete_account(state.account.id)


def _service_of(connections: PartnerConnections) -> Any:
    async def open_service(name: str) -> Any:
        assert name == "partner_secrets"
        return connections.secret_calls

    return open_service
