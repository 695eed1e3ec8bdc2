"""PartnerConfig files: read as they are, and written by a change that loses nothing somebody else wrote meanwhile."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from core.changes import Change, Event, FileStep
from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError
from core.partner.messages.json_fields import LONGEST
from core.profiles.differences import difference

SUBJECT: Final = "partner_config_file"  # the kind of subject in the journal
_MOST_SHOWN: Final = 400  # lines of a file that the preview shows


def read_config_file(path: Path) -> bytes:
    """The bytes of a file, whatever is in it. Raises NotFoundError; BadInputError when it is no file or too large."""
    shown = one_line(str(path))
    if path.is_dir():
        raise BadInputError(f"{shown} is a folder.", advice="Name a file in it.")
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {shown}.", advice="Check the name; n makes a new one.") from None
    except OSError as error:
        raise HousekeysError(f"{shown} cannot be read: {error.strerror}.", advice="Name another.") from error
    if len(content) > LONGEST:
        raise BadInputError(f"{shown} is longer than {LONGEST // 1024} KiB: it is no PartnerConfig.")
    return content


def plan_config_file(path: Path, content: bytes, former: bytes | None) -> Change:
    """Write a PartnerConfig in the place of what was read (`former`; None: the file is new). No steps: it is the same.

    Raises BadInputError when there is no folder for it. Looks at the disk: call it in a thread.
    """
    shown = one_line(str(path))
    if not path.parent.is_dir():  # a mistyped folder must not be made: the file would be looked for elsewhere
        raise BadInputError(f"There is no folder {one_line(str(path.parent))}.", advice="Make it, or name another.")
    if content == former:
        return Change(f"{shown} says so already", ())
    digest = hashlib.sha256(content).hexdigest()
    title = f"Write {shown}"
    before = "" if former is None else hashlib.sha256(former).hexdigest()
    undo = FileStep(
        f"Remove {shown}" if former is None else f"Bring back {shown}",
        path,
        former,
        replace_existing=True,
        expects=digest,
        keep_mode=former is not None,
    )
    step = FileStep(
        title,
        path,
        content,
        replace_existing=former is not None,
        expects=before,
        keep_mode=former is not None,
        shown=_shown(former, content),
        undo=undo,
        events=(Event(SUBJECT, str(path), "write", {"sha256": digest}),),
    )
    return Change(title, (step,))


def changed_lines(former: bytes, content: bytes) -> str:
    """The lines that come and go between two contents of a file."""
    return difference(former.decode("utf-8", "replace"), content.decode("utf-8", "replace"))


def _shown(former: bytes | None, content: bytes) -> str:
    lines = (content.decode("utf-8", "replace") if former is None else changed_lines(former, content)).splitlines()
    more = [f"… and {len(lines) - _MOST_SHOWN:,} lines more"] if len(lines) > _MOST_SHOWN else []
    return "\n".join([*lines[:_MOST_SHOWN], *more])
