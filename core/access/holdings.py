"""What a user or role holds: the rights granted and revoked, in order, and the roles.

ClickHouse folds rights into a tree; here the statements that make it up are kept, without those that no longer matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.access.model import Grant, Revoke, Right

_RIGHTS_IN_ONE_STATEMENT = 1000  # ClickHouse's parser takes 256 KiB by default


@dataclass(frozen=True, slots=True)
class _Entry:
    right: Right
    revoked: bool
    option: bool  # WITH GRANT OPTION, or GRANT OPTION FOR


@dataclass(slots=True)
class Holdings:
    """The rights and roles of one user or role. `roles` maps each granted role to whether it may be passed on."""

    entries: dict[_Entry, None] = field(default_factory=dict)
    roles: dict[str, bool] = field(default_factory=dict)
    # The rights granted among `entries`, by what a revoke can meet: one database, or more than that. A user with a
    # right on each of many databases is asked about one of them without looking at all.
    _databases: dict[str, int] = field(default_factory=dict, repr=False)
    _wide: dict[_Entry, None] = field(default_factory=dict, repr=False)

    def grant(self, right: Right, *, option: bool) -> None:
        """Add a right; the same one given before moves to the end, behind every revoke."""
        if right.privilege != "USAGE":
            self._put(_Entry(right, revoked=False, option=option))

    def revoke(self, right: Right, *, option_only: bool) -> None:
        """Take a right away, or only the option to pass it on."""
        if not option_only:
            for option in (False, True):
                self._remove(_Entry(right, revoked=False, option=option))
                self._remove(_Entry(right, revoked=True, option=option))
        if self._may_meet(right):
            self._put(_Entry(right, revoked=True, option=option_only))

    def clear_rights(self) -> None:
        """Take every right away (`WITH REPLACE OPTION`)."""
        self.entries.clear()
        self._databases.clear()
        self._wide.clear()

    def statements(self, holder: str) -> list[Grant | Revoke]:
        """The statements that give `holder` these rights, in order; neighbours of one kind are one statement."""
        found: list[Grant | Revoke] = []
        rights: list[Right] = []
        kind: tuple[bool, bool] | None = None
        for entry in [*self.entries, None]:
            next_kind = None if entry is None else (entry.revoked, entry.option)
            if rights and kind is not None and (next_kind != kind or len(rights) >= _RIGHTS_IN_ONE_STATEMENT):
                statement = Revoke if kind[0] else Grant
                found.append(statement(tuple(rights), grantees=(holder,), grant_option=kind[1]))
                rights = []
            kind = next_kind
            if entry is not None:
                rights.append(entry.right)
        for admin in (False, True):
            roles = tuple(sorted(role for role, with_admin in self.roles.items() if with_admin is admin))
            if roles:
                found.append(Grant(roles=roles, grantees=(holder,), admin_option=admin))
        return found

    def _put(self, entry: _Entry) -> None:
        self._remove(entry)
        self.entries[entry] = None
        if entry.revoked:
            return
        if (database := _only_database(entry.right)) is not None:
            self._databases[database] = self._databases.get(database, 0) + 1
        else:
            self._wide[entry] = None

    def _remove(self, entry: _Entry) -> None:
        if entry not in self.entries:
            return
        del self.entries[entry]
        if entry.revoked:
            return
        if (database := _only_database(entry.right)) is None:
            del self._wide[entry]
        elif self._databases[database] == 1:
            del self._databases[database]
        else:
            self._databases[database] -= 1

    def _may_meet(self, right: Right) -> bool:
        """Whether `right` can have something in common with a right that is granted."""
        database = _only_database(right)
        if database is not None:
            return database in self._databases or any(_overlap(entry.right, right) for entry in self._wide)
        return bool(self._databases) or any(_overlap(entry.right, right) for entry in self._wide)


def _only_database(right: Right) -> str | None:
    """The one database that a right is about, or None: it is about all, about a prefix, or has a parameter."""
    return None if right.parameter is not None or right.database_wildcard else right.database


def _overlap(first: Right, second: Right) -> bool:
    """Whether the two rights can have something in common; told apart only where that is cheap and certain."""
    if (first.parameter is None) == (second.parameter is None):
        return True
    plain = first if first.parameter is None else second
    # A group of privileges may hold some with a parameter: SOURCES, ACCESS MANAGEMENT, ALL.
    return plain.database is None or plain.database_wildcard or plain.privilege == "ALL"
