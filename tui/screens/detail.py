"""The detail of a row over its table, for terminals that are too narrow to show both."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import ComposeResult

from core.display import one_line
from tui.commands import Command
from tui.screens.base import WIDE, ConsoleScreen
from tui.screens.detailed import DetailedScreen
from tui.widgets.chrome import Piece
from tui.widgets.detail_pane import DetailPane


class DetailScreen(ConsoleScreen[str | None]):
    """One row of `owner`. The commands of the owner that work on a row close it and run there.

    Dismissed with the name of its tab when the terminal has become wide enough to show that beside the table.
    """

    ACTIONS = (
        Command("detail.back", "back", "escape,backspace", "close", "Back to the list."),
        Command("detail.tab", "tab", "tab", "next_tab", "Show the next tab (also with the arrow keys)."),
        Command("detail.copy", "copy", "y", "copy_lines", "Copy what this tab shows.", footer=False),
    )

    def __init__(self, owner: DetailedScreen[Any], row: Any, tab: int = 0) -> None:
        super().__init__()
        self._tab = tab
        self.owner = owner
        self.row = row

    def content(self) -> ComposeResult:
        yield DetailPane(self.owner.TABS, id="detail-page")

    @property
    def pane(self) -> DetailPane:
        return self.query_one(DetailPane)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        title = one_line(self.owner.detail_title(self.row), 200)
        return [Piece(self.owner.TITLE_WORDS, "$muted"), Piece("/", "$muted"), Piece(title, "bold")], []

    def on_mount(self) -> None:
        self.pane.tab = self._tab
        self.pane.show_title(self.owner.detail_title(self.row))
        self.owner.fill_detail(self, self.pane, self.row)
        self.pane.view.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._give_way)

    def _give_way(self) -> None:
        if self.has_class(WIDE) and self.is_current:
            self.dismiss(self.pane.tab_name)

    def on_detail_pane_tab_chosen(self) -> None:
        self.owner.fill_detail(self, self.pane, self.row)

    def on_key(self, event: events.Key) -> None:
        for command in self._row_commands():
            if event.key in command.keys.split(","):
                event.stop()
                event.prevent_default()
                self.dismiss(None)
                self.owner.run_command(command)
                return

    def _row_commands(self) -> list[Command]:
        """What the owner can do with a row, and is not done here."""
        own = {key for command in self.ACTIONS for key in command.keys.split(",")} | {"enter"}
        offered = [c for c in self.owner.commands() if c.needs_row and c.id != "rows.open"]
        return [c for c in offered if not own & set(c.keys.split(","))]

    def commands(self) -> tuple[Command, ...]:
        one_tab = len(self.owner.TABS) == 1
        return tuple(command for command in super().commands() if not (one_tab and command.id == "detail.tab"))

    def footer(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().footer()
        extra = [c for c in self._row_commands() if c.footer]
        left += [
            Piece(c.name, "$muted" if self.owner.why_not(c) else "$foreground", minor=10 + n, key=c.key_shown)
            for n, c in enumerate(extra)
        ]
        return left, right

    def close(self) -> None:
        self.dismiss(None)

    def next_tab(self) -> None:
        self.pane.action_tab(1)

    def copy_lines(self) -> None:
        self.console.copy(self.pane.view.plain, f"the {self.pane.tab_name.lower()}")
