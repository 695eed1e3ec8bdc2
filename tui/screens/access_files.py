"""Access files: a script of SQL or a `users.xml`, read, judged, converted, compared, applied and edited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import one_line
from core.errors import RefusedError
from tui.commands import Command
from tui.screens.access_file_changes import FileChanges
from tui.screens.access_file_rows import COLUMNS, FileRow, OpenFile, notice_lines, rows_of, summary_lines
from tui.screens.base import Undo
from tui.screens.entity import EntityScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.access.access_model import AccessModel, EntityKey
    from core.access.lint.findings import Finding
    from core.access_changes.present import PresentAccess
    from core.changes import Change
    from core.running.report import Report
    from core.session import Session
    from tui.screens.access_file_forms import Writing
    from tui.screens.access_reading import Proposal

REMEMBERED = "access file"  # the place of the path among what the console shares, for this run
_OF_FILES = frozenset({"files.convert", "files.fix", "files.drop", "files.rename", "files.take"})  # change no server
_EDITS = _OF_FILES - {"files.convert"}
_NO_FILE = "No file is open: press o."


class AccessFilesScreen(EntityScreen[FileRow]):
    """The entities of one file. Reading, converting and editing need no connection."""

    SCREEN_ID = "access-files"
    TITLE_WORDS = "Access files"
    NOUN = ("entity", "entities")
    NEEDS_SESSION = False
    TABS = ("Summary", "Effective", "SQL", "XML", "Origin")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("files.open", "open", "o", "open_file", "Open a users.xml, a folder with one, or a script of SQL."),
        Command("files.lint", "lint", "l", "show_findings", "List all that is wrong, with explanation and fix."),
        Command("files.convert", "convert", "v", "convert", "Write it as SQL or users.xml; what is lost is shown.",
                modifies=True),
        Command("files.compare", "compare", "c", "compare_with_server", "Compare it with the connected server.",
                needs_session=True),
        Command("files.apply", "apply", "a", "apply", "Make the server hold what the file says, at least or exactly.",
                modifies=True),
        Command("files.fix", "fix", "f", "fix", "Write a fix of lint into the file, after a preview.", modifies=True,
                needs_row=True),
        Command("files.drop", "drop", "x", "drop", "Take it, or those marked, out of the file.", modifies=True,
                needs_row=True),
        Command("files.rename", "rename", "m", "change_name", "Give it another name in the file.", modifies=True,
                needs_row=True, footer=False),
        Command("files.take", "take from the server", "t", "take", "Take an entity from the server into the file.",
                modifies=True, footer=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._file: OpenFile | None = None
        self._changes = FileChanges(self)
        self._undo_on_server = False  # the last change that was run here is one of the server

    # -- what is shown

    @property
    def file(self) -> OpenFile:
        """The open file. Raises RefusedError when there is none."""
        if self._file is None:
            raise RefusedError(_NO_FILE)
        return self._file

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: FileRow) -> str:
        return f"{row.kind} {row.name}"

    async def fetch(self) -> Sequence[FileRow]:
        await self._changes.catch_up()
        path: Path | None = self.console.shared.get(REMEMBERED)
        if path is None:
            return []
        self._file = None
        self._file = file = await self._read(path)
        return await asyncio.to_thread(rows_of, file)

    async def _read(self, path: Path) -> OpenFile:
        from tui.screens.access_file_rows import read_file

        return await asyncio.to_thread(read_file, path, self.now())

    def summary(self, row: FileRow) -> Sequence[Line]:
        return summary_lines(row, self.file, self.now())

    async def read_tab(self, row: FileRow, name: str) -> Sequence[Line]:
        from tui.screens import access_file_rows as tabs

        file = self.file
        if name == "Effective":
            return await asyncio.to_thread(tabs.effective_lines, row, file, self.now())
        return await asyncio.to_thread(
            {"SQL": tabs.sql_lines, "XML": tabs.xml_lines, "Origin": tabs.problem_lines}[name], row, file
        )

    def empty(self) -> tuple[str, str]:
        if self._file is None:
            return "No file is open.", (
                "Press o to open a users.xml, a folder with one (users.d is read as well), or a script of SQL."
            )
        return "There is nothing about access in this file.", (
            "Press t to take an entity from the server into it, or o to open another one."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        if self._file is None:
            return left[:1], right
        file = self._file
        return [left[0], Piece(one_line(file.path.name, 60), "bold $accent"), Piece(str(file.format), "$muted"),
                *left[1:]], right  # fmt: skip

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            self.query_one(Notice).say(notice_lines(self._file))

    def banner(self) -> str:
        return self._changes.banner() or super().banner()

    def commands(self) -> tuple[Command, ...]:
        return tuple(command for command in super().commands() if command.id != "rows.sort")  # o opens a file here

    def why_not(self, command: Command) -> str:
        mine = command.id.startswith("files.") and command.id != "files.open"
        if mine and self._file is None:
            return _NO_FILE
        if command.id in _OF_FILES:
            reason = self._changes.why_not() or (self._why_not_edited() if command.id in _EDITS else "")
            if reason:
                return reason
            if command.id == "files.take" and self.session is None:
                return "Not connected: there is no server to take it from."
            if command.id == "files.fix" and not self._fixes():
                return "Lint has no fix for this one: l lists all that it finds."
            command = replace(command, modifies=False)  # no session has a say in it
        elif command.id == "files.apply" and self._file is not None and self._file.opened.file.errors:
            return "The file has errors: l lists them."
        return super().why_not(command)

    def _why_not_edited(self) -> str:
        return "The file has errors: correct them first (l lists them)." if self.file.opened.file.errors else ""

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # what can be done depends on the row

    # -- opening and looking

    def open_file(self) -> None:
        from tui.screens.access_file_forms import open_form

        path: Path | None = self.console.shared.get(REMEMBERED)

        def opened(file: OpenFile) -> None:
            self.console.shared[REMEMBERED] = file.path
            self.table.marks.clear()
            self.refresh_rows()

        self.ask(open_form("" if path is None else str(path), self._read), opened)

    def show_findings(self) -> None:
        from tui.screens.access_file_findings import FindingsScreen

        reason = self._changes.why_not() or self._why_not_edited()
        self.app.push_screen(FindingsScreen(self.file, reason, self._fix))

    def compare_with_server(self) -> None:
        from tui.screens.compare_sides import SHARED_SIDES, Side, SideKind

        path = self.file.path
        self.console.shared[SHARED_SIDES] = (Side(SideKind.CONNECTED), Side(SideKind.FILE, str(path)))
        self.console.go("compare")

    # -- what changes no server

    def convert(self) -> None:
        from core.access_reports.files import Format
        from tui.screens.access_file_forms import convert_form

        file = self.file
        to = Format.XML if file.format is Format.SQL else Format.SQL
        path = Path.cwd() / ("users.xml" if to is Format.XML else f"{file.path.stem or 'access'}.sql")
        self.ask(convert_form(file, to, path), self._write)

    def _write(self, writing: Writing) -> None:
        async def make() -> Change:
            return writing.change

        self._changes.carry_out(make, self._written)

    def _written(self, report: Report) -> None:
        self._undo_on_server = False
        self.refresh_rows()

    def _edit(self, words: str, edit: Callable[[AccessModel], AccessModel]) -> None:
        """Take an edit of the file down the one road."""
        from core.access_changes.file_edits import differing_text, plan_edit
        from tui.screens.profile_rows import diff_style

        opened, moment = self.file.opened, self.now()

        async def make() -> Change:
            return await asyncio.to_thread(lambda: plan_edit(opened, edit(opened.file.model), words, moment))

        def look() -> list[Line]:
            texts = [differing_text(source, opened.file.format) for source in opened.sources]
            return [Line(line, style=diff_style(line)) for text in texts if text for line in text.split("\n")]

        self._changes.carry_out(make, self._edited, look)

    def _edited(self, report: Report) -> None:
        self._undo_on_server = False
        self.table.marks.clear()
        self.refresh_rows()

    def drop(self) -> None:
        from core.access.model_changes import without_entities
        from core.access.planning.plan import title

        keys = [row.key for row in self.chosen]
        what = title(keys[0]) if len(keys) == 1 else f"{len(keys):,} entities"
        self._edit(f"Drop {one_line(what, 60)} from {self._called}", lambda model: without_entities(model, keys))

    def change_name(self) -> None:
        from core.access.model_changes import with_renamed
        from core.access.planning.plan import title
        from tui.screens.access_file_forms import rename_entity_form

        row = self.current
        if row is None:
            return
        key = row.key
        old = key.name if isinstance(key.name, str) else key.name.short

        def rename(name: str) -> None:
            words = f"Rename {one_line(title(key), 60)} to {one_line(name, 60)} in {self._called}"
            self._edit(words, lambda model: with_renamed(model, key, name))

        self.ask(rename_entity_form(key, old), rename)

    @property
    def _called(self) -> str:
        return one_line(self.file.path.name, 60)

    def _fixes(self) -> list[Finding]:
        row = self.current
        return [] if row is None else [found for found in row.findings if found.fix is not None]

    def fix(self) -> None:
        """The only fix of the row at once; of several, one is chosen."""
        from tui.screens.chooser import ChooserScreen, Option

        fixes = self._fixes()
        if len(fixes) == 1:
            self._fix(fixes[0])
            return
        options = [Option(str(place), found.fix.title if found.fix else "") for place, found in enumerate(fixes)]

        def chosen(place: str | None) -> None:
            if place is not None:
                self._fix(fixes[int(place)])

        self.app.push_screen(ChooserScreen("fix ", "type a word of it", options), chosen)

    def _fix(self, finding: Finding) -> None:
        fix = finding.fix
        if fix is not None:
            self._edit(f"{one_line(fix.title, 100)} in {self._called}", fix.apply)

    # -- the server

    def take(self) -> None:
        """Choose an entity of the server, and put it into the file as it is there."""
        from tui.screens.access_file_rows import not_in_file
        from tui.screens.access_reading import read_present
        from tui.screens.chooser import ChooserScreen, Option

        session, model = self.open_session(), self.file.desired

        async def read() -> tuple[AccessModel, list[tuple[EntityKey, str, str]]]:
            server = (await read_present(session)).beside_built_in()
            return server, await asyncio.to_thread(not_in_file, server, model)

        def choose(found: tuple[AccessModel, list[tuple[EntityKey, str, str]]]) -> None:
            server, offered = found
            if not offered:
                self.tell("The file has all of the server, and has it as it is there.")
                return
            options = [Option(str(place), name, "", words) for place, (_, name, words) in enumerate(offered)]

            def chosen(place: str | None) -> None:
                if place is not None:
                    self._take(server, offered[int(place)][0])

            self.app.push_screen(ChooserScreen("take ", "type a name", options), chosen)

        self.work("plan", read, choose)

    def _take(self, server: AccessModel, key: EntityKey) -> None:
        from core.access.planning.plan import title
        from core.access_reports.comparing import taken_over

        words = f"Take {one_line(title(key), 60)} from the server into {self._called}"
        self._edit(words, lambda model: taken_over(model, server, [key]))

    def apply(self) -> None:
        from core.access_changes.as_written import as_written
        from tui.screens.access_file_forms import apply_form
        from tui.screens.access_reading import read_present

        session, file = self.open_session(), self.file

        async def read() -> tuple[PresentAccess, AccessModel]:
            desired = await as_written(session.engine, file.desired)
            return await read_present(session), desired

        def run(proposal: Proposal) -> None:
            self.carry_out(proposal.change, lambda report: self._applied(session, proposal, report))

        self.ask(apply_form(file, read, session.capabilities.user), run)

    def _applied(self, session: Session, proposal: Proposal, report: Report) -> None:
        from tui.screens.access_reading import tell_surprise

        self._undo_on_server = True
        tell_surprise(self, session, proposal, report)

    def undo_here(self) -> Undo | None:
        """The last change of files; but what was done to the server last comes first."""
        elsewhere = not self._changes.waiting and any(not item.running for item in self.console.unfinished)
        if self._undo_on_server or elsewhere:
            return None
        return Undo(self._changes.why_not(), self._changes.take_back)
