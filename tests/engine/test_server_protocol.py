"""The engine protocol, kept by every home: embedded, a server behind the HTTP front, and any server given by a URL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import Engine
from core.clickhouse.errors import AlreadyExistsError, BadStatementError, ReadOnlyServerError, UnknownNameError
from core.clickhouse.quoting import quote_identifier, quote_string
from core.clickhouse.server import ServerEngine
from core.clickhouse.server_options import ServerOptions
from core.errors import BadInputError, HousekeysError
from core.secrets import Secret
from tests.http_front.process import Front

pytest_plugins = ("tests.http_front.fixtures",)

HOMES = ["embedded", "front", pytest.param("url", marks=pytest.mark.server)]
HOSTILE = [
    "",
    "'",
    "''",
    '"',
    "`",
    "\\",
    "\\'",
    "\\\\'; DROP TABLE x --",
    "\\N",
    "\0",
    "\t\n\r\b\f\v\a\x1b[31m",
    "[bold]x[/bold]",
    "{x:String}",
    "%s %(x)s {} $1 ?",
    "/* */ -- #",
    "\u202e\u200b\ufeff",
    "\U0001f511\U0010ffff",
    "é" * 300,
    "FORMAT Native\n",
]


def url_options() -> ServerOptions:
    """Where HOUSEKEYS_TEST_URL points: http(s)://user:password@host:port."""
    url = urlsplit(os.environ.get("HOUSEKEYS_TEST_URL", ""))
    if not url.hostname:
        pytest.skip("HOUSEKEYS_TEST_URL is not set")
    secure = url.scheme == "https"
    password = Secret(unquote(url.password)) if url.password else None
    return ServerOptions(
        url.hostname,
        url.port or (8443 if secure else 8123),
        secure,
        user=unquote(url.username or "default"),
        password=password,
    )


async def open_home(home: str, folder: Path, request: pytest.FixtureRequest, *, read_only: bool = False) -> Engine:
    if home == "embedded":
        return await EmbeddedEngine.open(folder, read_only=read_only)
    if home == "front":
        front: Front = request.getfixturevalue("running_front")
        return await ServerEngine.open(front.options(read_only=read_only))
    return await ServerEngine.open(replace(url_options(), read_only=read_only))


