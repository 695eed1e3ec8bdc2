"""The detail of a row: a title, tabs, and lines below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from core.display import one_line
from tui.widgets.chrome import ChromeLine, Piece
from tui.widgets.lines import Line, LinesView

ROOMY = 30  # letters of all tabs, up to which there is room to set them well apart


class DetailPane(Vertical):
    """Shows what it is given; a change of tab is told to the screen, which loads what belongs there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "tab(-1)", "previous tab", show=False),
        Binding("right,l", "tab(1)", "next tab", show=False),
    ]

    class TabChosen(Message):
        """Another tab was chosen."""

    def __init__(self, tabs: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tabs = tuple(tabs)
        self.tab = 0
        self._title = ""

    def compose(self) -> ComposeResult:
        yield ChromeLine(id="detail-title")
        yield ChromeLine(id="detail-tabs", gap=3 if sum(map(len, self.tabs)) <= ROOMY else 2)
        view = LinesView(id="detail-lines")
        view.set_class(len(self.tabs) == 1, "untabbed")  # no line of tabs keeps the title apart
        yield view

    @property
    def tab_name(self) -> str:
        return self.tabs[self.tab]

    @property
    def view(self) -> LinesView:
        return self.query_one("#detail-lines", LinesView)

    def show_title(self, title: str) -> None:
        self._title = title
        self.query_one("#detail-title", ChromeLine).show([Piece(one_line(title, 200), "bold")] if title else [])
        self._show_tabs()

    def show_lines(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        self.view.show(lines, keep_place=keep_place)

    def action_tab(self, step: int) -> None:
        if len(self.tabs) > 1:
            self.tab = (self.tab + step) % len(self.tabs)
            self._show_tabs()
            self.post_message(self.TabChosen())

    def _show_tabs(self) -> None:
        pieces = [
            Piece(f"[{name}]" if index == self.tab else f" {name} ", "bold $accent" if index == self.tab else "$muted")
            for index, name in enumerate(self.tabs)
        ]
        line = self.query_one("#detail-tabs", ChromeLine)
        line.display = len(pieces) > 1
        line.show(pieces if self._title else [])
