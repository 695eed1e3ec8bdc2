"""The rights that it takes to let somebody in: without them a service starts, and its first connect is a 500.

Whether they are held ClickHouse itself says, which knows roles; but CHECK GRANT tells nothing of WITH GRANT OPTION.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from core.access.model import Grant, Right
from core.access.render import render
from core.access.render_grants import render_rights
from core.clickhouse.engine import Engine
from core.clickhouse.errors import ServerError
from core.partner.accounts.ids import IdKind, new_id
from core.profiles.partner import ResourceTemplate


def needed_rights(template: ResourceTemplate) -> tuple[Right, ...]:
    """The rights to make, give and take away whatever has a name by the template.

    Whether its settings profile may be seen is found by looking for it.
    """
    return tuple(_rights(template, lambda pattern: (pattern.partition("{")[0], True)))


async def read_lacking(engine: Engine, template: ResourceTemplate) -> tuple[Right, ...]:
    """Which of them the connected user has not; what ClickHouse does not tell counts as held.

    On a read-only connection nothing is. Raises what the engine raises.
    """
    examples = _rights(template, _example)
    held = await asyncio.gather(*(_is_held(engine, right) for right in examples))
    return tuple(right for right, is_held in zip(needed_rights(template), held, strict=True) if not is_held)


def grants_of(rights: Sequence[Right], template: ResourceTemplate, user: str) -> str:
    """The statements by which an administrator gives them: what accounts get must be passed on."""
    passed_on = tuple(right for right in rights if right.privilege in template.privileges)
    own = tuple(right for right in rights if right not in passed_on)
    grants = (Grant(own, grantees=(user,)), Grant(passed_on, grantees=(user,), grant_option=True))
    return "; ".join(render(grant) for grant in grants if grant.rights)


def _rights(template: ResourceTemplate, name: Callable[[str], tuple[str, bool]]) -> Iterator[Right]:
    """`name` makes of a pattern of the template a name, and whether all that begin so are meant."""
    database, wildcard = name(template.database)
    for privilege in ("CREATE DATABASE", "DROP DATABASE", *template.privileges):
        yield Right(privilege, database=database or None, database_wildcard=wildcard and bool(database))
    for pattern, privileges in (
        (template.user, ("CREATE USER", "ALTER USER", "DROP USER")),
        (template.role, ("CREATE ROLE", "DROP ROLE")),
    ):
        parameter, wildcard = name(pattern)
        for privilege in privileges:
            yield Right(privilege, parameter=parameter, parameter_wildcard=wildcard and bool(parameter))
    yield from map(Right, ("ROLE ADMIN", "SHOW USERS", "SHOW ROLES"))
    if template.quota is not None:
        yield from map(Right, ("SHOW QUOTAS", "ALTER QUOTA"))


def _example(pattern: str) -> tuple[str, bool]:
    ids = {"{account}": IdKind.ACCOUNT, "{user}": IdKind.USER}
    for placeholder, kind in ids.items():
        pattern = pattern.replace(placeholder, new_id(kind))
    return pattern, False


async def _is_held(engine: Engine, right: Right) -> bool:
    try:
        return bool((await engine.query(f"CHECK GRANT {render_rights((right,))}")).first_cell())
    except ServerError:  # an older one, which knows no CHECK GRANT or no rights on users by their names
        return True
