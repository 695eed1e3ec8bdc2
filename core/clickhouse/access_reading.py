"""Reads users and their grants from a ClickHouse of either home, by SHOW statements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.access.model import CreateUser, Grant, Revoke, User
from core.access.parser import parse_statement
from core.access.user_changes import new_user
from core.clickhouse.engine import Engine
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.errors import HousekeysError

MANY = 200  # statements that are parsed without a thread


async def grants_of(engine: Engine, user: str) -> tuple[Grant | Revoke, ...]:
    """What was granted to `user` itself, in ClickHouse's order; a Revoke takes a part of a wider grant back.

    Raises NotFoundError when there is no such user, RefusedError when it may not be seen.
    """
    result = await engine.query(f"SHOW GRANTS FOR {quote_identifier(user)}")
    statements = [str(row[0]) for row in result.rows]
    if len(statements) < MANY:
        return _parsed(statements)
    return await asyncio.to_thread(_parsed, statements)  # a second for 10,000: the event loop must not stand still


def _parsed(statements: Sequence[str]) -> tuple[Grant | Revoke, ...]:
    parsed = map(parse_statement, statements)
    return tuple(statement for statement in parsed if isinstance(statement, Grant | Revoke))


async def user_definition(engine: Engine, name: str) -> User | None:
    """How `name` is defined, without its secrets, which ClickHouse does not show; None when there is no such user."""
    try:
        result = await engine.query(f"SHOW CREATE USER {quote_identifier(name)}")
    except UnknownNameError:
        return None
    statement = parse_statement(result.first_cell())
    if not isinstance(statement, CreateUser):
        raise HousekeysError(
            f"ClickHouse does not show how the user {name} is defined.", detail=str(result.first_cell())
        )
    return new_user(statement, name)
