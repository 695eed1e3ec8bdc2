"""Statements tried as another user: grants, read-only mode, quotas and row policies on real tables, nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import (
    BadStatementError,
    NoRightError,
    QuotaError,
    ReadOnlyServerError,
    ServerError,
    UnknownNameError,
)
from core.clickhouse.trying import Tried
from core.errors import BadInputError, RefusedError
from tests.engine.test_embedded_access import done, shown

TABLES = (
    "CREATE DATABASE d",
    "CREATE TABLE d.t (a Int32, who String) ENGINE = MergeTree ORDER BY a",
    "INSERT INTO d.t VALUES (1, 'x'), (2, 'y'), (3, 'z')",
)


def rows(found: Tried) -> list[tuple[object, ...]]:
    assert found.error is None, found.error
    assert found.result is not None
    return list(found.result.rows)


def refused(found: Tried, kind: type[ServerError]) -> str:
    assert isinstance(found.error, kind), found
    assert not found.allowed
    return found.error.detail


async def test_grants_and_columns(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        *TABLES,
        "CREATE USER `u@x` IDENTIFIED WITH bcrypt_password BY 'secret' HOST NONE",
        "CREATE ROLE r, s",
        "GRANT SELECT(a) ON d.t TO r",
        "GRANT SELECT ON d.* TO s",
        "GRANT r, s TO `u@x`",
        "SET DEFAULT ROLE r TO `u@x`",
        "USE d",
    )
    found = await engine.try_as("u@x", "SELECT a FROM d.t ORDER BY a")
    assert found.result is not None and found.result.columns == ("a",)
    assert rows(found) == [(1,), (2,), (3,)]
    said = refused(await engine.try_as("u@x", "SELECT who FROM d.t"), NoRightError)
    assert "u@x: Not enough privileges" in said and "default" not in said
    refused(await engine.try_as("u@x", "SELECT nothing FROM d.t"), ServerError)
    assert (await engine.query("SELECT currentDatabase()")).first_cell() == "d"
    assert rows(await engine.try_as("default", "SELECT count() FROM d.t")) == [(3,)]


async def test_what_would_change_something_is_only_checked(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        *TABLES,
        "CREATE TABLE d.other (a Int32) ENGINE = Memory",
        "CREATE USER w, reader SETTINGS readonly = 1",
        "ALTER USER w DROP ALL SETTINGS",
        "GRANT SELECT, INSERT, ALTER, DROP, CREATE TABLE, TRUNCATE, OPTIMIZE ON d.* TO w, reader",
        "GRANT TABLE ENGINE ON * TO w",
        "CREATE USER nothing",
        "CREATE USER no_ddl SETTINGS allow_ddl = 0",
        "GRANT SELECT, INSERT, DROP ON d.* TO no_ddl",
    )
    changes = (
        "INSERT INTO d.t VALUES (4, 'w')",
        "CREATE TABLE d.n (a Int32) ENGINE = Memory",
        "ALTER TABLE d.t DELETE WHERE 1",
        "DELETE FROM d.t WHERE 1",
        "DROP TABLE d.t",
        "OPTIMIZE TABLE d.t",
    )
    for sql in changes:
        assert await engine.try_as("w", sql) == Tried(), sql
    refused(await engine.try_as("reader", changes[0]), ReadOnlyServerError)
    refused(await engine.try_as("nothing", "DROP TABLE d.t"), NoRightError)
    refused(await engine.try_as("nothing", "SYSTEM FLUSH LOGS"), NoRightError)
    assert (await engine.try_as("no_ddl", changes[0])).allowed
    assert not (await engine.try_as("no_ddl", "DROP TABLE d.t")).allowed
    assert await shown(engine, "SELECT toString(a) FROM d.t ORDER BY a") == ["1", "2", "3"]
    assert await shown(engine, "SHOW TABLES FROM d") == ["other", "t"]
    found = await engine.try_as("w", changes[0], really=True)
    assert found.allowed and found.carried_out
    assert await shown(engine, "SELECT toString(a) FROM d.t ORDER BY a") == ["1", "2", "3", "4"]


async def test_settings_quota_and_row_policies_hold(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        *TABLES,
        "CREATE TABLE d.t2 (a Int32) ENGINE = MergeTree ORDER BY a",
        "INSERT INTO d.t2 VALUES (1), (2), (3)",
        "CREATE ROLE r",
        "CREATE USER u, v",
        "GRANT SELECT ON d.* TO u, v, r",
        "GRANT r TO v",
        "CREATE SETTINGS PROFILE base SETTINGS max_threads = 3 MAX 4",
        "CREATE SETTINGS PROFILE top SETTINGS INHERIT base, log_comment = 'by top' TO u",
        "CREATE QUOTA few FOR INTERVAL 1 year MAX result_rows = 2 TO u",
        "CREATE ROW POLICY p ON d.t USING a = 1 OR who = '$z' TO u, r",
        "CREATE ROW POLICY q ON d.t USING a > 1 TO r",
        "CREATE ROW POLICY s ON d.t AS RESTRICTIVE USING a < 3 TO r",
    )
    assert rows(await engine.try_as("u", "SELECT a FROM d.t")) == [(1,)]
    assert rows(await engine.try_as("v", "SELECT a FROM d.t ORDER BY a")) == [(1,), (2,)]
    assert rows(await engine.try_as("v", "SELECT count() FROM d.t2")) == [(3,)]
    ask = "SELECT getSetting('max_threads'), getSetting('log_comment')"
    assert rows(await engine.try_as("u", ask)) == [(3, "by top")]
    assert not (await engine.try_as("u", "SELECT 1 SETTINGS max_threads = 5")).allowed
    said = refused(await engine.try_as("u", "SELECT a FROM d.t2"), QuotaError)
    assert "Quota for user `u`" in said and "result_rows = 3/2" in said
    assert await shown(engine, "SELECT toString(a) FROM d.t ORDER BY a") == ["1", "2", "3"]
    assert await engine.not_enforced() == {}


async def test_what_cannot_be_tried_is_refused_before_anything_is_closed(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    await done(
        engine,
        *TABLES,
        "CREATE USER u",
        "CREATE QUOTA a FOR INTERVAL 1 day MAX errors = 1 TO ALL",
        "CREATE QUOTA b FOR INTERVAL 1 day MAX errors = 2 TO u",
        "CREATE USER v IDENTIFIED WITH no_password GRANTS (SELECT ON d.t)",
        "CREATE USER w, x",
        "CREATE ROLE r",
        "GRANT r TO w",
        "CREATE ROW POLICY own ON d.t USING who = currentUser() TO r",
        "ALTER QUOTA a TO ALL EXCEPT w, x",
        "CREATE TEMPORARY TABLE kept (a Int32)",
    )
    outfile = tmp_path / "out"
    for user, sql, kind in (
        ("nobody", "SELECT 1", UnknownNameError),
        ("default", "SELECT FROM WHERE", BadStatementError),
        ("default", f"SELECT 1 INTO OUTFILE '{outfile}'", BadInputError),
        ("default", "KILL QUERY WHERE 1", BadInputError),
        ("default", "BACKUP TABLE d.t TO File('x')", BadInputError),
        ("default", "GRANT SELECT ON d.t TO u", BadInputError),
        ("u", "SELECT 1", RefusedError),
        ("v", "SELECT 1", RefusedError),
        ("w", "SELECT 1", RefusedError),  # its rows would be those of chDB's own user
        ("x", "SELECT user()", BadInputError),
        ("x", "SELECT a FROM d.t WHERE who = CURRENT_USER", BadInputError),
    ):
        with pytest.raises(kind):
            await engine.try_as(user, sql)
    assert not outfile.exists()
    assert rows(await engine.try_as("x", "SELECT 'user()' AS user, 1 AS current")) == [("user()", 1)]


async def test_no_trace_is_left_and_a_read_only_engine_stays_one(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    await done(engine, *TABLES, "CREATE USER u", "GRANT SELECT, INSERT ON d.t TO u")
    await engine.query("SELECT 1")  # what was granted is loaded when somebody looks
    before = (tmp_path / "users.xml").read_bytes()
    assert (await engine.try_as("u", "SELECT 1 FORMAT TSV")).carried_out
    assert (tmp_path / "users.xml").read_bytes() == before
    assert list((tmp_path / "trying").iterdir()) == []
    await engine.close()
    engine = await EmbeddedEngine.open(tmp_path, read_only=True)
    try:
        with pytest.raises(ReadOnlyServerError):
            await engine.try_as("u", "INSERT INTO d.t VALUES (4, 'w')", really=True)
        assert (await engine.try_as("u", "INSERT INTO d.t VALUES (4, 'w')")).allowed
        with pytest.raises(ReadOnlyServerError):
            await engine.command("DROP TABLE d.t")
    finally:
        await engine.close()
