"""The steps of a change that work on files: what they write, remove and close to others."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from core.changes import FileStep, PermissionsStep
from core.errors import BadInputError, HousekeysError
from core.files import remove_file, write_private


def in_place(step: FileStep | PermissionsStep) -> bool:
    """Whether the file is already as `step` wants it: gone, of the content with this SHA-256, or of this mode."""
    with _explained(step):
        if isinstance(step, PermissionsStep):
            return stat.S_IMODE(step.path.stat().st_mode) == step.mode
        try:
            content = step.path.read_bytes()
        except FileNotFoundError:
            return step.removes
        return not step.removes and hashlib.sha256(content).hexdigest() == step.sha256


def carry_out(step: FileStep | PermissionsStep) -> None:
    """Write or remove the file, durably, or set its mode; nothing happens when it is in place already.

    Raises BadInputError when another file is in the way, or when the content was secret and is gone since a crash.
    """
    if in_place(step):
        return
    with _explained(step):
        if isinstance(step, PermissionsStep):
            step.path.chmod(step.mode)
        elif step.removes:
            remove_file(step.path)
        elif step.content is None:
            raise BadInputError(
                f"The content of {step.path} is secret and was not kept when the change broke off.",
                advice="Undo or dismiss this change and start it anew.",
            )
        else:
            write_private(step.path, step.content, replace=step.replace_existing)


@contextmanager
def _explained(step: FileStep | PermissionsStep) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise HousekeysError(
            f"{step.path} cannot be used: {reason}.", advice="Check the folder and its owner.", detail=str(error)
        ) from error
