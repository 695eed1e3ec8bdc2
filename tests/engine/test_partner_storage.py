"""Where Partner Connect keeps things, on a real ClickHouse: tables, sealed secrets, claims, the log, credentials."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from core.changes import Change
from core.clickhouse.capabilities import probe
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.clickhouse.errors import NoRightError
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.journal.journal import Journal
from core.partner.accounts.folding import fold
from core.partner.oauth.authorization import published_app
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.u2m import U2mTokens, lease_of
from core.partner.partner_connections import PartnerConnections, Standing
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.security.basic_credentials import header_value
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import workspace_host
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.storage.claims import Claims
from core.partner.storage.credentials import LiveCredentials
from core.partner.storage.known_state import KnownState
from core.partner.storage.leases import Leases
from core.partner.storage.ordered_folding import SUBJECT_KINDS
from core.partner.storage.request_log import RequestLog, RequestTail
from core.partner.storage.request_writer import RequestWriter
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.sealed_table import SealedTable
from core.partner.storage.tables import PartnerTables
from core.partner.storage.used_links import UsedLinks
from core.paths import Paths
from core.profiles import Preferences, Profile
from core.secrets import Secret
from core.session import Session
from tests.databricks_fake import PUBLISHED_APP, REDIRECT, DatabricksFake
from tests.engine.denying_engine import DenyingEngine
from tests.engine.faulty_engine import FaultyEngine
from tests.engine.gated_engine import STATEMENT, GatedEngine
from tests.engine.running_place import OPERATOR, Place
from tests.unit.partner.account_examples import POLICY, Partner

pytestmark = pytest.mark.asyncio(loop_scope="module")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)
HOST = workspace_host("dbc-a1b2.cloud.databricks.com")
TOKEN = SealedPlace("pc1", SecretName.PERSONAL_ACCESS_TOKEN)
REFRESH = SealedPlace("pc1", SecretName.U2M_REFRESH_TOKEN)
_numbers = itertools.count(1)


class Storage(Place):
    """A place with the tables of Partner Connect."""

    async def with_tables(self) -> Storage:
        await self.engine.engine.command(f"CREATE DATABASE {self.database}")
        creation = await PartnerTables(self.engine, self.journal).creation()
        report = await self.runner.run(creation)
        assert report.succeeded, report.failed_outcomes
        return self.begun_anew()

    def begun_anew(self) -> Storage:
        """It, as a process sees it that has just been started."""
        self.engine.statements.clear()
        self.connections = PartnerConnections(self.engine, self.journal, POLICY)
        self.sealed, self.log = self.connections.sealed_table, self.connections.request_log
        return self

    async def run(self, change: Change) -> None:
        report = await self.runner.run(change)
        assert report.succeeded, [outcome.error for outcome in report.failed_outcomes]

    async def tell(self, partner: Partner) -> None:
        """Have the journal know what a partner has decided."""
        rows = [replace(row, id=UUID(int=next(_numbers)), change=UUID(int=1)) for row in partner.rows]
        await self.journal.append(rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared_engine: EmbeddedEngine, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A place with the tables of Partner Connect, made once: that takes a while."""
    return await Storage(shared_engine, tmp_path_factory.mktemp("storage")).with_tables()


@pytest_asyncio.fixture(loop_scope="module")
async def storage(made: Storage) -> AsyncIterator[Storage]:
    """It, with nothing in its tables."""
    yield made.begun_anew()
    made.engine.repair()
    for table in ("journal", "partner_secrets", "partner_claims", "partner_requests"):
        await made.engine.engine.command(f"TRUNCATE TABLE {made.journal.database}.{table}")


def partner_with(*emails: str) -> Partner:
    partner = Partner()
    partner.now = NOW - timedelta(minutes=10)
    for number, email in enumerate(emails):
        partner.connected(email, workspace=number + 1)
        partner.now += timedelta(seconds=1)
    return partner


