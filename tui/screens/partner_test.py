"""Testing partner connections for real, and what came of each test."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult

from core.display import count
from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line, LinesView, fact
from tui.widgets.state import failure_lines, waiting_lines

if TYPE_CHECKING:
    from core.partner.messages.responses import TestResult
    from core.partner.partner_connections import PartnerConnectionState
    from core.session import Session

_PASS: Final = "PASS"  # noqa: S105 - the word of the API


@dataclass(frozen=True, slots=True)
class Tested:
    """A partner connection and the outcome of each of its tests."""

    state: PartnerConnectionState
    results: Sequence[TestResult]

    @property
    def passed(self) -> bool:
        return all(result.status.value == _PASS for result in self.results)


class PartnerTestScreen(ConsoleScreen[None]):
    """Tests `states` one after the other. Nothing is altered; the sealing keys are opened as the profile says."""

    ACTIONS = (
        Command("partner_test.copy", "copy", "y", "copy_lines", "Copy what was found.", needs_row=True),
        Command("partner_test.again", "test again", "r", "test", "Test once more.", needs_session=True),
        Command("partner_test.back", "back", "escape", "close", "Back to the list."),
    )
    CSS = "#partner-tests { margin: 1 0 0 0; max-width: 120; }"

    def __init__(self, session: Session, states: Sequence[PartnerConnectionState]) -> None:
        super().__init__()
        self._session = session
        self._states = tuple(states)
        self._done = False

    def content(self) -> ComposeResult:
        yield LinesView(id="partner-tests", left=2)

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()
        self.test()

    def connection_changed(self) -> None:
        if self.session is not self._session and self.is_current:
            self.dismiss(None)  # what it shows is of another server
        else:
            super().connection_changed()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        first = self._states[0].connection.id
        title = f"Test {first if len(self._states) == 1 else f'{count(len(self._states))} of them'}"
        return [Piece("Partner connections", "$muted"), Piece("/", "$muted"), Piece(title, "bold")], []

    def has_row(self) -> bool:
        return self._done

    def test(self) -> None:
        """Test them, in a worker."""
        self._done = False
        self.query_one(LinesView).show(waiting_lines("Testing for real …"))
        self.show_frame()
        self.work("test", self._tested, self._show, self._failed)

    async def _tested(self) -> list[Tested]:
        parts = await asyncio.to_thread(importlib.import_module, "core.partner.serving_parts")  # it imports much
        session = self._session
        keys = await parts.open_sealing_keys(session.profile, session.paths, self.console.prompt_secret)
        return [
            Tested(state, await parts.try_connection(session.partner_ground, state, keys)) for state in self._states
        ]

    def _show(self, tested: Sequence[Tested]) -> None:
        self._done = True
        self.query_one(LinesView).show(tested_lines(tested))
        self.show_frame()

    def _failed(self, error: HousekeysError) -> None:
        self.query_one(LinesView).show(failure_lines(error, "Press r to test again."))

    def copy_lines(self) -> None:
        self.console.copy(self.query_one(LinesView).plain, "the outcome of the tests")

    def close(self) -> None:
        self.dismiss(None)


def tested_lines(tested: Sequence[Tested]) -> list[Line]:
    """What came of all tests; that of several connections with how many are well first."""
    lines: list[Line] = []
    if len(tested) > 1:
        passed = sum(each.passed for each in tested)
        lines += [Line(f"{count(passed)} of {count(len(tested))} pass every test.", style="heading"), Line()]
    for each in tested:
        connection = each.state.connection
        where = f"{connection.workspace.cloud_provider.value} {connection.workspace.workspace_id}"
        lines.append(Line(f"{each.state.account.domain}, {where} ({connection.id})", style="heading"))
        for result in each.results:
            style = "success" if result.status.value == _PASS else "error"
            lines.append(fact(result.status.value, result.test_name, style))
            lines += [fact(" ", result.message, "muted")] if result.message else []
        lines.append(Line())
    return lines[:-1]
