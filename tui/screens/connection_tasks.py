"""The guided way to a working connection: one step after the other, by Housekeys or by hand, until it is ready.

Every state is in the journal: the way can be left at any time, and goes on where it was, here or elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import count, one_line
from core.errors import HousekeysError
from core.lakehouse.lint.document_lint import documents_differ
from core.lakehouse.looking import Look, plan_recording
from core.lakehouse.policies.cloud_commands import commands_text, creating_policies, creating_role, trust_commands
from core.lakehouse.provisioning.by_hand import Exhibit, plan_described, plan_done, plan_verified, task
from core.lakehouse.provisioning.pasted_documents import read_pasted_trust
from core.lakehouse.sql.answers import needed_external_id
from core.lakehouse.sql.pasted_answers import read_pasted
from core.lakehouse.state import ConnectionState, Stage
from tui.commands import Command
from tui.screens.connection_documents import document_exhibits, documents_of
from tui.screens.connection_rows import step_words, way_line
from tui.screens.exhibits import ExhibitsScreen
from tui.screens.form import Form
from tui.widgets.chrome import Piece
from tui.widgets.detail_pane import DetailPane
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, fact
from tui.widgets.notice import FittingLines
from tui.widgets.state import failure_lines

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.api_connections import ApiConnections
    from core.running.report import Report

PASTED_LINES = 9  # of the field that takes an answer
_FOUND = 3  # differences that leave room for the documents below them
ITSELF = "Housekeys does this itself, as far as it goes without a hand."


class GuideScreen(ExhibitsScreen):
    """What is next for the connection `name`. With `begin`, what Housekeys can do itself is previewed at once."""

    ACTIONS = (
        Command("guide.go", "go on", "enter", "go_on",
                "Say that it is done, paste what is asked for, or see what Housekeys would do.", modifies=True),
    )  # fmt: skip
    CSS = "#task { margin: 1 0; }"

    def __init__(self, connections: ApiConnections, name: str, *, begin: bool = True) -> None:
        super().__init__(name, ())
        self._connections = connections
        self._subject = name
        self._begin = begin
        self._state: ConnectionState | None = None
        self._failure: HousekeysError | None = None

    def content(self) -> ComposeResult:
        yield FittingLines(id="task")
        yield DetailPane((), id="detail-page")

    def on_mount(self) -> None:
        self._read(begin=self._begin)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, _ = super().crumb()
        state = self._state
        return left, [Piece(step_words(state.stage), "$muted")] if state is not None else []

    # -- what is next

    def _read(self, *, begin: bool) -> None:
        def there(state: ConnectionState) -> None:
            self._show(state)
            if begin and self._does_itself(state):
                self.go_on()

        self.work("state", lambda: self._connections.state(self._subject), there, self._failed)

    def _does_itself(self, state: ConnectionState) -> bool:
        return self._connections.reach.carries_out(state)

    def _show(self, state: ConnectionState) -> None:
        self._state, self._failure = state, None
        pane = self.pane
        self._exhibits = (*task(state).exhibits, *more_exhibits(state))
        pane.tabs = tuple(exhibit.title for exhibit in self._exhibits)
        pane.tab = 0
        pane.display = bool(self._exhibits)
        pane.show_title(state.name)
        self.show_exhibit()
        self._show_task()
        self.show_frame()
        if self._exhibits:
            pane.view.focus()

    def _show_task(self) -> None:
        state, failure = self._state, self._failure
        lines = [] if state is None else [*task_lines(state, itself=self._does_itself(state)), *found_lines(state)]
        if failure is not None:
            lines += [Line(), *failure_lines(failure, "")] if lines else failure_lines(failure, "Press esc to go back.")
        self.query_one("#task", FittingLines).say(lines)

    def _failed(self, error: HousekeysError) -> None:
        self._failure = error
        self._show_task()

    # -- going on

    def why_not(self, command: Command) -> str:
        if command.id == "guide.go" and self._state is not None and self._state.stage is Stage.READY:
            return ""  # it only closes
        return super().why_not(command)

    def go_on(self) -> None:
        state = self._state
        if state is None:
            self._read(begin=False)
        elif state.stage is Stage.READY:
            self.close()
        elif self._does_itself(state):
            self.work("plan", lambda: self._connections.plan_resume(self._subject), self._carry_out, self._failed)
        elif state.stage is Stage.DESCRIBE:
            self.console.ask(description_form(state), self._carry_out)
        elif state.stage is Stage.VERIFY:
            self.work("plan", lambda: seen_in_lakehouse(self._connections, state), self._ask_for_trust, self._failed)
        else:
            self._carry_out(plan_done(state, state.stage))

    def _ask_for_trust(self, seen: Look) -> None:
        self.console.ask(trust_form(seen), self._carry_out)

    def _carry_out(self, change: Change) -> None:
        self._failure = None
        self._show_task()

        def done(report: Report) -> None:
            self._read(begin=report.succeeded)

        self.console.carry_out(change, done)


def task_lines(state: ConnectionState, *, itself: bool) -> list[Line]:
    """How far it is, what is to be done now, and the key that goes on; `itself`: Housekeys does it."""
    lines = [Line(way_line(state.stage), style="muted"), Line()]
    next_task = task(state)
    if state.stage is Stage.READY:
        return [*lines, Line(f"✓ {state.name} is ready.", style="success"), Line(next_task.advice)]
    key = f"Press enter to paste {next_task.asks}." if next_task.asks else "Press enter when it is done."
    return [
        *lines,
        Line(next_task.title, style="heading"),
        Line(ITSELF if itself else next_task.advice),
        Line("Press enter to see what would run." if itself else key, style="accent"),
    ]


def found_lines(state: ConnectionState) -> list[Line]:
    """What the last look has found, if anything."""
    shown = [
        fact(" " if index else "found", words, "warning") for index, words in enumerate(state.differences[:_FOUND])
    ]
    more = len(state.differences) - len(shown)
    shown += [fact(" ", f"and {count(more)} more, in its summary", "warning")] if more > 0 else []
    return [Line(), *shown] if shown else []


def more_exhibits(state: ConnectionState) -> tuple[Exhibit, ...]:
    """What helps with the task: the commands of the cloud's own tool; the documents, where something is otherwise."""
    if state.stage is Stage.VERIFY and state.differences:
        return document_exhibits(state)
    makers = {Stage.GRANT: creating_policies, Stage.TRUST: creating_role, Stage.TIGHTEN: trust_commands}
    if state.stage not in makers:
        return ()
    commands = makers[state.stage](state.connection, documents_of(state))
    return (Exhibit("Commands", commands_text(commands).rstrip()),)


