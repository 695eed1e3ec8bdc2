"""Two small pages over everything: a yes-or-no question, and a secret to be typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input, Static

from core.changes import Change
from core.display import one_line
from core.secrets import Secret
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.buttons import Choice, Choices
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView
from tui.widgets.text_input import TextInput


class QuestionScreen(ConsoleScreen[bool]):
    """Dismissed with True when `yes` was pressed. The other choice is the focused one."""

    ACTIONS = (
        Command("question.no", "back", "escape", "refuse", "Go back; nothing happens."),
        Command("question.next", "next", "tab", "next_choice", "Go to the next choice.", footer=False),
    )
    LEAVE_FREELY = False

    def __init__(self, title: str, lines: Sequence[Line], *, yes: str, no: str = "Cancel") -> None:
        super().__init__()
        self._title, self._lines, self._yes, self._no = title, tuple(lines), yes, no

    def content(self) -> ComposeResult:
        yield LinesView(self._lines, id="question", left=2)
        with Choices(id="question-choices"):
            yield Choice(self._no, id="no")
            yield Choice(self._yes, id="yes", dangerous=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece(one_line(self._title, 200), "bold")], []

    def on_key(self, event: events.Key) -> None:
        if self.query_one(LinesView).take_key(event.key):
            event.stop()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        self.dismiss(message.choice.id == "yes")

    def next_choice(self) -> None:
        self.focus_next()

    def refuse(self) -> None:
        self.dismiss(False)


def leaving_question(running: Change) -> QuestionScreen:
    """Whether to leave the console while a change is running."""
    lines = [
        Line("A change is running:", style="heading"),
        Line(running.title),
        Line(),
        Line("Leaving stops it after the present step. It can be continued at the next start."),
    ]
    return QuestionScreen("Leave?", lines, yes="Leave", no="Stay")


class SecretScreen(ConsoleScreen[Secret | None]):
    """Asks for a secret; what is typed is not shown. Dismissed with None when nothing was given."""

    ACTIONS = (Command("secret.back", "cancel", "escape", "cancel", "Give nothing."),)
    LEAVE_FREELY = False

    def __init__(self, label: str, note: str = "") -> None:
        super().__init__()
        self._label, self._note = label, note

    def content(self) -> ComposeResult:
        yield Static(f" {one_line(self._label, 200)}", markup=False, id="secret-label")
        yield TextInput(secret=True, id="secret-input")
        yield LinesView([Line(self._note, style="muted")] if self._note else [], id="secret-note", left=2)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("A secret is needed", "bold")], []

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.dismiss(Secret(message.value) if message.value else None)

    def cancel(self) -> None:
        self.dismiss(None)