@pytest_asyncio.fixture(params=HOMES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    opened = await open_home(request.param, tmp_path / "engine", request)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(params=HOMES)
async def read_only_engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    opened = await open_home(request.param, tmp_path / "engine", request, read_only=True)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(engine: Engine) -> AsyncIterator[str]:
    """A fresh database with a hostile name."""
    name = f"test 'it`\\ {uuid4().hex}"
    await engine.command(f"CREATE DATABASE {quote_identifier(name)}")
    yield name
    await engine.command(f"DROP DATABASE {quote_identifier(name)} SYNC")


async def test_columns_and_rows(engine: Engine) -> None:
    answer = await engine.query("SELECT number AS n, toString(number) AS `s s` FROM numbers(3) ORDER BY n;")
    assert answer.columns == ("n", "s s")
    assert list(answer.rows) == [(0, "0"), (1, "1"), (2, "2")]
    assert answer.as_dicts()[1] == {"n": 1, "s s": "1"}
    assert list((await engine.query("SELECT 1 WHERE 0")).rows) == []
    assert (await engine.query("SELECT 1 WHERE 0")).first_cell() is None


async def test_access_questions(engine: Engine) -> None:
    assert (await engine.query("CHECK GRANT SELECT ON *.*")).rows[0] == (1,)
    grants = await engine.query("SHOW GRANTS")
    assert len(grants.columns) == 1
    assert all(str(row[0]).startswith("GRANT ") for row in grants.rows)


async def test_users_and_grants(engine: Engine, database: str) -> None:
    user = f"user '\\` {uuid4().hex}"
    quoted, on = quote_identifier(user), f"{quote_identifier(database)}.*"
    await engine.command(f"CREATE USER {quoted} IDENTIFIED WITH sha256_hash BY '{'ab' * 32}' HOST LOCAL")
    await engine.command(f"GRANT SELECT ON {on} TO {quoted}")
    try:
        grants = await engine.query(f"SHOW GRANTS FOR {quoted}")
        assert [str(row[0]) for row in grants.rows] == [f"GRANT SELECT ON {on} TO {quoted}"]
        counted = await engine.query("SELECT count() FROM system.grants WHERE database = {d:String}", {"d": database})
        assert counted.first_cell() == 1
        with pytest.raises(UnknownNameError) as unknown:
            await engine.command(f"GRANT SELECT ON {on} TO nobody_{uuid4().hex}")
        assert unknown.value.code in {192, 511}
    finally:
        await engine.command(f"DROP USER {quoted}")


async def test_hostile_parameters_come_back(engine: Engine) -> None:
    for value in HOSTILE:
        answer = await engine.query("SELECT {x:String} AS x, length(x) AS bytes", {"x": value})
        assert answer.rows[0] == (value, len(value.encode()))
    together = await engine.query("SELECT {x:Array(String)} AS x", {"x": HOSTILE})
    assert list(together.first_cell()) == HOSTILE


async def test_quoted_literals_come_back(engine: Engine) -> None:
    for value in HOSTILE:
        assert (await engine.query(f"SELECT {quote_string(value)}")).first_cell() == value


async def test_large_parameters_come_back(engine: Engine) -> None:
    value = "ü'" * 100_000
    assert (await engine.query("SELECT {x:String} AS x", {"x": value})).first_cell() == value


async def test_instants_are_aware(engine: Engine) -> None:
    moment = datetime(2026, 11, 3, 14, 5, 9, 123456, tzinfo=UTC)
    answer = await engine.query("SELECT {x:DateTime64(6, 'UTC')} AS x, toDateTime(1) AS y", {"x": moment})
    assert answer.rows[0] == (moment, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert all(cell.tzinfo is not None for cell in answer.rows[0])


async def test_inserted_rows_come_back(engine: Engine, database: str) -> None:
    name = "t '\\`"
    table = f"{quote_identifier(database)}.{quote_identifier(name)}"
    await engine.command(
        f"CREATE TABLE {table} (id UUID, at DateTime64(6, 'UTC'), s String, n Nullable(UInt64), a Array(String), "
        "e Enum8('x' = 1, 'y' = 2)) ENGINE = MergeTree ORDER BY id"
    )
    columns = ("id", "at", "s", "n", "a", "e")
    at = datetime(2026, 11, 3, 14, 5, 9, 123456, tzinfo=UTC)
    rows: list[tuple[Any, ...]] = [
        (UUID(int=index), at, text, None if index % 2 else 2**64 - 1, [text, "x"], "y")
        for index, text in enumerate(HOSTILE)
    ]
    await engine.insert(database, name, columns, rows)
    answer = await engine.query(f"SELECT * FROM {table} ORDER BY reinterpretAsUInt128(id)")
    assert sorted(answer.rows, key=lambda row: int(row[0])) == rows
    await engine.insert(database, name, columns, [])
    assert (await engine.query(f"SELECT count() FROM {table}")).first_cell() == len(rows)


async def test_a_value_that_does_not_fit_is_refused_whole(engine: Engine, database: str) -> None:
    await engine.command(f"CREATE TABLE {quote_identifier(database)}.t (n UInt8) ENGINE = Memory")
    with pytest.raises(HousekeysError):
        await engine.insert(database, "t", ["n"], [(1,), ("not a number",)])
    assert (await engine.query(f"SELECT count() FROM {quote_identifier(database)}.t")).first_cell() == 0


async def test_errors_are_told_apart(engine: Engine, database: str) -> None:
    with pytest.raises(UnknownNameError) as missing:
        await engine.query("SELECT * FROM no_such_database.t")
    assert missing.value.code == 81
    assert "no_such_database" in missing.value.message
    assert "(version" not in missing.value.detail
    with pytest.raises(BadStatementError):
        await engine.query("SELEC 1")
    with pytest.raises(AlreadyExistsError):
        await engine.command(f"CREATE DATABASE {quote_identifier(database)}")
    with pytest.raises(BadInputError) as secret:
        await engine.command("CREATE USER u IDENTIFIED WITH sha256_password 'hunter2hunter2' HOST ANY")
    assert "hunter2" not in f"{secret.value}{secret.value.detail}"
    assert (await engine.query("SELECT 1")).first_cell() == 1


@pytest.mark.parametrize("stop", [True, False])
async def test_commands_report_each_statement(engine: Engine, database: str, stop: bool) -> None:
    name = quote_identifier(database)
    statements = [f"CREATE TABLE {name}.a (n UInt8) ENGINE = Memory", f"DROP TABLE {name}.b", f"DROP TABLE {name}.a"]
    ended: list[tuple[int, bool]] = []
    await engine.commands(statements, lambda index, error: ended.append((index, error is None)), stop_on_error=stop)
    assert ended == ([(0, True), (1, False)] if stop else [(0, True), (1, False), (2, True)])


async def test_settings_of_one_statement(engine: Engine) -> None:
    answer = await engine.query("SELECT getSetting('max_result_rows')", settings={"max_result_rows": 77})
    assert answer.first_cell() == 77
    assert (await engine.query("SELECT getSetting('max_result_rows')")).first_cell() != 77


async def test_statements_at_once_get_their_own_answers(engine: Engine) -> None:
    answers = await asyncio.gather(*(engine.query(f"SELECT {index}") for index in range(40)))
    assert [answer.first_cell() for answer in answers] == list(range(40))


SLOW = "SELECT sum(sleepEachRow(0.05)) AS {} FROM numbers(100000) SETTINGS max_block_size = 1"


async def test_a_cancelled_query_is_gone_from_the_engine(engine: Engine) -> None:
    mark = f"slow_{uuid4().hex}"
    running = "SELECT count() FROM system.processes WHERE query LIKE {mark:String} AND query NOT LIKE '%processes%'"
    parameters = {"mark": f"%{mark}%"}
    task = asyncio.create_task(
        engine.query(SLOW.format(mark), settings={"function_sleep_max_microseconds_per_block": 10**10})
    )
    while engine.home == "server" and not (await engine.query(running, parameters)).first_cell():
        assert not task.done()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while (await engine.query(running, parameters)).first_cell():
            pass


async def test_read_only_reads_and_changes_nothing(read_only_engine: Engine) -> None:
    assert (await read_only_engine.query("SELECT getSetting('readonly')")).first_cell() == 2
    for statement in ("CREATE DATABASE nope", "CREATE USER nope"):
        with pytest.raises(ReadOnlyServerError) as refused:
            await read_only_engine.command(statement)
        assert refused.value.code == 164


async def test_closing_twice(engine: Engine) -> None:
    assert engine.home in {"server", "embedded"}
    assert engine.address
    await engine.close()
    await engine.close()
