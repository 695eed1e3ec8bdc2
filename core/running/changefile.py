"""The write-ahead file of one change, on disk: `<id>.jsonl` in the profile's folder, 0600, locked while it is used.

It appears complete with its intent or not at all. When nothing is left to do or to send it is renamed `<id>.done`
and kept until a later change is done, so that the last change can be undone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from core.changes import JsonValue
from core.errors import HousekeysError, NotFoundError, UnreachableError
from core.files import PRIVATE_FILE, private_folder, read_whole, sync_folder, write_at
from core.journal.ids import new_ids
from core.running.ledger import Content, Ledger, Record, after, decode, decode_all, encode, kept_message, rows_of_step

OPEN_SUFFIX: Final = ".jsonl"
DONE_SUFFIX: Final = ".done"
NEW_SUFFIX: Final = ".new"  # while the intent is being written
_UNBORN_SECONDS: Final = 3600  # after which it will not be finished any more
_PATIENCE: Final = 50  # milliseconds that a held file is tried for: a mere look at it takes less
_TAIL: Final = 4096  # bytes at the end of a file that hold its last few records


class WriteAheadError(HousekeysError):
    """The write-ahead file cannot be written or read: no room, no access, or damage."""


class DamagedError(WriteAheadError):
    """What is in a write-ahead file cannot be relied upon."""


class ChangeFile:
    """One write-ahead file, held exclusively: no other run, in this process or another, has it at the same time.

    `write` may be called from any thread. OSError is told as WriteAheadError.
    """

    def __init__(self, path: Path, descriptor: int, ledger: Ledger, length: int) -> None:
        self.path = path
        self.ledger = ledger
        self._descriptor: int | None = descriptor
        self._length = length
        self._lock = threading.Lock()

    @classmethod
    def create(cls, folder: Path, ledger: Ledger) -> ChangeFile:
        """Write the intent of a new change durably and hold its file. Raises WriteAheadError when it cannot be."""
        path = folder / f"{ledger.id}{OPEN_SUFFIX}"
        temporary = path.with_suffix(NEW_SUFFIX)
        line = encode(ledger.intent())
        with _explained(path, "Nothing was changed."):
            private_folder(folder)
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                write_at(descriptor, line, 0)
                os.fsync(descriptor)
                os.rename(temporary, path)
                sync_folder(folder)
            except BaseException:
                os.close(descriptor)
                temporary.unlink(missing_ok=True)
                raise
        return cls(path, descriptor, ledger, len(line))

    @classmethod
    def open(cls, path: Path) -> ChangeFile:
        """Hold an existing file. Raises NotFoundError, UnreachableError (another run holds it), DamagedError."""
        with _explained(path):
            descriptor = _open_existing(path)
            try:
                if not _lock(descriptor, fcntl.LOCK_EX, _PATIENCE):
                    raise UnreachableError(
                        f"Change {path.stem} is being run already, here or by another process.",
                        advice="Wait until it has ended.",
                        detail=str(path),
                    )
                if not _same_file(descriptor, path):  # removed or renamed before it could be locked
                    raise _no_change(path)
                ledger, content = _ledger_of(path, read_whole(descriptor))
                os.ftruncate(descriptor, content.length)
            except BaseException:
                os.close(descriptor)
                raise
        return cls(path, descriptor, ledger, content.length)

    def write(self, *records: Record, sync: bool = False) -> None:
        """Append `records`, in one piece; with `sync` they are durable on return. Does nothing after `close`."""
        if not records:
            return
        data = b"".join(map(encode, records))
        with _explained(self.path), self._lock:
            if self._descriptor is None:
                return  # a statement that was given up on has ended late: its step stays unknown
            # Always at the end of the last whole line, so that one which failed half-way is overwritten.
            write_at(self._descriptor, data, self._length)
            if sync:
                os.fsync(self._descriptor)
            self._length += len(data)
            for record in records:
                self.ledger.apply(record)

    def mark_done(self, *indexes: int) -> None:
        """These steps have taken effect."""
        steps = self.ledger.change.steps
        self.write(*(after(i, "done", new_ids.next(max(rows_of_step(steps[i], "done"), 1))) for i in indexes))

    def mark_found(self, index: int, found: Mapping[str, JsonValue]) -> None:
        """This call has been made, and has returned this."""
        step = self.ledger.change.steps[index]
        self.write(after(index, "done", new_ids.next(max(rows_of_step(step, "done"), 1)), found=found))

    def mark_failed(self, index: int, error: HousekeysError) -> None:
        """This step has not taken effect, and why."""
        step = self.ledger.change.steps[index]
        self.write(after(index, "failed", new_ids.next(rows_of_step(step, "failed")), kept_message(step, error)))

    def mark_skipped(self, indexes: Iterable[int]) -> None:
        """These steps are left out: what they need was not done."""
        self.write(*(after(index, "skipped") for index in indexes))

    def mark_not_run(self, indexes: Iterable[int]) -> None:
        """These steps were begun and certainly have not taken effect: they are as if never begun."""
        self.write(*(after(index, "not run") for index in indexes))

    def sync(self) -> None:
        """Make everything written so far durable."""
        with _explained(self.path):
            if self._descriptor is not None:
                os.fsync(self._descriptor)

    def keep_as_done(self) -> None:
        """Mark the file as one that needs nothing more."""
        with _explained(self.path):
            done = self.path.with_suffix(DONE_SUFFIX)
            os.rename(self.path, done)
            self.path = done

    def remove(self) -> None:
        """Remove the file; it stays held until it is closed."""
        with _explained(self.path):
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Peek:
    """A look at a write-ahead file that others may be using. `damaged` says what is wrong with it, if anything."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises NotFoundError when it is gone, DamagedError when nothing of it can be understood."""
        with _explained(path):
            descriptor = _open_existing(path)
            try:
                self.held = not _lock(descriptor, fcntl.LOCK_SH, 1)
                data = read_whole(descriptor)
            finally:
                os.close(descriptor)
        content = decode_all(data)
        try:
            self.ledger = Ledger.replay(content.records)
        except ValueError as error:
            raise _damaged(path, str(error)) from error
        self.damaged = _damage(content)


