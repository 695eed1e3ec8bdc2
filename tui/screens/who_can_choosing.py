"""Choosing what is asked: a privilege from the tree of them, and an object from those there are, or as it is typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.access.effective.privilege_tree import Depth, PrivilegeTree
from core.access_reports.objects import OWN_DATABASES, database_text, table_text
from core.access_reports.who_can import askable
from core.errors import HousekeysError
from tui.screens.chooser import ChooserScreen, Option

if TYPE_CHECKING:
    from core.access_reports.objects import Objects

_NAMED = 6  # members of a group


def privilege_options(privileges: PrivilegeTree) -> list[Option]:
    """Every privilege, groups before what is in them."""
    return [*_below("", privileges, _members(privileges))]


def _members(privileges: PrivilegeTree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in privileges.privileges.values():
        found.setdefault(each.group, []).append(each.name)
    return found


def _below(group: str, privileges: PrivilegeTree, members: dict[str, list[str]]) -> Iterator[Option]:
    for name in members.get(group, ()):
        each, inner = privileges.privileges[name], members.get(name, [])
        if not privileges.mask(name):
            continue  # NONE, and names of the past
        if inner:
            more = f" and {len(inner) - _NAMED} more" if len(inner) > _NAMED else ""
            words = f"{', '.join(inner[:_NAMED])}{more}"
        else:
            words = f"in {each.group}" if each.group else ""
        yield Option(name, name, "group" if inner else "", words, words=" ".join(each.aliases))
        yield from _below(name, privileges, members)


def takes_object(privilege: str, privileges: PrivilegeTree) -> bool:
    """Whether it is about databases, or takes the name of something; else it holds for the whole server."""
    return bool(privileges.mask(privilege) & privileges.meaningful[Depth.DATABASE])


def about_databases(privilege: str, privileges: PrivilegeTree) -> bool:
    """Whether it is about databases and what is in them."""
    return bool(privileges.mask(privilege) & privileges.meaningful[Depth.DATABASE] & ~privileges.parametrised)


def object_options(objects: Objects) -> list[Option]:
    """Everything, the databases, the tables; ClickHouse's own last."""
    own = sorted(objects.databases, key=lambda name: name in OWN_DATABASES)
    places = ["*.*", *map(database_text, own), *(table_text(*table) for table in objects.tables)]
    return [Option(place, place) for place in places]


class PrivilegeChooser(ChooserScreen):
    """Dismissed with a privilege."""

    def __init__(self, privileges: PrivilegeTree) -> None:
        super().__init__("?", "who can … type a privilege", privilege_options(privileges))


class ObjectChooser(ChooserScreen):
    """Dismissed with an object on which a privilege can be held: one that is listed, or any other that is typed."""

    def __init__(self, privilege: str, privileges: PrivilegeTree, options: Sequence[Option]) -> None:
        hint = "db.*, db.table, db.table(column) or *.*" if about_databases(privilege, privileges) else "a name, or *"
        super().__init__("?", f"who can {privilege} on … {hint}", options)
        self._privilege, self._privileges, self._written = privilege, privileges, hint

    def found(self, typed: str) -> list[Option]:
        listed = super().found(typed)
        text = typed.strip()
        if not text or any(option.id == text for option in listed):
            return listed
        try:
            askable(self._privilege, text, self._privileges)
        except HousekeysError:
            return listed or [Option("", f"Not an object yet. Write {self._written}.")]
        return [*listed[:1], Option(text, text), *listed[1:]]
