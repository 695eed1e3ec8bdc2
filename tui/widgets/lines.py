"""Lines of text to read and scroll: SQL, summaries, reports, help. Any number of them; only visible ones are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.display import plain_lines
from tui.widgets.columns import STYLES, fit

WIDEST_LABEL = 24
SHORT_LABEL = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One line, wrapped when it is too long; `style` is one of `columns.STYLES`, `heading`, or empty.

    `label` stands before the text in a column of its own. `text` may hold anything, line breaks included.
    """

    text: str = ""
    label: str = ""
    style: str = ""


def fact(label: str, value: str, style: str = "") -> Line:
    """A line of a summary: what, and its value."""
    return Line(value, label, style)


def text_lines(text: str, style: str = "") -> list[Line]:
    """Each line of `text` as a Line."""
    return [Line(line, style=style) for line in text.split("\n")]


def wrap(text: str, width: int) -> list[str]:
    """`text` (one line) broken into pieces of at most `width` cells, at spaces where there are any."""
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return [text]
    pieces: list[str] = []
    line, used = "", 0
    for word in _words(text):
        if used + cell_len(word.rstrip(" ")) > width and line.strip():
            pieces.append(line.rstrip())
            line, used = "", 0
        while cell_len(word.rstrip(" ")) > width:
            head = _head(word, width)
            pieces.append(head)
            word = word[len(head) :]
        line += word
        used += cell_len(word)
    if line.strip() or not pieces:
        pieces.append(line.rstrip())
    return pieces


def _words(text: str) -> Iterable[str]:
    """The words of `text`, each with the blanks that follow it; leading blanks belong to the first."""
    start = position = len(text) - len(text.lstrip(" "))
    begin = 0
    while position < len(text):
        end = text.find(" ", position)
        if end < 0:
            break
        while end < len(text) and text[end] == " ":
            end += 1
        yield text[begin:end]
        begin = position = end
    if begin < len(text) or not start:
        yield text[begin:]


def _head(text: str, width: int) -> str:
    """The longest beginning of `text` that fits into `width` cells, at least one character."""
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width and index:
            return text[:index]
    return text


@dataclass(frozen=True, slots=True)
class _Drawn:
    label: str
    text: str
    style: str


class LinesView(ScrollView, can_focus=True, inherit_bindings=False):
    """Scrollable lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "up", show=False),
        Binding("down,j", "scroll_down", "down", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
        Binding("home,g", "scroll_home", "top", show=False),
        Binding("end,G", "scroll_end", "bottom", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--label", "lines--heading", *(f"lines--{style}" for style in STYLES)}

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None, left: int = 1) -> None:
        """`left` is the number of blank cells before every line."""
        super().__init__(id=id)
        self._left = left
        self._lines = tuple(lines)
        self._drawn: list[_Drawn] = []
        self._drawn_width = -1

    def take_key(self, key: str) -> bool:
        """Scroll by a key that was pressed elsewhere on the page; whether it was one to scroll by."""
        scrolls = {
            "up": self.action_scroll_up,
            "down": self.action_scroll_down,
            "pageup": self.action_page_up,
            "pagedown": self.action_page_down,
            "home": self.action_scroll_home,
            "end": self.action_scroll_end,
        }
        if key not in scrolls:
            return False
        scrolls[key]()
        return True

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    @property
    def plain(self) -> str:
        """Its text without any styling, as it is copied."""
        return "\n".join(f"{line.label}\t{line.text}" if line.label else line.text for line in self._lines)

    def show(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Replace the lines; nothing is drawn again when they are the same."""
        if tuple(lines) == self._lines and self._drawn_width == self._width:
            return
        before, height_before = self._drawn, self.size.height
        self._lines = tuple(lines)
        self._wrap()
        if not keep_place:
            self.scroll_to(y=0, animate=False)
        self._redraw_changed(before, height_before)

    def _redraw_changed(self, before: Sequence[_Drawn], height: int) -> None:
        """Draw again what looks different: bytes count on a slow line."""
        top = self.scroll_offset.y
        for y in range(height):
            old = before[y + top] if y + top < len(before) else None
            new = self._drawn[y + top] if y + top < len(self._drawn) else None
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width - self._left - 1, 1)

    @property
    def height_needed(self) -> int:
        """Lines it takes at its present width."""
        self._wrap_as_wide_as_it_is()
        return len(self._drawn)

    def on_resize(self, _event: Resize) -> None:
        self._wrap()

    def _wrap_as_wide_as_it_is(self) -> None:
        if self._drawn_width != self._width:
            self._wrap()

    def _wrap(self) -> None:
        width = self._drawn_width = self._width
        labels = [len(line.label) for line in self._lines if line.label]
        indent = min(max(max(labels), SHORT_LABEL), WIDEST_LABEL) + 2 if labels else 0
        drawn: list[_Drawn] = []
        for line in self._lines:
            left = indent if line.label else 0
            label = fit(line.label, left - 2) + "  " if left else ""
            for part in plain_lines(line.text).split("\n"):
                for piece in wrap(part, max(width - left, 8)):
                    drawn.append(_Drawn(label, piece, line.style))
                    label = " " * left
        self._drawn = drawn
        self.virtual_size = Size(self.scrollable_content_region.width, len(drawn))

    def render_line(self, y: int) -> Strip:
        self._wrap_as_wide_as_it_is()
        index = y + self.scroll_offset.y
        width = self.size.width
        if index >= len(self._drawn):
            return Strip.blank(width, self.rich_style)
        line = self._drawn[index]
        segments = [Segment(" " * self._left, self.rich_style)]
        if line.label:
            segments.append(Segment(line.label, self.get_component_rich_style("lines--label")))
        style = self.get_component_rich_style(f"lines--{line.style}") if line.style else self.rich_style
        segments.append(Segment(line.text, style))
        return Strip(segments).simplify().adjust_cell_length(width, self.rich_style)
