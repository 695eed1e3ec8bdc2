"""The server engine over real TCP: logins, repeats, cancels, and that nothing secret is shown."""

from __future__ import annotations

import asyncio
import base64
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clickhouse.errors import (
    AuthenticationError,
    NoRightError,
    QueryTimeoutError,
    ServerError,
    SettingRefusedError,
)
from core.clickhouse.server import ServerEngine
from core.clickhouse.server_failures import ConnectionLostError
from core.errors import BadInputError, HousekeysError, UnreachableError
from core.secrets import Secret
from tests.examples import examples
from tests.http_front.faults import Fault
from tests.http_front.process import CERTIFICATE_USER, COLON_USER, USER, Front

pytest_plugins = ("tests.http_front.fixtures",)

SLOW = "SELECT sum(sleepEachRow(0.05)) FROM numbers(100000) SETTINGS max_block_size = 1"
SLEEPY = {"function_sleep_max_microseconds_per_block": 10**10}
RUNNING = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'"


@pytest_asyncio.fixture
async def table(server_engine: ServerEngine, http_front: Front) -> AsyncIterator[str]:
    await server_engine.command("CREATE TABLE default.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    await http_front.commit_faults()
    yield "default.t"
    await http_front.commit_faults()
    await server_engine.command("DROP TABLE IF EXISTS default.t SYNC")


def test_importing_the_module_imports_no_driver() -> None:
    code = (
        "import sys, core.clickhouse.server, core.clickhouse.capabilities, core.clickhouse.connecting\n"
        "print([name for name in ('clickhouse_connect', 'aiohttp', 'chdb', 'numpy') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("user", [USER, COLON_USER])
@pytest.mark.parametrize("port", ["plain", "tls"])
async def test_login_with_a_password(http_front: Front, user: str, port: str) -> None:
    engine = await ServerEngine.open(http_front.options(port, user=user))
    assert (await engine.query("SELECT 1")).first_cell() == 1
    await engine.close()


async def test_login_with_a_certificate(http_front: Front) -> None:
    pair = {
        "client_certificate": http_front.certificates.client,
        "client_key": http_front.certificates.client_key,
    }
    engine = await ServerEngine.open(http_front.options("mutual", user=CERTIFICATE_USER, password=None, **pair))
    assert (await engine.query("SELECT 1")).first_cell() == 1
    await engine.close()
    engine = await ServerEngine.open(http_front.options("mutual", **pair))
    await engine.close()
    with pytest.raises(AuthenticationError):
        await ServerEngine.open(http_front.options("mutual", user=USER, password=None, **pair))


@pytest.mark.parametrize("user", [USER, "nobody", "no:body"])
async def test_a_refused_login_shows_no_secret(http_front: Front, user: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AuthenticationError) as refused:
        await ServerEngine.open(http_front.options(user=user, password=Secret("hunter2hunter2")))
    assert refused.value.code == 516
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    shown = f"{refused.value!r} {refused.value.detail} {caplog.text}"
    assert "hunter2" not in shown
    assert base64.b64encode(f"{user}:hunter2hunter2".encode()).decode() not in shown


async def test_a_login_that_http_cannot_carry_is_refused_here(http_front: Front) -> None:
    with pytest.raises(BadInputError):
        await ServerEngine.open(http_front.options(user="a:b", password=Secret("line\nbreak")))


@pytest.mark.parametrize("kind", ["reset before", "reset in answer", "truncate", "reset after"])
async def test_reads_are_sent_again(server_engine: ServerEngine, http_front: Front, kind: str) -> None:
    await http_front.commit_faults(Fault(kind, match="20000", times=1))  # type: ignore[arg-type]  # a parameter
    answer = await server_engine.query("SELECT number FROM numbers(20000)")
    assert [row[0] for row in answer.rows] == list(range(20000))
    asked = await http_front.log("20000")
    assert len(asked) == 2
    assert asked[1]["executed"]


async def test_a_read_is_given_up_at_last(server_engine: ServerEngine, http_front: Front) -> None:
    await http_front.commit_faults(Fault("reset in answer", times=100))
    with pytest.raises(ConnectionLostError):
        await server_engine.query("SELECT 1")
    asked = await http_front.log("SELECT 1")
    assert len(asked) == 3
    assert len({entry["query_id"] for entry in asked}) == 3


@pytest.mark.parametrize("kind", ["reset before", "reset after", "truncate", "status"])
@pytest.mark.parametrize("how", ["command", "insert"])
async def test_nothing_else_is_sent_again(
    server_engine: ServerEngine, http_front: Front, table: str, kind: str, how: str
) -> None:
    text = "INSERT INTO" if how == "insert" else "CREATE DATABASE"
    fault = Fault(kind, match=text, times=100, status=503)  # type: ignore[arg-type]  # a parameter
    await http_front.commit_faults(fault)
    with pytest.raises(UnreachableError):
        if how == "insert":
            await server_engine.insert("default", "t", ["n"], [(1,)])
        else:
            await server_engine.command("CREATE DATABASE once")
    asked = await http_front.log(text)
    assert len(asked) == 1
    happened = kind in {"reset after", "truncate"}
    assert asked[0]["executed"] == happened
    assert (await server_engine.query(f"SELECT count() FROM {table}")).first_cell() == (happened and how == "insert")
    await http_front.commit_faults()
    await server_engine.command("DROP DATABASE IF EXISTS once SYNC")


async def test_a_cancel_reaches_the_server(server_engine: ServerEngine, http_front: Front) -> None:
    task = asyncio.create_task(server_engine.query(SLOW, settings=SLEEPY))
    while not (await server_engine.query(RUNNING)).first_cell():
        assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while (await server_engine.query(RUNNING)).first_cell():
            pass
    slow = (await http_front.log("SELECT sum(sleepEachRow"))[0]
    kills = await http_front.log("KILL QUERY")
    assert [slow["query_id"] in kill["sql"] for kill in kills] == [True]


async def test_a_cancel_is_not_held_up_by_a_dead_server(
    server_engine: ServerEngine, http_front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.clickhouse.server._KILL_SECONDS", 0.3)
    await http_front.commit_faults(Fault("hang", times=100))
    task = asyncio.create_task(server_engine.command("CREATE DATABASE never"))
    while not await http_front.log("CREATE DATABASE never"):
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await http_front.commit_faults()


async def test_cancelling_twice_does_not_wait_for_the_kill(http_front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clickhouse.server._KILL_SECONDS", 1.0)
    server_engine = await ServerEngine.open(http_front.options())
    await http_front.commit_faults(Fault("hang", times=100))
    task = asyncio.create_task(server_engine.command("CREATE DATABASE never"))
    while not await http_front.log("CREATE DATABASE never"):
        pass
    task.cancel()
    while not await http_front.log("KILL QUERY"):
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await http_front.log("KILL QUERY")) == 1  # it was not waited for, nor repeated
    await http_front.commit_faults()
    await server_engine.close()


async def test_a_statement_that_takes_too_long_is_killed(http_front: Front) -> None:
    engine = await ServerEngine.open(http_front.options(query_timeout=0.5))
    with pytest.raises(QueryTimeoutError) as late:
        await engine.query(SLOW, settings=SLEEPY)
    assert late.value.code == 159
    async with asyncio.timeout(20):
        while (await engine.query(RUNNING)).first_cell():
            pass
    await engine.close()


async def test_settings_are_sent_with_every_statement(http_front: Front, table: str) -> None:
    engine = await ServerEngine.open(http_front.options(settings={"max_threads": 3}, read_only=True))
    await http_front.commit_faults()
    await engine.query("SELECT 1")
    with pytest.raises(HousekeysError):
        await engine.command("CREATE DATABASE nope")
    with pytest.raises(HousekeysError):
        await engine.insert("default", "t", ["n"], [(1,)])
    asked = await http_front.log()
    assert len(asked) == 4  # DESCRIBE comes before an INSERT
    assert {(entry["settings"]["readonly"], entry["settings"]["max_threads"]) for entry in asked} == {("2", "3")}
    assert (await engine.query(f"SELECT count() FROM {table}")).first_cell() == 0
    await engine.close()


async def test_inserts_are_compressed(server_engine: ServerEngine, http_front: Front, table: str) -> None:
    await server_engine.insert("default", "t", ["n"], [(number,) for number in range(100_000)])
    assert [entry["encoding"] for entry in await http_front.log("INSERT")] == ["lz4"]
    total = await server_engine.query(f"SELECT count(), sum(n) FROM {table}")
    assert total.rows[0] == (100_000, sum(range(100_000)))


async def test_an_error_in_the_middle_of_an_answer(server_engine: ServerEngine, http_front: Front) -> None:
    await http_front.commit_faults(Fault("stream", match="throwIf"))
    with pytest.raises(ServerError) as failed:
        await server_engine.query("SELECT number, throwIf(number = 300000, 'enough') FROM numbers(400000)")
    assert failed.value.code == 395
    assert "enough" in failed.value.message


async def test_an_answer_that_is_none(server_engine: ServerEngine, http_front: Front) -> None:
    await http_front.commit_faults(Fault("garbage", match="SELECT 1"))
    with pytest.raises(UnreachableError) as damaged:
        await server_engine.query("SELECT 1")
    assert "not ClickHouse's" in damaged.value.message


async def test_a_missing_right_is_named(tmp_path: Path) -> None:
    front = Front.start(tmp_path, grants=["GRANT SELECT ON a.*"], setup=["CREATE DATABASE b"])
    try:
        engine = await ServerEngine.open(front.options())
        with pytest.raises(NoRightError) as refused:
            await engine.command("CREATE TABLE b.`t'` (n UInt8) ENGINE = Memory")
        assert refused.value.missing.startswith("CREATE TABLE")
        assert "TO `default`" in refused.value.advice
        await engine.close()
    finally:
        front.close()


async def test_a_user_who_may_change_no_setting(tmp_path: Path) -> None:
    front = Front.start(tmp_path, grants=["GRANT SELECT ON *.*"], settings={"readonly": "1"})
    try:
        with pytest.raises(SettingRefusedError) as refused:
            await ServerEngine.open(front.options(settings={"max_threads": 3}))
        assert "max_threads" in refused.value.message
    finally:
        front.close()


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(), min_size=1, max_size=20))
async def test_any_text_comes_back(server_engine: ServerEngine, values: list[str]) -> None:
    one = (await server_engine.query("SELECT {x:String}", {"x": values[0]})).first_cell()
    assert one == values[0]
    assert list((await server_engine.query("SELECT {x:Array(String)}", {"x": values})).first_cell()) == values
