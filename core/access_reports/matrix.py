"""The matrix: what every user may do in every database, in a letter or two, for thousands of both.

Rights are folded once for each holder, and the cells once for each tree of rights: users with the same roles and no
rights of their own share their cells. Where several trees meet in a user, only those databases are looked at again in
which more than one has gaps: there the parts of one can fill those of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.access.access_model import Holder
from core.access.effective.privilege_tree import Depth, PrivilegeTree
from core.access.effective.rights import EffectiveRight, EffectiveRights, RightsIndex
from core.access.effective.rights_tree import Rights, Step
from core.access.effective.roles import roles_of
from core.access.model import EntityKind, Right
from core.access_reports.audit import holds
from core.access_reports.sheets import Sheet

NOTHING = "·"
LEGEND = (
    ("A", "everything"),
    ("R", "reads all"),
    ("r", "reads a part"),
    ("W", "writes all"),
    ("w", "writes a part"),
    ("o", "other rights"),
    ("+", "may pass on"),
    ("( )", "after SET ROLE"),
    (NOTHING, "nothing"),
)
# Who may INSERT everywhere writes all; who may change anything else, or something only, writes a part.
_CHANGING = ("INSERT", "ALTER", "CREATE", "DROP", "TRUNCATE", "OPTIMIZE", "UNDROP TABLE")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A user, and a text for each database."""

    user: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Users by databases."""

    databases: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


class _Cell(NamedTuple):
    """Privileges as bits: held on a database and everything in it, on it or something in it, and to be passed on."""

    everywhere: int = 0
    somewhere: int = 0
    option: int = 0


class _Folded(NamedTuple):
    """The cells of one tree: of databases that it names, and of all others."""

    named: dict[str, _Cell]
    others: _Cell


def matrix(index: RightsIndex, databases: Iterable[str], users: Iterable[str] | None = None) -> Matrix:
    """What `users` (all, if not given) may do in `databases`. Takes a while for thousands: run it in a thread."""
    places = tuple(databases)
    names = sorted(index.model.users if users is None else users)
    cells = _Cells(index, places)
    return Matrix(places, tuple(MatrixRow(name, cells.of(Holder(EntityKind.USER, name))) for name in names))


class _Cells:
    """The cells of one matrix, with what was found out on the way to them."""

    def __init__(self, index: RightsIndex, databases: tuple[str, ...]) -> None:
        self._index = index
        self._places = {name: number for number, name in enumerate(databases)}
        self._kinds = _Kinds(index.privileges)
        self._folded: dict[Rights, _Folded] = {}
        self._rows: dict[tuple[Rights | None, frozenset[str], frozenset[str]], tuple[str, ...]] = {}

    def of(self, who: Holder) -> tuple[str, ...]:
        held = [role for role in roles_of(self._index.model, who) if role.exists]
        active = frozenset(role.name for role in held if role.active)
        granted = frozenset(role.name for role in held)
        own = self._index.own(who)
        key = (None if own.empty else own, active, granted)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = self._row(own, active, granted)
        return found

    def _row(self, own: Rights, active: frozenset[str], granted: frozenset[str]) -> tuple[str, ...]:
        at_login = self._letters(own, active)
        if granted == active:
            return tuple(at_login)
        chosen = self._letters(own, granted)
        return tuple(
            now if now == later else f"({later})" if now == NOTHING else f"{now}({later})"
            for now, later in zip(at_login, chosen, strict=True)
        )

    def _letters(self, own: Rights, roles: frozenset[str]) -> list[str]:
        trees = [own, *(self._index.own(Holder(EntityKind.ROLE, name)) for name in roles)]
        trees = [tree for tree in trees if not tree.empty]
        folded = [self._fold(tree) for tree in trees]
        wide = [each.others for each in folded]
        naming: dict[str, list[int]] = {}
        for number, each in enumerate(folded):
            for name in each.named:
                naming.setdefault(name, []).append(number)
        elsewhere = _together(wide)
        row = [self._kinds.letters(elsewhere)] * len(self._places)
        for name, by in naming.items():
            cells = [folded[number].named[name] for number in by]
            if len(cells) == 1 and not elsewhere.somewhere:
                cell = cells[0]
            elif sum(cell.everywhere != cell.somewhere for cell in cells) > 1:  # one can fill the gaps of another
                cell = self._look(trees, name)
            else:
                cell = _together([*cells, *(other for number, other in enumerate(wide) if number not in by)])
            row[self._places[name]] = self._kinds.letters(cell)
        return row

    def _fold(self, rights: Rights) -> _Folded:
        found = self._folded.get(rights)
        if found is None:
            found = self._folded[rights] = self._folded_anew(rights)
        return found

    def _folded_anew(self, rights: Rights) -> _Folded:
        steps = {path[0] for path in rights.inside(())}
        exact = {step.name for step in steps if not step.wildcard}
        starts = tuple(step.name for step in steps if step.wildcard)
        named = [name for name in self._places if name in exact or (starts and name.startswith(starts))]
        root = rights.at(())
        wanted = self._kinds.wanted
        others = _Cell(root.granted & wanted, root.granted & wanted, root.option & wanted)
        return _Folded({name: self._look((rights,), name) for name in named}, others)

    def _look(self, trees: Sequence[Rights], database: str) -> _Cell:
        """What some trees give together in one database, from all that they say about it."""
        path = (Step(database),)
        held, option = 0, 0
        for tree in trees:
            here = tree.at(path)
            held, option = held | here.granted, option | here.option
        everywhere = somewhere = held & self._kinds.wanted
        for inner in {inner for tree in trees for inner in tree.inside(path)}:
            held = 0
            for tree in trees:
                there = tree.at(inner)
                held, option = held | there.granted, option | there.option
            everywhere &= held | ~self._kinds.meaningful[len(inner)]
            somewhere |= held & self._kinds.wanted
        return _Cell(everywhere, somewhere, option & self._kinds.wanted)


def _together(cells: Sequence[_Cell]) -> _Cell:
    """What several give that have no gaps, or of which at most one has."""
    everywhere = somewhere = option = 0
    for cell in cells:
        everywhere |= cell.everywhere
        somewhere |= cell.somewhere
        option |= cell.option
    return _Cell(everywhere, somewhere, option)


class _Kinds:
    """What the letters stand for, as bits; what takes a parameter or the whole server is not about databases."""

    def __init__(self, privileges: PrivilegeTree) -> None:
        self.meaningful = tuple(mask & ~privileges.parametrised for mask in privileges.meaningful)
        self.wanted = self.meaningful[Depth.DATABASE]
        self._select = privileges.mask_of_known("SELECT")
        self._insert = privileges.mask_of_known("INSERT")
        self._changing = privileges.mask_of_known(*_CHANGING) & self.wanted
        self._known: dict[_Cell, str] = {}

    def letters(self, cell: _Cell) -> str:
        found = self._known.get(cell)
        if found is None:
            found = self._known[cell] = self._letters(cell)
        return found

    def _letters(self, cell: _Cell) -> str:
        if not cell.somewhere:
            return NOTHING
        option = "+" if cell.option else ""
        if cell.everywhere == self.wanted:
            return f"A{option}"
        reading = "R" if cell.everywhere & self._select else "r" if cell.somewhere & self._select else ""
        writing = "W" if cell.everywhere & self._insert else "w" if cell.somewhere & self._changing else ""
        return f"{reading + writing or 'o'}{option}"


def cell_words(cell: str) -> str:
    """A cell in words."""
    now, _, later = cell.partition("(")
    if not later:
        return _words(now)
    chosen = _words(later.removesuffix(")"))
    return f"{chosen}, but only after SET ROLE" if not now else f"{_words(now)}; after SET ROLE: {chosen}"


def _words(letters: str) -> str:
    if letters == NOTHING:
        return "nothing"
    meant = dict(LEGEND)
    return ", ".join(meant[letter] for letter in letters)


def cell_rights(effective: EffectiveRights, database: str) -> tuple[EffectiveRight, ...]:
    """The rights that a cell is made of."""
    privileges, place = effective.index.privileges, Right("", database=database)
    wanted = _Kinds(privileges).wanted
    return tuple(
        each
        for each in effective.rights
        if each.right.parameter is None
        and privileges.mask(each.right.privilege) & wanted
        and (holds(each.right, place) or holds(place, each.right))
    )


def matrix_sheet(found: Matrix, where: str) -> Sheet:
    """The matrix with its letters; a database is a column."""
    legend = ", ".join(f"{sign} {words}" for sign, words in LEGEND)
    rows = [(row.user, *("" if cell == NOTHING else cell for cell in row.cells)) for row in found.rows]
    user = "user" if "user" not in found.databases else "name of the user"
    return Sheet(f"Users and databases on {where}", (user, *found.databases), rows, (legend,))
