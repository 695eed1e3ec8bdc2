"""One tenant looked at closely: its tables, and the statements that make it what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.access.model import Grant, Revoke, Right
from core.access.render import render
from core.clickhouse.engine import Engine
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.errors import HousekeysError
from core.tenants.reading import Reading

MOST_TABLES = 1_000

_TABLES = """
SELECT name, engine, total_rows, total_bytes
FROM system.tables
WHERE database = {name:String} AND NOT is_temporary
ORDER BY total_bytes DESC, name
LIMIT {most:UInt32}"""


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table or view. None stands for what its engine does not tell."""

    name: str
    engine: str
    rows: int | None
    bytes: int | None  # compressed, on the disks of the connected host


async def read_tables(engine: Engine, database: str) -> tuple[TableSize, ...]:
    """The tables and views of `database`, the largest first, at most `MOST_TABLES`. Raises what the engine raises."""
    found = await engine.query(_TABLES, {"name": database, "most": MOST_TABLES})
    return tuple(TableSize(*row) for row in found.rows)


async def read_definition(engine: Engine, database: str) -> str:
    """`CREATE DATABASE …` as ClickHouse writes it, or a sentence why it cannot be seen. Raises UnreachableError."""
    try:
        found = await engine.query(f"SHOW CREATE DATABASE {quote_identifier(database)}")
    except UnknownNameError:
        return "The database does not exist, or the connected user cannot see it."
    except HousekeysError as error:
        if error.exit_code is error.exit_code.UNREACHABLE:
            raise
        return f"The definition cannot be seen: {error.message}"
    return str(found.first_cell())


def statements_about(reading: Reading, database: str) -> tuple[str, ...]:
    """The user's own grants and revokes that touch `database`, each with only the rights that do, as SQL."""
    statements = []
    for grant in reading.grants:
        rights = tuple(right for right in grant.rights if _touches(right, database))
        if rights:
            statements.append(_sql(grant, rights))
    return tuple(statements)


def _touches(right: Right, database: str) -> bool:
    if right.parameter is not None:
        return False
    if right.database is None:
        return right.privilege != "USAGE"
    return database.startswith(right.database) if right.database_wildcard else right.database == database


def _sql(grant: Grant | Revoke, rights: Sequence[Right]) -> str:
    return render(replace(grant, rights=tuple(rights)))
