"""The tree of privileges, as ClickHouse's `system.privileges` has it: groups, levels and other spellings.

A server's own table can be given; for files without a server there is the one of ClickHouse 26.9, which tests/engine
compares with the engine's. Sets of single privileges are whole numbers, with a bit for each in the table's order.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from core.access.privileges import privilege_name
from core.display import one_line
from core.errors import BadInputError

_TABLE = "privileges_26_9.tsv"
# `GRANT S3 ON *.*` is how READ and WRITE on one source were written before ClickHouse 25.7, and SOURCES for all.
OLD_SOURCES = (
    *("FILE", "URL", "REMOTE", "MONGO", "REDIS", "MYSQL", "POSTGRES", "SQLITE", "ODBC", "JDBC", "HDFS", "S3", "HIVE"),
    *("AZURE", "KAFKA", "NATS", "RABBITMQ", "YTSAURUS", "ARROW FLIGHT", "BIGQUERY", "DISK"),
)
# As a parameter a source is written with underscores; a grant in the old way keeps its blanks.
SOURCE_NAMES = frozenset(OLD_SOURCES) | frozenset(name.replace(" ", "_") for name in OLD_SOURCES)


class Depth(IntEnum):
    """How far down an object lies. A parameter (a user, a source …) lies where others have their database."""

    GLOBAL = 0
    DATABASE = 1
    TABLE = 2
    COLUMN = 3


# How deep a privilege of a level can be granted. A level that is not here takes a parameter.
DEEPEST = {
    "GLOBAL": Depth.GLOBAL,
    "DATABASE": Depth.DATABASE,
    "TABLE": Depth.TABLE,
    "VIEW": Depth.TABLE,
    "DICTIONARY": Depth.TABLE,
    "COLUMN": Depth.COLUMN,
}
_SOURCE = "SOURCE"


@dataclass(frozen=True, slots=True)
class Privilege:
    """One row of `system.privileges`. A group has no level, the root and `NONE` no group."""

    name: str
    aliases: tuple[str, ...] = ()
    level: str = ""
    group: str = ""


class PrivilegeTree:
    """Privileges by name and as bits."""

    def __init__(self, privileges: Iterable[Privilege]) -> None:
        self.privileges: Mapping[str, Privilege] = MappingProxyType({each.name: each for each in privileges})
        self._members: dict[str, list[str]] = {}
        self._bits: dict[str, int] = {}
        self._levels: dict[str, int] = {}
        for each in self.privileges.values():
            self._members.setdefault(each.group, []).append(each.name)
            if each.level:
                bit = self._bits[each.name] = 1 << len(self._bits)
                self._levels[each.level] = self._levels.get(each.level, 0) | bit
        self._masks: dict[str, int] = {}
        for name in self.privileges:
            self._add_mask(name)
        for each in self.privileges.values():
            for alias in each.aliases:
                self._masks.setdefault(alias.upper(), self._masks[each.name])
        self.parametrised = sum(bits for level, bits in self._levels.items() if level not in DEEPEST)
        self.sources = self._levels.get(_SOURCE, 0)  # READ and WRITE, where the server has them
        old = (*OLD_SOURCES, "SOURCES") if self.sources else ()
        # Privileges only by name: granting them grants READ and WRITE, and what ALL has of them is never asked for.
        self._old_sources = sum(self._bits.get(name, 0) for name in old)
        self.everything = (1 << len(self._bits)) - 1
        self.grantable = tuple(self._grantable(depth) for depth in Depth)
        # What can be granted at a depth and means something there; the pattern of a source is not considered.
        self.meaningful = tuple(
            mask & ~self._old_sources & ~(self.parametrised if depth >= Depth.TABLE else 0)
            for depth, mask in enumerate(self.grantable)
        )
        self._named: dict[tuple[int, Depth], tuple[str, ...]] = {}

    def _add_mask(self, name: str) -> int:
        if name not in self._masks:
            mask = self._bits.get(name, 0)  # a group can be a privilege itself: NAMED COLLECTION ADMIN
            for member in self._members.get(name, ()):
                mask |= self._add_mask(member)
            self._masks[name] = mask
        return self._masks[name]

    def _grantable(self, depth: Depth) -> int:
        if depth is Depth.GLOBAL:
            return self.everything
        mask = 0
        for level, bits in self._levels.items():
            # ClickHouse lets what takes a parameter be granted below it too, where only a source means something.
            mask |= bits if DEEPEST.get(level, Depth.COLUMN) >= depth else 0
        return mask

    def at_level(self, *levels: str) -> int:
        """The privileges of some levels."""
        return sum(self._levels.get(level, 0) for level in levels)

    def knows(self, privilege: str) -> bool:
        return self._find(privilege) is not None

    def mask(self, privilege: str) -> int:
        """The single privileges that one stands for, in whatever spelling. Raises BadInputError for an unknown one."""
        found = self._find(privilege)
        if found is None:
            near = difflib.get_close_matches(privilege.upper(), self.privileges, 1)
            raise BadInputError(
                f"There is no privilege {one_line(privilege, 40)}.",
                advice=f"Did you mean {near[0]}?" if near else "SHOW PRIVILEGES lists those of a server.",
            )
        return found

    def mask_of_known(self, *privileges: str) -> int:
        """The single privileges of those that this ClickHouse has; the others are passed over."""
        mask = 0
        for privilege in privileges:
            mask |= self._find(privilege) or 0
        return mask

    def _find(self, privilege: str) -> int | None:
        found = self._masks.get(privilege)
        if found is not None:
            return found
        name = privilege_name(privilege)
        return 0 if name == "USAGE" else self._masks.get(name, self._masks.get(name.upper()))

    def names(self, mask: int, depth: Depth = Depth.GLOBAL) -> tuple[str, ...]:
        """The fewest privileges that together are `mask` on an object so deep, in ClickHouse's order.

        A group stands for those of its members that can be granted there, if they are more than one. Groups in which
        some members take a parameter and others do not (all but `ALL`) are never named: they are read otherwise.
        """
        known = self._named.get((mask, depth))
        if known is None:  # few sets of privileges are granted, over and over
            found: list[str] = []
            for root in self._members.get("", ()):
                self._cover(root, mask, self.meaningful[depth], found)
            known = self._named[(mask, depth)] = tuple(found)
        return known

    def _cover(self, name: str, mask: int, available: int, found: list[str]) -> None:
        whole = self._masks[name] & available
        shared = whole & mask
        if not shared:
            return
        if shared == whole and (name in self._bits or (whole & (whole - 1) and self._can_be_named(name))):
            found.append(name)
            return
        for member in self._members.get(name, ()):
            self._cover(member, mask, available, found)

    def _can_be_named(self, group: str) -> bool:
        mask = self._masks[group]
        return not self.privileges[group].group or mask & self.parametrised in (0, mask)

    def single_names(self, mask: int) -> tuple[str, ...]:
        """The single privileges of `mask`, without any group, be it a privilege itself as well."""
        return tuple(name for name, bit in self._bits.items() if bit & mask and name not in self._members)

    def with_unknown(self, names: Collection[str]) -> PrivilegeTree:
        """This tree and privileges it does not know, as those of another version: grantable anywhere, in no group."""
        added = [Privilege(name, level="COLUMN") for name in names]
        return PrivilegeTree([*self.privileges.values(), *added]) if added else self


@cache
def clickhouse_26_9() -> PrivilegeTree:
    """The privileges of ClickHouse 26.9."""
    text = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return PrivilegeTree(
        Privilege(name, tuple(aliases.split(", ")) if aliases else (), level, group)
        for name, aliases, level, group in rows
    )
