"""Forms: labelled inputs, checked while typing, with what would come of them shown below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer

from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.buttons import Choice, Choices
from tui.widgets.chrome import Piece
from tui.widgets.fields import Field, FieldRow, Values
from tui.widgets.lines import Line, text_lines
from tui.widgets.notice import FittingLines
from tui.widgets.state import failure_lines

T = TypeVar("T")

PREVIEW_DELAY = 0.2  # seconds after the last key
FEW_FIELDS = 6  # with more, only the field in focus shows its hint


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """What is asked and what becomes of it. `submit` and `preview` run in workers, with the values of shown fields."""

    title: str
    fields: Sequence[Field]
    submit: Callable[[Values], Awaitable[T]]
    preview: Callable[[Values], Awaitable[str]] | None = None  # the SQL, or whatever would come of it
    intro: str = ""
    button: str = "Continue"
    preview_title: str = "This would run:"
    docked: bool = False  # the preview stays in sight while the fields scroll


class FormScreen(ConsoleScreen[T | None], Generic[T]):
    """Dismissed with what `submit` returned, or None when it was left."""

    ACTIONS = (
        Command("form.send", "send", "enter", "send", "Check everything and go on."),
        Command("form.next", "next field", "tab", "next_field", "Go to the next field."),
        Command("form.choose", "choose", "ctrl+o", "choose", "Choose what to add to the field from what there is."),
        Command("form.back", "cancel", "escape", "cancel", "Leave the form; nothing happens."),
    )
    LEAVE_FREELY = False

    def __init__(self, form: Form[T]) -> None:
        super().__init__()
        self.form = form
        self._preview_timer: Timer | None = None
        self._sending = False
        self._made: dict[str, FieldRow] = {}  # every row by the name of its field; to look for them takes long

    def content(self) -> ComposeResult:
        classes = " ".join(["dense"] * (not self._few) + ["docked"] * self.form.docked)
        with VerticalScroll(id="form", can_focus=False, classes=classes):
            if self.form.intro:
                yield FittingLines([*text_lines(self.form.intro), Line()], id="form-intro", left=0)
            values = {field.name: field.value for field in self.form.fields}
            for field in self.form.fields:
                if field.is_shown(values):
                    yield self._row(field)
            with Choices(id="form-choices"):
                yield Choice(self.form.button, id="send")
                yield Choice("Cancel", id="cancel")
            if not self.form.docked:
                yield FittingLines(id="form-preview", left=0)
        if self.form.docked:
            yield FittingLines(id="form-preview", left=0)
        yield FittingLines(id="form-message", left=0)

    @property
    def _few(self) -> bool:
        return len(self.form.fields) <= FEW_FIELDS

    def _row(self, field: Field) -> FieldRow:
        width = max(len(each.label) for each in self.form.fields)
        row = self._made[field.name] = FieldRow(field, width, hint_always=self._few, values=lambda: self._all_values)
        return row

    def on_mount(self) -> None:
        self.focus_first()
        self._start_preview()

    def focus_first(self) -> None:
        """Focus the first field that must be filled in and is empty, else the first."""
        rows = self._rows
        empty = [row for row in rows if row.field.required and not row.value]
        for row in empty[:1] or rows[:1]:
            row.input.focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece(self.form.title, "bold")], [Piece("working …", "$muted")] if self._sending else []

    @property
    def _rows(self) -> list[FieldRow]:
        """The rows of the fields that are asked now."""
        made = (self._made.get(field.name) for field in self.form.fields)
        return [row for row in made if row is not None and row.display]

    @property
    def values(self) -> dict[str, str]:
        return {row.field.name: row.value for row in self._rows}

    @property
    def _all_values(self) -> dict[str, str]:
        """The values of all fields, those that are not asked now as well."""
        made = self._made
        return {field.name: made[field.name].value if field.name in made else field.value for field in self.form.fields}

    # -- while typing

    async def on_field_row_changed(self) -> None:
        await self._show_fields()
        for row in self._rows:
            row.judge_again()
        self._say([])
        self._start_preview()

    async def _show_fields(self) -> None:
        """Show the fields that are asked now; the row of one is made when it is asked for the first time.

        Returns when it can take keys: the next one waits for that.
        """
        rows = dict(self._made)
        values = self._all_values
        above: FieldRow | None = None
        for field in self.form.fields:
            row = rows.get(field.name)
            if row is not None:
                row.display = field.is_shown(values)
            elif field.is_shown(values):
                row = self._row(field)
                form = self.query_one("#form", VerticalScroll)
                if above is None:
                    await form.mount(row, before=next(iter(rows.values()), "#form-choices"))
                else:
                    await form.mount(row, after=above)
            above = row or above

    def _start_preview(self) -> None:
        if self.form.preview is None:
            return
        self._stop_preview()
        self._preview_timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def _stop_preview(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()

    def _preview(self) -> None:
        preview, values, all_values = self.form.preview, self.values, self._all_values
        if {field.name for field in self.form.fields if field.is_shown(all_values)} != set(values):
            return  # what was chosen has not come to the other fields yet; then it is previewed
        if preview is None or any(row.problem for row in self._rows):
            self._show_preview([])
            return
        self.work("preview", lambda: preview(values), self._previewed, self._no_preview)

    def _previewed(self, text: str) -> None:
        lines = [Line(each, style="warning" if each.startswith("! ") else "accent") for each in text.split("\n")]
        self._show_preview([Line(self.form.preview_title, style="muted"), *lines] if text else [])

    def _no_preview(self, error: HousekeysError) -> None:
        self._show_preview(failure_lines(error, ""))

    def _show_preview(self, lines: Sequence[Line]) -> None:
        self.query_one("#form-preview", FittingLines).say(lines)

    def _say(self, lines: Sequence[Line]) -> None:
        self.query_one("#form-message", FittingLines).say(lines)

    # -- sending

    def on_field_row_submitted(self, message: FieldRow.Submitted) -> None:
        self.send()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        if message.choice.id == "send":
            self.send()
        else:
            self.cancel()

    def send(self) -> None:
        """Check every field; then let `submit` do its work."""
        if self._sending:
            return
        wrong = [row for row in self._rows if row.show_problem()]
        if wrong:
            wrong[0].input.focus()
            return
        self._sending = True
        self._say([])
        self.show_crumb()
        values = self.values
        self.work("send", lambda: self.form.submit(values), self._sent, self._refused)

    def _sent(self, result: T) -> None:
        self._stop_preview()
        self.dismiss(result)

    def _refused(self, error: HousekeysError) -> None:
        self._sending = False
        self.show_crumb()
        self._say([*failure_lines(error, ""), Line()])

    def next_field(self) -> None:
        self.focus_next()

    def commands(self) -> tuple[Command, ...]:
        choosing = any(field.choose for field in self.form.fields)
        return tuple(command for command in super().commands() if choosing or command.id != "form.choose")

    def why_not(self, command: Command) -> str:
        row = self._current_row
        if command.id == "form.choose" and (row is None or row.field.choose is None):
            return "There is nothing to choose from for this field."
        return super().why_not(command)

    def on_descendant_focus(self) -> None:
        if any(field.choose for field in self.form.fields):
            self.show_frame()

    @property
    def _current_row(self) -> FieldRow | None:
        return next((row for row in self._rows if row.has_focus_within), None)

    def choose(self) -> None:
        row = self._current_row
        if row is not None and row.field.choose is not None:
            row.field.choose(self, row.add)

    def cancel(self) -> None:
        self.cancel_work("send")
        self._stop_preview()
        self.dismiss(None)
