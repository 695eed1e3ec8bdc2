"""The Change that writes access to files: 0600, atomically, and over nothing that was not named for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from core.access_reports.converting import Converted, loss_text
from core.access_reports.files import Format
from core.access_reports.masking import masked
from core.changes import Change, Danger, Event, FileStep
from core.display import one_line
from core.errors import BadInputError

SUBJECT = "access_file"  # the kind of subject in the journal
MOST_LOSSES = 50  # that are told one by one
_MOST_SHOWN = 400  # lines of a file that the preview shows


def is_folder(path: Path, form: Format) -> bool:
    """Whether a path is meant for a folder with a file for each entity, by its name; only XML can be divided so."""
    return form is Format.XML and path.suffix.lower() != ".xml"


def plan_writing(path: Path, made: Converted, form: Format, *, replace: bool, words: str = "") -> Change:
    """The change that writes `made` to a file or folder. Reads what is there: call it in a thread.

    Raises BadInputError when a file is there that is not to be replaced, and when the folder is not there.
    """
    path = path.expanduser().absolute()
    shown = one_line(str(path))
    if not path.parent.is_dir():  # a mistyped folder must not be made: the file would be looked for elsewhere
        raise BadInputError(f"There is no folder {one_line(str(path.parent))}.", advice="Make it, or name another.")
    if not is_folder(path, form) and path.is_dir():
        raise BadInputError(f"{shown} is a folder.", advice="Name a file in it.")
    if not made.files:
        raise BadInputError("There is nothing to write.")
    steps = tuple(_step(path / name if name else path, text, form, replace) for name, text in made.files.items())
    replaced = any(step.expects for step in steps)
    return Change(
        words or f"Write {shown}",
        steps,
        Danger.DISRUPTIVE if replaced else Danger.ROUTINE,
        consequences=(*(["What is in it now is gone."] if replaced else []), *told(made)),
    )


def told(made: Converted) -> Sequence[str]:
    """What of a conversion is lost, a line each."""
    lines = [f"Lost: {loss_text(loss)}" for loss in made.losses[:MOST_LOSSES]]
    if len(made.losses) > MOST_LOSSES:
        lines.append(f"And {len(made.losses) - MOST_LOSSES:,} losses more.")
    if made.untold:
        names = ", ".join(one_line(name, 40) for name in made.untold[:MOST_LOSSES])
        lines.append(f"Without password, because ClickHouse does not tell it: {names}")
    return lines


def _step(path: Path, text: str, form: Format, replace: bool) -> FileStep:
    shown = one_line(str(path))
    content = text.encode("utf-8", "surrogatepass")
    try:
        former = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise BadInputError(f"{shown} cannot be read: {error.strerror}.", advice="Name another.") from error
    if former is not None and not replace:
        raise BadInputError(f"{shown} exists already.", advice="Choose to replace it, or name another.")
    secret_free = masked(text, form)
    lines = secret_free.splitlines()
    more = [f"… and {len(lines) - _MOST_SHOWN:,} lines more"] if len(lines) > _MOST_SHOWN else []
    undo = None
    if former is None:
        digest = hashlib.sha256(content).hexdigest()
        undo = FileStep(f"Remove {shown}", path, None, replace_existing=True, expects=digest)
    return FileStep(
        f"Write {shown}",
        path,
        content,
        secret=secret_free != text,
        replace_existing=former is not None,
        expects="" if former is None else hashlib.sha256(former).hexdigest(),
        shown="\n".join([*lines[:_MOST_SHOWN], *more]),
        undo=undo,
        no_undo="" if undo else "what was in the file before is kept nowhere",
        events=(Event(SUBJECT, str(path), "write", {"format": str(form)}),),
    )
