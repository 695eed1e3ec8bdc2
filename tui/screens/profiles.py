"""The profiles: list, add, edit, copy, test, remove, and open one."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.display import one_line
from core.errors import HousekeysError
from core.profiles import ChangedOnDiskError, Problem, Profile, ProfileFile, load
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.profile_form import fields_for, profile_from
from tui.screens.profile_rows import COLUMNS, ProfileRow, capability_lines, diff_style, difference, short, summary_lines
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line
from tui.widgets.state import failure_lines

if TYPE_CHECKING:
    from core.clickhouse.capabilities import Capabilities


TEST_MODULES = ("core.clickhouse.connecting", "core.clickhouse.capabilities")  # imported for a test only


class ProfilesScreen(EntityScreen[ProfileRow]):
    """Works without a connection."""

    SCREEN_ID = "profiles"
    TITLE_WORDS = "Profiles"
    NOUN = ("profile", "profiles")
    NEEDS_SESSION = False
    TABS = ("Summary", "Test")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("profiles.connect", "connect", "c", "connect_to", "Open this profile.", needs_row=True),
        Command("profiles.test", "test", "t", "test", "Connect once: version, user, what it may do, latency.",
                needs_row=True),
        Command("profiles.new", "new", "n", "new", "Add a profile."),
        Command("profiles.edit", "edit", "e", "edit", "Edit this profile.", needs_row=True),
        Command("profiles.copy", "copy", "C", "duplicate", "Add a profile that begins as a copy of this one.",
                needs_row=True, footer=False),
        Command("profiles.rename", "rename", "m", "rename", "Give this profile another name; data and keys stay.",
                needs_row=True, footer=False),
        Command("profiles.remove", "remove", "x", "remove_profile", "Remove it from the file; its data stays.",
                needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
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
        return f"! {short(str(general[0]))}" if general else super().banner()

    @property
    def _general(self) -> list[Problem]:
        """The problems of the file that belong to no profile."""
        return [problem for problem in self.file.problems if problem.profile is None]

    def summary(self, row: ProfileRow) -> Sequence[Line]:
        return summary_lines(row, self._general, self.console.start.paths)

    async def read_tab(self, row: ProfileRow, name: str) -> Sequence[Line]:
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

        async def probe() -> Capabilities:
            modules = await asyncio.to_thread(lambda: [importlib.import_module(name) for name in TEST_MODULES])
            connecting, capabilities = modules
            if session is not None and session.profile == profile:
                answer: Capabilities = await capabilities.probe(
                    session.engine, database=profile.database, cluster=profile.cluster
                )
                return answer
            # Not read-only: what the user may do is what is asked. Nothing but questions is sent.
            engine = await connecting.connect(
                profile, console.start.paths, read_only=False, prompt=console.prompt_secret
            )
            try:
                answer = await capabilities.probe(engine, database=profile.database, cluster=profile.cluster)
                return answer
            finally:
                await engine.close()

        self.work(
            f"test {name}",
            probe,
            lambda found: self._has_tested(profile, found),
            lambda error: self._failed(name, error),
        )

    def _has_tested(self, profile: Profile, found: Capabilities) -> None:
        self._tested[profile.name] = f"{found.version}, {found.latency_seconds * 1000:.0f} ms"
        self._tests[profile.name] = capability_lines(found, profile.database)
        self._show_test(profile.name)

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
            return difference(file, await plan(values))

        fields = fields_for(before, file, new=new)
        self.ask(Form(title, fields, plan, preview, button="Save", preview_title="In the file:"), self._save)

    def rename(self) -> None:
        from tui.screens.form import Form

        row, file, paths = self.current, self.file, self.console.start.paths
        if row is None or row.profile is None:
            return

        async def submit(values: Values) -> ProfileFile:
            from core.profiles.renaming import rename

            return await asyncio.to_thread(rename, file, row.name, values["name"], paths)

        field = Field("name", "New name", row.name, required=True)
        if row.name == self.console.connection.profile_name and self.session is not None:
            self.tell("It is open: connect to another profile first.", "warning")
            return
        self.ask(Form(f"Rename profile {row.name}", (field,), submit, button="Rename"), self._saved)

    def remove_profile(self) -> None:
        from tui.screens.question import QuestionScreen

        row, file = self.current, self.file
        if row is None:
            return
        if row.name not in file.lines:
            self.tell("The built-in profile needs no file and cannot be removed.", "warning")
            return

        async def plan() -> ProfileFile:
            return await asyncio.to_thread(file.without, row.name)

        def ask(edited: ProfileFile) -> None:
            lines = [
                Line(f"Remove profile {row.name}", style="heading"),
                Line("Only these lines of the file go. Data, keys and the journal stay where they are."),
                Line(),
                *(Line(line, style="accent") for line in difference(file, edited).split("\n")),
            ]

            def answered(sure: bool | None) -> None:
                if sure:
                    self._save(edited)

            self.app.push_screen(QuestionScreen("Remove?", lines, yes="Remove"), answered)

        self.work("plan", plan, ask)

    # -- saving

    def _save(self, edited: ProfileFile, over: str | None = None) -> None:
        async def save() -> ProfileFile:
            return await asyncio.to_thread(lambda: edited.save(over=over))

        self.work("save", save, self._saved, lambda error: self._not_saved(edited, error))

    def _saved(self, file: ProfileFile) -> None:
        self.console.connection.profile_file = file
        self.tell(f"Saved in {one_line(str(file.path))}")
        self.refresh_rows()
        self.show_frame()

    def _not_saved(self, edited: ProfileFile, error: HousekeysError) -> None:
        if not isinstance(error, ChangedOnDiskError):
            self.show_error(error)
            return
        from tui.screens.question import QuestionScreen

        lines = [
            Line(error.message, style="heading"),
            Line("Saving over it would change what is there like this:"),
            Line(),
            *(Line(line, style=diff_style(line)) for line in error.diff.split("\n")),
        ]
        found = error.found

        def answered(sure: bool | None) -> None:
            if sure:
                self._save(edited, over=found)
            else:
                self.refresh_rows()

        page = QuestionScreen("Changed by someone else", lines, yes="Save over it", no="Read it again")
        self.app.push_screen(page, answered)
