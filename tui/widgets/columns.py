"""Columns of an entity table: what a cell says, how it sorts, and how columns share the width there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.cells import cell_len, set_cell_size

R = TypeVar("R")

GAP = 2  # blank cells between columns
NARROWEST = 24  # a flexible column is not made narrower than this, unless it says otherwise


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column. `text` may hold anything a server sent: the table makes it one visible line."""

    id: str
    title: str
    text: Callable[[R], str]
    sort: Callable[[R], Any] | None = None  # the key to sort by; None: the text, letters of either case alike
    numeric: bool = False  # aligned to the right
    brief: Callable[[R], str] | None = None  # said instead of `text` when the columns do not all fit
    width: int = 0  # in cells, when every value is known to fit; 0: as wide as the widest value
    flexible: bool = False  # gives way first, its values cut with `…`
    least: int = NARROWEST  # cells that a flexible column keeps, even if others have to go
    minor: int = 0  # columns with the highest number go first when the width does not suffice; 0: never
    letter: str = ""  # shift+letter sorts by it
    style: Callable[[R], str] | None = None  # one of STYLES, or empty

    def sort_key(self, row: R) -> Any:
        return self.sort(row) if self.sort is not None else self.text(row).casefold()


STYLES = ("muted", "accent", "success", "warning", "error")


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A column and the width it got."""

    column: Column[R]
    width: int
    brief: bool = False

    def text(self, row: R) -> str:
        """What the cell says: the value, or its brief form."""
        column = self.column
        return column.brief(row) if self.brief and column.brief is not None else column.text(row)


def place(
    columns: Sequence[Column[R]], natural: Sequence[int], available: int, brief: Sequence[int] = ()
) -> tuple[Placed[R], ...]:
    """The columns that fit into `available` cells: in their brief form, narrowed and left out as far as needed.

    `natural` is the width each column would like, `brief` the same for the brief forms (where there is none, as in
    `natural`); empty when no column has one. The first column is always kept.
    """
    in_brief = bool(brief) and sum(natural) + GAP * (len(columns) - 1) > available
    chosen = list(zip(columns, brief if in_brief else natural, strict=True))

    def least(column: Column[R], width: int) -> int:
        return min(width, column.least) if column.flexible else width

    def needed() -> int:
        return sum(least(column, width) for column, width in chosen) + GAP * (len(chosen) - 1)

    while needed() > available:
        droppable = [item for item in chosen if item[0].minor]
        if not droppable:
            break
        chosen.remove(max(droppable, key=lambda item: item[0].minor))
    spare = available - needed()
    placed = []
    for column, width in chosen:
        got = least(column, width)
        if column.flexible and spare > 0:
            more = min(width - got, spare)
            got, spare = got + more, spare - more
        placed.append(Placed(column, max(1, min(got, available)), in_brief))
    return tuple(placed)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` (one line) in exactly `width` cells, cut with `…` or filled with blanks."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        text = set_cell_size(text, max(width - 1, 0)) + "…" if width else ""
        return text
    blanks = " " * (width - length)
    return blanks + text if right else text + blanks