# Tables


async def test_the_tables_are_made_once_with_the_journal(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path)
    tables = PartnerTables(shared_engine, place.journal)
    assert await tables.missing() == ["journal", "partner_secrets", "partner_claims", "partner_requests"]
    assert (await place.runner.run(await tables.creation())).succeeded
    assert await tables.missing() == []
    assert not (await tables.creation()).steps
    await shared_engine.command(f"DROP TABLE {place.journal.database}.partner_claims")
    assert [step.title for step in (await tables.creation()).steps] == [
        f"Create table {place.journal.database}.partner_claims"
    ]
    assert ("create", "done") in [(action, outcome) for _, action, outcome in await place.told("partner_table")]


async def test_another_table_of_that_name_is_refused(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path)
    await shared_engine.command(f"CREATE DATABASE {place.journal.database}")
    table = f"{place.journal.database}.partner_secrets"
    await shared_engine.command(f"CREATE TABLE {table} (connection_id String, name String) ENGINE = Memory")
    with pytest.raises(RefusedError, match=r"its column name is String, not LowCardinality\(String\)"):
        await PartnerTables(shared_engine, place.journal).missing()


async def test_on_a_cluster_every_host_is_a_replica(shared_engine: EmbeddedEngine) -> None:
    journal = Journal(shared_engine, "strange {uuid} `name'\\", "main cluster")
    change = await PartnerTables(shared_engine, journal).creation()
    for step in change.steps[2:]:
        asked = await shared_engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": step.preview()})
        text = str(asked.first_cell())
        engine = text.partition("ENGINE = ")[2]
        assert "ON CLUSTER `main cluster`" in text
        assert engine.startswith("Replicated")
        assert engine.count("{") == 1
        assert "non_replicated" not in engine


# What is known, on the real journal


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


# Sealed secrets


async def test_the_newest_value_counts(storage: Storage) -> None:
    sealed = storage.sealed
    assert await sealed.read(TOKEN) is None
    await sealed.write(TOKEN, "first")
    await sealed.write(TOKEN, "second")
    other_process = SealedTable(storage.engine, storage.journal.database)
    assert await other_process.read(TOKEN) == "second"
    assert await other_process.places("pc1") == [TOKEN]
    await other_process.remove(REFRESH)
    await asyncio.gather(other_process.remove(TOKEN), sealed.write(replace(TOKEN, connection_id="pc2"), "kept"))
    assert await sealed.read(TOKEN) is None
    assert await sealed.read(replace(TOKEN, connection_id="pc2")) == "kept"


async def test_who_writes_at_the_same_time_shares_an_insert(storage: Storage) -> None:
    places = [replace(TOKEN, connection_id=f"pc{number}") for number in range(40)]
    storage.engine.inserts_left = 4
    await asyncio.gather(*(storage.sealed.write(place, place.connection_id) for place in places))
    assert [await storage.sealed.read(place) for place in places[::10]] == ["pc0", "pc10", "pc20", "pc30"]
    assert storage.engine.inserts_left is not None
    assert storage.engine.inserts_left >= 2
    await asyncio.gather(*(storage.sealed.erase(place.connection_id) for place in places))
    assert len([sql for sql in storage.engine.statements if "DELETE" in sql]) < 20
    assert [await storage.sealed.read(place) for place in places[::10]] == [None] * 4


async def test_a_write_that_fails_says_so_to_all(storage: Storage) -> None:
    storage.engine.inserts_left = 0
    told = await asyncio.gather(*(storage.sealed.write(TOKEN, "x") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, UnreachableError) for error in told)
    storage.engine.repair()
    await storage.sealed.write(TOKEN, "x")
    assert await storage.sealed.read(TOKEN) == "x"


