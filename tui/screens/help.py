"""Help for the screen below it, generated from its commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult

from tui.commands import Command
from tui.screens.base import AnyScreen, ConsoleScreen
from tui.screens.registry import SCREENS
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView

MOVES = (
    ("up down k j", "Move the cursor, or scroll."),
    ("pgup pgdn home end", "Move by a page, to the first, to the last row."),
)


class HelpScreen(ConsoleScreen[None]):
    """Every key of `owner` and what it does; what cannot be done now says why."""

    ACTIONS = (Command("help.back", "back", "escape,question_mark,backspace", "close", "Close the help."),)

    def __init__(self, owner: AnyScreen) -> None:
        super().__init__()
        self.owner = owner

    def content(self) -> ComposeResult:
        yield LinesView(self.lines(), id="help", left=2)

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("Help", "bold"), Piece(self.owner.TITLE_WORDS, "$muted")], []

    def lines(self) -> Sequence[Line]:
        """The help as lines."""
        owner = self.owner
        lines = [Line(owner.TITLE_WORDS or "Here", style="heading")]
        lines += _rows(owner, (command for command in owner.commands() if command.keys))
        lines += [Line(what, keys) for keys, what in MOVES]
        lines += [Line(), Line("Everywhere", style="heading")]
        lines += _rows(owner, (command for command in self.console.commands() if command.keys))
        lines += [Line(f"Open {entry.title}.", entry.key) for entry in SCREENS]
        lines += [
            Line(),
            Line("Copying", style="heading"),
            Line("Copies are sent to the terminal by OSC 52; whether they arrive is the terminal's to say."),
            Line("In tmux: set -g set-clipboard on, and set -g allow-passthrough on."),
            Line("To select text with the mouse: hold shift, or start with --no-mouse."),
        ]
        return lines

    def close(self) -> None:
        self.dismiss(None)


def _rows(owner: AnyScreen, commands: Iterable[Command]) -> list[Line]:
    lines = []
    for command in commands:
        reason = owner.why_not(command)
        lines.append(Line(f"{command.description}{f' Not now: {reason}' if reason else ''}",
                          command.all_keys_shown, "muted" if reason else ""))  # fmt: skip
    return lines