def open_files(folder: Path) -> list[Path]:
    """The write-ahead files of changes that are unfinished or not wholly in the journal, oldest first."""
    return _listed(folder, OPEN_SUFFIX)


def done_files(folder: Path) -> list[Path]:
    """The write-ahead files of changes that need nothing more, oldest first."""
    return _listed(folder, DONE_SUFFIX)


def find(folder: Path, identifier: UUID) -> Path:
    """The write-ahead file of a change. Raises NotFoundError."""
    for suffix in (OPEN_SUFFIX, DONE_SUFFIX):
        path = folder / f"{identifier}{suffix}"
        if path.exists():
            return path
    raise _no_change(folder / str(identifier))


def remove_done_before(folder: Path, ended_by: UUID) -> None:
    """Remove the files of changes that ended before the one with that end, unless somebody holds them."""
    for path in done_files(folder):
        with contextlib.suppress(NotFoundError), _explained(path):
            descriptor = _open_existing(path)
            try:
                if _lock(descriptor, fcntl.LOCK_EX, 1) and _end_of(descriptor) < ended_by:
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def remove_unborn(folder: Path) -> None:
    """Remove what a process left that died while it wrote an intent: nothing of that change has run."""
    for path in _listed(folder, NEW_SUFFIX):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _UNBORN_SECONDS:
                path.unlink()


def _end_of(descriptor: int) -> UUID:
    """The id in the end record, which is among the last; of a file without one, an id before all others."""
    size = os.fstat(descriptor).st_size
    for line in reversed(os.pread(descriptor, _TAIL, max(size - _TAIL, 0)).splitlines(keepends=True)):
        record = decode(line)
        if record is not None and record.get("r") == "end":
            return UUID(record["id"])
    return UUID(int=0)


def set_aside(path: Path) -> None:
    """Keep a damaged file for whoever wants to look at it, out of the way."""
    with _explained(path):
        os.rename(path, path.with_suffix(".damaged"))


def _listed(folder: Path, suffix: str) -> list[Path]:
    # Not glob: it passes over a folder that may not be read, as if nothing were unfinished.
    with _explained(folder / f"*{suffix}"):
        names = os.listdir(folder) if folder.exists() else []
    paths = (folder / name for name in names if name.endswith(suffix))
    return sorted(path for path in paths if _is_id(path.stem))  # a UUIDv7 sorts by time as text


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _ledger_of(path: Path, data: bytes) -> tuple[Ledger, Content]:
    content = decode_all(data)
    if damage := _damage(content):
        raise _damaged(path, damage)
    try:
        return Ledger.replay(content.records), content
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _damage(content: Content) -> str:
    return f"line {len(content.records) + 1} is broken, though not the last" if content.damaged else ""


def _damaged(path: Path, what: str) -> DamagedError:
    return DamagedError(
        f"The write-ahead file of change {path.stem} is damaged: {what}.",
        advice="Look at what has been done, then dismiss the change.",
        detail=str(path),
    )


def _no_change(path: Path) -> NotFoundError:
    return NotFoundError(f"There is no unfinished or undoable change {path.stem}.", detail=str(path))


def _open_existing(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise _no_change(path) from error


def _lock(descriptor: int, kind: int, patience: int) -> bool:
    """Try to lock; a look by another process holds the file for a moment, hence more than one try."""
    wait = threading.Event()
    for _ in range(patience):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            wait.wait(0.001)
        else:
            return True
    return False


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _explained(path: Path, consequence: str = "") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteAheadError(
            f"The write-ahead file of the change cannot be used: {reason}. {consequence}".strip(),
            advice=f"Housekeys writes what it does there first; make room or access in {path.parent}.",
            detail=f"{path}: {error}",
        ) from error
