"""The editor of PartnerConfig files: what a partner tells Databricks about itself, and what its tests go by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult

from core.display import count, one_line
from core.errors import BadInputError, RefusedError
from tui.commands import Command
from tui.screens.access_file_changes import FileChanges
from tui.screens.base import Undo
from tui.screens.form import Form, FormScreen
from tui.screens.partner_config_fields import (
    NAMES,
    FileTexts,
    Judgement,
    content_of,
    field_of,
    form_fields,
    short_name,
    texts_of,
)
from tui.screens.partner_page import PartnerPage
from tui.screens.profile_rows import diff_style
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, fact
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.partner.messages.json_fields import FieldProblem
    from core.profiles.partner import PartnerPolicy
    from core.running.report import Report

REMEMBERED: Final = "PartnerConfig"  # the place of the open file among what the console shares, for this run
USUAL_NAME: Final = "partner.json"
_NO_FILE: Final = "No file is open: press o to open one, or n to make one of the profile."
_NO_POLICY: Final = "The profile says nothing of Partner Connect: add [profiles.NAME.partner] to it."


@dataclass(frozen=True, slots=True)
class OpenConfig:
    """A file that is open: as it was read (`content` is None: it is not there yet), and as it shall be."""

    path: Path
    content: bytes | None
    read: FileTexts
    texts: Mapping[str, str]

    @property
    def unsaved(self) -> bool:
        """Whether saving it would change something."""
        return self.content is None or self.edited

    @property
    def edited(self) -> bool:
        """Whether it shall say otherwise than it was read, or made."""
        return dict(self.texts) != dict(self.read.texts)


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A field, what it says, and what is wrong with it."""

    place: int
    name: str
    value: str
    problem: str = ""
    wanted: str = ""  # what the profile says otherwise
    known: bool = True  # else it is a key that no PartnerConfig has

    @property
    def remark(self) -> str:
        if not self.known:
            return "? not a known key: left out when it is saved"
        return f"! {self.problem}" if self.problem else f"? the profile says {self.wanted}" if self.wanted else ""

    @property
    def style(self) -> str:
        return "error" if self.problem else "warning" if self.remark else "" if self.value else "muted"


COLUMNS: tuple[Column[ConfigRow], ...] = (
    Column("place", "#", lambda r: str(r.place), sort=lambda r: r.place, numeric=True, letter="N", minor=1),
    Column("name", "FIELD", lambda r: r.name, brief=lambda r: short_name(r.name), letter="F"),
    Column("value", "VALUE", lambda r: r.value or "-", flexible=True, least=14, letter="V"),
    Column("remark", "REMARK", lambda r: r.remark, flexible=True, least=20, style=lambda r: r.style, letter="R"),
)


def rows_of(file: OpenConfig, policy: PartnerPolicy | None) -> list[ConfigRow]:
    """A row for each field, and for each key that is none of them."""
    judgement = Judgement(file.texts)
    problems: dict[str, str] = {}
    for problem in judgement.of(file.texts):
        problems.setdefault(field_of(problem), _told(problem))
    wanted = {} if problems else _wanted(file.texts, policy)
    rows = [
        ConfigRow(place, name, file.texts.get(name, ""), problems.get(name, ""), wanted.get(name, ""))
        for place, name in enumerate(NAMES, 1)
    ]
    strangers = [ConfigRow(len(NAMES) + place, key, "", known=False) for place, key in enumerate(file.read.unknown, 1)]
    return [*rows, *strangers]


def _told(problem: FieldProblem) -> str:
    return f"{problem.problem}; {problem.advice}" if problem.advice else problem.problem


def _wanted(texts: Values, policy: PartnerPolicy | None) -> dict[str, str]:
    """Where a config without problems says otherwise than the policy."""
    from core.partner.messages.partner_config_reading import read_partner_config
    from core.partner.partner_configs import differences

    if policy is None:
        return {}
    return {one.field: one.wanted for one in differences(read_partner_config(content_of(texts)), policy)}


