"""Questions about effective rights: can somebody do this here, by which path, and who can.

A right asked about is one on an object as a whole. Somebody may have it on all of the object, on a part of it (some
columns, some tables, some members of a group of privileges) or on nothing of it: at login, or only after SET ROLE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from core.access.access_model import AccessModel, Holder
from core.access.effective.implicit import ImplicitRules, with_implicit
from core.access.effective.privilege_tree import Depth, PrivilegeTree
from core.access.effective.rights import EffectiveRights, RightsIndex, Source
from core.access.effective.rights_tree import Held, Path, Rights, Step, places
from core.access.effective.roles import Via, roles_of
from core.access.effective.statements import rights_on
from core.access.model import CURRENT_DATABASE, EntityKind, Right
from core.access.render_grants import render_rights
from core.errors import BadInputError


class Extent(IntEnum):
    """How much of what was asked about somebody has."""

    NONE = 0
    PART = 1
    ALL = 2


class Verdict(StrEnum):
    """The answer in a word. A part at login is a part, even if SET ROLE would give the rest."""

    YES = "yes"
    SOME_COLUMNS = "only some columns"
    PARTLY = "only a part"
    AFTER_SET_ROLE = "only after SET ROLE"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Way:
    """What one holder gives of what was asked about, and how much of that may be passed on."""

    via: Via
    extent: Extent
    grant_option: Extent


@dataclass(frozen=True, slots=True)
class Taken:
    """A partial revoke of one holder that takes away from what was asked about; other ways may still give it."""

    via: Via
    right: Right


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody has a right.

    `active` and `granted` are how much there is at login and with every role chosen. `columns` are those that a table
    is open in if it is open in some only, `columns_except` those that it is closed in (after SET ROLE, if at login
    there is nothing). `missing` are the privileges that are not there at all at login. An `implicit` right was never
    granted but follows from others.
    """

    right: Right
    verdict: Verdict
    active: Extent
    granted: Extent
    grant_option: Extent
    ways: tuple[Way, ...] = ()
    taken: tuple[Taken, ...] = ()
    columns: tuple[str, ...] = ()
    columns_except: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    implicit: bool = False

    @property
    def set_roles(self) -> tuple[str, ...]:
        """The roles to choose with SET ROLE to have more than at login: any that is not active and gives some."""
        inactive = (way.via.path[0] for way in self.ways if not way.via.active)
        return tuple(dict.fromkeys(inactive)) if self.granted > self.active else ()


@dataclass(frozen=True, slots=True)
class WhoCan:
    """One way in which a user or role has what was asked about; `extent` is that of the way, `active_extent` is
    what `who` has of it at login from all ways together."""

    who: Holder
    via: Via
    extent: Extent
    grant_option: Extent
    active_extent: Extent


def can(effective: EffectiveRights, right: Right, rules: ImplicitRules | None = None) -> Answer:
    """Whether a user or role has a right, and from whom.

    Of a group of privileges those count that exist on such objects. Raises BadInputError for a right that cannot be:
    an unknown privilege, or one that does not exist there.
    """
    asked = _Asked(right, effective.index.privileges)
    at_login = [source.rights for source in effective.sources if source.via.active]
    everything = [source.rights for source in effective.sources]
    active, granted = asked.extent(at_login), asked.extent(everything)
    implicit = active < Extent.ALL and asked.extent([with_implicit(effective.active, rules)]) is Extent.ALL
    columns, excepted, in_columns_only = asked.columns(at_login if active else everything)
    return Answer(
        right,
        Verdict.YES if implicit else _verdict(active, granted, in_columns_only),
        active,
        granted,
        asked.extent(at_login, option=True),
        tuple(asked.ways(effective.sources)),
        tuple(asked.taken(effective.sources)),
        columns,
        excepted,
        asked.missing(at_login),
        implicit,
    )


def who_can(model: AccessModel | RightsIndex, right: Right) -> tuple[WhoCan, ...]:
    """Every user and role with at least a part of a right, one row for each way, users first.

    What is implicit is left out: it follows from rights on the same object, or everyone has it.
    """
    index = model if isinstance(model, RightsIndex) else RightsIndex(model)
    asked = _Asked(right, index.privileges)
    giving = {holder for holder in index.holders() if asked.alone(index.own(holder)).extent}
    rows: list[WhoCan] = []
    for who in index.holders():
        sources = [Source(Via(who, (), active=True), index.own(who))] if who in giving else []
        for role in roles_of(index.model, who):
            holder = Holder(EntityKind.ROLE, role.name)
            if holder in giving:
                sources.append(Source(Via(holder, role.path, role.active), index.own(holder)))
        if sources:
            active = asked.extent([source.rights for source in sources if source.via.active])
            rows += [WhoCan(who, way.via, way.extent, way.grant_option, active) for way in asked.ways(sources)]
    return tuple(rows)


def _verdict(active: Extent, granted: Extent, in_columns_only: bool) -> Verdict:
    if active is Extent.ALL:
        return Verdict.YES
    if active is Extent.PART:
        return Verdict.SOME_COLUMNS if in_columns_only else Verdict.PARTLY
    return Verdict.NO if granted is Extent.NONE else Verdict.AFTER_SET_ROLE


@dataclass(frozen=True, slots=True)
class _Alone:
    extent: Extent
    option: Extent


