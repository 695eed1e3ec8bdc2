"""Which databases the grants of a user open for reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.access.model import Grant, Revoke, Right

_READING = frozenset({"SELECT", "ALL"})


@dataclass(frozen=True, slots=True)
class ReadableDatabases:
    """The databases that may be read as a whole: all of them, by name, or by the start of their name.

    A table or column taken back does not close its database. `except_names` and `except_prefixes` are what partial
    revokes take back from a wider grant.
    """

    everything: bool = False
    names: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    except_names: frozenset[str] = frozenset()
    except_prefixes: frozenset[str] = frozenset()

    def covers(self, database: str) -> bool:
        """Whether `database` may be read as a whole. The narrower of a grant and a revoke wins."""
        if database in self.names or database in self.except_names:
            return database in self.names
        granted = max((len(start) for start in self.prefixes if database.startswith(start)), default=-1)
        revoked = max((len(start) for start in self.except_prefixes if database.startswith(start)), default=-1)
        if granted < 0 and self.everything:
            granted = 0
        return granted > revoked


def readable_databases(grants: Iterable[Grant | Revoke]) -> ReadableDatabases:
    """What `SELECT` on whole databases adds up to, in the order of the statements.

    Rights on single tables or columns open no database; a revoke of a part of one closes none. Roles are not followed.
    """
    everything = False
    names: set[str] = set()
    prefixes: set[str] = set()
    except_names: set[str] = set()
    except_prefixes: set[str] = set()
    for statement in grants:
        for right in statement.rights:
            if not _whole_database(right):
                continue
            granted = isinstance(statement, Grant)
            if not granted and statement.grant_option:
                continue
            if right.database is None:
                everything = granted
                for wider in (names, prefixes, except_names, except_prefixes):
                    wider.clear()
                continue
            if right.database_wildcard:
                start = right.database
                for exact in (names, except_names):
                    exact.difference_update({name for name in exact if name.startswith(start)})
                for inner in (prefixes, except_prefixes):
                    inner.difference_update({prefix for prefix in inner if prefix.startswith(start)})
                (prefixes if granted else except_prefixes).add(start)
            else:
                (names if granted else except_names).add(right.database)
                (except_names if granted else names).discard(right.database)
    return ReadableDatabases(
        everything,
        frozenset(names),
        frozenset(prefixes),
        frozenset(except_names),
        frozenset(except_prefixes),
    )


def _whole_database(right: Right) -> bool:
    return right.privilege in _READING and not right.columns and right.table is None and right.database != ""
