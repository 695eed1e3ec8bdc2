"""Sets of users and roles: joined, and whether one holds another."""

from __future__ import annotations

from core.access.model import NameSet


def names_united(first: NameSet, second: NameSet) -> NameSet:
    """Everyone who is in either."""
    if first.everyone and second.everyone:
        excepted = tuple(name for name in first.excepted if name in second.excepted)
        return NameSet(everyone=True, excepted=excepted)
    if first.everyone or second.everyone:
        everyone, some = (first, second) if first.everyone else (second, first)
        named = set(some.names) - set(some.excepted)
        return NameSet(everyone=True, excepted=tuple(name for name in everyone.excepted if name not in named))
    names = dict.fromkeys(name for names in (first, second) for name in names.names if name not in names.excepted)
    return NameSet(tuple(names), current_user=first.current_user or second.current_user)


def covers(wide: NameSet, narrow: NameSet) -> bool:
    """Whether everyone in `narrow` is in `wide` as well."""
    if wide.everyone:
        left_out = set(wide.excepted)
        return left_out <= set(narrow.excepted) if narrow.everyone else not left_out & set(narrow.names)
    if narrow.everyone or (narrow.current_user and not wide.current_user):
        return False
    return set(narrow.names) - set(narrow.excepted) <= set(wide.names) - set(wide.excepted)