class _Asked:
    """One right asked about: its objects, its single privileges, and what was found out about each tree."""

    def __init__(self, right: Right, privileges: PrivilegeTree) -> None:
        _check(right)
        self._privileges = privileges
        self._right = right
        self._address = right.source_filter  # of a source: the question is whether some pattern fits it
        found = places(right._replace(source_filter=None), privileges)
        self._paths = [path for path, _ in found]
        self._mask = found[0][1] & privileges.meaningful[len(self._paths[0])]
        if not self._mask:
            raise BadInputError(
                f"{render_rights((right,))} cannot be granted: the privilege does not exist on such an object.",
                advice="Ask about it on *.*, or on the kind of object that it is for.",
            )
        self._alone: dict[Rights, _Alone] = {}

    def alone(self, rights: Rights) -> _Alone:
        """What one tree gives. Trees are shared, so each is looked at once."""
        found = self._alone.get(rights)
        if found is None:
            found = self._alone[rights] = _Alone(self._over([rights], option=False), self._over([rights], True))
        return found

    def extent(self, trees: Sequence[Rights], *, option: bool = False) -> Extent:
        """What some trees give together."""
        parts = [self.alone(tree).option if option else self.alone(tree).extent for tree in trees]
        best = max(parts, default=Extent.NONE)
        if best is not Extent.PART or sum(part is Extent.PART for part in parts) == 1:
            return best
        return self._over(trees, option)

    def _over(self, trees: Sequence[Rights], option: bool) -> Extent:
        extents = {self._on(path, trees, option) for path in self._paths}
        return extents.pop() if len(extents) == 1 else Extent.PART

    def _on(self, path: Path, trees: Sequence[Rights], option: bool) -> Extent:
        held = self._held(path, trees, option)
        everywhere, somewhere = held == self._mask, bool(held)
        if self._address is None:
            for inner in {inner for tree in trees for inner in tree.inside(path)}:
                wanted = self._mask & self._privileges.grantable[len(inner)]
                held = self._held(inner, trees, option) & wanted
                everywhere = everywhere and held == wanted
                somewhere = somewhere or bool(held)
        return Extent.ALL if everywhere else Extent.PART if somewhere else Extent.NONE

    def _held(self, path: Path, trees: Iterable[Rights], option: bool) -> int:
        found = 0
        for tree in trees:
            held = self._at(tree, path)
            found |= held.option if option else held.granted
        return found & self._mask

    def _at(self, tree: Rights, path: Path) -> Held:
        held = tree.at(path)
        if self._address is not None:
            for inner in tree.inside(path):
                if _fits(inner[-1].name, self._address):
                    more = tree.at(inner)
                    held = Held(held.granted | more.granted, held.option | more.option)
        return held

    def columns(self, trees: Sequence[Rights]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """The columns that are open although their table is not, those that are closed although it is, and whether
        nothing but columns stands between this and all of what was asked about."""
        if self._right.columns:
            extents = {path[2].name: self._on(path, trees, option=False) for path in self._paths}
            opened = tuple(name for name, extent in extents.items() if extent is Extent.ALL)
            return opened, tuple(name for name in extents if name not in opened), bool(opened)
        path = self._paths[0]
        if len(path) != Depth.TABLE or path[-1].wildcard:
            return (), (), False
        of_table = self._held(path, trees, option=False)
        columns = sorted({inner[2].name for tree in trees for inner in tree.inside(path)})
        wanted = self._mask & self._privileges.grantable[Depth.COLUMN]
        held = {name: self._held((*path, Step(name)), trees, option=False) & wanted for name in columns}
        opened = tuple(name for name in columns if held[name] == wanted and of_table & wanted != wanted)
        closed = tuple(name for name in columns if held[name] != wanted and of_table & wanted == wanted)
        whole = of_table in (0, self._mask) and wanted == self._mask
        return opened, closed, whole and bool(opened or closed)

    def missing(self, trees: Sequence[Rights]) -> tuple[str, ...]:
        held = self._mask
        for path in self._paths:
            held &= self._held(path, trees, option=False)
        return self._privileges.names(self._mask & ~held, Depth(len(self._paths[0])))

    def ways(self, sources: Iterable[Source]) -> Iterable[Way]:
        for source in sources:
            alone = self.alone(source.rights)
            if alone.extent:
                yield Way(source.via, alone.extent, alone.option)

    def taken(self, sources: Iterable[Source]) -> Iterable[Taken]:
        for source in sources:
            for element in source.rights.elements:
                gone = 0
                for path in self._paths if element.revoked & self._mask else ():
                    if _holds(element.path, path):
                        gone |= ~source.rights.at(path).granted  # or was it given again, closer to what is asked?
                    elif _holds(path, element.path):
                        gone = -1
                rights = _on_object(element.path, gone & element.revoked & self._mask, self._privileges)
                yield from (Taken(source.via, right) for right in rights)


def _check(right: Right) -> None:
    if right.database == CURRENT_DATABASE:
        raise BadInputError("The right is on no database.", advice="Write database.table, or database.*.")
    if right.columns and (right.table is None or right.table_wildcard):
        raise BadInputError("Columns are asked about without their table.", advice="Write database.table.")


def _holds(outer: Path, inner: Path) -> bool:
    """Whether an object is or lies in another."""
    return len(outer) <= len(inner) and all(
        step == other or (step.wildcard and other.name.startswith(step.name))
        for step, other in zip(outer, inner, strict=False)
    )


def _on_object(path: Path, mask: int, privileges: PrivilegeTree) -> tuple[Right, ...]:
    if len(path) < Depth.COLUMN:
        return rights_on(path, mask, privileges)
    table, column = path[:2], path[2].name
    mask &= privileges.meaningful[Depth.COLUMN]
    named = privileges.names(mask, Depth.COLUMN)
    return tuple(Right(name, (column,), table[0].name, table[1].name) for name in named)


def _fits(pattern: str, address: str) -> bool:
    """Whether the pattern of a source fits an address; RE2 and `re` agree on what is usual in addresses."""
    try:
        return re.fullmatch(pattern, address) is not None
    except re.error:
        return False
