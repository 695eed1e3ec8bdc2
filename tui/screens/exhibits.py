"""A page of texts to copy, one at a time: documents, commands, statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from core.display import one_line
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.chrome import Piece
from tui.widgets.detail_pane import DetailPane
from tui.widgets.lines import text_lines

if TYPE_CHECKING:
    from core.lakehouse.provisioning.by_hand import Exhibit


class ExhibitsScreen(ConsoleScreen[None]):
    """Shows `exhibits` under tabs; `y` copies the one that is shown."""

    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("exhibits.copy", "copy", "y", "copy_exhibit", "Copy the text that is shown, and nothing else."),
        Command("exhibits.next", "next", "tab", "next_exhibit", "Show the next text (also with the arrow keys)."),
        Command("exhibits.back", "back", "escape", "close", "Back to the list; nothing is lost."),
    )

    def __init__(self, title: str, exhibits: Sequence[Exhibit]) -> None:
        super().__init__()
        self._title = title
        self._exhibits = tuple(exhibits)

    def content(self) -> ComposeResult:
        yield DetailPane([exhibit.title for exhibit in self._exhibits], id="detail-page")

    def on_mount(self) -> None:
        self.pane.show_title(self._title)
        self.pane.view.focus()
        self.show_exhibit()

    @property
    def pane(self) -> DetailPane:
        return self.query_one(DetailPane)

    @property
    def exhibit(self) -> Exhibit | None:
        """The one that is shown."""
        return self._exhibits[self.pane.tab] if self._exhibits else None

    def has_row(self) -> bool:
        return bool(self._exhibits)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("API connections", "$muted"), Piece("/", "$muted"), Piece(one_line(self._title, 60), "bold")], []

    def on_detail_pane_tab_chosen(self) -> None:
        self.show_exhibit()

    def show_exhibit(self) -> None:
        """Bring its text into the page."""
        exhibit = self.exhibit
        self.pane.show_lines(text_lines(exhibit.text, "accent") if exhibit is not None else [])

    def next_exhibit(self) -> None:
        self.pane.action_tab(1)

    def copy_exhibit(self) -> None:
        exhibit = self.exhibit
        if exhibit is not None:
            self.console.copy(exhibit.text, one_line(exhibit.title, 60))

    def close(self) -> None:
        self.dismiss(None)
