"""Quotas, settings profiles and row policies in the embedded engine: judged by ClickHouse, kept, shown in its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access.parser import parse_statement
from core.access.policies import CreateRowPolicy, PolicyName
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import AlreadyExistsError, BadStatementError, ReadOnlyServerError, ServerError
from core.clickhouse.quoting import quote_identifier
from core.errors import HousekeysError, RefusedError
from tests.engine.test_embedded_access import done, reopened, run, shown

HOSTILE = ["a b@c", "x`y'\\z", "новый.имя", "😀\n\t\x01", "${HOME} &<>", "profile", "database"]


async def test_they_survive_a_reopen_and_are_shown_as_they_are(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a Int32) ENGINE = MergeTree ORDER BY a",
        "CREATE USER u",
        "CREATE ROLE r",
        "CREATE SETTINGS PROFILE base SETTINGS max_threads = 4 MIN 1 MAX 8",
        "CREATE SETTINGS PROFILE `top one` SETTINGS readonly = 2 CONST, INHERIT base TO u, r",
        "ALTER USER u ADD PROFILE base",
        "CREATE QUOTA q KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 100, FOR INTERVAL 1 day TRACKING ONLY "
        "TO r",
        "CREATE ROW POLICY p ON d.t, d.* FOR SELECT USING a IN (1, 2)  AND\n lower(toString(a))='1' TO ALL EXCEPT u",
        "USE d",
        "CREATE ROW POLICY p2 ON t AS RESTRICTIVE USING a>0 TO CURRENT_USER",
    )
    wanted = [
        "CREATE USER default IDENTIFIED WITH no_password SETTINGS PROFILE `default`",
        "CREATE USER u IDENTIFIED WITH no_password SETTINGS PROFILE `base`",
        "CREATE ROLE r",
        "CREATE SETTINGS PROFILE `base` SETTINGS max_threads = 4 MIN 1 MAX 8",
        "CREATE SETTINGS PROFILE `default`",
        "CREATE SETTINGS PROFILE `top one` SETTINGS INHERIT `base`, readonly = 2 CONST TO u, r",
        "CREATE ROW POLICY p ON d.* FOR SELECT USING (a IN (1, 2)) AND (lower(toString(a)) = '1') TO ALL EXCEPT u",
        "CREATE ROW POLICY p ON d.t FOR SELECT USING (a IN (1, 2)) AND (lower(toString(a)) = '1') TO ALL EXCEPT u",
        "CREATE ROW POLICY p2 ON d.t AS RESTRICTIVE FOR SELECT USING a > 0 TO default",
        "CREATE QUOTA default KEYED BY user_name TO default",
        "CREATE QUOTA q KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 100, "
        "FOR INTERVAL 1 day TRACKING ONLY TO r",
    ]

    async def access(of: EmbeddedEngine) -> list[str]:
        return [line for line in await shown(of, "SHOW ACCESS") if line.startswith("CREATE")]

    assert await access(engine) == wanted
    again = await reopened(engine)
    try:
        assert await access(again) == wanted
    finally:
        await again.close()


async def test_every_show_answers_with_the_real_names(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE QUOTA `q 1`",
        "CREATE SETTINGS PROFILE `p 1`",
        "CREATE ROW POLICY x ON a.t USING 1 TO ALL",
        "CREATE ROW POLICY y ON a.t, a.v USING 0",
    )
    x = "CREATE ROW POLICY x ON a.t FOR SELECT USING 1 TO ALL"
    y = [f"CREATE ROW POLICY y ON a.{table} FOR SELECT USING 0" for table in ("t", "v")]
    profiles = ["CREATE SETTINGS PROFILE `default`", "CREATE SETTINGS PROFILE `p 1`"]
    for sql, wanted in {
        "SHOW QUOTAS": ["default", "q 1"],
        "SHOW SETTINGS PROFILES": ["default", "p 1"],
        "SHOW PROFILES": ["default", "p 1"],
        "SHOW POLICIES": ["x ON a.t", "y ON a.t", "y ON a.v"],
        "SHOW ROW POLICIES ON a.t": ["x", "y"],
        "SHOW CREATE QUOTA `q 1`": ["CREATE QUOTA `q 1`"],
        "SHOW CREATE SETTINGS PROFILE `p 1`": profiles[1:],
        "SHOW CREATE PROFILES": profiles,
        "SHOW CREATE SETTINGS PROFILES": profiles,
        "SHOW CREATE ROW POLICIES": [x, *y],
        "SHOW CREATE POLICIES ON a.t": [x, y[0]],
        "SHOW CREATE ROW POLICY ON a.t": [x, y[0]],
        "SHOW CREATE ROW POLICY y": y,
        "SHOW CREATE POLICY y ON a.v": y[1:],
        "SHOW CREATE ROW POLICY x, y ON a.t": [x, y[0]],
        "SHOW MASKING POLICIES": [],
    }.items():
        assert await shown(engine, sql) == wanted, sql
    assert (await engine.query("SHOW CREATE QUOTAS")).columns == ("CREATE QUOTAS",)
    assert (await engine.query("SHOW CREATE PROFILE `p 1`")).columns == ("CREATE SETTINGS PROFILE `p 1`",)
    assert (await engine.query("SHOW CREATE POLICY x ON a.t")).columns == ("CREATE ROW POLICY x ON a.t",)
    for sql, code in {
        "SHOW CREATE QUOTA nope": 199,
        "SHOW CREATE SETTINGS PROFILE nope": 180,
        "SHOW CREATE ROW POLICY nope ON a.t": 523,
        "SHOW CREATE MASKING POLICY nope ON a.t": 344,
    }.items():
        with pytest.raises(ServerError) as caught:
            await engine.query(sql)
        assert caught.value.code == code, sql


async def test_alter_rename_drop_and_what_names_them(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE USER u, v",
        "CREATE ROLE r",
        "CREATE SETTINGS PROFILE p TO u, r",
        "CREATE SETTINGS PROFILE s SETTINGS INHERIT p",
        "ALTER SETTINGS PROFILE p ADD PROFILE s",  # a circle, which ClickHouse takes
        "ALTER ROLE r SETTINGS PROFILE s",
        "CREATE QUOTA q TO ALL EXCEPT v",
        "CREATE ROW POLICY w ON a.t USING 1 TO v",
        "ALTER SETTINGS PROFILE p RENAME TO p2",
        "ALTER SETTINGS PROFILE s RENAME TO s2",
        "ALTER USER v RENAME TO v2",
        "ALTER QUOTA q RENAME TO q2 FOR INTERVAL 1 day MAX errors = 1",
        "ALTER ROW POLICY w ON a.t RENAME TO w2",
        "DROP USER u",
    )
    again = await reopened(engine)
    try:
        assert await shown(again, "SHOW CREATE PROFILES") == [
            "CREATE SETTINGS PROFILE `default`",
            "CREATE SETTINGS PROFILE `p2` SETTINGS INHERIT `s2` TO r",
            "CREATE SETTINGS PROFILE `s2` SETTINGS INHERIT `p2`",
        ]
        assert await shown(again, "SHOW CREATE ROLE r") == ["CREATE ROLE r SETTINGS PROFILE `s2`"]
        assert await shown(again, "SHOW CREATE QUOTA q2") == [
            "CREATE QUOTA q2 FOR INTERVAL 1 day MAX errors = 1 TO ALL EXCEPT v2"
        ]
        assert await shown(again, "SHOW CREATE POLICY w2 ON a.t") == [
            "CREATE ROW POLICY w2 ON a.t FOR SELECT USING 1 TO v2"
        ]
        await done(again, "DROP PROFILE s2", "DROP QUOTA q2", "DROP ROW POLICY w2 ON a.t", "DROP QUOTA IF EXISTS q2")
        assert await shown(again, "SHOW CREATE PROFILE p2") == ["CREATE SETTINGS PROFILE `p2` TO r"]
        assert await shown(again, "SHOW CREATE ROLE r") == ["CREATE ROLE r"]
        assert await shown(again, "SHOW POLICIES") == []
    finally:
        await again.close()


async def test_wrong_statements_get_clickhouse_s_errors_and_change_nothing(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE USER u",
        "CREATE QUOTA q",
        "CREATE SETTINGS PROFILE p",
        "CREATE ROW POLICY w ON a.t USING 1",
    )
    before = await shown(engine, "SHOW ACCESS")
    wrong: dict[str, int | type[HousekeysError]] = {
        "CREATE QUOTA q": AlreadyExistsError,
        "CREATE QUOTA default": ReadOnlyServerError,
        "CREATE QUOTA x TO nobody": 511,
        "CREATE QUOTA x TO ALL EXCEPT `no body`": 511,
        "CREATE QUOTA x IN nowhere": 492,
        "CREATE QUOTA x IN users_xml": ReadOnlyServerError,
        "CREATE QUOTA x ON CLUSTER c": 392,
        "ALTER QUOTA nope TO u": 199,
        "ALTER QUOTA default TO u": ReadOnlyServerError,
        "ALTER QUOTA q RENAME TO default": AlreadyExistsError,
        "DROP QUOTA q, nope": 199,
        "DROP QUOTA default": ReadOnlyServerError,
        "MOVE QUOTA q TO memory": RefusedError,
        "CREATE SETTINGS PROFILE p": AlreadyExistsError,
        "CREATE SETTINGS PROFILE x SETTINGS INHERIT x": 180,
        "CREATE SETTINGS PROFILE x SETTINGS INHERIT `no profile`": 180,
        "CREATE SETTINGS PROFILE x SETTINGS no_such = 1": BadStatementError,
        "CREATE SETTINGS PROFILE x SETTINGS max_threads = 1.5": HousekeysError,
        "ALTER SETTINGS PROFILE nope TO u": 180,
        "ALTER SETTINGS PROFILE p DROP PROFILE nope": 180,
        "ALTER SETTINGS PROFILE default SETTINGS max_threads = 1": ReadOnlyServerError,
        "DROP SETTINGS PROFILE nope": 180,
        "CREATE USER x SETTINGS PROFILE 'nope'": 180,
        "CREATE ROW POLICY w ON a.t": AlreadyExistsError,
        "CREATE ROW POLICY x ON a.t USING a = TO u": HousekeysError,
        "CREATE ROW POLICY x ON a.t USING 1 TO nobody": 511,
        "CREATE ROW POLICY x ON a.t IN nowhere USING 1": 492,
        "ALTER ROW POLICY w ON a.v USING 1": 523,
        "DROP ROW POLICY w ON a.*": 523,
        "DROP ROW POLICY w ON a.t ON CLUSTER c": 392,
        "CREATE MASKING POLICY m ON a.t UPDATE a = 0": 344,
        "DROP MASKING POLICY m ON a.t": 344,
    }
    outcomes = await run(engine, *wrong)
    for (sql, kind), outcome in zip(wrong.items(), outcomes, strict=True):
        if isinstance(kind, int):
            assert isinstance(outcome, ServerError) and outcome.code == kind, (sql, outcome)
        else:
            assert isinstance(outcome, kind), (sql, outcome)
        assert "housekeys-alias" not in str(outcome)
    assert await shown(engine, "SHOW ACCESS") == before


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_kept_exactly(engine: EmbeddedEngine, name: str) -> None:
    quoted = quote_identifier(name)
    await done(
        engine,
        f"CREATE USER {quoted}",
        f"CREATE SETTINGS PROFILE {quoted} SETTINGS max_threads = 1 TO {quoted}",
        f"CREATE SETTINGS PROFILE `other {name.replace('`', '').encode('unicode_escape').decode()}` "
        f"SETTINGS INHERIT {quoted}",
        f"CREATE QUOTA {quoted} KEYED BY ip_address FOR INTERVAL 1 day MAX queries = 3 TO {quoted}",
        f"CREATE ROW POLICY {quoted} ON {quoted}.{quoted} USING {quoted} = 1 TO {quoted}",
        f"ALTER QUOTA {quoted} FOR INTERVAL 1 day MAX queries = 4",
    )
    again = await reopened(engine)
    try:
        assert name in await shown(again, "SHOW QUOTAS")
        assert name in await shown(again, "SHOW PROFILES")
        assert [policy.short for policy in await policies(again)] == [name]
        await done(again, f"ALTER QUOTA {quoted} TO NONE", f"DROP SETTINGS PROFILE {quoted}", f"DROP QUOTA {quoted}")
        await done(again, f"DROP ROW POLICY {quoted} ON {quoted}.{quoted}")
        assert await shown(again, "SHOW QUOTAS") == ["default"]
    finally:
        await again.close()


async def policies(engine: EmbeddedEngine) -> list[PolicyName]:
    found: list[PolicyName] = []
    for line in await shown(engine, "SHOW CREATE ROW POLICIES"):
        statement = parse_statement(line)
        assert isinstance(statement, CreateRowPolicy)
        found += statement.names
    return found


async def test_old_files_go_on_loading_and_new_ones_are_written_anew(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    await done(engine, "CREATE SETTINGS PROFILE a", "CREATE SETTINGS PROFILE b SETTINGS INHERIT a")
    await done(engine, "ALTER SETTINGS PROFILE a ADD PROFILE b", "CREATE USER u SETTINGS PROFILE a")
    await done(engine, *(f"CREATE QUOTA OR REPLACE q FOR INTERVAL {n} day MAX errors = 1 TO u" for n in range(1, 260)))
    before = await shown(engine, "SHOW ACCESS")
    again = await reopened(engine)
    lines = (tmp_path / "access" / "access.sql").read_text().count("\n")
    try:
        assert lines < 20
        assert await shown(again, "SHOW ACCESS") == before
    finally:
        await again.close()
