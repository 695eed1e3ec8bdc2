"""A grid of short cells: rows by columns, any number of both, of which only the visible ones are drawn.

The names of the rows stay at the left and the titles at the top; arrow keys move one cell, and what does not fit comes
into sight with the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.display import cell_width, one_line
from tui.widgets.columns import GAP, fit

GUTTER = 3
WIDEST_NAME = 32  # cells for the names of rows, if there is room
WIDEST_TITLE = 12
NARROWEST_TITLE = 4
MOST_OF_WIDTH = 3  # the names take at most one part in so many


class Grid(ScrollView, can_focus=True):
    """Texts by row and column."""

    DEFAULT_CSS = "Grid { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; }"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor", "table--muted", "table--accent"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "up", show=False),
        Binding("down,j", "move(1, 0)", "down", show=False),
        Binding("left,h", "move(0, -1)", "left", show=False),
        Binding("right,l", "move(0, 1)", "right", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("less_than_sign,shift+left", "sheet(-1)", "columns to the left", show=False),
        Binding("greater_than_sign,shift+right", "sheet(1)", "columns to the right", show=False),
        Binding("home,g", "edge(False)", "first row", show=False),
        Binding("end,G", "edge(True)", "last row", show=False),
    ]

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """A cell was clicked twice."""

    def __init__(self, *, quiet: str, id: str | None = None) -> None:
        """`quiet` is the text of cells that are drawn pale."""
        super().__init__(id=id)
        self._quiet = quiet
        self._names: Sequence[str] = ()
        self._titles: Sequence[str] = ()
        self._cells: Sequence[Sequence[str]] = ()
        self._widths: list[int] = []
        self._name_width = 1
        self._left = 0  # the first column in sight
        self.row = 0
        self.column = 0

    def show(self, names: Sequence[str], titles: Sequence[str], cells: Sequence[Sequence[str]], widest: int) -> None:
        """Replace everything; the cursor stays with its row and column. `widest` is the length of the longest cell."""
        name = self._names[self.row] if self._names else ""
        title = self._titles[self.column] if self._titles else ""
        self._names, self._titles, self._cells = names, titles, cells
        least = max(NARROWEST_TITLE, widest)
        self._widths = [max(least, min(cell_width(one_line(each)), WIDEST_TITLE)) for each in titles]
        self._name_width = max((cell_width(one_line(each)) for each in names), default=1)
        self.row = names.index(name) if name in names else max(0, min(self.row, len(names) - 1))
        self.column = titles.index(title) if title in titles else max(0, min(self.column, len(titles) - 1))
        self.virtual_size = Size(1, len(names) + 1)
        self.call_after_refresh(self._keep_in_sight)
        self._moved()

    def move_to_column(self, title: str) -> None:
        """Put the cursor on a column."""
        self._go(self.row, self._titles.index(title))

    # -- moving

    @property
    def columns_in_sight(self) -> range:
        """The columns that are drawn: those that fit as a whole, and at least one."""
        room = self.size.width - self._names_end
        last = self._left
        while last < len(self._widths) and (self._widths[last] <= room or last == self._left):
            room -= self._widths[last] + GAP
            last += 1
        return range(self._left, last)

    @property
    def _names_end(self) -> int:
        return GUTTER + self._names_width + GAP

    @property
    def _names_width(self) -> int:
        return max(NARROWEST_TITLE, min(self._name_width, WIDEST_NAME, self.size.width // MOST_OF_WIDTH))

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _go(self, row: int, column: int) -> None:
        row = max(0, min(row, len(self._names) - 1))
        column = max(0, min(column, len(self._titles) - 1))
        if (row, column) != (self.row, self.column):
            self.row, self.column = row, column
            self._keep_in_sight()
            self._moved()

    def _moved(self) -> None:
        self.refresh()
        self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self.row < top:
            self.scroll_to(y=self.row, animate=False)
        elif self.row >= top + self._page:
            self.scroll_to(y=self.row - self._page + 1, animate=False)
        self._left = min(self._left, self.column)
        room = max(self.size.width - self._names_end, 1)
        while self._left < self.column and self._needed(self._left, self.column) > room:
            self._left += 1
        self.refresh()

    def _needed(self, first: int, last: int) -> int:
        return sum(self._widths[first : last + 1]) + GAP * (last - first)

    def action_move(self, rows: int, columns: int) -> None:
        self._go(self.row + rows, self.column + columns)

    def action_page(self, pages: int) -> None:
        self._go(self.row + pages * self._page, self.column)

    def action_sheet(self, sheets: int) -> None:
        self._go(self.row, self.column + sheets * len(self.columns_in_sight))

    def action_edge(self, last: bool) -> None:
        self._go(len(self._names) - 1 if last else 0, self.column)

    def on_click(self, event: events.Click) -> None:
        row = event.y - 1 + self.scroll_offset.y
        if event.y == 0 or row >= len(self._names):
            return
        self._go(row, self._column_at(event.x))
        if event.chain == 2:
            self.post_message(self.Opened())

    def _column_at(self, x: int) -> int:
        left = self._names_end
        for column in self.columns_in_sight:
            left += self._widths[column] + GAP
            if x < left:
                return column
        return self.column

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        self._keep_in_sight()
        self.post_message(self.Moved())  # other columns are in sight

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            style = self._style("header")
            return Strip(self._header(style)).simplify().adjust_cell_length(width, style)
        row = y - 1 + self.scroll_offset.y
        if row >= len(self._names):
            return Strip.blank(width, self.rich_style)
        return Strip(self._row(row)).simplify().adjust_cell_length(width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"table--{name}")

    def _header(self, style: Style) -> list[Segment]:
        segments = [Segment(" " * self._names_end, style)]
        for column in self.columns_in_sight:
            here = self._style("accent") + Style(bold=True) if column == self.column else style
            segments += [
                Segment(fit(one_line(self._titles[column]), self._widths[column]), here),
                Segment(" " * GAP, style),
            ]
        return segments

    def _row(self, row: int) -> list[Segment]:
        at_cursor, base = row == self.row, self.rich_style
        name = fit(one_line(self._names[row]), self._names_width)
        segments = [
            Segment(f" {'>' if at_cursor else ' '} ", self._style("accent")),
            Segment(name, base + Style(bold=True) if at_cursor else base),
            Segment(" " * GAP, base),
        ]
        for column in self.columns_in_sight:
            text = self._cells[row][column]
            style = self._style("muted") if text == self._quiet else base
            if at_cursor and column == self.column:
                style = self._style("cursor")
            segments += [Segment(fit(text, self._widths[column]), style), Segment(" " * GAP, base)]
        return segments
