"""What rights have in common: whether one holds all of another, or something of it.

An object is looked at as a path of database, table and columns. A parameter (`CREATE USER ON name`) stands where others
have their database, as it does in ClickHouse: `ALL ON name.*` gives rights on a user of that name too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.access.model import Grant, Revoke, Right

# The groups of privileges, for when the tree of the server is not known.
_GROUPS = frozenset(
    (
        *("ALL", "SHOW", "ALTER", "ALTER TABLE", "ALTER COLUMN", "ALTER INDEX", "ALTER STATISTICS"),
        *("ALTER PROJECTION", "ALTER CONSTRAINT", "ALTER DATABASE", "ALTER VIEW", "CREATE", "DROP", "SYSTEM"),
        *("CREATE ARBITRARY TEMPORARY TABLE", "ACCESS MANAGEMENT", "SHOW ACCESS", "NAMED COLLECTION ADMIN"),
        *("SYSTEM DROP CACHE", "SYSTEM RELOAD", "SYSTEM BACKGROUND", "SYSTEM SENDS", "SYSTEM FLUSH"),
        *("INTROSPECTION", "SOURCES"),
    )
)


class _Level(NamedTuple):
    """One level of a path: every name (None), those that start so, or one."""

    name: str | None
    wildcard: bool = False

    def holds(self, other: _Level) -> bool:
        if self.name is None:
            return True
        if other.name is None:
            return False
        if self.wildcard:
            return other.name.startswith(self.name)
        return not other.wildcard and other.name == self.name

    def meets(self, other: _Level) -> bool:
        return self.holds(other) or other.holds(self)


def in_force(statements: Iterable[Grant | Revoke], groups: Mapping[str, str]) -> list[tuple[Grant, Right]]:
    """The rights granted by `statements` that no later one of them takes back as a whole."""
    ordered = list(statements)
    found: list[tuple[int, Grant, Right]] = []
    revoked: list[tuple[int, Right]] = []
    for position, statement in enumerate(ordered):
        if isinstance(statement, Grant):
            found += [(position, statement, right) for right in statement.rights]
        elif not statement.grant_option:
            revoked += [(position, right) for right in statement.rights]
    return [
        (grant, right)
        for position, grant, right in found
        if not any(later > position and holds(revoke, right, groups) for later, revoke in revoked)
    ]


def holds(outer: Right, inner: Right, groups: Mapping[str, str]) -> bool:
    """Whether all of `inner` is in `outer`."""
    if not _privilege_holds(outer.privilege, inner.privilege, groups):
        return False
    if not all(one.holds(other) for one, other in zip(_path(outer), _path(inner), strict=True)):
        return False
    return not outer.columns or (bool(inner.columns) and set(inner.columns) <= set(outer.columns))


def meets(first: Right, second: Right, groups: Mapping[str, str]) -> bool:
    """Whether the two rights have something in common; True where that is not certain."""
    if not _privileges_meet(first.privilege, second.privilege, groups):
        return False
    if not all(one.meets(other) for one, other in zip(_path(first), _path(second), strict=True)):
        return False
    return not first.columns or not second.columns or not set(first.columns).isdisjoint(second.columns)


def touches(right: Right, database: str, table: str | None) -> bool:
    """Whether a right is about something in a table, or in a database (`table` None)."""
    place = (_Level(database), _Level(table))
    return right.parameter is None and all(one.meets(other) for one, other in zip(_path(right), place, strict=True))


def covers(right: Right, database: str, table: str | None) -> bool:
    """Whether a right is about all of a table, or of a database (`table` None)."""
    if right.parameter is not None or right.columns:
        return False
    place = (_Level(database), _Level(table))
    return all(one.holds(other) for one, other in zip(_path(right), place, strict=True))


def on_everything(right: Right) -> bool:
    """Whether a right is on `*.*`."""
    return right.database is None and right.parameter is None


def _path(right: Right) -> tuple[_Level, _Level]:
    if right.parameter is not None:
        return (
            _Level(right.parameter or None, right.parameter_wildcard),
            _Level(right.source_filter),
        )
    return _Level(right.database, right.database_wildcard), _Level(right.table, right.table_wildcard)


def _privilege_holds(outer: str, inner: str, groups: Mapping[str, str]) -> bool:
    return outer in ("ALL", inner) or outer in _above(inner, groups)


def _privileges_meet(first: str, second: str, groups: Mapping[str, str]) -> bool:
    if first == second or "ALL" in (first, second):
        return True
    if groups:
        known = first in groups and second in groups
        return not known or first in _above(second, groups) or second in _above(first, groups)
    # Other spellings leave words out: DELETE is ALTER DELETE.
    return first in _GROUPS or second in _GROUPS or first.endswith(second) or second.endswith(first)


def _above(privilege: str, groups: Mapping[str, str]) -> list[str]:
    found = [privilege]
    while (group := groups.get(found[-1], "")) and group not in found:
        found.append(group)
    return found[1:]
