"""Changes of the profiles in the console: the one road without a connection, and a file that others edit too."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from core.changes import Danger
from core.confirmation import confirmation_on_this_machine
from core.display import one_line
from core.errors import HousekeysError
from core.profiles import ProfileFile, load
from core.profiles.differences import difference
from core.read_only import resolve_configuration_read_only
from tui.commands import Command
from tui.screens.change import ChangeScreen, Run
from tui.screens.new_rows import NewRows
from tui.screens.profile_rows import diff_style, short
from tui.screens.unfinished import UnfinishedScreen
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.changes import Change
    from core.configuring import Configuration
    from core.running.report import Report, Unfinished
    from core.running.runner import Runner
    from tui.app import HousekeysApp
    from tui.screens.entity import EntityScreen

Then = Callable[["Report"], object]


@dataclass(frozen=True, slots=True)
class Edit:
    """What leads from one content of the file to another; `names` are the old and the new one of a renamed profile."""

    before: ProfileFile
    after: ProfileFile
    names: tuple[str, str] | None = None


class ProfileChanges:
    """Takes the changes of the profiles down the one road, for their screen."""

    def __init__(self, screen: EntityScreen[Any]) -> None:
        self._screen = screen
        self.unfinished: tuple[Unfinished, ...] = ()
        self.configuration: Configuration | None = None  # of the latest look at what is unfinished

    @property
    def _console(self) -> HousekeysApp:
        return self._screen.console

    def why_not(self) -> str:
        """Why the profiles cannot be changed now, in words; empty when they can."""
        file = self._console.connection.profile_file
        if file.unread:
            return "The file cannot be edited before it can be read."
        mode = resolve_configuration_read_only(self._console.start.read_only, file.preferences)
        return f"Read-only ({mode.reason}): no profile can be changed." if mode.active else ""

    # -- for workers

    async def open(self) -> Configuration:
        """What changes of the profiles are run with."""
        start, preferences = self._console.start, self._console.connection.profile_file.preferences
        module = await asyncio.to_thread(importlib.import_module, "core.configuring")
        configuration: Configuration = module.Configuration.open(start.paths, preferences, read_only=start.read_only)
        return configuration

    async def catch_up(self) -> None:
        """Record what an earlier run could not, and see what it has left unfinished."""
        if not self._console.start.paths.configuration_changes.exists():
            self.unfinished = ()
            return
        self.configuration = await self.open()
        await self.configuration.send_unsent()
        self.look_again()

    async def history(self, name: str) -> Sequence[Line]:
        """What the journal of this machine has about a profile."""
        from tui.screens.history import history_lines

        return history_lines(await (await self.open()).journal.history("profile", name))

    # -- the road

    def save(self, edit: Edit, then: Then | None = None) -> None:
        """Preview what an edit changes in the file, and save it when that is confirmed."""
        self._plan(self.open, edit, then, at_once=False)

    def _plan(
        self, configuration: Callable[[], Awaitable[Configuration]], edit: Edit, then: Then | None, *, at_once: bool
    ) -> None:
        async def plan() -> tuple[Configuration, Change]:
            opened = await configuration()
            return opened, await asyncio.to_thread(self._change, edit)

        self._screen.work("plan", plan, lambda found: self._preview(*found, edit, then, at_once=at_once))

    def _change(self, edit: Edit) -> Change:
        from core.configuring import plan_edit, plan_rename

        if edit.names is None:
            return plan_edit(edit.before, edit.after)
        return plan_rename(edit.before, edit.after, *edit.names, self._console.start.paths)

    def _preview(
        self, configuration: Configuration, change: Change, edit: Edit, then: Then | None, *, at_once: bool
    ) -> None:
        if not change.steps:
            self._screen.tell(f"{change.title}.")
            return
        page = self.page_for(change, configuration.runner.run, hands_conflict_back=True)
        before = self._screen.table.keys

        def closed(report: Report | None) -> None:
            if page.conflict is not None:
                self._ask(configuration, page.conflict, edit, then)
                return
            if report is not None:
                self._screen.seek_new(NewRows.of(change, before))
                if then is not None:
                    then(report)

        self._screen.app.push_screen(page, closed)
        if at_once:
            page.call_after_refresh(page.confirm)

    def page_for(self, change: Change, run: Run, *, hands_conflict_back: bool = False) -> ProfileChangeScreen:
        """The page on which a change of the profiles is shown and run."""
        where = short(str(self._console.start.paths.config_file))
        page = ProfileChangeScreen(change, confirmation_on_this_machine(change), run, where=where)
        page.hands_conflict_back = hands_conflict_back
        return page

    def _ask(self, configuration: Configuration, error: HousekeysError, edit: Edit, then: Then | None) -> None:
        """Show what somebody else has saved meanwhile; the operator chooses which of the two stays."""

        async def look() -> ProfileFile:
            return await asyncio.to_thread(load, edit.before.path)

        async def opened() -> Configuration:
            return configuration  # what was allowed when this began

        def ask(found: ProfileFile) -> None:
            from tui.screens.question import QuestionScreen

            lines = [
                Line(error.message, style="heading"),
                Line("Saving over it would change what is there like this:"),
                Line(),
                *(Line(line, style=diff_style(line)) for line in difference(found.text, edit.after.text).split("\n")),
            ]

            def answered(sure: bool | None) -> None:
                if sure:
                    self._plan(opened, replace(edit, before=found), then, at_once=True)
                else:
                    self._screen.refresh_rows()

            page = QuestionScreen("Changed by someone else", lines, yes="Save over it", no="Read it again")
            self._screen.app.push_screen(page, answered)

        self._screen.work("conflict", look, ask)

    # -- taking back

    @property
    def waiting(self) -> list[Unfinished]:
        """What is unfinished and nobody is at work on."""
        return [item for item in self.unfinished if not item.running]

    def banner(self) -> str:
        """The line above the table when a change of the profiles is unfinished, else the empty string."""
        if not self.waiting:
            return ""
        words = "Unfinished (read-only)" if self.why_not() else "Unfinished, press U"
        return f"! {words}: {one_line(self.waiting[0].change.title)}"

    def look_again(self) -> None:
        """See what is unfinished now. Reads files only."""
        if self.configuration is not None:
            self.unfinished = tuple(self.configuration.runner.unfinished())

    def take_back(self) -> None:
        """What is unfinished comes first; then the last change of the profiles can be taken back."""
        if self.waiting:
            self._screen.app.push_screen(UnfinishedProfilesScreen(self), lambda _done: self._screen.refresh_rows())
            return

        async def plan() -> tuple[Configuration, Change]:
            configuration = await self.open()
            return configuration, await configuration.runner.last_undoable()

        def preview(found: tuple[Configuration, Change]) -> None:
            configuration, change = found
            self._screen.app.push_screen(self.page_for(change, configuration.runner.run))

        self._screen.work("plan", plan, preview)


class ProfileChangeScreen(ChangeScreen):
    """A change of the profiles. With `hands_conflict_back` it closes when the file is not the one that was read."""

    WORDS: ClassVar[Mapping[Danger, str]] = {
        Danger.ROUTINE: "only this file changes; ClickHouse is not touched",
        Danger.DISRUPTIVE: "lines of this file go; ClickHouse is not touched",
    }
    hands_conflict_back = False
    conflict: HousekeysError | None = None

    def leaves_to_others(self, error: HousekeysError) -> bool:
        from core.running.files import FileChangedError

        if self.hands_conflict_back and isinstance(error, FileChangedError):
            self.conflict = error
        return self.conflict is not None


class UnfinishedProfilesScreen(UnfinishedScreen):
    """The changes of the profiles that were begun and not ended."""

    def __init__(self, changes: ProfileChanges) -> None:
        super().__init__()
        self._changes = changes

    @property
    def found(self) -> Sequence[Unfinished]:
        return self._changes.unfinished

    @property
    def runner(self) -> Runner | None:
        return self._changes.configuration.runner if self._changes.configuration is not None else None

    def look_again(self) -> None:
        self._changes.look_again()

    def page_for(self, change: Change, run: Run) -> ChangeScreen:
        return self._changes.page_for(change, run)

    def why_not(self, command: Command) -> str:
        if command.modifies and (reason := self._changes.why_not()):
            return reason
        return super().why_not(replace(command, modifies=False))
