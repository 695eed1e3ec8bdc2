"""The Change that makes a file about access say something else: what it was is kept beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from core.access.access_model import AccessModel
from core.access.difference import compare
from core.access.script import model_of_script
from core.access.xml.losses import Loss
from core.access.xml.reading import XmlFile, read_files
from core.access_changes.file_writing import SUBJECT
from core.access_changes.sql_edits import edited_sql
from core.access_changes.xml_edits import edited_xml
from core.access_reports.converting import loss_text
from core.access_reports.differing import difference_lines
from core.access_reports.files import Format
from core.access_reports.masking import masked
from core.access_reports.sources import Opened, Source
from core.changes import Change, Danger, Event, FileStep
from core.display import one_line
from core.errors import RefusedError
from core.profiles.differences import difference

_TOLD = 20  # losses and differences that are told one by one


@dataclass(frozen=True, slots=True)
class _Edit:
    """The new contents of the files that change, and what has to be known before they are written."""

    contents: dict[Path, bytes] = field(repr=False)
    told: tuple[str, ...] = ()


def plan_edit(opened: Opened, desired: AccessModel, words: str, moment: datetime) -> Change:
    """The change that makes what was opened say `desired`; without steps when it does already.

    A file that somebody has changed since it was opened is not written. Raises RefusedError for what cannot be edited.
    """
    if opened.file.errors:
        raise RefusedError(
            f"{one_line(str(opened.path))} has errors, so it is not edited here.",
            advice="Correct them first.",
        )
    before = opened.file.model
    if compare(before, desired).nothing:
        return Change(f"{words}: nothing to change", ())
    edit = _sql(opened, desired) if opened.file.format is Format.SQL else _xml(opened, desired)
    sources = [source for source in opened.sources if source.path in edit.contents]
    steps: list[FileStep] = []
    for source in sources:
        steps += _steps(source, edit.contents[source.path], opened.file.format, words, moment, len(steps))
    kept = [f"As it was it is kept: {one_line(str(_backup(source.path, moment)))}" for source in sources]
    return Change(words, tuple(steps), Danger.DISRUPTIVE, consequences=(*kept, *edit.told))


def differing_text(source: Source, form: Format) -> str:
    """What is in a file now otherwise than when it was read, without secrets. Raises OSError."""
    now = source.path.read_bytes().decode("utf-8", "replace")
    return difference(masked(source.content.decode("utf-8", "replace"), form), masked(now, form), around=1)


def _sql(opened: Opened, desired: AccessModel) -> _Edit:
    (source,) = opened.sources
    text, anew = edited_sql(source.text.removeprefix("\ufeff"), opened.file.model, desired)
    model, problems = model_of_script(text)
    told = ["Lost: the comments and the order of the script, for all of it is written anew."] if anew else []
    told += [f"Line {problem.line} could not be read back: {problem.message}" for problem in problems]
    return _Edit({source.path: text.encode("utf-8", "surrogatepass")}, (*told, *_otherwise(desired, model)))


def _xml(opened: Opened, desired: AccessModel) -> _Edit:
    contents, losses, notes = edited_xml(opened.sources, opened.file.model, desired)
    if not contents:
        why = loss_text(losses[0]) if losses else "XML has no word for it."
        raise RefusedError(f"Nothing of this can be written to users.xml: {why}", advice="Keep it in SQL.")
    files = [XmlFile(str(each.path), contents.get(each.path, each.content)) for each in opened.sources]
    model = read_files(files, load=_load).model
    return _Edit(contents, (*notes, *_losses(losses), *_otherwise(desired, model)))


def _load(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _losses(losses: Sequence[Loss]) -> list[str]:
    more = [f"And {len(losses) - _TOLD:,} losses more."] if len(losses) > _TOLD else []
    return [*(f"Lost: {loss_text(loss)}" for loss in losses[:_TOLD]), *more]


def _otherwise(desired: AccessModel, written: AccessModel) -> list[str]:
    """What the file will say otherwise than it should."""
    lines = difference_lines(compare(desired, written))
    more = [f"And {len(lines) - _TOLD:,} more."] if len(lines) > _TOLD else []
    return [*(f"It will say otherwise than asked: {line}" for line in lines[:_TOLD]), *more]


def _backup(path: Path, moment: datetime) -> Path:
    """A free name. Not .xml, .conf or .yaml, which ClickHouse would read as well."""
    name = f"{path.name}.{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.bak"
    names = (name if number == 1 else f"{name}{number}" for number in count(1))
    return next(found for each in names if not (found := path.with_name(each)).exists())


def _steps(
    source: Source, content: bytes, form: Format, words: str, moment: datetime, place: int
) -> tuple[FileStep, FileStep]:  # fmt: skip
    before, after = source.content.decode("utf-8", "replace"), content.decode("utf-8", "replace")
    without = masked(before, form), masked(after, form)
    secret = without != (before, after)
    backup, digest = _backup(source.path, moment), hashlib.sha256(content).hexdigest()
    name = one_line(source.path.name)
    keep = FileStep(
        f"Keep {name} as it was",
        backup,
        source.content,
        secret=secret,
        expects="",
        undo=FileStep(f"Remove {one_line(backup.name)}", backup, None, expects=source.digest),
    )
    undo = FileStep(
        f"Bring back {name} as it was",
        source.path,
        None if secret else source.content,
        secret=secret,
        sha256=source.digest,
        copy_of=backup if secret else None,
        replace_existing=True,
        expects=digest,
        keep_mode=True,
        shown=difference(without[1], without[0], around=1),
        events=(Event(SUBJECT, str(source.path), "edit", {"what": f"Undo: {words}"}),),
    )
    write = FileStep(
        words,
        source.path,
        content,
        secret=secret,
        replace_existing=True,
        expects=source.digest,
        keep_mode=True,  # ClickHouse reads it
        shown=difference(*without, around=1),
        undo=undo,
        needs=place,
        events=(Event(SUBJECT, str(source.path), "edit", {"what": words, "kept": str(backup)}),),
    )
    return keep, write
