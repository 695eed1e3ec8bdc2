"""The table of entities: any number of rows, of which only the visible ones are drawn.

It draws lines itself instead of building on DataTable, which takes most of a second to fill with 10,000 rows and reads
strings as markup. Rows are values; what stays through a refresh, a sort or a filter is remembered by the key of the
row: the cursor and the marks. Only lines that look different are sent to the terminal again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.display import one_line
from tui.widgets.columns import GAP, STYLES, Column, Placed, R, fit, place

GUTTER = 3  # a blank, the cursor, the mark
LONGEST_CELL = 400  # characters of a value that are looked at
MEASURED = 5_000  # rows that the widths are taken from, evenly; of more, those in sight are looked at as well


class EntityTable(ScrollView, Generic[R], can_focus=True):
    """Rows of `R` in columns; see the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--cursor-blurred",
        "table--mark",
        *(f"table--{style}" for style in STYLES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "end(False)", "first", show=False),
        Binding("end,G", "end(True)", "last", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row, or on none."""

    class Marked(Message):
        """Rows were marked or unmarked."""

    class Opened(Message):
        """A row was clicked twice."""

    def __init__(self, columns: Sequence[Column[R]], key: Callable[[R], str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.key = key
        self.sort_column: Column[R] = self.columns[0]
        self.sort_descending = False
        self.filter_text = ""
        self.marks: set[str] = set()
        self._all: list[R] = []
        self._haystacks: dict[str, str] | None = None
        self._shown: list[R] = []
        self._cursor = 0
        self._natural = self._brief = [cell_len(column.title) + 2 for column in self.columns]
        self._placed: tuple[int, tuple[Placed[R], ...]] | None = None  # for which width, and how
        self._drawn: dict[int, object] = {}

    # -- what it holds

    @property
    def total(self) -> int:
        """Rows in all, shown or not."""
        return len(self._all)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all rows, shown or not."""
        return frozenset(map(self.key, self._all))

    @property
    def shown(self) -> Sequence[R]:
        """The rows that pass the filter, in the order of the screen."""
        return self._shown

    @property
    def current(self) -> R | None:
        """The row under the cursor."""
        return self._shown[self._cursor] if self._shown else None

    @property
    def chosen(self) -> list[R]:
        """The marked rows (hidden by a filter or not), or else the one under the cursor."""
        if self.marks:
            return [row for row in self._all if self.key(row) in self.marks]
        return [] if self.current is None else [self.current]

    def show(self, rows: Sequence[R]) -> None:
        """Replace the rows; cursor and marks stay with their keys, the scroll position where it is."""
        self._all = list(rows)
        self._haystacks = None
        if self.marks:
            self.marks &= {self.key(row) for row in self._all}
        self._take_widths(*self._widths_of(self._all[:: len(self._all) // MEASURED + 1]))
        self._arrange()

    def set_filter(self, text: str) -> None:
        """Show only rows in which every word of `text` occurs in some column."""
        if text != self.filter_text:
            self.filter_text = text
            self._arrange()

    def sort_by(self, column: Column[R], *, descending: bool | None = None) -> None:
        """Sort by `column`; without a direction, asking again for the same column turns it round."""
        if descending is None:
            descending = not self.sort_descending if column is self.sort_column else False
        self.sort_column, self.sort_descending = column, descending
        self._arrange()

    def move_to(self, key: str) -> bool:
        """Put the cursor on the row with `key`; False when it is not shown."""
        for index, row in enumerate(self._shown):
            if self.key(row) == key:
                self._move(index)
                return True
        return False

    def toggle_mark(self) -> None:
        """Mark or unmark the current row, and go on to the next."""
        if self.current is None:
            return
        self.marks ^= {self.key(self.current)}
        self._move(self._cursor + 1)
        self._redraw_changed()
        self.post_message(self.Marked())

    def mark_shown(self) -> None:
        """Mark every shown row; unmark all when they are marked already."""
        keys = {self.key(row) for row in self._shown}
        self.marks = set() if keys <= self.marks else self.marks | keys
        self._redraw_changed()
        self.post_message(self.Marked())

    # -- order, filter, widths

    def _widths_of(self, rows: Sequence[R]) -> tuple[list[int], list[int]]:
        """What each column would like for these rows, in full and in brief."""
        natural = [self._natural_width(column, column.text, rows) for column in self.columns]
        brief = [
            width if column.brief is None else self._natural_width(column, column.brief, rows)
            for column, width in zip(self.columns, natural, strict=True)
        ]
        return natural, brief

    def _take_widths(self, natural: list[int], brief: list[int]) -> None:
        if (natural, brief) != (self._natural, self._brief):
            self._natural, self._brief, self._placed = natural, brief, None
            self._redraw()

    def _fit_to_sight(self) -> None:
        """Give what is in sight the room that it needs, where not every row was measured."""
        if len(self._all) <= MEASURED:
            return
        top = self.scroll_offset.y
        natural, brief = self._widths_of(self._shown[top : top + self._page])
        self._take_widths(list(map(max, natural, self._natural)), list(map(max, brief, self._brief)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._fit_to_sight()

    def _natural_width(self, column: Column[R], say: Callable[[R], str], rows: Sequence[R]) -> int:
        title = cell_len(column.title) + (1 if column.numeric else 2)  # room for the arrow of the sort
        if column.width and say is column.text:
            return max(title, column.width)
        widest = title
        for row in rows:
            text = say(row)
            if len(text) > LONGEST_CELL or not (text.isascii() and text.isprintable()):
                widest = max(widest, cell_len(one_line(text, LONGEST_CELL)))
            elif len(text) > widest:
                widest = len(text)
        return widest

    def _arrange(self) -> None:
        before = self.current
        rows = sorted(self._matching(), key=self.sort_column.sort_key, reverse=self.sort_descending)
        index = self._cursor
        if before is not None:
            kept = self.key(before)
            index = next((at for at, row in enumerate(rows) if self.key(row) == kept), index)
        same_height = len(rows) == len(self._shown)
        self._shown = rows
        self._cursor = max(0, min(index, len(rows) - 1))
        self._fit_to_sight()
        if same_height:
            self._redraw_changed()
        else:
            self.virtual_size = Size(1, len(rows) + 1)
            self._redraw()
        # After the layout: the scroll range may not know the new number of rows yet.
        self.call_after_refresh(self._keep_in_sight)
        after = self.current
        if after is not before:
            self.post_message(self.Moved())

    def _matching(self) -> list[R]:
        words = self.filter_text.casefold().split()
        if not words:
            return self._all
        if self._haystacks is None:
            self._haystacks = {
                self.key(row): "\n".join(column.text(row) for column in self.columns).casefold() for row in self._all
            }
        texts = self._haystacks
        return [row for row in self._all if all(word in texts[self.key(row)] for word in words)]

    @property
    def _columns_placed(self) -> tuple[Placed[R], ...]:
        """The columns as they share the present width; found anew whenever that is another one."""
        width = self.size.width
        if self._placed is None or self._placed[0] != width:
            self._placed = width, place(self.columns, self._natural, max(width - GUTTER - 1, 1), self._brief)
        return self._placed[1]

    def on_show(self) -> None:
        """What is hidden loses the focus, in a call that may be waiting still: take it back behind that."""
        self.app.call_later(self._focus_when_nothing_has_it)

    def _focus_when_nothing_has_it(self) -> None:
        if self.is_attached and self.screen.focused is None:
            self.focus()

    def on_resize(self) -> None:
        self._redraw()
        self._fit_to_sight()
        self.call_after_refresh(self._keep_in_sight)

    # -- the cursor

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _move(self, index: int) -> None:
        index = max(0, min(index, len(self._shown) - 1))
        if index == self._cursor or not self._shown:
            return
        self._cursor = index
        self._keep_in_sight()
        self._redraw_changed()
        self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + self._page:
            self.scroll_to(y=self._cursor - self._page + 1, animate=False)

    def action_move(self, lines: int) -> None:
        self._move(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        self._move(self._cursor + pages * self._page)

    def action_end(self, last: bool) -> None:
        self._move(len(self._shown) - 1 if last else 0)

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._sort_at(event.x)
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < len(self._shown):
            self._move(index)
            if event.chain == 2:
                self.post_message(self.Opened())

    def _sort_at(self, x: int) -> None:
        left = GUTTER
        for placed in self._columns_placed:
            if left <= x < left + placed.width + GAP:
                self.sort_by(placed.column)
                return
            left += placed.width + GAP

    # -- drawing

    def _redraw(self) -> None:
        self._drawn.clear()
        self.refresh()

    def _redraw_changed(self) -> None:
        for y, look in list(self._drawn.items()):
            if self._look(y) != look:
                self.refresh(Region(0, y, self.size.width, 1))

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._redraw_changed()

    def _look(self, y: int) -> object:
        """Everything the line `y` of the view depends on, but for widths and theme."""
        if y == 0:
            return (self.sort_column.id, self.sort_descending)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._shown):
            return None
        row = self._shown[index]
        cells = tuple(placed.text(row) for placed in self._columns_placed)
        styles = tuple(placed.column.style(row) if placed.column.style else "" for placed in self._columns_placed)
        return (cells, styles, index == self._cursor, self.has_focus, self.key(row) in self.marks)

    def render_line(self, y: int) -> Strip:
        look = self._look(y)
        self._drawn[y] = look
        width = self.size.width
        if look is None:
            return Strip.blank(width, self.rich_style)
        segments = self._header() if y == 0 else self._row(y - 1 + self.scroll_offset.y)
        background = self._style("header") if y == 0 else self._row_style(y - 1 + self.scroll_offset.y)
        return Strip(segments).simplify().adjust_cell_length(width, background)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"table--{name}")

    def _header(self) -> list[Segment]:
        style = self._style("header")
        segments = [Segment(" " * GUTTER, style)]
        for placed in self._columns_placed:
            column = placed.column
            title = column.title
            if column is self.sort_column:
                arrow = "↓" if self.sort_descending else "↑"
                title = f"{arrow}{title}" if column.numeric else f"{title} {arrow}"
            segments.append(Segment(fit(title, placed.width, right=column.numeric) + " " * GAP, style))
        return segments

    def _row_style(self, index: int) -> Style:
        if index != self._cursor:
            return self.rich_style
        return self._style("cursor" if self.has_focus else "cursor-blurred")

    def _row(self, index: int) -> list[Segment]:
        row, at_cursor = self._shown[index], index == self._cursor
        marked = self.key(row) in self.marks
        base = self._row_style(index)
        background = Style(bgcolor=base.bgcolor)
        gutter = f" {'>' if at_cursor else ' '}{'*' if marked else ' '}"
        segments = [Segment(gutter, self._style("mark") + background)]
        for number, placed in enumerate(self._columns_placed):
            column = placed.column
            name = column.style(row) if column.style is not None else ""
            style = self._style(name) + background if name else base
            if marked and number == 0:
                style = self._style("mark") + background
            text = fit(one_line(placed.text(row), LONGEST_CELL), placed.width, right=column.numeric)
            segments.append(Segment(text, style))
            segments.append(Segment(" " * GAP, base))
        return segments
