"""A secret that is handed over once: hidden until asked for, and gone when the page closes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from core.display import one_line
from core.secrets import MASK, Secret
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView


class RevealScreen(ConsoleScreen[None]):
    """Shows `secret` on request. `what` names it in sentences ("the password of datalens")."""

    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("reveal.show", "show or hide", "space,enter", "show_or_hide", "Show it, or hide it again."),
        Command("reveal.copy", "copy", "y", "copy_secret", "Send it to the terminal's clipboard (OSC 52)."),
        Command("reveal.close", "close", "escape", "close_page", "Close; it cannot be shown again."),
    )
    LEAVE_FREELY = False

    def __init__(self, title: str, secret: Secret, what: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title, self._what, self._lines = title, what, tuple(lines)
        self._secret: Secret | None = secret
        self._shown = False
        self._handed = False  # shown or copied

    def content(self) -> ComposeResult:
        yield LinesView(id="question", left=2)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(LinesView).focus()
        self._show()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece(one_line(self._title, 200), "bold")], []

    def _show(self) -> None:
        secret = self._secret
        text = "" if secret is None else secret.reveal() if self._shown else MASK
        hint = "Space hides it." if self._shown else "Space shows it, y copies it."
        lines = [Line(text, style="accent"), Line(), Line(hint, style="heading"), Line(), *self._lines]
        self.query_one(LinesView).show(lines)

    def show_or_hide(self) -> None:
        self._shown = not self._shown
        self._handed = True
        self._show()

    def copy_secret(self) -> None:
        if self._secret is not None:
            self._handed = True
            self.console.copy(self._secret.reveal(), self._what)

    def close_page(self) -> None:
        if self._handed:
            self._close()
            return
        from tui.screens.question import QuestionScreen

        lines = [Line(f"You have neither seen nor copied {self._what}.", style="heading"), Line(), *self._lines]

        def answered(sure: bool | None) -> None:
            if sure:
                self._close()

        self.app.push_screen(QuestionScreen("Close?", lines, yes="Close", no="Stay"), answered)

    def _close(self) -> None:
        """Let go of the secret, on the screen too, before the page goes."""
        self._secret = None
        self._shown = False
        self.query_one(LinesView).show([])
        self.dismiss(None)


def password_page(password: Secret, user: str, for_whom: str) -> RevealScreen:
    """Hands over the made-up password of a user; `for_whom` is a sentence about who needs it."""
    name = one_line(user, 60)
    lines = [
        Line(for_whom),
        Line("It is kept nowhere: when this page closes, it cannot be shown again.", style="warning"),
    ]
    return RevealScreen(f"The password of {name}", password, f"the password of {name}", lines)
