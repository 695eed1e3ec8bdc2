"""Numbers by day as bars of block characters: one panel for each series, one below the other, with axes.

Each series has a scale of its own, so that three errors are seen below three thousand connects; and a place and a name
of its own, so that nothing is told by colour alone. Eight heights to a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from core.display import count

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
HEIGHTS: Final = len(BLOCKS) - 1  # in a cell
TALL_ENOUGH: Final = 6  # rows of bars in a panel are not made more
LEAST_LABEL: Final = 8  # cells between the beginnings of two dates
_AXIS: Final = "│"
_ROUNDS: Final = 3  # bars of more days are higher, their numbers longer, and the room for bars less


@dataclass(frozen=True, slots=True)
class Series:
    """A number for each day; `style` in the theme's words."""

    name: str
    values: Sequence[int]
    style: str


@dataclass(frozen=True, slots=True)
class Bars:
    """How days share the cells there are: `days` days make a bar, `width` cells wide."""

    days: int
    width: int

    @classmethod
    def of(cls, days: int, cells: int) -> Bars:
        """The widest bars with which all days fit, up to three cells; of several days each when there are too many."""
        days, cells = max(days, 1), max(cells, 1)
        return cls(1, min(cells // days, 3)) if days <= cells else cls(-(-days // cells), 1)

    def heights(self, values: Sequence[int]) -> list[int]:
        """The number that each bar stands for; the last bar is always that of the last days."""
        first = len(values) % self.days
        starts = [0] * bool(first) + list(range(first, len(values), self.days))
        ends = [*starts[1:], len(values)] if starts else []
        return [sum(values[start:end]) for start, end in zip(starts, ends, strict=True)]


def bar_rows(heights: Sequence[int], rows: int, width: int) -> list[str]:
    """Bars as lines of blocks, the top one first. What is not nothing is seen, however little it is."""
    top = max(heights, default=0)
    eighths = [max(1, round(value * rows * HEIGHTS / top)) if value and top else 0 for value in heights]
    lines = []
    for row in range(rows - 1, -1, -1):
        filled = (BLOCKS[max(0, min(HEIGHTS, each - row * HEIGHTS))] for each in eighths)
        lines.append("".join(block * width for block in filled))
    return lines


def date_axis(days: Sequence[date], bars: Bars, cells: int) -> str:
    """Dates below the bars that they begin at; the last day stands at the right end."""
    first = len(days) % bars.days
    starts = [0] * bool(first) + list(range(first, len(days), bars.days))
    if not starts:
        return ""
    last = f"{days[-1]:%d %b}"
    end = min(cells, max(len(starts) * bars.width, len(last)))
    line = ""
    for place, start in enumerate(starts):
        column, label = place * bars.width, f"{days[start]:%d %b}"
        room = end - len(last) - 2
        if (column == 0 or column >= len(line) + LEAST_LABEL - len(label)) and column + len(label) <= room:
            line = line.ljust(column) + label
    return line.ljust(end - len(last)) + last


class DayPlot(Widget):
    """Shows series by day; as high as its panels are."""

    DEFAULT_CSS = "DayPlot { width: 100%; padding: 0 1 0 3; text-wrap: nowrap; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._days: Sequence[date] = ()
        self._series: Sequence[Series] = ()
        self._rows = 3

    def show(self, days: Sequence[date], series: Sequence[Series], rows: int) -> None:
        """Replace what it shows; `rows` is the height of the bars of each panel."""
        rows = max(1, min(rows, TALL_ENOUGH))
        if (tuple(days), tuple(series), rows) != (tuple(self._days), tuple(self._series), self._rows):
            self._days, self._series, self._rows = days, series, rows
            self.styles.height = len(series) * (1 + rows) + 1
            self.refresh()

    def render(self) -> Content:
        lines = plot_lines(self._days, self._series, self._rows, self.content_size.width)
        return Content("\n").join(lines) if lines else Content("")


def plot_lines(days: Sequence[date], series: Sequence[Series], rows: int, width: int) -> list[Content]:
    """The panels, and the axis of dates below them."""
    if not days or not series:
        return []
    left, bars = 1, Bars.of(len(days), width)
    for _ in range(_ROUNDS):
        tops = [max(bars.heights(each.values), default=0) for each in series]
        left = max(cell_len(count(top)) for top in tops) + 1
        bars = Bars.of(len(days), width - left - 1)
    lines: list[Content] = []
    for each in series:
        heights = bars.heights(each.values)
        lines.append(_title(each, days, bars, heights))
        lines += _panel(each, heights, bars, rows, left)
    axis = " " * (left + 1) + date_axis(days, bars, width - left - 1)
    return [*lines, Content.styled(axis, "$muted")]


def _title(series: Series, days: Sequence[date], bars: Bars, heights: Sequence[int]) -> Content:
    total, top = sum(series.values), max(heights, default=0)
    told = f"  {count(total)} in {count(len(days))} days"
    if total and bars.days == 1:
        told += f", most on {days[list(series.values).index(max(series.values))]:%d %b}: {count(top)}"
    elif total:
        told += f", a bar is {bars.days} days"
    return Content.assemble((series.name, f"bold {series.style}"), (told, "$muted"))


def _panel(series: Series, heights: Sequence[int], bars: Bars, rows: int, left: int) -> list[Content]:
    top = count(max(heights, default=0))
    lines = []
    for number, text in enumerate(bar_rows(heights, rows, bars.width)):
        scale = top if number == 0 and top != "0" else "0" if number == rows - 1 else ""
        lines.append(Content.assemble((f"{scale.rjust(left)}{_AXIS}", "$muted"), (text, series.style)))
    return lines