class PartnerConfigScreen(PartnerPage[ConfigRow]):
    """The fields of one file. Editing needs no connection."""

    SCREEN_ID = "partner-config"
    TITLE_WORDS = "PartnerConfig"
    NOUN = ("field", "fields")
    NEEDS_SESSION = False
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("partner_config.open", "open", "o", "open_file", "Open a PartnerConfig file (JSON)."),
        Command("partner_config.new", "new", "n", "new", "Make one of what the profile says of Partner Connect."),
        Command("partner_config.edit", "edit", "e", "edit", "Edit all fields; what is wrong is said while you type."),
        Command("partner_config.save", "save", "w", "save", "Write the file, after a preview.", modifies=True),
        Command("partner_config.forget", "forget the edits", "x", "forget",
                "Go back to what the file says, or to what the profile came to.",
                footer=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._file: OpenConfig | None = None
        self._changes = FileChanges(self)

    # -- what is shown

    @property
    def file(self) -> OpenConfig:
        """The open file. Raises RefusedError when there is none."""
        if self._file is None:
            raise RefusedError(_NO_FILE)
        return self._file

    @property
    def policy(self) -> PartnerPolicy | None:
        """What the profile says of Partner Connect."""
        profile = self.console.connection.profile
        return profile.partner if profile is not None else None

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: ConfigRow) -> str:
        return row.name

    async def fetch(self) -> Sequence[ConfigRow]:
        await self._changes.catch_up()
        file = self._file
        if file is None:
            return []
        if file.content is not None:  # somebody else may have written it; what was typed here stays
            fresh = await asyncio.to_thread(_opened, file.path)
            self._file = file = replace(fresh, texts=file.texts) if file.unsaved else fresh
        return await asyncio.to_thread(rows_of, file, self.policy)

    def summary(self, row: ConfigRow) -> Sequence[Line]:
        lines = [fact("field", row.name), fact("value", row.value or "-")]
        if row.remark:
            lines += [Line(), Line(row.remark, style=row.style)]
        return [*lines, Line(), Line("Press e to edit.", style="muted")]

    def empty(self) -> tuple[str, str]:
        more = "n to make one of what the profile says." if self.policy is not None else _NO_POLICY
        return "No PartnerConfig is open.", (
            "It tells Databricks what your tile offers and where your service answers, and the checker goes by it.\n\n"
            f"Press o to open a file, {more if self.policy is not None else f'or make one. {more}'}"
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        file = self._file
        if file is None:
            return left[:1], right
        rows = self.table.shown
        wrong, otherwise = sum(bool(row.problem) for row in rows), sum(bool(row.wanted) for row in rows)
        told = [Piece(one_line(file.path.name, 60), "bold $accent")]
        told += [Piece("not saved (w)", "$warning")] if file.unsaved else []
        told += [Piece(f"{count(wrong)} wrong", "$error")] if wrong else []
        told += [Piece(f"{count(otherwise)} otherwise than the profile", "$warning")] if otherwise else []
        return [left[0], *told, *left[1:]], right

    def banner(self) -> str:
        return self._changes.banner() or super().banner()

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            unknown = self._file.read.unknown if self._file is not None else ()
            names = ", ".join(one_line(name, 40) for name in unknown[:5])
            told = [Line(f"! No PartnerConfig knows {names}. Saving leaves out what is not known.", style="warning")]
            self.query_one(Notice).say(told if unknown else [])

    def commands(self) -> tuple[Command, ...]:
        return tuple(command for command in super().commands() if command.id != "rows.sort")  # o opens a file here

    def why_not(self, command: Command) -> str:
        if command.id in ("partner_config.edit", "partner_config.save", "partner_config.forget"):
            if self._file is None:
                return _NO_FILE
            if command.id == "partner_config.forget" and not self._file.edited:
                return "Nothing was edited."
        if command.id == "partner_config.new" and self.policy is None:
            return _NO_POLICY
        if command.id == "partner_config.save":
            reason = self._changes.why_not()
            if reason:
                return reason
            command = replace(command, modifies=False)  # no session has a say in it
        return super().why_not(command)

    # -- commands

    def open_file(self) -> None:
        async def submit(values: Values) -> OpenConfig:
            return await asyncio.to_thread(_opened, _path_of(values["path"]))

        start = str(self._file.path) if self._file is not None else USUAL_NAME
        field = Field("path", "File", start, required=True, hint="A PartnerConfig in JSON.")
        self.ask(Form("Open a PartnerConfig", (field,), submit, button="Open"), self._take)

    def new(self) -> None:
        policy = self.policy
        if policy is None:
            return

        async def submit(values: Values) -> OpenConfig:
            return await asyncio.to_thread(_made, _path_of(values["path"]), policy)

        field = Field("path", "File", USUAL_NAME, required=True, hint="A new file; it is written when you save.")
        form = Form("New PartnerConfig", (field,), submit, intro="Its fields say at first what the profile comes to.")
        self.ask(form, self._take)

    def _take(self, file: OpenConfig) -> None:
        self._file = file
        self.table.marks.clear()
        self.refresh_rows()
        self.show_frame()

    def edit(self) -> None:
        """The form over all fields. What was typed stays when it is left, and is there the next time."""
        file = self.file
        judgement, policy = Judgement(file.texts), self.policy

        async def submit(values: Values) -> Mapping[str, str]:
            problems = judgement.of(values)
            if problems:
                raise BadInputError(f"{'. '.join(map(str, problems))}.")
            return dict(values)

        async def preview(values: Values) -> str:
            return await asyncio.to_thread(preview_text, values, policy)

        form = Form(
            f"PartnerConfig {one_line(file.path.name, 60)}",
            form_fields(file.texts, judgement),
            submit,
            preview,
            preview_title="How it stands:",
            docked=True,
        )

        def closed(texts: Mapping[str, str] | None) -> None:
            self._take(replace(file, texts=judgement.texts if texts is None else texts))
            if texts is None:
                self.tell("What you have typed is kept: e goes on with it, x forgets it.")
            else:
                self.save()

        self.app.push_screen(FormScreen(form), closed)

    def forget(self) -> None:
        self._take(replace(self.file, texts=self.file.read.texts))

    def save(self) -> None:
        reason = self._changes.why_not()
        if reason:
            self.tell(reason, "warning")
            return
        file = self.file

        async def make() -> Change:
            return await asyncio.to_thread(_planned, file)

        def look() -> list[Line]:
            from core.partner.partner_config_files import changed_lines, read_config_file

            text = changed_lines(file.content or b"", read_config_file(file.path))
            return [Line(line, style=diff_style(line)) for line in text.split("\n")]

        def written(report: Report) -> None:
            if report.succeeded:
                self._file = replace(file, content=content_of(file.texts), read=FileTexts(file.texts))
            self.refresh_rows()
            self.show_frame()

        self._changes.carry_out(make, written, look)

    def undo_here(self) -> Undo | None:
        """The last change of files on this machine, while a file is open."""
        if self._file is None:
            return None
        return Undo(self._changes.why_not(), self._changes.take_back)


def preview_text(texts: Values, policy: PartnerPolicy | None) -> str:
    """What is wrong, or where the profile says otherwise; a line each."""
    problems = Judgement(texts).of(texts)
    if problems:
        return "\n".join(f"! {problem}" for problem in problems)
    wanted = _wanted(texts, policy)
    if wanted:
        return "\n".join(f"! {name}: the profile says {value}" for name, value in wanted.items())
    return (
        "Nothing is wrong with it." if policy is None else "Nothing is wrong with it, and it agrees with the profile."
    )


def _path_of(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()


def _opened(path: Path) -> OpenConfig:
    from core.partner.partner_config_files import read_config_file

    content = read_config_file(path)
    read = texts_of(content)
    return OpenConfig(path, content, read, read.texts)


def _made(path: Path, policy: PartnerPolicy) -> OpenConfig:
    """A new one, which is not on the disk yet."""
    from core.partner.messages.writing import write_partner_config
    from core.partner.partner_configs import partner_config

    if path.exists():
        raise BadInputError(f"{one_line(str(path))} is there already.", advice="Open it (o), or name another.")
    read = texts_of(write_partner_config(partner_config(policy)))
    return OpenConfig(path, None, read, read.texts)


def _planned(file: OpenConfig) -> Change:
    from core.partner.messages.partner_config_reading import read_partner_config
    from core.partner.partner_config_files import plan_config_file

    content = content_of(file.texts)
    read_partner_config(content)  # a file that cannot be used is not written
    return plan_config_file(file.path, content, file.content)