# -- what is pasted


def description_form(state: ConnectionState) -> Form[Change]:
    """Takes the answer of DESC CONNECTION, as it was shown wherever it was run."""

    def read(values: Values) -> str:
        return needed_external_id(read_pasted(values["answer"]), state.name)

    async def submit(values: Values) -> Change:
        return plan_described(state, read(values))

    async def preview(values: Values) -> str:
        found = _or_nothing(lambda: read(values), values["answer"])
        return f"The external id is {found}" if found else ""

    field = Field("answer", "Answer", kind="lines", required=True, height=PASTED_LINES,
                  hint="As it is: a table, tabs, JSON or lines. Everything else in it is passed over.")  # fmt: skip
    return Form(
        f"The answer of DESC CONNECTION {one_line(state.name, 60)}", (field,), submit, preview,
        preview_title="This was read:",
    )  # fmt: skip


async def seen_in_lakehouse(connections: ApiConnections, state: ConnectionState) -> Look:
    """What the Lakehouse tells, where it can be asked: the external id may be another one by now.

    Raises what asking it raises.
    """
    if connections.reach.lakehouse_settings is None:
        return Look(state)
    [seen] = await connections.look([state])
    if seen.error is not None:
        raise seen.error
    return seen


def trust_form(seen: Look) -> Form[Change]:
    """Takes the trust policy as it is now, and compares it with what is wanted by what the Lakehouse has told."""
    state = replace(seen.state, external_id=seen.external_id or seen.state.external_id)

    async def submit(values: Values) -> Change:
        change = plan_verified(state, read_pasted_trust(values["trust"]))
        if not seen.differences:
            return change
        return replace(change, steps=(*plan_recording([seen]).steps, *change.steps))

    async def preview(values: Values) -> str:
        return _or_nothing(lambda: "\n".join(trust_differences(state, values["trust"])), values["trust"])

    field = Field("trust", "Trust policy", kind="lines", required=True, height=PASTED_LINES,
                  hint="The JSON of the console, or the answer of the cloud's tool to GetRole.")  # fmt: skip
    return Form(
        f"The trust policy of {one_line(documents_of(state).role, 60)}", (field,), submit, preview,
        preview_title="Compared with what is wanted:",
    )  # fmt: skip


def trust_differences(state: ConnectionState, text: str) -> list[str]:
    """What a pasted trust policy says otherwise than is wanted, as lines of a preview."""
    differences = documents_differ(documents_of(state).trust, read_pasted_trust(text))
    return [f"! {words}" for words in differences] or ["It is as wanted."]


def _or_nothing(read: Callable[[], str], text: str) -> str:
    """What is read while something is pasted; what cannot be read is told when it is sent."""
    try:
        return read() if text.strip() else ""
    except HousekeysError:
        return ""
