"""The profiles: list, add, edit, copy, test, remove, and open one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.display import one_line
from core.errors import HousekeysError
from core.profiles import Problem, Profile, ProfileFile, load
from tui.commands import Command
from tui.screens.base import Undo
from tui.screens.entity import EntityScreen
from tui.screens.profile_changes import Edit, ProfileChanges
from tui.screens.profile_form import fields_for, profile_from
from tui.screens.profile_rows import COLUMNS, ProfileRow, changed_lines, short, summary_lines
from tui.screens.profile_testing import Tested, run_test
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line
from tui.widgets.state import failure_lines

if TYPE_CHECKING:
    from core.running.report import Report


class ProfilesScreen(EntityScreen[ProfileRow]):
    """Works without a connection, and so do its changes."""

    SCREEN_ID = "profiles"
    TITLE_WORDS = "Profiles"
    NOUN = ("profile", "profiles")
    SUBJECT_KIND = "profile"
    NEEDS_SESSION = False
    TABS = ("Summary", "Test", "History")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("profiles.connect", "connect", "c", "connect_to", "Open this profile.", needs_row=True),
        Command("profiles.test", "test", "t", "test", "Connect once: version, user, what it may do, latency.",
                needs_row=True),
        Command("profiles.new", "new", "n", "new", "Add a profile.", modifies=True),
        Command("profiles.edit", "edit", "e", "edit", "Edit this profile.", modifies=True, needs_row=True),
        Command("profiles.copy", "copy", "C", "duplicate", "Add a profile that begins as a copy of this one.",
                modifies=True, needs_row=True, footer=False),
        Command("profiles.rename", "rename", "m", "rename", "Give this profile another name; data and keys stay.",
                modifies=True, needs_row=True, footer=False),
        Command("profiles.remove", "remove", "x", "remove_profile", "Remove it from the file; its data stays.",
                modifies=True, needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._changes = ProfileChanges(self)
        self._tests: dict[str, Sequence[Line]] = {}
        self._tested: dict[str, str] = {}

    # -- what is shown

    @property
    def file(self) -> ProfileFile:
        """The file as it was last read or saved."""
        return self.console.connection.profile_file

    def key(self, row: ProfileRow) -> str:
        return row.name

    async def fetch(self) -> Sequence[ProfileRow]:
        file = self.console.connection.profile_file
        fresh = await asyncio.to_thread(load, file.path)
        if fresh.origin != file.origin or fresh.problems != file.problems:
            file = self.console.connection.profile_file = fresh
        await self._changes.catch_up()
        return [self._row(file, name) for name in file.names]

    def _row(self, file: ProfileFile, name: str) -> ProfileRow:
        return ProfileRow(
            name,
            file.profiles.get(name),
            file.problems_of(name),
            file.profile_origin(name),
            self._state(file, name),
            self._tested.get(name, ""),
        )

    def _state(self, file: ProfileFile, name: str) -> str:
        connection = self.console.connection
        if name == connection.profile_name and connection.status != "closed":
            return {"opening": "connecting", "open": "open", "failed": "not connected"}[connection.status]
        return "" if name in file.profiles else "broken"

    def banner(self) -> str:
        general = self._general
        return f"! {short(str(general[0]))}" if general else self._changes.banner() or super().banner()

    def why_not(self, command: Command) -> str:
        if command.modifies and command in self.commands():
            if reason := self._changes.why_not():
                return reason
            command = replace(command, modifies=False)  # no session has a say in it
        return super().why_not(command)

    @property
    def _general(self) -> list[Problem]:
        """The problems of the file that belong to no profile."""
        return [problem for problem in self.file.problems if problem.profile is None]

    def summary(self, row: ProfileRow) -> Sequence[Line]:
        return summary_lines(row, self._general, self.console.start.paths)

    async def read_tab(self, row: ProfileRow, name: str) -> Sequence[Line]:
        if name == "History":
            return await self._changes.history(row.name)
        return self._tests.get(row.name, (Line("Not tested yet. Press t to connect once.", style="muted"),))

    # -- opening and testing

    def connect_to(self) -> None:
        row = self.current
        if row is None:
            return
        if row.profile is None:
            self.tell(f"{one_line(row.name)} cannot be opened: {row.problems[0].message}", "warning")
        elif self.console.running_change is not None:
            self.tell("A change is running.", "warning")
        else:
            self.console.connect(row.name)

    def test(self) -> None:
        """Connect to the profile once, beside the open session."""
        row = self.current
        if row is None or row.profile is None:
            return
        name = row.name
        self._tests[name] = (Line("Connecting …", style="muted"),)
        self._tested[name] = "testing …"
        self.refresh_rows()

        profile, session, console = row.profile, self.session, self.console
        self.work(
            f"test {name}",
            lambda: run_test(profile, session, console.start.paths, console.prompt_secret),
            self._has_tested,
            lambda error: self._failed(name, error),
        )

    def _has_tested(self, tested: Tested) -> None:
        name = tested.profile.name
        self._tested[name] = tested.summary
        self._tests[name] = tested.lines
        self._show_test(name)

    def _failed(self, name: str, error: HousekeysError) -> None:
        self._tested[name] = "failed"
        self._tests[name] = failure_lines(error, "Press t to try again.")
        self._show_test(name)

    def _show_test(self, name: str) -> None:
        if self.is_current:
            self.refresh_rows()
            if self.current is not None and self.current.name == name:
                self.show_tab("Test")

    # -- editing

    def new(self) -> None:
        """Add a server, which is what profiles are mostly for."""
        self._edit("New profile", Profile("", user="default"), new=True)

    def edit(self) -> None:
        row = self.current
        if row is not None and row.profile is not None:
            self._edit(f"Edit profile {row.name}", row.profile, new=False)
        elif row is not None:
            self.tell(f"Correct it in the file first: {row.origin}", "warning")

    def duplicate(self) -> None:
        row = self.current
        if row is not None and row.profile is not None:
            self._edit(f"Copy of profile {row.name}", replace(row.profile, name=f"{row.name}-copy"), new=True)

    def _edit(self, title: str, before: Profile, *, new: bool) -> None:
        from tui.screens.form import Form

        file = self.file

        async def plan(values: Values) -> ProfileFile:
            return await asyncio.to_thread(lambda: file.with_profile(profile_from(values, before)))

        async def preview(values: Values) -> str:
            return changed_lines(file, await plan(values))

        fields = fields_for(before, file, new=new)
        form = Form(title, fields, plan, preview, preview_title="In the file:")
        self.ask(form, lambda after: self._changes.save(Edit(file, after)))

    def rename(self) -> None:
        from tui.screens.form import Form

        row, file, paths = self.current, self.file, self.console.start.paths
        if row is None or row.profile is None:
            return
        if row.name == self.console.connection.profile_name and self.session is not None:
            self.tell("It is open: connect to another profile first.", "warning")
            return
        old = row.name

        async def submit(values: Values) -> Edit:
            from core.profiles.renaming import renamed

            after = await asyncio.to_thread(renamed, file, old, values["name"], paths)
            return Edit(file, after, (old, values["name"]))

        field = Field("name", "New name", old, required=True)
        self.ask(
            Form(f"Rename profile {old}", (field,), submit), lambda edit: self._changes.save(edit, self._renamed(edit))
        )

    def _renamed(self, edit: Edit) -> Callable[[Report], None]:
        """Keep the console on the profile it was to open, under its new name."""

        def follow(report: Report) -> None:
            connection, names = self.console.connection, edit.names
            if names is not None and report.count("done") and connection.profile_name == names[0]:
                connection.profile_name = names[1]

        return follow

    def remove_profile(self) -> None:
        row, file = self.current, self.file
        if row is None:
            return
        if row.name not in file.lines:
            self.tell("The built-in profile needs no file and cannot be removed.", "warning")
            return

        async def plan() -> Edit:
            return Edit(file, await asyncio.to_thread(file.without, row.name))

        self.work("edit", plan, self._changes.save)

    def undo_here(self) -> Undo | None:
        """The last change of the profiles; but what is unfinished elsewhere comes first, as its banner says."""
        if not self._changes.waiting and any(not item.running for item in self.console.unfinished):
            return None
        return Undo(self._changes.why_not(), self._changes.take_back)
