"""Generated users are allowed exactly what their effective rights and limits say: tried on real tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from core.access.access_model import Holder
from core.access.effective.limits import limits_of
from core.access.effective.questions import Verdict, can
from core.access.effective.rights import RightsIndex
from core.access.model import EntityKind, Grant, Revoke, Right
from core.access.render import render
from core.clickhouse.access_survey import survey_access
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import NoRightError, QuotaError, ReadOnlyServerError, ServerError
from tests.engine.test_embedded_access import done
from tests.examples import examples
from tests.unit.access import strategies

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATABASES, TABLES, COLUMNS = ("a", "ab"), ("t", "tu"), ("x", "y")

# A statement, and the right that it takes.
Attempt = tuple[str, Right]


def attempts() -> list[Attempt]:
    """Reading and changing every table, or one column of it."""
    found: list[Attempt] = []
    for database in DATABASES:
        for table in TABLES:
            name = f"{database}.{table}"
            found += [(f"SELECT {c} FROM {name}", Right("SELECT", (c,), database, table)) for c in COLUMNS]
            found += [
                (f"SELECT x, y FROM {name}", Right("SELECT", COLUMNS, database, table)),
                (f"INSERT INTO {name} VALUES (1, 1)", Right("INSERT", COLUMNS, database, table)),
                (f"INSERT INTO {name} (y) VALUES (1)", Right("INSERT", ("y",), database, table)),
                (f"ALTER TABLE {name} DELETE WHERE 1", Right("ALTER DELETE", database=database, table=table)),
                (f"TRUNCATE TABLE {name}", Right("TRUNCATE", database=database, table=table)),
                (f"OPTIMIZE TABLE {name}", Right("OPTIMIZE", database=database, table=table)),
                (f"DROP TABLE {name}", Right("DROP TABLE", database=database, table=table)),
            ]
    return found


_whole = st.sampled_from(["SELECT", "INSERT", "ALTER", "OPTIMIZE", "TRUNCATE", "DROP", "ALL"])
_rights = st.one_of(
    strategies.right(st.sampled_from(["SELECT", "INSERT"])),
    strategies.right(_whole, database=st.sampled_from(DATABASES), database_wildcard=st.booleans()),
    strategies.right(
        _whole, database=st.sampled_from(DATABASES), table=st.sampled_from(TABLES), table_wildcard=st.booleans()
    ),
    strategies.right(
        st.sampled_from(["SELECT", "INSERT"]),
        st.sampled_from([("x",), ("y",), ("x", "y")]),
        st.sampled_from(DATABASES),
        st.sampled_from(TABLES),
    ),
)


@st.composite
def setups(draw: st.DrawFn) -> list[str]:
    """Statements that make a user `u`, who holds roles that hold roles, and give and take rights of all of them."""
    read_only = draw(st.sampled_from(["", "", " SETTINGS readonly = 1", " SETTINGS readonly = 2"]))
    statements = ["CREATE ROLE r1, r2, r3", f"CREATE USER u{read_only}"]
    for who in ("u", "r1", "r2", "r3"):
        for right in draw(st.lists(_rights, max_size=3)):
            taken = draw(st.integers(0, 2)) == 0
            statement = Revoke((right,), grantees=(who,)) if taken else Grant((right,), grantees=(who,))
            statements.append(render(statement))
    statements += draw(st.lists(st.sampled_from(["GRANT r2 TO r1", "GRANT r3 TO r2", "GRANT r3 TO r1"]), unique=True))
    statements += draw(st.lists(st.sampled_from(["GRANT r1 TO u", "GRANT r2 TO u"]), unique=True))
    statements += draw(st.sampled_from([[], ["ALTER USER u DEFAULT ROLE NONE"]]))
    return statements


async def judged(statements: Sequence[str], tries: Sequence[Attempt], folder: Path) -> None:
    engine = await EmbeddedEngine.open(folder)
    try:
        await done(
            engine,
            *(f"CREATE DATABASE {database}" for database in DATABASES),
            *(
                f"CREATE TABLE {database}.{table} (x Int32, y Int32) ENGINE = MergeTree ORDER BY ()"
                for database in DATABASES
                for table in TABLES
            ),
            *statements,
        )
        found = RightsIndex((await survey_access(engine)).model).effective(Holder(EntityKind.USER, "u"))
        limits = limits_of(found, NOW)
        for sql, right in tries:
            theirs = await engine.try_as("u", sql)
            granted = can(found, right).verdict is Verdict.YES
            blocked = bool(limits.blocking(right, found.index.privileges))
            assert theirs.allowed is (granted and not blocked), (sql, theirs.error)
            expected: type[ServerError] = NoRightError if not granted else ReadOnlyServerError
            assert theirs.error is None or isinstance(theirs.error, expected), sql
    finally:
        await engine.close()


@settings(max_examples=examples(2))
@given(setups(), st.lists(st.sampled_from(attempts()), min_size=8, max_size=8, unique_by=lambda attempt: attempt[0]))
def test_try_as_allows_what_effective_rights_say(statements: list[str], tries: list[Attempt]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(judged(statements, tries, Path(folder)))


async def test_a_quota_stops_what_is_granted(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE USER u",
        "CREATE DATABASE d",
        "CREATE TABLE d.t (x Int32) ENGINE = MergeTree ORDER BY ()",
        "GRANT SELECT ON d.t TO u",
        "CREATE QUOTA q FOR INTERVAL 1 day MAX read_rows = 1 TO u",
        "INSERT INTO d.t VALUES (1), (2)",
    )
    found = RightsIndex((await survey_access(engine)).model).effective(Holder(EntityKind.USER, "u"))
    assert can(found, Right("SELECT", database="d", table="t")).verdict is Verdict.YES
    assert [applied.quota.name for applied in limits_of(found, NOW).quotas] == ["q"]
    theirs = await engine.try_as("u", "SELECT x FROM d.t")
    assert isinstance(theirs.error, QuotaError)
