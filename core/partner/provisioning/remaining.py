"""What there is in ClickHouse of what was to be taken away, or gave way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.clickhouse.engine import Engine
from core.partner.accounts.decision import Removal


async def names_there(engine: Engine, table: str, names: Iterable[str]) -> set[str]:
    """Which of `names` there are, by a table of ClickHouse's own: users, roles or databases."""
    wanted = sorted(set(names))
    if not wanted:
        return set()
    found = await engine.query(
        f"SELECT name FROM system.{table} WHERE name IN {{names:Array(String)}}",  # noqa: S608 - a word of ours
        {"names": wanted},
    )
    return {str(row[0]) for row in found.rows}


async def remaining(engine: Engine, removal: Removal) -> Removal:
    """`removal` with those users, roles and databases alone that are there yet."""
    users = await names_there(engine, "users", removal.users)
    roles = await names_there(engine, "roles", removal.roles)
    databases = await names_there(engine, "databases", removal.databases)
    return replace(
        removal,
        users=tuple(name for name in removal.users if name in users),
        roles=tuple(name for name in removal.roles if name in roles),
        databases=tuple(name for name in removal.databases if name in databases),
    )