async def test_nothing_is_read_where_no_table_is(shared_engine: EmbeddedEngine) -> None:
    sealed = SealedTable(shared_engine, "nowhere")
    assert await sealed.read(TOKEN) is None
    await sealed.erase("pc1")
    with pytest.raises(HousekeysError):
        await sealed.write(TOKEN, "x")
    assert await RequestLog(shared_engine, "nowhere").newest() == []


async def test_what_is_erased_is_gone_from_the_disk(storage: Storage) -> None:
    secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), storage.sealed)
    for number in range(12):  # enough for ClickHouse to merge parts, which leaves old ones behind
        await secrets.keep(replace(TOKEN, connection_id=f"pc{number}"), Secret(f"dapi{number:032}"))
    await secrets.keep(replace(TOKEN, connection_id="pc7"), Secret("dapi-newer"))
    place = replace(TOKEN, connection_id="pc7")
    found = await storage.engine.query(
        f"SELECT sealed FROM {storage.journal.database}.partner_secrets WHERE connection_id = 'pc7'"
    )
    texts = [str(text).encode() for (text,) in found.rows]
    folder = Path(storage.engine.engine.address)

    def files() -> list[Path]:
        return [one for one in folder.rglob("*") if one.is_file() and any(text in one.read_bytes() for text in texts)]

    assert files()
    await secrets.erase("pc7")
    assert await secrets.get(place) is None
    assert await storage.sealed.names("pc7") == []
    assert files() == []
    assert (await secrets.get(replace(place, connection_id="pc8"))) is not None


# Claims, links, leases


