"""What frames every screen: header, navigation, breadcrumb, banner, footer. Each is drawn only when it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from core.display import one_line


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line: its text, the style in the theme's words, and what goes first when there is no room."""

    text: str
    style: str = ""
    minor: int = 0  # the highest goes first; 0: never
    key: str = ""  # a key that stands before the text

    @property
    def width(self) -> int:
        return cell_len(self.text) + (cell_len(self.key) + 1 if self.key else 0)

    @property
    def drawn(self) -> Content:
        text = Content.styled(self.text, self.style)
        return (
            Content.assemble((self.key, "bold $accent" if self.style != "$muted" else "$muted"), " ", text)
            if self.key
            else text
        )


def line_of(left: Sequence[Piece], right: Sequence[Piece], width: int, *, gap: int = 2) -> Content:
    """`left` and `right` at the two ends of a line of `width` cells, minor pieces dropped until they fit."""
    pieces = [(piece, True) for piece in left if piece.text] + [(piece, False) for piece in right if piece.text]

    def needed() -> int:
        return sum(piece.width for piece, _ in pieces) + gap * max(len(pieces) - 1, 0) + 2

    while needed() > width:
        droppable = [item for item in pieces if item[0].minor]
        if not droppable:
            break
        pieces.remove(max(droppable, key=lambda item: item[0].minor))
    blank = Content(" " * gap)
    start = blank.join([piece.drawn for piece, is_left in pieces if is_left])
    end = blank.join([piece.drawn for piece, is_left in pieces if not is_left])
    room = max(width - start.cell_length - end.cell_length - 2, 1 if end.cell_length else 0)
    return Content.assemble(" ", start, " " * room, end, " ").truncate(width, ellipsis=True)


class ChromeLine(Widget):
    """One line with a left and a right end."""

    def __init__(self, *, id: str | None = None, gap: int = 2) -> None:
        super().__init__(id=id)
        self._gap = gap
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    def show(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Replace the line; nothing is drawn when it is the same."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    @property
    def plain(self) -> str:
        """What it says, for tests."""
        return line_of(self._left, self._right, self.size.width, gap=self._gap).plain

    def render(self) -> Content:
        return line_of(self._left, self._right, self.size.width, gap=self._gap)


class Navigation(Widget):
    """The screens by number, on wide terminals."""

    class Chosen(Message):
        """A screen was clicked."""

        def __init__(self, screen_id: str) -> None:
            super().__init__()
            self.screen_id = screen_id

    def __init__(self, entries: Sequence[tuple[str, str, str]], current: str) -> None:
        """`entries` are (id, key, title)."""
        super().__init__(id="navigation")
        self._entries = tuple(entries)
        self._current = current

    def render(self) -> Content:
        lines = []
        for screen_id, key, title in self._entries:
            here = screen_id == self._current
            text = one_line(f" {key or ' '} {title}", self.size.width).ljust(self.size.width)
            style = "bold $accent on $surface" if here else "$foreground"
            lines.append(Content.styled(text, style) if here else Content.assemble((text[:2], "$muted"), text[2:]))
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and place.y < len(self._entries):
            self.post_message(self.Chosen(self._entries[place.y][0]))
