"""Looking at connections on both sides: what was found, and recording it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import count, one_line
from core.errors import HousekeysError
from core.lakehouse.looking import Look, plan_recording
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView, fact
from tui.widgets.state import failure_lines, waiting_lines

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.api_connections import ApiConnections
    from core.lakehouse.state import ConnectionState
    from core.running.report import Report


class LooksScreen(ConsoleScreen[None]):
    """Looks at `states` and shows what is there. Recording it is a change like any other."""

    ACTIONS = (
        Command("looks.record", "record", "enter", "record", "Record what was seen, for everybody.", modifies=True,
                needs_row=True),
        Command("looks.paste", "paste", "p", "paste_trust",
                "Compare the trust policy as you copied it, where the cloud is done by hand.", needs_row=True),
        Command("looks.copy", "copy", "y", "copy_lines", "Copy what was found.", needs_row=True),
        Command("looks.again", "look again", "r", "look", "Look at them once more."),
        Command("looks.back", "back", "escape", "close", "Back to the list."),
    )  # fmt: skip
    CSS = "#looks { margin: 1 0 0 0; max-width: 120; }"

    def __init__(self, connections: ApiConnections, states: Sequence[ConnectionState]) -> None:
        super().__init__()
        self._connections = connections
        self._states = tuple(states)
        self._looks: Sequence[Look] | None = None

    def content(self) -> ComposeResult:
        yield LinesView(id="looks", left=2)

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()
        self.look()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        title = (
            one_line(self._states[0].name, 60) if len(self._states) == 1 else f"{count(len(self._states))} connections"
        )
        return [Piece("API connections", "$muted"), Piece("/", "$muted"), Piece(f"Verify {title}", "bold")], []

    def has_row(self) -> bool:
        return self._looks is not None

    def why_not(self, command: Command) -> str:
        if command.id == "looks.record" and self._looks is not None and not plan_recording(self._looks).steps:
            return "Nothing could be seen that would be recorded."
        if command.id == "looks.paste" and self._looks is not None and self._unseen_in_cloud is None:
            return "The cloud was looked at, several were, or the external id is not known yet."
        return super().why_not(command)

    @property
    def _unseen_in_cloud(self) -> Look | None:
        """The one look, when its connection is done by hand in the cloud and can be judged."""
        looks = self._looks or ()
        if len(looks) != 1 or looks[0].trusted_id is not None or looks[0].error is not None:
            return None
        return looks[0] if looks[0].external_id or looks[0].state.external_id else None

    def look(self) -> None:
        """Look at them, in a worker."""
        self._looks = None
        many = "the connection" if len(self._states) == 1 else f"{count(len(self._states))} connections"
        self.query_one(LinesView).show(waiting_lines(f"Looking at {many} in the cloud and in the Lakehouse …"))
        self.show_frame()
        self.work("look", lambda: self._connections.look(self._states), self._seen, self._failed)

    def _seen(self, looks: Sequence[Look]) -> None:
        self._looks = looks
        self.query_one(LinesView).show(look_lines(looks))
        self.show_frame()

    def _failed(self, error: HousekeysError) -> None:
        self.query_one(LinesView).show(failure_lines(error, "Press r to look again."))

    def record(self) -> None:
        if self._looks is not None:
            self._carry_out(plan_recording(self._looks))

    def _carry_out(self, change: Change) -> None:
        def recorded(report: Report) -> None:
            if report.succeeded:
                self.dismiss(None)

        self.console.carry_out(change, recorded)

    def paste_trust(self) -> None:
        from tui.screens.connection_tasks import trust_form

        look = self._unseen_in_cloud
        if look is not None:
            self.console.ask(trust_form(look), self._carry_out)

    def copy_lines(self) -> None:
        self.console.copy(self.query_one(LinesView).plain, "what was found")

    def close(self) -> None:
        self.dismiss(None)


def look_lines(looks: Sequence[Look]) -> list[Line]:
    """How many are as wanted, then each, those with something to say first."""
    lines: list[Line] = [Line(_sum(looks), style="heading")]
    for look in sorted(looks, key=_calmness):
        lines += [Line(), *_lines_of(look)]
    return lines


def _sum(looks: Sequence[Look]) -> str:
    good = sum(_calmness(look) == 3 for look in looks)
    differing = sum(_calmness(look) == 0 for look in looks)
    words = [f"{count(good)} of {count(len(looks))} as wanted"]
    words += [f"{count(differing)} otherwise"] if differing else []
    words += [f"{count(unseen)} could not be seen"] if (unseen := sum(not look.seen for look in looks)) else []
    return f"{', '.join(words)}."


def _calmness(look: Look) -> int:
    if look.seen and look.differences and not look.not_begun:
        return 0
    if not look.seen:
        return 1
    return 2 if look.not_begun else 3


def _lines_of(look: Look) -> list[Line]:
    name = look.state.name
    if look.error is not None:
        return [Line(f"? {name} could not be seen", style="warning"), *_indented(failure_lines(look.error, ""))]
    if not look.seen:
        words = "  Both sides are done by hand. Press v on it alone to paste its trust policy."
        return [Line(f"? {name} cannot be looked at from here", style="warning"), Line(words, style="muted")]
    if look.not_begun:
        return [Line(f"- {name} is not there yet", style="muted"), Line("  Press s on it to go on.", style="muted")]
    sides = _side_words(look)
    if not look.differences:
        return [Line(f"✓ {name} is as wanted", style="success"), *sides]
    return [
        Line(f"! {name} is otherwise", style="warning"),
        *(fact(" " if index else "found", words, "warning") for index, words in enumerate(look.differences)),
        *sides,
    ]


def _side_words(look: Look) -> list[Line]:
    if look.trusted_id is None:
        words = "  Its cloud is done by hand. Looked at alone (v), its trust policy can be pasted and compared (p)."
        return [Line(words, style="muted")]
    if look.external_id is None:
        return [Line("  The Lakehouse was not asked: the profile names none.", style="muted")]
    return []


def _indented(lines: Sequence[Line]) -> list[Line]:
    return [Line(f"  {line.text}", style=line.style) for line in lines if line.text]
