"""What rights have in common: whether one holds all of another, or something of it.

An object is looked at as a path of database, table and columns. A parameter (`CREATE USER ON name`) stands where others
have their database, as it does in ClickHouse: `ALL ON name.*` gives rights on a user of that name too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from core.access.model import Grant, Revoke, Right

Mark = TypeVar("Mark")

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


class RightsByPlace(Generic[Mark]):
    """Rights with a mark each, found again by their object without looking at all: a holder can have thousands."""

    def __init__(self) -> None:
        self._wide: list[tuple[Mark, Right]] = []
        self._of_database: dict[str, list[tuple[Mark, Right]]] = {}
        self._of_table: dict[tuple[str, str], list[tuple[Mark, Right]]] = {}
        self._in_database: dict[str, list[tuple[Mark, Right]]] = {}
        self._all: list[tuple[Mark, Right]] = []

    def add(self, mark: Mark, right: Right) -> None:
        """Keep `right` with `mark`."""
        database, table = _exact(right)
        self._all.append((mark, right))
        if database is None:
            self._wide.append((mark, right))
            return
        self._in_database.setdefault(database, []).append((mark, right))
        if table is None:
            self._of_database.setdefault(database, []).append((mark, right))
        else:
            self._of_table.setdefault((database, table), []).append((mark, right))

    def holding(self, right: Right) -> Iterator[tuple[Mark, Right]]:
        """Those whose object may hold that of `right`; no other does."""
        database, table = _exact(right)
        yield from self._wide
        if database is not None:
            yield from self._of_database.get(database, ())
            if table is not None:
                yield from self._of_table.get((database, table), ())

    def meeting(self, right: Right) -> Iterable[tuple[Mark, Right]]:
        """Those whose object may have something in common with that of `right`; no other has."""
        database, table = _exact(right)
        if database is None:
            return self._all
        if table is None:
            return chain(self._in_database.get(database, ()), self._wide)
        return self.holding(right)


def in_force(statements: Iterable[Grant | Revoke], groups: Mapping[str, str]) -> tuple[tuple[Grant, Right], ...]:
    """The rights granted by `statements` that no later one of them takes back as a whole."""
    granted: list[tuple[int, Grant, Right]] = []
    revoked: RightsByPlace[int] = RightsByPlace()
    for position, statement in enumerate(statements):
        for right in statement.rights:
            if isinstance(statement, Grant):
                granted.append((position, statement, right))
            elif not statement.grant_option:
                revoked.add(position, right)
    return tuple(
        (grant, right)
        for position, grant, right in granted
        if not any(later > position and holds(revoke, right, groups) for later, revoke in revoked.holding(right))
    )


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


def _exact(right: Right) -> tuple[str | None, str | None]:
    """The database (or parameter) and the table of a right, each None where it is not one name."""
    database, table = _path(right)
    one = None if database.wildcard else database.name
    return one, None if one is None or table.wildcard else table.name


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
