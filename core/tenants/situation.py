"""What there is now, as far as planning needs it, and the checks that every plan makes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.clickhouse.engine import Engine
from core.errors import NotFoundError, RefusedError
from core.journal.journal import Journal
from core.tenants.model import LIFECYCLE, REMOVE, SUBJECT_KIND
from core.tenants.naming import shown
from core.tenants.reading import Reading, read_rights

LISTED = 10  # names in a sentence


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is now, as far as planning needs it."""

    databases: frozenset[str]
    reading: Reading
    last_actions: dict[str, str]  # of LIFECYCLE, by tenant
    journal_database: str
    cluster: str | None

    def recorded(self, name: str) -> bool:
        """Whether the journal knows `name` as a tenant."""
        return self.last_actions.get(name, REMOVE) != REMOVE

    def is_tenant(self, name: str) -> bool:
        """Whether `name` is a tenant: recorded as one, or opened to the DataLens user by a grant that names it."""
        return self.recorded(name) or (self.reading.covers(name) and self.reading.names(name))

    @property
    def user(self) -> str:
        """The DataLens user."""
        return self.reading.user

    def require_user(self) -> None:
        """Raise NotFoundError when there is no DataLens user to grant to."""
        if self.reading.exists is False:
            raise NotFoundError(
                f"There is no user {shown(self.user)} that could read the tenants.",
                advice="Create it first: housekeys datalens setup, or the checklist.",
            )


async def read_situation(engine: Engine, journal: Journal, *, datalens_user: str, cluster: str | None) -> Situation:
    """Ask ClickHouse and the journal. Raises what the engine raises."""
    databases, reading, latest = await asyncio.gather(
        engine.query("SELECT name FROM system.databases"),
        read_rights(engine, datalens_user),
        journal.latest(SUBJECT_KIND, LIFECYCLE),
    )
    return Situation(
        frozenset(name for (name,) in databases.rows),
        reading,
        {name: row.action for name, row in latest.items()},
        journal.database,
        cluster,
    )


def require_tenants(names: Sequence[str], now: Situation) -> list[str]:
    """`names`, each once. Raises NotFoundError, naming those that are no tenants."""
    names = list(dict.fromkeys(names))
    strangers = [name for name in names if not now.is_tenant(name)]
    if strangers:
        databases = any(name in now.databases for name in strangers)
        advice = "A database becomes one by housekeys tenant adopt." if databases else "See housekeys tenant list."
        raise NotFoundError(f"{some(strangers)}: no such tenant.", advice=advice)
    return names


def must_revoke(name: str, now: Situation) -> bool:
    """Whether something of `name` is open to the DataLens user, or may be."""
    return now.reading.covers(name) or now.reading.touches(name) or not now.reading.known


def refuse_roles(names: Iterable[str], now: Situation) -> None:
    """Raise RefusedError when a role would keep a database readable, whatever is revoked from the user itself."""
    for name in names:
        if roles := now.reading.roles_covering(name):
            raise RefusedError(
                f"{shown(now.user)} reads {shown(name)} through the role {some(roles)}, "
                "so revoking the user's own grant would change nothing.",
                advice="Take the role from the user, or the right from the role.",
            )


def tenants_word(names: Sequence[str]) -> str:
    """`tenant acme`, or `3,000 tenants`."""
    return f"tenant {shown(names[0])}" if len(names) == 1 else f"{len(names):,} tenants"


def some(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(map(shown, names[:LISTED])) + more
