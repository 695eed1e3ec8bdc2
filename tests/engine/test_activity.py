"""When users were last here, from the logs of a real ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.access_reports.activity import last_logins, last_queries, read_activity
from core.clickhouse.capabilities import Capabilities, probe
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import UnknownNameError

# The embedded engine makes no such log; a server's has these columns, among others.
SESSION_LOG = """
CREATE TABLE system.session_log
(
    type Enum8('LoginFailure' = 0, 'LoginSuccess' = 1, 'Logout' = 2),
    event_date Date,
    event_time DateTime,
    user Nullable(String)
)
ENGINE = MergeTree PARTITION BY toYYYYMM(event_date) ORDER BY (event_date, event_time)"""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = await EmbeddedEngine.open(tmp_path / "engine", query_log=True)
    yield engine
    await engine.close()


async def learned(engine: EmbeddedEngine) -> Capabilities:
    return await probe(engine, database="housekeys", cluster=None)


async def test_logins_come_first_then_queries_then_honest_words(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnknownNameError):
        await last_logins(engine)
    told = await read_activity(engine, await learned(engine))
    assert told.problem.startswith("Nobody logs in to an embedded engine") and not told.last

    before = datetime.now(UTC) - timedelta(seconds=2)
    await engine.query("SELECT 'somebody asks'")
    await engine.command("SYSTEM FLUSH LOGS")
    queries = await last_queries(engine)
    assert set(queries.last) == {"default"} and queries.what == "query"
    assert before <= queries.last["default"] <= datetime.now(UTC) + timedelta(seconds=1)
    assert queries.begins is not None and queries.begins <= queries.last["default"]

    await engine.command(SESSION_LOG)
    assert (await last_logins(engine)).begins is None  # nothing in it: it tells of nobody
    await engine.command(
        "INSERT INTO system.session_log VALUES "
        "('LoginSuccess', today() - 40, now() - INTERVAL 40 DAY, 'ann'), "
        "('LoginSuccess', today() - 3, now() - INTERVAL 3 DAY, 'ann'), "
        "('LoginFailure', today(), now(), 'ann'), ('LoginFailure', today(), now(), 'bob'), "
        "('LoginSuccess', today() - 500, now() - INTERVAL 500 DAY, 'cid'), ('LoginSuccess', today(), now(), NULL)"
    )
    logins = await last_logins(engine)
    assert set(logins.last) == {"ann"} and logins.what == "login"
    assert abs(logins.last["ann"] - (datetime.now(UTC) - timedelta(days=3))) < timedelta(minutes=5)
    assert logins.begins is not None and logins.begins < datetime.now(UTC) - timedelta(days=498)


async def test_what_a_server_tells_depends_on_its_logs(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await engine.query("SELECT 1")
    await engine.command("SYSTEM FLUSH LOGS")
    without = await learned(engine)  # it has a query log, and no session log
    await engine.command(SESSION_LOG)
    both = await learned(engine)
    monkeypatch.setattr(EmbeddedEngine, "home", "server")
    told = await read_activity(engine, without, "main")
    assert told.what == "query" and "logins cannot be read" in told.note and "Every replica" in told.note
    assert "no table system.session_log" in told.note
    told = await read_activity(engine, both)
    assert told.what == "query" and "system.session_log is empty" in told.note
    await engine.command("INSERT INTO system.session_log VALUES ('LoginSuccess', today(), now(), 'ann')")
    told = await read_activity(engine, both)
    assert (told.what, set(told.last), told.note, told.problem) == ("login", {"ann"}, "", "")
    reasons = {"read session_log": "There is none.", "read query_log": "It is not yours to read."}
    neither = replace(both, may=both.may - set(reasons), _reasons=reasons)
    told = await read_activity(engine, neither)
    assert told.problem == "It cannot be told who is dormant. There is none. It is not yours to read."
    await engine.command("DROP TABLE system.session_log")  # it went after the capabilities were learned
    told = await read_activity(engine, both)
    assert told.what == "query" and "session_log" in told.note
