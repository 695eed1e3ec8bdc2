"""Trying a statement as another user of an embedded engine: what ClickHouse answers, and doing it really."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.trying import Tried
from core.display import cell_width, count, one_line
from core.errors import RefusedError
from core.session import Session
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.form import Form
from tui.widgets.chrome import Piece
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, LinesView, text_lines

SHOWN_ROWS = 200
_WIDEST = 40  # cells of a column


@dataclass(frozen=True, slots=True)
class Trial:
    """A statement, by whose rights it was tried, and what came of it."""

    user: str
    sql: str
    tried: Tried


def try_form(session: Session, user: str) -> Form[Trial]:
    """Ask for the statement and try it. One that would change something is only checked."""

    async def submit(values: Values) -> Trial:
        engine = session.engine
        if not isinstance(engine, EmbeddedEngine):
            raise RefusedError(
                "Only the embedded engine can be asked as another user.",
                advice="For a server see the tab Effective, or connect as that user.",
            )
        return Trial(user, values["sql"], await engine.try_as(user, values["sql"]))

    return Form(
        f"Try as user {one_line(user, 60)}",
        (Field("sql", "Statement", required=True, hint="SELECT count() FROM db.table"),),
        submit,
        intro="ClickHouse itself answers, on the data that is there. What would change something is only checked.",
        button="Try it",
    )


class TriedScreen(ConsoleScreen[None]):
    """What ClickHouse answered. `carry_out` is called when the operator wants it done really."""

    ACTIONS = (
        Command("tried.really", "carry it out", "R", "really", "Carry the statement out, by the rights of this user.",
                modifies=True),
        Command("tried.copy", "copy", "y", "copy_answer", "Copy the answer."),
        Command("tried.back", "back", "escape,backspace", "close", "Back to the users."),
    )  # fmt: skip

    def __init__(self, trial: Trial, carry_out: Callable[[Trial], None]) -> None:
        super().__init__()
        self._trial, self._carry_out = trial, carry_out

    def content(self) -> ComposeResult:
        yield LinesView(answer_lines(self._trial), id="question", left=2)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(LinesView).focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("Users", "$muted"), Piece("/", "$muted"), Piece(f"tried as {self._trial.user}", "bold")], []

    def why_not(self, command: Command) -> str:
        tried = self._trial.tried
        if command.id == "tried.really" and (not tried.allowed or tried.carried_out):
            return "It was run." if tried.carried_out else "It is not allowed."
        return super().why_not(command)

    def really(self) -> None:
        self.dismiss(None)
        self._carry_out(self._trial)

    def copy_answer(self) -> None:
        self.console.copy(self.query_one(LinesView).plain, "the answer")

    def close(self) -> None:
        self.dismiss(None)


def answer_lines(trial: Trial) -> list[Line]:
    """The statement and what came of it."""
    tried = trial.tried
    lines = [*text_lines(trial.sql, "accent"), Line()]
    if tried.error is not None:
        said = tried.error.detail or tried.error.message
        return [*lines, Line("Refused", style="error"), Line(), *text_lines(said)]
    if tried.result is None:
        return [
            *lines,
            Line("Allowed", style="success"),
            Line(),
            Line("It would change something, so it was not carried out. R carries it out."),
        ]
    rows = tried.result.rows
    number = f"Allowed: {count(len(rows))} {'row' if len(rows) == 1 else 'rows'}"
    return [*lines, Line(number, style="success"), Line(), *_table(tried.result.columns, rows)]


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Line]:
    cells = [[one_line(str(cell), _WIDEST) for cell in row] for row in rows[:SHOWN_ROWS]]
    titles = [one_line(column, _WIDEST) for column in columns]
    widths = [max(map(cell_width, column)) for column in zip(titles, *cells, strict=True)]
    lines = [Line(_row(titles, widths), style="muted"), *(Line(_row(row, widths)) for row in cells)]
    return lines + [Line(f"and {count(len(rows) - SHOWN_ROWS)} more", style="muted")] * (len(rows) > SHOWN_ROWS)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell}{' ' * (width - cell_width(cell))}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
