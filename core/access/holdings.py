"""What a user or role holds: the rights granted and revoked, in order, and the roles.

ClickHouse folds rights into a tree; here the statements that make it up are kept, without those that no longer matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby, product
from operator import itemgetter

from core.access.model import Grant, Revoke, Right

_RIGHTS_IN_ONE_STATEMENT = 1000  # ClickHouse's parser takes 256 KiB by default
_Entry = tuple[Right, bool, bool]  # a right, whether it is revoked, and whether with (or only) its grant option


@dataclass(slots=True)
class Holdings:
    """The rights and roles of one user or role. `roles` maps each granted role to whether it may be passed on."""

    entries: dict[_Entry, None] = field(default_factory=dict)
    roles: dict[str, bool] = field(default_factory=dict)
    _granted: _Granted | None = field(default=None, repr=False, compare=False)  # from the first revoke on

    def grant(self, rights: Iterable[Right], *, option: bool) -> None:
        """Add rights; one that was given before moves to the end, behind every revoke."""
        for right in rights:
            if right.privilege != "USAGE":
                self._put((right, False, option))

    def grant_roles(self, roles: Iterable[str], *, option: bool) -> None:
        """Add roles; the option to pass one on, given before, stays."""
        for role in roles:
            self.roles[role] = self.roles.get(role, False) or option

    def revoke(self, rights: Iterable[Right], *, option_only: bool) -> None:
        """Take rights away, or only the option to pass them on."""
        for right in rights:
            if not option_only:
                for entry in product((right,), (False, True), (False, True)):
                    if entry in self.entries:
                        self._remove(entry)
            if self._granted is None:
                self._granted = _Granted.among(self.entries)
            if self._granted.may_meet(right):
                self._put((right, True, option_only))

    def clear_rights(self) -> None:
        """Take every right away (`WITH REPLACE OPTION`)."""
        self.entries.clear()
        self._granted = None

    def statements(self, holder: str) -> list[Grant | Revoke]:
        """The statements that give `holder` all of this, in order; neighbours of one kind are one statement."""
        found = self.statements_of_rights(holder)
        for admin in (False, True):
            roles = tuple(sorted(role for role, with_admin in self.roles.items() if with_admin is admin))
            if roles:
                found.append(Grant(roles=roles, grantees=(holder,), admin_option=admin))
        return found

    def statements_of_rights(self, holder: str) -> list[Grant | Revoke]:
        """Those of the rights alone."""
        found: list[Grant | Revoke] = []
        for (revoked, option), entries in groupby(self.entries, itemgetter(1, 2)):
            rights = tuple([right for right, _, _ in entries])
            statement = Revoke if revoked else Grant
            for first in range(0, len(rights), _RIGHTS_IN_ONE_STATEMENT):
                some = rights[first : first + _RIGHTS_IN_ONE_STATEMENT]
                found.append(statement(some, (), (holder,), option))
        return found

    def _put(self, entry: _Entry) -> None:
        if entry in self.entries:
            self._remove(entry)
        self.entries[entry] = None
        if self._granted is not None:
            self._granted.add(entry)

    def _remove(self, entry: _Entry) -> None:
        del self.entries[entry]
        if self._granted is not None:
            self._granted.discard(entry)


@dataclass(slots=True)
class _Granted:
    """The rights that are granted, by what a revoke can meet: one database, or more than that.

    A user with a right on each of many databases is asked about one of them without looking at all. Most holders are
    never asked, so it is made when it is.
    """

    databases: dict[str, int] = field(default_factory=dict)
    wide: dict[_Entry, None] = field(default_factory=dict)

    @classmethod
    def among(cls, entries: Iterable[_Entry]) -> _Granted:
        found = cls()
        for entry in entries:
            found.add(entry)
        return found

    def add(self, entry: _Entry) -> None:
        right, revoked, _ = entry
        if revoked:
            return
        if (database := _only_database(right)) is not None:
            self.databases[database] = self.databases.get(database, 0) + 1
        else:
            self.wide[entry] = None

    def discard(self, entry: _Entry) -> None:
        right, revoked, _ = entry
        if revoked:
            return
        if (database := _only_database(right)) is None:
            del self.wide[entry]
        elif self.databases[database] == 1:
            del self.databases[database]
        else:
            self.databases[database] -= 1

    def may_meet(self, right: Right) -> bool:
        """Whether `right` can have something in common with a right that is granted."""
        database = _only_database(right)
        among = self.databases if database is None else database in self.databases
        return bool(among) or any(_overlap(granted, right) for granted, _, _ in self.wide)


def _only_database(right: Right) -> str | None:
    """The one database that a right is about, or None: it is about all, about a prefix, or has a parameter."""
    return None if right.parameter is not None or right.database_wildcard else right.database


def _overlap(first: Right, second: Right) -> bool:
    """Whether the two rights can have something in common; told apart only where that is cheap and certain."""
    if (first.parameter is None) == (second.parameter is None):
        return True
    plain = first if first.parameter is None else second
    # A group of privileges may hold some with a parameter: SOURCES, ACCESS MANAGEMENT, ALL.
    return plain.database is None or plain.database_wildcard or plain.privilege in ("ALL", "ACCESS MANAGEMENT")
