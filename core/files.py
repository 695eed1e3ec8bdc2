"""Private files: written atomically, 0600 in 0700 folders, and locked against a second process.

Every file that Housekeys writes goes through `write_private`: a temporary file in the same folder, fsync, rename,
fsync of the folder. A reader sees the old content or the new, never half of one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import BadInputError, UnreachableError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def private_folder(path: Path) -> Path:
    """Create `path` and what is missing above it, each 0700; an existing folder is left as it is. Returns `path`."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def sync_folder(path: Path) -> None:
    """fsync a folder, so that a rename or removal in it survives a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(
    path: Path,
    content: bytes,
    *,
    replace: bool = True,
    mode: int = PRIVATE_FILE,
    like: os.stat_result | None = None,
) -> None:
    """Write `content` to `path` atomically with mode 0600 (or a stricter `mode`), its folder made private when created.

    With `like` it gets the owner, the group and the mode of that file instead: of a server's configuration, say.
    Raises BadInputError when `replace` is false and the file exists. OSError is the caller's to explain.
    """
    folder = private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if like is not None:
                _as_before(file.fileno(), like)
            elif mode != PRIVATE_FILE:
                os.fchmod(file.fileno(), mode & PRIVATE_FILE)
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            _link_new(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def _as_before(descriptor: int, like: os.stat_result) -> None:
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)  # before the mode, which it may take bits from
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _link_new(temporary: str, path: Path) -> None:
    # link() fails when the name exists, which rename() does not: no other process can slip in between.
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise BadInputError(f"{path} exists already.", advice="Choose another name or remove it.") from error
    os.unlink(temporary)


def remove_file(path: Path) -> None:
    """Remove `path` durably; a file that is gone already is no error."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)


def read_whole(descriptor: int) -> bytes:
    """All of an open file, from its beginning, wherever it is read at present."""
    parts: list[bytes] = []
    offset = 0
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` at `offset`; OSError is the caller's to explain."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def exposure(path: Path | int) -> str:
    """Who besides the owner may use `path` (or an open file), in words; the empty string when nobody may."""
    mode = os.stat(path).st_mode
    others = [who for who, bits in (("its group", stat.S_IRWXG), ("everybody", stat.S_IRWXO)) if mode & bits]
    return f"open to {' and '.join(others)} (mode {stat.S_IMODE(mode):04o})" if others else ""


class FileLock:
    """An exclusive lock held through an open file; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path, *, purpose: str) -> None:
        self.path = path
        self.purpose = purpose
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises UnreachableError, naming the process that holds it or why it cannot be taken."""
        try:
            private_folder(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise UnreachableError(
                f"{self.purpose} cannot be used: {error.strerror}.",
                advice="Check the folder, its owner and the disk.",
                detail=str(error),
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise UnreachableError(
                f"{self.purpose} is in use by another process{f' (pid {holder})' if holder else ''}.",
                advice="Close the other one, or use another profile.",
                detail=str(self.path),
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
