"""Which rows of which tables a user sees: the row policies that hold for it, table by table.

Rows are seen that fit any of the permissive policies and all of the restrictive ones. Policies on `db.*` count for
every table of it, beside those of the table. Where a table has policies but none of them for the user, a setting of
the server decides whether it sees all rows or none. Source: `RowPolicyCache.cpp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.access.access_model import AccessModel, Holder
from core.access.effective.roles import HeldRole, Via, applying
from core.access.effective.subjects import Subject
from core.access.policies import PolicyName, RowPolicy

NO_ROWS = "0"
_TRUE, _FALSE = frozenset({"1", "true"}), frozenset({"0", "false"})


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """A policy that holds for a user, and by whom."""

    policy: RowPolicy
    via: Via


@dataclass(frozen=True, slots=True)
class TableRows:
    """The policies on one table (or with `table` None, on every other table of a database) that hold for a user.

    None of them: the table has policies, but for others.
    """

    database: str
    table: str | None
    policies: tuple[AppliedPolicy, ...]

    def condition(self, *, users_without_row_policies_can_read_rows: bool = True) -> str | None:
        """The condition for the rows that are seen; None is every row, `0` no row."""
        permissive = self._conditions(restrictive=False)
        needed = list(self._conditions(restrictive=True))
        if permissive or not users_without_row_policies_can_read_rows:
            needed.append(_joined("OR", permissive))
        condition = _joined("AND", needed)
        return None if condition.lower() in _TRUE else condition

    def _conditions(self, *, restrictive: bool) -> tuple[str, ...]:
        found = (each.policy for each in self.policies if each.policy.restrictive is restrictive)
        return tuple(policy.condition for policy in found if policy.condition is not None)


def _joined(word: str, conditions: Sequence[str]) -> str:
    """Conditions in one, as ClickHouse does it: what is always true or false is left out or decides."""
    deciding, idle = (_TRUE, _FALSE) if word == "OR" else (_FALSE, _TRUE)
    if any(condition.lower() in deciding for condition in conditions):
        return "1" if word == "OR" else NO_ROWS
    left = [condition for condition in conditions if condition.lower() not in idle]
    if not left:
        return NO_ROWS if word == "OR" else "1"
    return left[0] if len(left) == 1 else f" {word} ".join(f"({condition})" for condition in left)


def row_policies_of(model: AccessModel, who: Holder, roles: Iterable[HeldRole]) -> tuple[TableRows, ...]:
    """Every table and database that has row policies, with those that hold for `who` with its active roles."""
    active = {role.name: role.path for role in roles if role.active}
    tables: dict[tuple[str, str | None], list[AppliedPolicy]] = {}
    for name in sorted(model.row_policies, key=lambda each: (each.database, each.table or "", each.short)):
        policy = model.row_policies[name]
        if policy.condition is None:
            continue
        here = tables.setdefault((name.database, name.table), [])
        via = applying(policy.to, who, active, model)
        if via is not None:
            here.append(AppliedPolicy(policy, via))
    return tuple(
        TableRows(database, table, tuple(found if table is None else [*tables.get((database, None), ()), *found]))
        for (database, table), found in tables.items()
    )


@dataclass(frozen=True, slots=True)
class Seeing:
    """Users for whom the same policies on a table hold, so that they see the same rows of it (if they may read it)."""

    users: tuple[str, ...]
    rows: TableRows


def seen_of(
    policies: Iterable[RowPolicy], database: str, table: str | None, subjects: Mapping[PolicyName, Sequence[Subject]]
) -> tuple[Seeing, ...]:
    """Who sees which rows of a table (or with `table` None, of every table of a database without policies of its own).

    `policies` are at least those on the table and on all of its database, `subjects` the users whom each of them
    means. Whom no policy means is in none of the groups.
    """
    places = {(database, None), (database, table)}
    here = [each for each in policies if (each.name.database, each.name.table) in places and each.condition is not None]
    by_user: dict[str, list[AppliedPolicy]] = {}
    for policy in sorted(here, key=lambda each: (each.name.table or "", each.name.short)):
        for subject in subjects.get(policy.name, ()):
            by_user.setdefault(subject.user, []).append(AppliedPolicy(policy, subject.via))
    groups: dict[tuple[PolicyName, ...], list[str]] = {}
    applied: dict[tuple[PolicyName, ...], list[AppliedPolicy]] = {}
    for user, found in by_user.items():
        names = tuple(each.policy.name for each in found)
        groups.setdefault(names, []).append(user)
        applied.setdefault(names, found)
    return tuple(
        Seeing(tuple(sorted(users)), TableRows(database, table, tuple(applied[names])))
        for names, users in groups.items()
    )
