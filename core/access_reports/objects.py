"""The databases and tables of a ClickHouse, to ask about their rights."""

from __future__ import annotations

from dataclasses import dataclass

from core.access.render_grants import identifier
from core.clickhouse.engine import Engine

LISTED_TABLES = 20_000  # more are not offered one by one
OWN_DATABASES = frozenset({"system", "information_schema", "INFORMATION_SCHEMA"})  # ClickHouse's own

_DATABASES = "SELECT name FROM system.databases ORDER BY name"
_TABLES = """
SELECT database, name
FROM system.tables
WHERE NOT is_temporary AND lower(database) != 'information_schema'
ORDER BY database = 'system', database, name
LIMIT {most:UInt64}"""


@dataclass(frozen=True, slots=True)
class Objects:
    """What the connected user may see. `more`: there are more tables than were read."""

    databases: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]
    more: bool = False

    @property
    def of_clients(self) -> tuple[str, ...]:
        """The databases without ClickHouse's own."""
        return tuple(name for name in self.databases if name not in OWN_DATABASES)


async def read_objects(engine: Engine) -> Objects:
    """Read their names. Raises what the engine raises."""
    databases = (await engine.query(_DATABASES)).rows
    tables = (await engine.query(_TABLES, {"most": LISTED_TABLES + 1})).rows
    return Objects(
        tuple(str(name) for (name,) in databases),
        tuple((str(database), str(name)) for database, name in tables[:LISTED_TABLES]),
        len(tables) > LISTED_TABLES,
    )


def database_text(database: str) -> str:
    """All of a database as it is written in SQL: `acme.*`."""
    return f"{identifier(database)}.*"


def table_text(database: str, table: str) -> str:
    """A table as it is written in SQL."""
    return f"{identifier(database)}.{identifier(table)}"
