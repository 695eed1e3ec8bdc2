"""The onboarding checklist on a real ClickHouse: what it finds, and that its fixes fix it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.changes import Change, Event, RecordStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.datalens.checklist import MANUAL, CheckItem, CheckState, plan_tick, run_checklist
from core.datalens.hosts import ask_hosts, host_and_port
from core.datalens.passwords import generate_password
from core.datalens.setup import plan_setup
from core.errors import BadInputError
from core.keys.rsa_keys import fingerprint, generate, public_pem
from tests.engine.tenants_place import TenantsPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    place = await TenantsPlace(shared_engine, tmp_path).prepare(with_user=False)
    yield place
    await place.leave()


async def check(place: TenantsPlace, *hosts: str) -> dict[str, CheckItem]:
    items = await run_checklist(place.engine, place.journal, datalens_user=place.user, hosts=hosts, host_timeout=1)
    return {item.id: item for item in items}


async def with_user(place: TenantsPlace) -> str:
    await place.run(await plan_setup(place.engine, user=place.user, password=generate_password()))
    return quote_identifier(place.user)


async def fix(place: TenantsPlace, item: CheckItem) -> CheckItem:
    assert item.state is CheckState.FAILED
    assert item.fix is not None
    await place.run(item.fix)
    return (await check(place))[item.id]


async def test_a_newcomer_sees_what_to_do(place: TenantsPlace) -> None:
    items = await check(place)
    assert items["user"].asks_password
    wanting = {"user", "readonly", "password", "grants", "partner-key", "datalens-key", "hosts", "listing"}
    assert {key for key, item in items.items() if item.wanting} == wanting
    ticks = {item.id for item in MANUAL}
    assert {key for key, item in items.items() if item.state is CheckState.TO_DO} == wanting | ticks
    assert items["signing"].state is CheckState.OK
    assert all(item.title.isprintable() and item.explanation.isprintable() for item in items.values())


async def test_a_user_that_is_set_up_passes(place: TenantsPlace) -> None:
    await with_user(place)
    await place.add(place.name("acme"))
    items = await check(place)
    assert [items[key].state for key in ("user", "readonly", "password", "grants")] == [CheckState.OK] * 4
    assert "1 database" in items["grants"].explanation
    assert all(item.explanation for item in items.values() if item.state is CheckState.OK)


async def test_readonly_and_password_are_judged_and_set_right(place: TenantsPlace) -> None:
    user = quote_identifier(place.user)
    await place.engine.command(f"CREATE USER {user} IDENTIFIED WITH plaintext_password BY 'x' SETTINGS readonly = 1")
    items = await check(place)
    assert items["password"].state is CheckState.FAILED
    assert items["password"].asks_password
    assert (await fix(place, items["readonly"])).state is CheckState.OK
    await with_user(place)
    assert (await check(place))["password"].state is CheckState.OK


async def test_a_right_to_everything_is_taken_away_and_tenants_stay(place: TenantsPlace) -> None:
    user = await with_user(place)
    kept, suspended, stranger = place.name("kept"), place.name("suspended"), place.name("stranger")
    await place.add(kept, suspended)
    await place.run(Change("Suspend", (RecordStep("Suspend", (Event("tenant", suspended, "suspend"),)),)))
    await place.engine.command(f"CREATE DATABASE {stranger}")
    await place.engine.command(f"GRANT SELECT ON *.* TO {user}")
    item = (await check(place))["grants"]
    assert "SELECT ON *.*" in item.explanation
    assert item.fix is not None
    assert not item.fix.reversible
    assert (await fix(place, item)).state is CheckState.OK
    assert (await place.reading()).own.names == {kept}


async def test_rights_beyond_reading_are_taken_away(place: TenantsPlace) -> None:
    user, name = await with_user(place), place.name("acme")
    await place.add(name)
    for right in (
        f"INSERT ON {name}.*",
        "SELECT ON system.*",
        f"SELECT ON {place.name('stranger')}.secrets",
        f"SELECT ON {place.journal.database}.*",
        f"SELECT ON {place.name('pre')}*.*",
        "CREATE USER ON *",
        "SYSTEM RELOAD CONFIG ON *.*",
    ):
        await place.engine.command(f"GRANT {right} TO {user}")
    item = (await check(place))["grants"]
    for word in ("INSERT", "system", "secrets", place.journal.database, "CREATE USER", "*.*"):
        assert word in item.explanation
    assert (await fix(place, item)).state is CheckState.OK
    assert (await place.reading()).own.names == {name}


async def test_a_right_that_may_be_passed_on_is_taken_away(place: TenantsPlace) -> None:
    user, name = await with_user(place), place.name("acme")
    await place.add(name)
    await place.engine.command(f"GRANT SELECT ON {name}.* TO {user} WITH GRANT OPTION")
    item = (await check(place))["grants"]
    assert "WITH GRANT OPTION" in item.explanation
    assert (await fix(place, item)).state is CheckState.OK
    assert (await place.reading()).own.names == {name}


async def test_a_role_that_opens_more_is_told(place: TenantsPlace) -> None:
    user, role = await with_user(place), place.name("wide")
    for statement in (f"CREATE ROLE {role}", f"GRANT SELECT ON *.* TO {role}", f"GRANT {role} TO {user}"):
        await place.engine.command(statement)
    item = (await check(place))["grants"]
    assert (item.state, item.fix) == (CheckState.FAILED, None)
    assert role in item.explanation


async def test_keys_are_followed_step_by_step(place: TenantsPlace) -> None:
    await with_user(place)
    key = generate().public_key()
    details = {"fingerprint": fingerprint(key), "public_pem": public_pem(key)}

    async def record(kind: str, action: str, state: str) -> dict[str, CheckItem]:
        event = Event(kind, "1", action, {**details, "state": state})
        await place.run(Change(action, (RecordStep(action, (event,)),)))
        return await check(place)

    assert "key submit 1" in (await record("partner_key", "generate", "generated"))["partner-key"].advice
    assert "key activate 1" in (await record("partner_key", "submit", "submitted"))["partner-key"].advice
    items = await record("partner_key", "activate", "active")
    assert items["partner-key"].state is CheckState.OK
    assert "Public key" not in items["listing"].explanation
    assert (await record("datalens_key", "import", "active"))["datalens-key"].state is CheckState.OK


async def test_ticks_are_kept_and_taken_back(place: TenantsPlace) -> None:
    for item in MANUAL:
        await place.run(plan_tick(item.id, ticked=True, note="by phone"))
    items = await check(place)
    assert all(items[item.id].state is CheckState.TICKED for item in MANUAL)
    assert "by phone" in items["sent-to-datalens"].explanation
    await place.run(plan_tick("sql-management", ticked=False))
    assert (await check(place))["sql-management"].state is CheckState.TO_DO
    await place.run(await place.runner.last_undoable())
    assert (await check(place))["sql-management"].state is CheckState.TICKED
    with pytest.raises(BadInputError):
        plan_tick("user", ticked=True)


async def test_hosts_are_asked(place: TenantsPlace) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refused
        closed = unused.getsockname()[1]
        async with server:
            port = server.sockets[0].getsockname()[1]
            assert (await check(place, f"127.0.0.1:{port}"))["hosts"].state is CheckState.OK
            item = (await check(place, f"127.0.0.1:{port}", f"127.0.0.1:{closed}"))["hosts"]
            assert item.state is CheckState.FAILED
            assert f"127.0.0.1:{closed}" in item.explanation
            answers = await ask_hosts([f"127.0.0.1:{port}", "no.such.host.invalid", "x" * 300], 5)
    assert [bool(answer.problem) for answer in answers] == [False, True, True]


async def test_hosts_are_taken_apart() -> None:
    assert host_and_port("ch-1.example") == ("ch-1.example", 8443)
    assert host_and_port("ch-1.example:9440") == ("ch-1.example", 9440)
    assert host_and_port("[::1]:8443") == ("::1", 8443)
    assert host_and_port("2001:db8::1") == ("2001:db8::1", 8443)
    assert host_and_port("[2001:db8::1]") == ("2001:db8::1", 8443)
