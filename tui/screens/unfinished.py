"""A change that was begun and not ended: what it has done, and what to do with it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult

from core.changes import Change, left_of
from core.confirmation import confirmation_for
from core.display import count, exact_time, one_line
from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.change import ChangeScreen, Run
from tui.widgets.buttons import Choice, Choices
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView

if TYPE_CHECKING:
    import asyncio

    from core.running.report import Progress, Report, Unfinished
    from core.running.runner import Runner


class UnfinishedScreen(ConsoleScreen[None]):
    """The oldest unfinished change; the next one when that is settled. Closes when there is none left."""

    ACTIONS = (
        Command("unfinished.back", "back", "escape", "close", "Leave it as it is for now."),
        Command("unfinished.continue", "continue", "c", "resume", "Run the steps that were not done.", modifies=True),
        Command("unfinished.undo", "undo", "u", "take_back", "Take back the steps that were done.", modifies=True),
        Command("unfinished.dismiss", "dismiss", "x", "drop", "Close it: what was done stays, the rest is not run.",
                modifies=True),
        Command("unfinished.settle", "settle", "s", "settle", "Say whether the steps in doubt have run.",
                modifies=True, footer=False),
        Command("unfinished.next", "next", "tab", "next_choice", "Go to the next choice.", footer=False),
    )  # fmt: skip
    LEAVE_FREELY = False

    def __init__(self) -> None:
        super().__init__()
        self._settled: dict[int, bool] = {}

    # -- where the changes are; `tui.screens.profile_changes` has others

    @property
    def found(self) -> Sequence[Unfinished]:
        """What is unfinished."""
        return self.console.unfinished

    @property
    def runner(self) -> Runner | None:
        """What began them."""
        return None if self.session is None else self.session.runner

    def look_again(self) -> None:
        """Find out what is unfinished now."""
        self.console.look_for_unfinished()

    def page_for(self, change: Change, run: Run) -> ChangeScreen | None:
        """The page on which `change` is shown and run."""
        if self.session is None:
            return None
        profile = self.session.profile
        return ChangeScreen(change, confirmation_for(change, profile), run, where=profile.name)

    # -- the page

    @property
    def item(self) -> Unfinished | None:
        """The change that is shown."""
        return next((item for item in self.found if not item.running), None)

    def content(self) -> ComposeResult:
        yield LinesView(self._lines(), id="plan", left=2)
        with Choices(id="change-choices"):
            yield Choice("Leave it", id="close")
            yield Choice("Continue", id="resume")
            yield Choice("Undo", id="take_back", dangerous=True)
            yield Choice("Dismiss", id="drop", dangerous=True)

    def on_mount(self) -> None:
        self.query_one("#close").focus()
        self._show()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("Unfinished change", "bold")], []

    def _show(self) -> None:
        item = self.item
        if item is None:
            self.dismiss(None)
            return
        self.query_one(LinesView).show(self._lines())
        for name, command_id in (("resume", "continue"), ("take_back", "undo"), ("drop", "dismiss")):
            command = next(c for c in self.ACTIONS if c.id == f"unfinished.{command_id}")
            self.query_one(f"#{name}", Choice).disabled = bool(self.why_not(command))
        self.show_frame()

    def why_not(self, command: Command) -> str:
        item = self.item
        if item is not None and item.damaged and command.id in ("unfinished.continue", "unfinished.undo"):
            return "Its file is damaged: it can only be dismissed."
        if item is not None and command.id == "unfinished.settle" and not item.undecided:
            return "No step is in doubt."
        return super().why_not(command)

    def _lines(self) -> Sequence[Line]:
        item = self.item
        if item is None:
            return ()
        change, states = item.change, {outcome.index: outcome for outcome in item.outcomes}
        lines = [
            Line(change.title, style="heading"),
            Line(f"Begun {exact_time(item.started)} by {item.operator.name}@{item.operator.host}.", style="muted"),
            Line(f"{count(item.count('done'))} of {count(len(change.steps))} steps were done."),
        ]
        if item.damaged:
            return [*lines, Line(), Line(f"Its write-ahead file is damaged: {item.damaged}", style="error")]
        for index in item.undecided:
            said = self._settled.get(index)
            words = "not known whether it ran (s)" if said is None else "has run" if said else "has not run"
            lines.append(Line(f"In doubt: {change.steps[index].title}: {words}", style="warning"))
        lines += [Line(), Line("The steps", style="heading")]
        styles = {"done": "success", "failed": "error", "unknown": "warning"}
        for index, step in enumerate(change.steps):
            state = states[index].state if index in states else "not run"
            lines.append(Line(step.preview(), state, styles.get(state, "muted")))
        return lines

    # -- what can be done with it

    def on_key(self, event: events.Key) -> None:
        if self.query_one(LinesView).take_key(event.key):
            event.stop()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        calls: Mapping[str | None, str] = {command.call: command.id for command in self.ACTIONS}
        if message.choice.id == "close":
            self.close()
        else:
            self.action_command(calls[message.choice.id])

    def resume(self) -> None:
        """Run what is left, after a look at it."""
        item, runner = self.item, self.runner
        if item is None or runner is None or not self._all_settled(item):
            return
        settled = dict(self._settled)

        async def run(
            change: Change,
            progress: Callable[[Progress], None] | None = None,
            *,
            stop: asyncio.Event | None = None,
        ) -> Report:
            return await runner.resume(item.id, progress, settle_steps=settled, stop=stop)

        self._preview(_left(item, settled), run)

    def take_back(self) -> None:
        """Plan the undo of what was done, and take it down the one road."""
        item, runner = self.item, self.runner
        if item is None or runner is None or not self._all_settled(item):
            return
        settled = dict(self._settled)
        self.work(
            "plan",
            lambda: runner.undo_unfinished(item.id, settle_steps=settled),
            lambda change: self._preview(change, runner.run),
        )

    def drop(self) -> None:
        """Close it as it is, after a question."""
        from tui.screens.question import QuestionScreen

        item, runner = self.item, self.runner
        if item is None or runner is None:
            return
        lines = [
            Line(item.change.title, style="heading"),
            Line(f"What was done ({count(item.count('done'))} steps) stays. The rest is not run."),
            Line("The journal keeps a note of it."),
        ]

        def answered(sure: bool | None) -> None:
            if sure:
                self.work("dismiss", lambda: runner.dismiss(item.id), lambda _nothing: self._settle_next())

        self.app.push_screen(QuestionScreen("Dismiss this change?", lines, yes="Dismiss"), answered)

    def settle(self) -> None:
        """Turn the word on the first step in doubt that has none yet; begin again when all have one."""
        item = self.item
        if item is None or not item.undecided:
            return
        from tui.screens.form import Form
        from tui.widgets.fields import YES, Field, Values

        fields = [
            Field(str(index), f"Step {index + 1} has run", kind="flag", hint=item.change.steps[index].preview(),
                  value=YES if self._settled.get(index) else "")
            for index in item.undecided
        ]  # fmt: skip

        async def keep(values: Values) -> dict[int, bool]:
            return {int(name): value == YES for name, value in values.items()}

        def kept(settled: dict[int, bool]) -> None:
            self._settled = settled
            self._show()

        form = Form("Steps in doubt", fields, keep, intro="Look on the server, then say what you found.", button="Keep")
        self.console.ask(form, kept)

    def _all_settled(self, item: Unfinished) -> bool:
        if set(item.undecided) <= set(self._settled):
            return True
        self.tell("First say whether the steps in doubt have run (s).", "warning")
        return False

    def _preview(self, change: Change, run: Run) -> None:
        page = self.page_for(change, run)
        if page is not None:
            self.app.push_screen(page, lambda _report: self._settle_next())

    def _settle_next(self) -> None:
        self._settled = {}
        self.look_again()
        self._show()

    def show_error(self, error: HousekeysError) -> None:
        self.tell(one_line(str(error)), "error")

    def next_choice(self) -> None:
        self.focus_next()

    def close(self) -> None:
        self.dismiss(None)


def _left(item: Unfinished, settled: Mapping[int, bool]) -> Change:
    """What runs when `item` is continued; in doubt with nobody's word are those the runner looks up first."""
    ran = {outcome.index for outcome in item.outcomes if outcome.state == "done"}
    ran |= {index for index, has_run in settled.items() if has_run}
    return left_of(item.change, ran)
