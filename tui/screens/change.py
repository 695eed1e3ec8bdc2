"""The one road in the console: what would run, the question, the run with its progress, and the report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from core.changes import Change, Danger
from core.confirmation import Ask, Confirmation
from core.display import count, one_line
from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.service import explained, start_worker
from tui.widgets.buttons import Choice, Choices
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from core.running.report import Progress, Report


class Run(Protocol):
    """How a change is carried out: `core.running.runner.Runner.run`."""

    def __call__(
        self, change: Change, progress: Callable[[Progress], None] | None = None, *, stop: asyncio.Event | None = None
    ) -> Awaitable[Report]: ...


DANGER_WORDS: Mapping[Danger, str] = {
    Danger.ROUTINE: "adds something; nothing that works now stops working",
    Danger.DISRUPTIVE: "somebody's access ends or changes",
    Danger.DESTRUCTIVE: "data or a key is gone for good",
}


BROKEN_OFF = "Broken off in the middle of a step."


class ProgressBar(Widget):
    """How far a run is, in one line."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._progress: tuple[int, int, int] = (0, 0, 0)

    def show(self, done: int, total: int, failed: int) -> None:
        self._progress = (done, total, failed)
        self.refresh()

    def render(self) -> Content:
        done, total, failed = self._progress
        words = f" {count(done)} of {count(total)}" + (f", {count(failed)} failed" if failed else "")
        room = max(10, min(self.size.width - len(words) - 2, 50))
        full = room * done // total if total else 0
        return Content.assemble(("█" * full, "$accent"), ("░" * (room - full), "$muted"), (words, "$foreground"))


