"""The forms of the screen of access files: open, convert, apply, rename, take from the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey
from core.access.planning.plan import title
from core.access_changes.applying import plan_for
from core.access_changes.file_writing import is_folder, plan_writing, told
from core.access_reports.converting import Converted, converted, converted_file
from core.access_reports.files import Format
from core.access_reports.masking import masked
from core.display import count, one_line
from tui.screens.access_reading import Proposal, proposed
from tui.screens.form import Form
from tui.screens.grant_forms import preview_text
from tui.widgets.fields import YES, Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from core.changes import Change
    from tui.screens.access_file_rows import OpenFile

AT_LEAST, EXACTLY = "at least what it says", "exactly what it says"
_LINES = 40  # of a converted file that are shown while typing


def path_of(text: str) -> Path:
    """The path that was typed."""
    return Path(text.strip()).expanduser().absolute()


def open_form(path: str, read: Callable[[Path], Awaitable[OpenFile]]) -> Form[OpenFile]:
    """Ask for a file; it stays open, with the error, until a file could be read."""

    async def submit(values: Values) -> OpenFile:
        return await read(path_of(values["path"]))

    field = Field("path", "File or folder", path, required=True,
                  hint="users.xml (with the users.d beside it), a folder with one, or a script of SQL.")  # fmt: skip
    return Form("Open an access file", (field,), submit, button="Open")


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written where."""

    path: Path
    change: Change


def convert_form(file: OpenFile, form: Format, path: Path) -> Form[Writing]:
    """Write what a file says as SQL or as `users.xml`; what is lost is shown while the path is typed."""

    def make(values: Values) -> Converted:
        wanted = Format(values["to"])
        return converted_file(file.opened.file, wanted, one_file=not is_folder(path_of(values["path"]), wanted))

    async def submit(values: Values) -> Writing:
        return await asyncio.to_thread(lambda: _writing(make(values), values))

    async def preview(values: Values) -> str:
        return await asyncio.to_thread(lambda: _shown(make(values), Format(values["to"])))

    fields = (
        Field("to", "Format", str(form), kind="choice", choices=tuple(map(str, Format))),
        Field("path", "File", str(path), required=True,
              hint="For xml: a name with .xml, or a folder for users.d with a file for each entity."),
        _replace_field(),
    )  # fmt: skip
    return Form("Convert", fields, submit, preview, preview_title="This would be written:")


def snapshot_form(model: AccessModel, title_words: str, path: Path) -> Form[Writing]:
    """Write a model as SQL."""

    def writing(values: Values) -> Writing:
        words = f"Save a snapshot of {one_line(title_words, 60)}"
        return _writing(converted(model, Format.SQL), {**values, "to": Format.SQL}, words)

    async def submit(values: Values) -> Writing:
        return await asyncio.to_thread(writing, values)

    fields = (
        Field("path", "File", str(path), required=True, hint="SQL; only you can read it (0600)."),
        _replace_field(),
    )
    return Form(f"Snapshot of {one_line(title_words, 60)}", fields, submit)


def _replace_field() -> Field:
    return Field("replace", "Replace", kind="flag", shown_if=lambda values: _is_there(values["path"]),
                 hint="There is a file of this name.")  # fmt: skip


def _is_there(text: str) -> bool:
    try:
        return bool(text.strip()) and path_of(text).exists()
    except (OSError, ValueError, RuntimeError):  # too long, with a zero byte, of an unknown user
        return False


def _writing(made: Converted, values: Values, words: str = "") -> Writing:
    path = path_of(values["path"])
    replaced = values.get("replace") == YES
    return Writing(path, plan_writing(path, made, Format(values["to"]), replace=replaced, words=words))


def _shown(made: Converted, form: Format) -> str:
    lines = masked(made.text, form).splitlines()
    more = [f"… and {count(len(lines) - _LINES)} lines more"] if len(lines) > _LINES else []
    lost = told(made) or ["Nothing is lost."]
    return "\n".join([*map(one_line, lost), "", *lines[:_LINES], *more])


def apply_form(
    file: OpenFile, read: Callable[[], Awaitable[tuple[PresentAccess, AccessModel]]], own_user: str
) -> Form[Proposal]:
    """Make the server hold what a file says, at least or exactly; `read` gives the server as it is, and the file."""
    seen: list[tuple[PresentAccess, AccessModel]] = []  # of the previews; what is run is planned from what is then

    def make(values: Values, present: PresentAccess, desired: AccessModel) -> Proposal:
        return proposed(present, lambda now: plan_for(
            now, desired, exact=values["how"] == EXACTLY, set_passwords=values["passwords"] == YES,
            own_user=own_user,
        ))  # fmt: skip

    async def submit(values: Values) -> Proposal:
        return await asyncio.to_thread(make, values, *await read())

    async def preview(values: Values) -> str:
        if not seen:
            seen.append(await read())
        proposal = await asyncio.to_thread(make, values, *seen[0])
        if proposal.change.steps:
            return preview_text(proposal)
        return "\n".join(["Nothing: it holds this already.", *proposal.change.consequences])

    fields = (
        Field("how", "Make it hold", AT_LEAST, kind="choice", choices=(AT_LEAST, EXACTLY),
              hint="Exactly: what the file does not have is dropped and revoked."),
        Field("passwords", "Set passwords", kind="flag",
              hint="Also where it cannot be told whether they are new."),
    )  # fmt: skip
    return Form(f"Apply {one_line(file.path.name, 60)} to the server", fields, submit, preview)


def rename_entity_form(key: EntityKey, old: str) -> Form[str]:
    """Another name for an entity of a file."""

    async def submit(values: Values) -> str:
        return values["name"].strip()

    return Form(
        f"Rename {one_line(title(key), 60)} in the file", (Field("name", "New name", old, required=True),), submit
    )
