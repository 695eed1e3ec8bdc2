"""Reads the clauses that the statements about quotas, settings profiles and policies share.

Clauses may stand in any order, and each stands once at most. But for masking policies, TO is the last of them.
"""

from __future__ import annotations

from typing import Any

from core.access.cursor import Cursor
from core.access.name_sets import parse_name_set


class Clauses(dict[str, Any]):
    """What the clauses of a statement say, by the names of the fields of its value."""

    def __init__(self, cursor: Cursor, **found: Any) -> None:
        super().__init__(**found)
        self._cursor = cursor

    def need_new(self, name: str, word: str) -> None:
        """Fail if the clause was read already."""
        if name in self:
            self._cursor.fail(f"{word} only once")

    def place(self) -> bool:
        """Read `IN storage` or `ON CLUSTER c` if one of them comes next."""
        cursor = self._cursor
        if cursor.at_words("IN"):
            self.need_new("storage", "IN")
            cursor.take()
            self["storage"] = cursor.name("the name of an access storage")
        elif cursor.at_words("ON CLUSTER"):
            self.need_new("cluster", "ON CLUSTER")
            self["cluster"] = cursor.cluster()
        else:
            return False
        return True

    def renaming(self) -> bool:
        """Read `RENAME TO name` if it comes next."""
        cursor = self._cursor
        if not cursor.at_words("RENAME TO"):
            return False
        self.need_new("rename_to", "RENAME TO")
        if len(self["names"]) > 1:
            cursor.fail("no RENAME TO, because several names are altered")
        cursor.need_words("RENAME TO")
        self["rename_to"] = cursor.name("a name")
        return True

    def to(self) -> bool:
        """Read `TO …` if it comes next."""
        cursor = self._cursor
        if not cursor.at_words("TO"):
            return False
        self.need_new("to", "TO")
        cursor.take()
        self["to"] = parse_name_set(cursor, "ALL")
        return True

    def cluster_behind_to(self) -> None:
        """Read the only thing that can come behind a TO, if it does."""
        if "to" in self and self._cursor.at_words("ON CLUSTER"):
            self.place()

    def need_change(self) -> None:
        """Fail if an ALTER says nothing that it changes."""
        if self.keys() <= {"names", "kind", "if_exists", "storage", "cluster"}:
            self._cursor.fail("what to change")


def create_options(cursor: Cursor) -> dict[str, bool]:
    """`IF NOT EXISTS` or `OR REPLACE`; ClickHouse takes one of them."""
    if cursor.words("IF NOT EXISTS"):
        return {"if_not_exists": True}
    return {"or_replace": True} if cursor.words("OR REPLACE") else {}
