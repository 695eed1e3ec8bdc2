"""What a holder's rights mean, and the statements that turn one meaning into another.

As ClickHouse does it, grants and revokes are folded into a tree of objects: a grant holds for its object and all below
it, a revoke takes from its object and all below it, and the option to pass a right on is a right of its own. Order and
grouping of statements then make no difference any more. A parameter (`CREATE USER ON name`) is an object where others
have a database, which is why `GRANT ALL ON name.*` gives rights on a user of that name too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from core.access.difference_privileges import BITS, SOURCE_NAMES, is_table_engine, source_name
from core.access.effective.privilege_tree import Depth
from core.access.model import CURRENT_DATABASE, Grant, Revoke, Right
from core.access.privileges import PARAMETRISED, SOURCES
from core.access.render import render
from core.errors import BadInputError

RIGHTS_IN_ONE_STATEMENT = 1000  # ClickHouse's parser takes 256 KiB by default


class Act(Enum):
    """What a statement does to the rights it names."""

    REVOKE = "REVOKE"
    REVOKE_OPTION = "REVOKE GRANT OPTION FOR"
    GRANT = "GRANT"
    GRANT_OPTION = "GRANT WITH GRANT OPTION"

    @property
    def gives(self) -> bool:
        return self in (Act.GRANT, Act.GRANT_OPTION)


class Place(NamedTuple):
    """An object: everything (all empty), a database or parameter, a table or the pattern of a source, a column."""

    database: str = ""
    database_wildcard: bool = False
    table: str = ""
    table_wildcard: bool = False
    source_filter: bool = False  # `table` is the pattern of a source
    column: str = ""

    @property
    def depth(self) -> Depth:
        if self.column:
            return Depth.COLUMN
        if self.table or self.source_filter:
            return Depth.TABLE
        return Depth.DATABASE if self.database else Depth.GLOBAL

    @property
    def layer(self) -> tuple[int, int]:
        """Places of one layer have nothing in common, and none holds one of a lower layer."""
        if self.depth is Depth.TABLE:
            return (3, len(self.table)) if self.table_wildcard else (4, 0)
        if self.depth is Depth.DATABASE:
            return (1, len(self.database)) if self.database_wildcard else (2, 0)
        return (5, 0) if self.column else (0, 0)

    def above(self) -> Iterator[Place]:
        """The places that hold this one, nearest first, this one among them."""
        yield self
        if self.column:
            yield (table := self._replace(column=""))
            yield from list(table.above())[1:]
            return
        if self.table or self.source_filter:
            if not self.source_filter:
                longest = len(self.table) - self.table_wildcard
                yield from (Place(self.database, False, self.table[:end], True) for end in range(longest, 0, -1))
            yield from Place(self.database).above()
            return
        if self.database:
            longest = len(self.database) - self.database_wildcard
            yield from (Place(self.database[:end], True) for end in range(longest, 0, -1))
            yield Place()


class Held(NamedTuple):
    """Single privileges as bits: those held, and those that may be passed on."""

    granted: int = 0
    option: int = 0

    def after(self, act: Act, mask: int) -> Held:
        match act:
            case Act.REVOKE:
                return Held(self.granted & ~mask, self.option & ~mask)
            case Act.REVOKE_OPTION:
                return Held(self.granted, self.option & ~mask)
            case Act.GRANT:
                return Held(self.granted | mask, self.option)
            case Act.GRANT_OPTION:
                return Held(self.granted | mask, self.option | mask)


class Rights:
    """The rights of one holder by object, each with all that holds there."""

    def __init__(self) -> None:
        self._held: dict[Place, Held] = {Place(): Held()}
        self._below: dict[Place, set[Place]] = {}  # a database or table -> what is in it, for grants on the whole

    def copy(self) -> Rights:
        copied = Rights()
        copied._held = dict(self._held)
        copied._below = {place: set(inner) for place, inner in self._below.items()}
        return copied

    def at(self, place: Place) -> Held:
        """What is held on `place` as a whole."""
        for above in place.above():
            if (held := self._held.get(above)) is not None:
                available = _available(place)
                return Held(held.granted & available, held.option & available)
        return Held()

    def meets(self, act: Act, mask: int, place: Place) -> bool:
        """Whether a revoke takes anything on `place` or in it."""
        held = [self.at(place), *(self._held[inner] for inner in self._within(place) if inner in self._held)]
        return any(mask & (each.option if act is Act.REVOKE_OPTION else each.granted) for each in held)

    def places(self) -> Collection[Place]:
        return self._held.keys()

    def put(self, place: Place, held: Held) -> None:
        """Set what is held on `place`, but not what is held on the objects in it."""
        if place not in self._held and place.depth > Depth.DATABASE:
            self._below.setdefault(Place(place.database), set()).add(place)
        self._held[place] = held

    def apply(self, act: Act, mask: int, place: Place) -> None:
        """Carry out a grant or revoke on `place` and all in it."""
        self.put(place, self.at(place))
        for inner in self._within(place):
            self._held[inner] = self._held[inner].after(act, mask & _available(inner))

    def _within(self, place: Place) -> list[Place]:
        if place.depth is Depth.GLOBAL:
            return list(self._held)
        if place.database_wildcard:
            return [other for other in self._held if other.database.startswith(place.database)]
        inside = self._below.get(Place(place.database), ())
        if place.depth is Depth.DATABASE:
            return [place, *inside]
        if place.column:
            return [place]
        if place.table_wildcard:
            return [p for p in inside if not p.source_filter and p.table.startswith(place.table)]
        return [p for p in inside if (p.table, p.source_filter) == (place.table, place.source_filter) and _exact(p)]


def _exact(place: Place) -> bool:
    return not place.table_wildcard


def _available(place: Place) -> int:
    """The single privileges that mean something on `place`.

    `GRANT ALL ON name.*` gives rights on a source and on a table engine of that name as well. Where there is none they
    are nothing, and no statement could take them back alone.
    """
    if place.source_filter:
        return BITS.sources
    available = BITS.down_to(place.depth)
    if place.depth is Depth.DATABASE:
        if place.database not in SOURCE_NAMES:
            available &= ~BITS.sources
        if not is_table_engine(place.database):
            available &= ~BITS.engine
    return available


def folded(statements: Iterable[Grant | Revoke]) -> Rights:
    """What grants and revokes of one holder add up to, in their order.

    Raises BadInputError for a statement that means something else for each user or database it is run by.
    """
    rights = Rights()
    for statement in statements:
        for act, mask, place in acts(statement):
            rights.apply(act, mask, place)
    return rights


def acts(statement: Grant | Revoke) -> Iterator[tuple[Act, int, Place]]:
    """What a statement does: to which single privileges, and where. Raises as `folded` does."""
    if isinstance(statement, Grant):
        if statement.current:
            raise BadInputError("CURRENT GRANTS cannot be compared: they differ by who runs it.")
        act = Act.GRANT_OPTION if statement.grant_option else Act.GRANT
    else:
        act = Act.REVOKE_OPTION if statement.grant_option else Act.REVOKE
    for right in statement.rights:
        for mask, place in _parts(right, statement):
            yield act, mask, place
    named = {right.privilege for right in statement.rights if right.database is None and not right.columns}
    if act.gives and "SOURCES" in named and named >= SOURCE_NAMES:  # as SHOW GRANTS tells of a part of ALL
        yield act, BITS.former_sources, Place()


def united(first: Rights, second: Rights) -> Rights:
    """What is held in either."""
    both = Rights()
    for place in sorted({*first.places(), *second.places()}, key=lambda place: place.layer):
        one, other = first.at(place), second.at(place)
        both.put(place, Held(one.granted | other.granted, one.option | other.option))
    return both


def same_rights(first: Rights, second: Rights) -> bool:
    """Whether the two mean the same. Former sources, which cannot be given alone, are not looked at."""
    looked_at = ~BITS.former_sources
    return all(
        (first.at(place).granted ^ second.at(place).granted) & looked_at == 0
        and (first.at(place).option ^ second.at(place).option) & looked_at == 0
        for place in {*first.places(), *second.places()}
    )


def rights_statements(before: Rights, after: Rights, holder: str, *, cluster: str = "") -> list[Grant | Revoke]:
    """The statements that make `after` of `before`, nothing taken that stays, in the order in which they must run."""
    return [] if same_rights(before, after) else _statements(_runs(before, after), holder, cluster)


class _Run:
    """Acts that all give, or all take, and so may come in any order."""

    def __init__(self, gives: bool) -> None:
        self.gives = gives
        self.acts: list[tuple[Act, int, Place]] = []
        self.masks: dict[Place, int] = {}

    def add(self, act: Act, mask: int, place: Place) -> None:
        self.acts.append((act, mask, place))
        self.masks[place] = self.masks.get(place, 0) | mask

    def meets(self, mask: int, place: Place) -> bool:
        return any(self.masks.get(above, 0) & mask for above in place.above())


def _runs(before: Rights, after: Rights) -> list[_Run]:
    now = before.copy()
    runs: list[_Run] = []
    places = sorted({*before.places(), *after.places()}, key=lambda place: (place.layer, place))
    for place in places:
        held, wanted = now.at(place), after.at(place)
        if not place.database and (act := _whole_act(held, wanted)) is not None:
            now.apply(act, BITS.everything, place)
            _add(runs, act, BITS.everything, place)
            held = now.at(place)
        needed = (
            (Act.REVOKE, held.granted & ~wanted.granted),
            (Act.REVOKE_OPTION, held.option & ~wanted.option & wanted.granted),
            (Act.GRANT, _to_grant(held, wanted, alone=not place.database and len(before.places()) == 1)),
            (Act.GRANT_OPTION, _option_to_grant(held, wanted, alone=not place.database and len(before.places()) == 1)),
        )
        for act, mask in needed:
            if mask:
                now.apply(act, mask, place)
                _add(runs, act, mask, place)
    return runs


def _to_grant(held: Held, wanted: Held, *, alone: bool) -> int:
    """What is missing. ALL is given as a whole where nothing below was told apart that it would reach too."""
    missing = wanted.granted & ~held.granted & ~wanted.option & ~BITS.former_sources
    whole = wanted.granted & BITS.everything == BITS.everything and not wanted.option
    return BITS.everything if missing and alone and whole else missing


def _option_to_grant(held: Held, wanted: Held, *, alone: bool) -> int:
    missing = wanted.option & ~held.option & ~BITS.former_sources
    whole = wanted.option & BITS.everything == BITS.everything
    return BITS.everything if missing and alone and whole else missing


def _whole_act(held: Held, wanted: Held) -> Act | None:
    """What must be done to ALL on everything as a whole, although a part of it is given back then."""
    if held.granted & ~wanted.granted & BITS.former_sources:
        return Act.REVOKE
    return Act.REVOKE_OPTION if held.option & ~wanted.option & BITS.former_sources else None


def _add(runs: list[_Run], act: Act, mask: int, place: Place) -> None:
    """Put an act into the first run that it may be part of: behind all that does the opposite to the same rights."""
    found: _Run | None = None
    for run in reversed(runs):
        if run.gives is act.gives:
            found = run
        elif run.meets(mask, place):
            break
    if found is None:
        runs.append(found := _Run(act.gives))
    found.add(act, mask, place)


def _statements(runs: Sequence[_Run], holder: str, cluster: str) -> list[Grant | Revoke]:
    statements: list[Grant | Revoke] = []
    for run in runs:
        for act in Act:
            places = [(mask, place) for found, mask, place in run.acts if found is act]
            rights = _written(places)
            for start in range(0, len(rights), RIGHTS_IN_ONE_STATEMENT):
                some = tuple(rights[start : start + RIGHTS_IN_ONE_STATEMENT])
                option = act in (Act.GRANT_OPTION, Act.REVOKE_OPTION)
                kind = Grant if act.gives else Revoke
                statements.append(kind(some, grantees=(holder,), grant_option=option, cluster=cluster))
    return statements


def _written(places: Sequence[tuple[int, Place]]) -> list[Right]:
    """Rights as they are written in a statement; one privilege on several columns of a table is one right."""
    columns: dict[tuple[str, Place], list[str]] = {}
    rights: list[Right] = []
    for mask, place in places:
        table = place._replace(column="")
        for name in BITS.names(mask, _available(place), _split(place)):
            if place.column:
                columns.setdefault((name, table), []).append(place.column)
            else:
                rights.append(_right(name, table))
    return _with_sources(rights) + [_right(name, table, tuple(found)) for (name, table), found in columns.items()]


def _right(privilege: str, place: Place, columns: tuple[str, ...] = ()) -> Right:
    if privilege in PARAMETRISED:
        pattern = place.table if place.source_filter else None
        name = place.database.replace(" ", "_") if privilege in SOURCES else place.database
        return Right(privilege, parameter=name, parameter_wildcard=place.database_wildcard, source_filter=pattern)
    return Right(
        privilege,
        columns,
        place.database or None,
        place.table or None,
        place.database_wildcard,
        place.table_wildcard,
    )


def _with_sources(rights: list[Right]) -> list[Right]:
    """READ and WRITE on the whole of a source are written as servers of every version know them."""
    found: list[Right] = []
    for right in rights:
        if right.privilege == "WRITE" and found and found[-1].privilege == "READ" and _whole_source(right):
            found[-1] = Right(source_name(right.parameter or "SOURCES"))
        else:
            found.append(right)
    return found


def _whole_source(right: Right) -> bool:
    plain = right.source_filter is None and not right.parameter_wildcard
    return plain and (right.parameter == "" or source_name(right.parameter or "") in SOURCE_NAMES)


def _split(place: Place) -> frozenset[str]:
    """The groups that are not written for `place`, because they are more than they seem.

    `ACCESS MANAGEMENT ON name.*` is about row policies there, and about the users and roles called `name`; and of
    `ALL ON name.table` SHOW GRANTS tells, and whoever runs what it tells gives, rights on a user, a collection and so
    on called `name`.
    """
    if place.depth is Depth.GLOBAL:
        return frozenset()
    return frozenset({"ACCESS MANAGEMENT"} if place.depth is Depth.DATABASE else {"ACCESS MANAGEMENT", "ALL"})


def _parts(right: Right, statement: Grant | Revoke) -> Iterator[tuple[int, Place]]:
    """What a right stands for: single privileges, and where."""
    if right.privilege in SOURCE_NAMES:
        yield BITS.sources, Place(right.privilege)
        return
    mask = BITS.mask(right.privilege)
    for place in _places(right, statement):
        yield mask, place


def _places(right: Right, statement: Grant | Revoke) -> list[Place]:
    if right.parameter is not None:
        if not right.parameter:
            return [Place()]
        name = source_name(right.parameter) if right.privilege in SOURCES else right.parameter
        place = Place(name, right.parameter_wildcard)
        return [place if right.source_filter is None else place._replace(table=right.source_filter, source_filter=True)]
    if right.database == CURRENT_DATABASE:
        raise BadInputError(
            "A right is on a table without its database, which is another one for everybody who runs it.",
            advice="Write the database in front of it.",
            detail=render(statement),
        )
    if right.database is None:
        return [Place()]
    if right.table is None:
        return [Place(right.database, right.database_wildcard)]
    table = Place(right.database, False, right.table, right.table_wildcard)
    return [table._replace(column=column) for column in right.columns] or [table]