class Beside(FaultyEngine):
    """The same ClickHouse by a connection of its own: statements run at the same time, as those of processes do."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        folder = Path(engine.address)
        self.handle = Handle(HandleOptions(folder / "data", folder / "config.xml", {}, "another process"))

    async def query(self, sql: str, parameters: Any = None, *, settings: Any = None) -> QueryResult:
        return await asyncio.to_thread(self.handle.query, sql, parameters, settings)

    async def command(self, sql: str, *, settings: Any = None) -> None:
        await asyncio.to_thread(self.handle.command, sql, settings)


async def test_of_all_who_claim_at_once_one_gets_it(storage: Storage) -> None:
    engines = [Beside(storage.engine) for _ in range(4)]
    try:
        processes = [Claims(engine, storage.journal.database) for engine in engines]
        links = [UsedLinks(claims) for claims in processes]
        later = NOW + timedelta(hours=1)
        for number in range(5):
            told = await asyncio.gather(*(link.record(f"nonce {number}", later) for link in links))
            assert sorted(told) == [False, False, False, True]
            assert not await links[0].record(f"nonce {number}", later)
            taken = await asyncio.gather(*(claims.take(f"thing {number}", 60) for claims in processes))
            assert taken.count(None) == 3
    finally:
        for engine in engines:
            engine.handle.close()


async def test_a_lease_is_one_holders_at_a_time(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    mine = await claims.take("a", 60)
    assert mine is not None
    assert await claims.take("a", 60) is None
    assert await claims.take("b", 60) is not None
    await claims.give_back(mine)
    short = await claims.take("a", -1)
    assert short is not None
    next_one = await claims.take("a", 60)  # its time is over
    assert next_one is not None
    await claims.give_back(short)
    assert await claims.take("a", 60) is None  # and it was not its holder's to give back
    leases = Leases(claims, patience=0)
    with pytest.raises(UnreachableError, match="Another process"):
        async with leases.hold("a"):
            pass
    await claims.give_back(next_one)
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("a"):
            raise ZeroDivisionError
    async with leases.hold("a"):
        assert await claims.take("a", 60) is None


class Unanswered(GatedEngine):
    """What is run is done, and its answer does not come until `opened` is set."""

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        await self.engine.command(sql, settings=settings)
        await self._pass(STATEMENT)


async def test_nothing_is_done_under_a_lease_that_is_over(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    hurried = Leases(claims, seconds=60, margin=60)
    with pytest.raises(UnreachableError, match="taken too long"):
        async with asyncio.timeout(10), hurried.hold("a"):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError, match="its own"):
        async with Leases(claims).hold("a"):
            raise TimeoutError("its own")
    assert await claims.take("a", 60) is not None


async def test_who_is_cancelled_on_taking_a_lease_leaves_none(storage: Storage) -> None:
    gate = Unanswered(storage.engine, STATEMENT)
    taking = asyncio.create_task(Leases(Claims(gate, storage.journal.database)).hold("a").__aenter__())
    await gate.reached.wait()
    taking.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await Claims(storage.engine, storage.journal.database).take("a", 60) is not None


async def test_an_operator_erases_behind_a_refresh_that_is_under_way(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    for place in (TOKEN, replace(REFRESH, connection_id="pc2")):
        await storage.sealed.write(place, "x")
        held = await claims.take(lease_of(place.connection_id), 60)
        assert held is not None
        erasing = asyncio.create_task(
            storage.connections.secret_calls.call(ERASE, {CONNECTION_ID: place.connection_id})
        )
        if place == TOKEN:
            await erasing  # which no refresh replaces
        await claims.give_back(held)
        await erasing
        assert await storage.sealed.names(place.connection_id) == []
        next_one = await claims.take(lease_of(place.connection_id), 60)
        assert next_one is not None
        assert next_one.turn == held.turn + (2 if place == TOKEN else 4)  # it had the turn between


async def test_a_refresh_token_is_used_by_one_process_at_a_time(storage: Storage) -> None:
    secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), storage.sealed)
    with DatabricksFake() as fake:
        http = await DatabricksHttp.open(address=lambda host: fake.url)
        leases = Leases(Claims(storage.engine, storage.journal.database)).hold
        processes = [U2mTokens(http, Discovery(http), secrets, leases) for _ in range(3)]
        begun = await processes[0].begin("pc1", HOST, published_app(PUBLISHED_APP, REDIRECT))
        client = await processes[1].complete(fake.consent(begun.url), begun.browser_key)
        for _ in range(2):
            for process in processes:
                process._tokens.clear()
            tokens = await asyncio.gather(*(process.access_token(client) for process in processes))
            assert len({token.value.reveal() for token in tokens}) == 3
        await http.close()
    assert fake.grants == ["authorization_code", *["refresh_token"] * 6]  # no one was refused and came again


# The log of requests


def answered(number: int, **more: Any) -> AnsweredRequest:
    request = AnsweredRequest(
        UUID(int=number << 64 | 1 << 127),
        NOW - timedelta(days=number % 3) + timedelta(milliseconds=number),
        "host:8085/1",
        "POST",
        "connect",
        200,
        0.25,
        "create_trial",
        "new user, new account",
        "10.0.0.1",
        "c0ffee00",
        "aws",
        2**63 - 1,
        f"pa{number % 2}",
        f"pc{number % 4}",
    )
    return replace(request, **more)


async def test_requests_come_back_as_they_were(storage: Storage) -> None:
    log = storage.log
    requests = [answered(number) for number in range(7)]
    requests += [
        answered(7, word="sign_in", configured=True),
        answered(9, endpoint="connectors", status=500, problem="é"),
    ]
    await log.append(requests)
    await log.append(requests)  # after an answer that was lost
    by_time = sorted(requests, key=lambda request: request.at)
    assert await log.newest(20) == by_time[::-1]
    assert await log.newest(2, account="pa1") == [one for one in by_time[::-1] if one.account_id == "pa1"][:2]
    assert await log.newest(20, connection="pc3") == [one for one in by_time[::-1] if one.connection_id == "pc3"]
    assert await log.since(by_time[3].at, by_time[3].id) == by_time[4:]
    days = await log.by_day(3)
    assert sum(day.count for day in days) == 9
    failed = next(day for day in days if day.status == 500)
    assert (failed.endpoint, failed.count, failed.slow, failed.p99) == ("connectors", 1, 0, 0.25)
    assert [(day.word, day.configured) for day in days if day.configured] == [("sign_in", 1)]
    assert len({day.day for day in await log.by_day(2)}) == 2
    last = await log.last_requests()
    assert last["pc1"].at == max(one.at for one in requests if one.connection_id == "pc1")
    assert set(await log.last_requests("pc2")) == {"pc2"}


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


async def test_the_tail_misses_nothing_that_arrives_late(storage: Storage) -> None:
    moments = [NOW + timedelta(seconds=second) for second in range(6)]
    old, *new = [answered(number, at=at) for number, at in enumerate(moments)]
    await storage.log.append([old])
    tail = RequestTail(storage.log, old)
    assert await tail.next() == []
    await storage.log.append([new[4], new[1]])
    assert await tail.next() == [new[1], new[4]]
    await storage.log.append([new[0], new[2]])
    assert await tail.next() == [new[0], new[2]]
    older = answered(9, at=old.at - timedelta(seconds=1))
    await storage.log.append([older])
    assert await tail.next() == [older]
    assert await tail.next() == []
    only = RequestTail(storage.log, old, connection=new[3].connection_id)
    await storage.log.append([new[3]])
    assert await only.next() == [new[3]]


async def test_the_writer_writes_behind_and_again_what_was_lost(storage: Storage) -> None:
    writer = RequestWriter(storage.log, every=0.01)
    storage.engine.inserts_left, storage.engine.arrives = 0, True  # it arrives, and the answer does not
    writer.note(answered(1))
    await until(lambda: storage.engine.broken)
    writer.note(answered(2))
    storage.engine.repair()
    await until(lambda: not writer.waiting)
    assert {one.id for one in await storage.log.newest()} == {answered(1).id, answered(2).id}
    counted = await storage.engine.query(f"SELECT count() FROM {storage.journal.database}.partner_requests")
    assert counted.first_cell() == 2
    writer.note(answered(3))
    await writer.aclose()
    assert len(await storage.log.newest()) == 3
    assert writer.dropped == 0


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - of things that do not tell
            await asyncio.sleep(0.01)


# Credentials


async def test_credentials_overlap_and_their_use_is_recorded(storage: Storage) -> None:
    connections = storage.connections
    presented, change = connections.plan_add_credential("databricks")
    assert presented.password.reveal() not in repr(change)
    await storage.run(change)
    live = LiveCredentials(KnownState(storage.journal), storage.runner)
    header = [header_value(presented).reveal()]
    found = await live.check(header)
    assert found is not None
    assert await live.check(["Basic YTpi"]) is None
    await asyncio.gather(*(live.check(header) for _ in range(5)))
    await live.aclose()
    assert await storage.told("partner_credential") == [(found.id, "add", "done"), (found.id, "use", "done")]
    (used,) = await connections.credentials()
    assert used.last_used is not None
    with pytest.raises(RefusedError, match="last credential"):
        await connections.plan_remove_credential(found.id)
    with pytest.raises(NotFoundError):
        await connections.plan_remove_credential("nothing")
    await storage.run(await connections.plan_choose_credential("second", Secret("a long enough password")))
    await storage.run(await connections.plan_remove_credential(found.id))
    await live._known_state.catch_up()
    assert await live.check(header) is None
    assert [one.user for one in await connections.credentials()] == ["second"]
    storage.engine.broken = True
    await live.aclose()


async def test_credentials_stay_valid_while_clickhouse_is_away(storage: Storage) -> None:
    presented, change = storage.connections.plan_add_credential("databricks")
    await storage.run(change)
    state = KnownState(storage.journal)
    live = LiveCredentials(state, storage.runner)
    assert await live.check([header_value(presented).reveal()]) is not None
    await live.aclose()
    storage.engine.broken = True
    state._read_at = -float("inf")
    assert await live.check([header_value(presented).reveal()]) is not None


# The facade


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
