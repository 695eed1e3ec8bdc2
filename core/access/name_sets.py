"""Reads sets of users and roles: `a, b`, `ALL EXCEPT a`, `ANY`, `NONE`, `CURRENT_USER`."""

from __future__ import annotations

from core.access.cursor import Cursor
from core.access.model import NameSet


def parse_name_set(cursor: Cursor, everyone: str = "") -> NameSet:
    """A set of names. `everyone` is the word for all of them (`ALL`, `ANY`) where the place allows it."""
    names: list[str] = []
    all_of_them = current_user = False
    while True:
        if cursor.one_of("CURRENT_USER", "CURRENTUSER"):
            current_user = True
            if cursor.symbol("("):
                cursor.need_symbol(")")
        elif everyone and cursor.words(everyone):
            all_of_them = True
        elif not cursor.words("NONE"):
            names.append(cursor.user_name())
        if not cursor.symbol(","):
            break
    excepted: tuple[str, ...] = ()
    if everyone and cursor.words("EXCEPT") and not cursor.words("NONE"):
        excepted = cursor.listed(lambda: _excepted(cursor))
    return NameSet(tuple(names), all_of_them, excepted, current_user)


def _excepted(cursor: Cursor) -> str:
    if cursor.at_words("CURRENT_USER") or cursor.at_words("CURRENTUSER"):
        cursor.fail("the name of a user or role, as CURRENT_USER is known to ClickHouse only")
    return cursor.user_name()
