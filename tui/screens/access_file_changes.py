"""Changes of files about access in the console: the one road without a server, and files that others edit too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from core.changes import FileStep
from core.confirmation import confirmation_on_this_machine
from core.read_only import resolve_configuration_read_only
from tui.screens.profile_changes import ProfileChanges, ProfileChangeScreen
from tui.screens.profile_rows import short
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.changes import Change
    from core.configuring import Configuration
    from core.errors import HousekeysError
    from core.running.report import Report
    from tui.screens.change import Run

Look = Callable[[], Sequence[Line]]  # what is in the file now otherwise than when it was read; in a thread


class FileChanges(ProfileChanges):
    """Takes changes of files down the one road, for a screen; they are recorded in the journal of this machine."""

    def why_not(self) -> str:
        start, preferences = self._console.start, self._console.connection.profile_file.preferences
        mode = resolve_configuration_read_only(start.read_only, preferences)
        return f"Read-only ({mode.reason}): no file can be written." if mode.active else ""

    def page_for(self, change: Change, run: Run, *, hands_conflict_back: bool = False) -> ProfileChangeScreen:
        paths = [step.path for step in change.steps if isinstance(step, FileStep)]
        where = short(str(paths[-1])) if paths else "this machine"
        page = ProfileChangeScreen(change, confirmation_on_this_machine(change), run, where=where)
        page.hands_conflict_back = hands_conflict_back
        return page

    def carry_out(
        self, make: Callable[[], Awaitable[Change]], then: Callable[[Report], object], look: Look | None = None
    ) -> None:
        """Plan a change in a worker, preview it, run it; `look` tells what somebody else wrote in between."""

        async def plan() -> tuple[Configuration, Change]:
            change = await make()
            return await self.open(), change

        def preview(found: tuple[Configuration, Change]) -> None:
            configuration, change = found
            if not change.steps:
                self._screen.tell(" ".join((f"{change.title}.", *change.consequences)))
                return
            page = self.page_for(change, configuration.runner.run, hands_conflict_back=look is not None)

            def closed(report: Report | None) -> None:
                if page.conflict is not None and look is not None:
                    self._tell_conflict(page.conflict, look)
                elif report is not None:
                    then(report)

            self._screen.app.push_screen(page, closed)

        self._screen.work("plan", plan, preview)

    def _tell_conflict(self, error: HousekeysError, look: Look) -> None:
        """Show what somebody else has written meanwhile; nothing of theirs is lost."""

        async def read() -> Sequence[Line]:
            return await asyncio.to_thread(look)

        def ask(lines: Sequence[Line]) -> None:
            from tui.screens.question import QuestionScreen

            path = getattr(error, "path", None)
            heading = error.message if path is None else f"{short(str(path))} was changed since it was read."
            shown = [Line(heading, style="heading"), Line("Nothing was written. This is what changed:"), Line()]
            page = QuestionScreen("Changed by someone else", [*shown, *lines], yes="Read it again", no="Back")
            self._screen.app.push_screen(page, lambda again: self._screen.refresh_rows() if again else None)

        self._screen.work("conflict", read, ask)