class ChangeScreen(ConsoleScreen["Report | None"]):
    """Shows `change`; dismissed with the report of its run, or None when it was not run.

    `first` is a change that runs before it (the creation of the journal). `run` is the session's runner; it is
    cancelled when the operator stops the run.
    """

    ACTIONS = (
        Command(
            "change.cancel",
            "cancel",
            "escape",
            "cancel",
            "Do not run it. While it runs: stop after this step; again: break the step off.",
        ),
        Command("change.run", "run it", "R", "confirm", "Run exactly what is shown."),
        Command("change.next", "next", "tab", "next_choice", "Go from text to choices.", footer=False),
        Command("change.copy", "copy", "y", "copy_sql", "Copy what would run."),
    )
    LEAVE_FREELY = False
    WORDS: ClassVar[Mapping[Danger, str]] = DANGER_WORDS

    class Advanced(Message):
        """The run is a little further; a newer message replaces an older one."""

        def __init__(self, progress: Progress) -> None:
            super().__init__()
            self.progress = progress

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ChangeScreen.Advanced)

    class Ended(Message):
        """The run has ended."""

        def __init__(self, report: Report | None, error: HousekeysError | None) -> None:
            super().__init__()
            self.report = report
            self.error = error

    def __init__(
        self, change: Change, confirmation: Confirmation, run: Run, *, where: str, first: Change | None = None
    ) -> None:
        super().__init__()
        self.change = change
        self.confirmation = confirmation
        self.first = first
        self._run = run
        self._where = where
        self.state: Literal["asking", "running", "stopping", "ended"] = "asking"
        self._report: Report | None = None
        self._stop = asyncio.Event()

    # -- composition

    def content(self) -> ComposeResult:
        yield LinesView(self._plan_lines(), id="plan", left=2)
        yield ProgressBar(id="progress")
        if self.confirmation.ask is Ask.TYPE_NAME:
            words = f" Type {one_line(self.confirmation.name)} to run this on {one_line(self._where)}:"
            yield Static(words, markup=False, id="type-name")
            yield TextInput(id="typed-name")
        with Choices(id="change-choices"):
            yield Choice("Cancel", id="cancel")
            yield Choice("Run", id="run", dangerous=self.change.danger is not Danger.ROUTINE)

    def on_mount(self) -> None:
        self.query_one(ProgressBar).display = False
        if self.confirmation.ask is Ask.TYPE_NAME:
            self.query_one("#typed-name").focus()
        else:
            # A routine change needs no confirmation, so enter runs it; anything else begins at Cancel.
            self.query_one("#run" if self.confirmation.ask is Ask.NOTHING else "#cancel").focus()
        self._allow()

    def _plan_lines(self) -> list[Line]:
        change = self.change
        style = {Danger.ROUTINE: "muted", Danger.DISRUPTIVE: "warning", Danger.DESTRUCTIVE: "error"}[change.danger]
        lines = [Line(change.title, style="heading"), Line()]
        lines.append(Line(f"{change.danger.name}: {self.WORDS[change.danger]}", style=style))
        lines.append(Line(self._undo_words(), style="muted"))
        lines += [Line(f"- {consequence}") for consequence in change.consequences]
        steps = len(change.steps)
        lines += [
            Line(),
            Line(f"Exactly this runs ({count(steps)} {'step' if steps == 1 else 'steps'})", style="heading"),
        ]
        lines += _previews(change)
        if self.first is not None:
            lines += [Line(), Line(f"Before it, once: {self.first.title}", style="heading")]
            lines += _previews(self.first)
        return lines

    def _undo_words(self) -> str:
        if self.change.reversible:
            return "Every step can be taken back (U)."
        reasons = {step.no_undo for step in self.change.steps if step.undo is None and step.no_undo}
        if not reasons:
            return "Cannot be taken back."
        *first, last = sorted(reasons)[:2]
        return f"Cannot be taken back: {'; '.join((*(reason.removesuffix('.') for reason in first), last))}"

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        words = {"asking": "Preview", "running": "Running", "stopping": "Stopping", "ended": "Report"}[self.state]
        return [Piece(words, "bold"), Piece(one_line(self.change.title, 200), "$muted")], [
            Piece(f"on {one_line(self._where)}", "$muted")
        ]

    def footer(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().footer()
        words = {"asking": "cancel", "running": "stop", "stopping": "break off", "ended": "close"}[self.state]
        if self.state != "asking":
            left = [piece for piece in left if piece.text != "run it"]
        return [replace(piece, text=words) if piece.text == "cancel" else piece for piece in left], right

    def why_not(self, command: Command) -> str:
        if command.id == "change.run":
            if self.state != "asking":
                return "It has run." if self.state == "ended" else "It is running."
            if not self._confirmed:
                return f"Type {one_line(self.confirmation.name)} first."
        return super().why_not(command)

    # -- the question

    @property
    def _confirmed(self) -> bool:
        if self.confirmation.ask is not Ask.TYPE_NAME or not self.is_mounted:
            return True
        return self.query_one("#typed-name", Input).value == self.confirmation.name

    def _allow(self) -> None:
        self.query_one("#run", Choice).disabled = not self._confirmed
        self.show_frame()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._allow()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.query_one("#run" if self._confirmed else "#cancel").focus()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        if message.choice.id == "run":
            self.confirm()
        else:
            self.cancel()

    def next_choice(self) -> None:
        self.focus_next()

    def copy_sql(self) -> None:
        if self.state == "ended":
            self.console.copy(self.query_one(LinesView).plain, "the report")
        else:
            self.console.copy(self.change.preview(), "what would run")

    # -- the run

    def confirm(self) -> None:
        """Run it."""
        if self.state != "asking" or not self._confirmed:
            return
        self.state = "running"
        self.console.running_change = self.change
        self.query_one("#run").display = False
        for widget in self.query("#type-name, #typed-name"):
            widget.display = False
        stop = self.query_one("#cancel", Choice)
        stop.name_it("Stop")
        stop.focus()
        progress = self.query_one(ProgressBar)
        progress.display = True
        progress.show(0, len(self.change.steps), 0)
        self.show_frame()
        start_worker(self, self._carry_out, "change")

    async def _carry_out(self) -> None:
        """In a worker."""
        try:
            report = await self._run_both()
        except Exception as error:  # shown in place of the report
            self.post_message(self.Ended(None, explained(error)))
        except asyncio.CancelledError:
            self.post_message(self.Ended(None, HousekeysError(BROKEN_OFF, advice="It is shown as unfinished.")))
            raise
        else:
            self.post_message(self.Ended(report, None))

    async def _run_both(self) -> Report:
        if self.first is not None:
            report = await self._run(self.first, stop=self._stop)
            if not report.succeeded:
                return report
        return await self._run(self.change, self._advance, stop=self._stop)

    def _advance(self, progress: Progress) -> None:
        self.post_message(self.Advanced(progress))

    def on_change_screen_advanced(self, message: ChangeScreen.Advanced) -> None:
        progress = message.progress
        self.query_one(ProgressBar).show(progress.done, progress.total, progress.failed)

    def cancel(self) -> None:
        """Leave the preview; stop the run; close the report."""
        if self.state == "asking":
            self.dismiss(None)
        elif self.state == "running":
            self.state = "stopping"
            self._stop.set()
            self.show_frame()
        elif self.state == "stopping":
            self.workers.cancel_group(self, "change")  # cancels the statement in flight as well
        elif self.state == "ended":
            self.dismiss(self._report)

    # -- the report

    def leaves_to_others(self, error: HousekeysError) -> bool:
        """Whether the page closes on an error that kept it from running, because its opener goes on from there."""
        return False

    def on_change_screen_ended(self, message: ChangeScreen.Ended) -> None:
        self.state = "ended"
        self.console.running_change = None
        self.console.changes_run += 1
        self._report = message.report
        report = message.report
        if report is not None and report.succeeded and not report.unsent:
            self.tell(f"Done: {one_line(self.change.title, 200)}")
            self.dismiss(report)
            return
        if message.error is not None and self.leaves_to_others(message.error):
            self.dismiss(None)
            return
        self.query_one(ProgressBar).display = False
        view = self.query_one("#plan", LinesView)
        view.show(error_lines(message.error) if report is None and message.error else report_lines(report))
        choice = self.query_one("#cancel", Choice)
        choice.name_it("Close")
        choice.focus()
        self.show_frame()

    def on_key(self, event: events.Key) -> None:
        if self.query_one(LinesView).take_key(event.key):
            event.stop()


def _previews(change: Change) -> list[Line]:
    lines: list[Line] = []
    for step in change.steps:
        shown = step.preview()
        lines += [Line(f"  {line}", style="accent") for line in shown.split("\n")]
    return lines


def error_lines(error: HousekeysError) -> list[Line]:
    """A run that gave no report."""
    lines = [Line("It was not run.", style="heading"), Line(), Line(error.message, style="error")]
    lines += [Line(error.advice)] if error.advice else []
    return lines + [Line(line, style="muted") for line in error.detail.split("\n") if error.detail]


def report_lines(report: Report | None) -> Sequence[Line]:
    """What was done, what failed and why, what is left."""
    if report is None:
        return ()
    total, done = len(report.change.steps), report.count("done")
    if report.succeeded:
        heading = Line(f"Done: {report.change.title}", style="heading")
    elif report.cancelled:
        heading = Line(f"Stopped: {report.change.title}", style="heading")
    else:
        heading = Line(f"Not everything was done: {report.change.title}", style="heading")
    lines = [heading, Line(), Line(f"{count(done)} of {count(total)} steps were done.")]
    if not report.finished:
        lines.append(Line("It can be continued or taken back: see the banner, or the journal (U).", style="warning"))
    if report.stopped is not None:
        lines += [Line(), Line(report.stopped.message, style="error"), Line(report.stopped.advice)]
    for outcome in report.failed_outcomes:
        title = report.change.steps[outcome.index].title
        error = outcome.error
        lines += [Line(), Line(f"{outcome.state}: {title}", style="error")]
        if error is not None:
            lines.append(Line(f"  {error}"))
            lines += [Line(f"  {line}", style="muted") for line in error.detail.split("\n") if error.detail]
    skipped = report.count("skipped") + report.count("not run")
    if skipped:
        lines += [Line(), Line(f"{count(skipped)} steps were not run.", style="muted")]
    if report.unsent:
        why = f": {report.journal_error.message}" if report.journal_error is not None else "."
        lines += [
            Line(),
            Line(f"{count(report.unsent)} rows are not in the journal yet{why}", style="warning"),
            Line("They are kept here and sent later."),
        ]
    return lines
