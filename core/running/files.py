"""The file steps of a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from core.changes import FileStep
from core.errors import BadInputError, HousekeysError
from core.files import remove_file, write_private


def in_place(step: FileStep) -> bool:
    """Whether the file is already as `step` wants it: gone, or of the content with this SHA-256."""
    with _explained(step):
        try:
            content = step.path.read_bytes()
        except FileNotFoundError:
            return step.removes
        return not step.removes and hashlib.sha256(content).hexdigest() == step.sha256


def carry_out(step: FileStep) -> None:
    """Write or remove the file, durably; nothing happens when it is in place already.

    Raises BadInputError when another file is in the way, or when the content was secret and is gone since a crash.
    """
    if in_place(step):
        return
    with _explained(step):
        if step.removes:
            remove_file(step.path)
        elif step.content is None:
            raise BadInputError(
                f"The content of {step.path} is secret and was not kept when the change broke off.",
                advice="Undo or dismiss this change and start it anew.",
            )
        else:
            write_private(step.path, step.content, replace=step.replace_existing)


@contextmanager
def _explained(step: FileStep) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise HousekeysError(
            f"{step.path} cannot be used: {reason}.", advice="Check the folder and its owner.", detail=str(error)
        ) from error
