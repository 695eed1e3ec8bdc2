"""The steps of a change that work on files: what they write, remove, move and close to others."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.changes import FileStep, MoveStep, PermissionsStep, Step
from core.display import one_line
from core.errors import BadInputError, HousekeysError, RefusedError
from core.files import PRIVATE_FILE, private_folder, remove_file, sync_folder, write_private

_PATIENCE: Final = 2_000  # milliseconds that another Housekeys is given to finish writing in the same folder

DiskStep = FileStep | MoveStep | PermissionsStep


class FileChangedError(RefusedError):
    """A file is not what it was when a change of it was planned. Nothing was done to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{one_line(str(path))} was changed by someone else since it was read.",
            advice="Look at what is there now, then make the change anew.",
        )
        self.path = path


def in_place(step: DiskStep) -> bool:
    """Whether all is as `step` wants it already: gone, moved, of the content with this SHA-256, or of this mode."""
    with _explained(step):
        if isinstance(step, PermissionsStep):
            return stat.S_IMODE(step.path.stat().st_mode) == step.mode
        if isinstance(step, MoveStep):
            return os.path.lexists(step.target) and not os.path.lexists(step.path)
        found = _digest(step.path)
        return not found if step.removes else found == step.sha256


def refuse_changed(steps: Sequence[Step]) -> None:
    """Raise FileChangedError when a file that `steps` begin with is not what they expect, RefusedError for a lost copy.

    Only the first step on a path can be judged before anything has run.
    """
    earlier: set[Path] = set()
    for step in steps:
        if not isinstance(step, FileStep):
            continue
        if step.path not in earlier:
            _refuse_changed(step)
        if step.copy_of not in earlier:
            _refuse_lost_copy(step)
        earlier.add(step.path)


def carry_out(step: DiskStep) -> None:
    """Write, remove or move the file, durably, or set its mode; nothing happens when it is in place already.

    Raises BadInputError when another file is in the way, or when the content was secret and is gone since a crash;
    FileChangedError when the file is not the one that was read.
    """
    if in_place(step):
        return
    with _explained(step):
        if isinstance(step, PermissionsStep):
            step.path.chmod(step.mode)
        elif isinstance(step, MoveStep):
            _move(step)
        elif step.expects is None:
            _write(step, step.path, PRIVATE_FILE)
        else:
            path = Path(os.path.realpath(step.path))  # a link, as to a folder of dotfiles, stays a link
            with _alone_in(private_folder(path.parent)):
                _refuse_changed(step)
                _write(step, path, _mode(path), path if step.keep_mode else None)


def _write(step: FileStep, path: Path, mode: int, like: Path | None = None) -> None:
    if step.removes:
        remove_file(path)
    else:
        former = like.stat() if like is not None and like.exists() else None
        write_private(path, _content(step), replace=step.replace_existing, mode=mode, like=former)


def _content(step: FileStep) -> bytes:
    if step.copy_of is not None:
        return _copied(step.copy_of, step.sha256)
    if step.content is None:
        raise BadInputError(
            f"The content of {step.path} is secret and was not kept when the change broke off.",
            advice="Undo or dismiss this change and start it anew.",
        )
    return step.content


def _copied(path: Path, sha256: str) -> bytes:
    """The content of a copy. Raises RefusedError when it is another one, or gone."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise RefusedError(
            f"{one_line(str(path))} is not there any more, so it cannot be brought back.",
            advice="Put the copy back in its place, or make the change by hand.",
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RefusedError(
            f"{one_line(str(path))} is not what was kept, so it is not brought back.",
            advice="Look at what is in it, then make the change by hand.",
        )
    return content


def _move(step: MoveStep) -> None:
    if os.path.lexists(step.target):
        raise BadInputError(f"{step.target} exists already.", advice=f"Move it away, then move {step.path} there.")
    private_folder(step.target.parent)
    os.rename(step.path, step.target)
    sync_folder(step.target.parent)
    sync_folder(step.path.parent)


def _refuse_changed(step: FileStep) -> None:
    if step.expects is not None and not in_place(step) and _digest(step.path) != step.expects:
        raise FileChangedError(step.path)


def _refuse_lost_copy(step: FileStep) -> None:
    if step.copy_of is not None and not in_place(step):
        with _explained(step):
            _copied(step.copy_of, step.sha256)


def _digest(path: Path) -> str:
    """The SHA-256 of a file; empty when there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode) & PRIVATE_FILE
    except FileNotFoundError:
        return PRIVATE_FILE


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep every other Housekeys from writing in `folder` meanwhile, so that nothing comes between look and write."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    wait = threading.Event()
    try:
        for _ in range(_PATIENCE):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait.wait(0.001)
            except OSError:
                break  # a network disk that locks no folders: the look just before the write has to do
            else:
                break
        else:
            raise HousekeysError(f"{folder} is in use by another process.", advice="Try again when it has ended.")
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _explained(step: DiskStep) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise HousekeysError(
            f"{step.path} cannot be used: {reason}.", advice="Check the folder and its owner.", detail=str(error)
        ) from error
