"""The durable access storage of the embedded engine: accepted statements as SQL, one a line, in `access/access.sql`.

A statement is appended and fsynced before it is reported done. A crash can leave an end without its line feed, or one
of zeros: that was never reported, and is dropped. Each line ends in a checksum; a whole line that does not fit it was
altered, perhaps a REVOKE: the file is damaged then and nothing is guessed. When the file is opened and has become long,
it is written anew, atomically, as the statements that build the present state. Its first line says what it is and is
there from the engine's first start on: an empty or foreign file is never taken for an engine without users.
"""

from __future__ import annotations

import contextlib
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.access.model import Statement
from core.access.parser import parse_statement
from core.access.render import render
from core.access.state import AccessRefused, AccessState
from core.errors import BadInputError, HousekeysError
from core.files import private_folder, write_private

_log = logging.getLogger(__name__)
_HEADER = b"-- Users, roles and grants of an embedded engine of Housekeys, one statement a line.\n"
_MARK = "; -- "
_SPARE_LINES = 200  # more lines than the state needs before the file is written anew


class AccessStorage:
    """The access state and the file it lives in. One process at a time; the engine's lock sees to that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = AccessState()
        self._descriptor: int | None = None

    def open(self, *, must_exist: bool = False) -> None:
        """Read the file, repair a torn end, and make ready for more. A new one is begun unless it `must_exist`.

        Raises HousekeysError when it is gone or damaged; OSError is the caller's.
        """
        private_folder(self.path.parent)
        if not must_exist and not self.path.exists():
            write_private(self.path, _HEADER)
        content = self.path.read_bytes() if self.path.exists() else b""
        if not content.startswith(_HEADER):
            raise HousekeysError(
                f"The saved users and grants are gone: {self.path} is missing or was overwritten.",
                advice="Restore the file from a backup. To begin without any, remove it and users.xml.",
            )
        whole = _without_torn_end(content)
        lines = whole.removeprefix(_HEADER).decode("utf-8", "replace").split("\n")[:-1]
        self.state = _replayed(lines, self.path)
        if len(whole) != len(content):
            write_private(self.path, whole)
        self._compact(len(lines))
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _compact(self, lines: int) -> None:
        """Write the file anew if it has many more lines than it needs."""
        needed = self.state.statements()
        if lines <= len(needed) + _SPARE_LINES:
            return
        try:
            write_private(self.path, _HEADER + b"".join(map(_line, map(render, needed))))
        except OSError as error:  # a full disk, say: the long file is as good
            _log.warning("%s is not written anew: %s", self.path, error)

    def append(self, statements: Sequence[Statement]) -> None:
        """Make statements durable that are already part of the state. Raises HousekeysError when the disk refuses.

        The state is then what the file holds again, without them.
        """
        if not statements:
            return
        if self._descriptor is None:
            raise HousekeysError("The access storage is closed.", detail=str(self.path))
        size = os.fstat(self._descriptor).st_size
        try:
            _write_all(self._descriptor, b"".join(_line(render(statement)) for statement in statements))
            os.fsync(self._descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):  # what is left behind then has no line feed, or fails every append alike
                os.ftruncate(self._descriptor, size)
            self._reopen()
            raise HousekeysError(
                "Users and grants cannot be saved; the statement was not carried out.",
                advice="Free some space on the disk and try again.",
                detail=f"{self.path}: {error}",
            ) from error

    def _reopen(self) -> None:
        """Take the state from the file again. Where that fails, nothing is kept until the engine is opened anew."""
        self.close()
        try:
            self.open(must_exist=True)
        except OSError as error:
            raise HousekeysError(
                "Users and grants can be neither saved nor read any more.",
                advice="Close the engine, see to the disk, and open it again.",
                detail=f"{self.path}: {error}",
            ) from error

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _without_torn_end(content: bytes) -> bytes:
    """`content` up to its last whole line. A write that a power cut broke off can leave zeros."""
    whole = content[: content.rfind(b"\n") + 1]
    while b"\0" in whole[whole[:-1].rfind(b"\n") + 1 :]:
        whole = whole[: whole[:-1].rfind(b"\n") + 1]
    return whole


def _line(sql: str) -> bytes:
    return f"{sql}{_MARK}{zlib.crc32(sql.encode()):08x}\n".encode()


def _sql(line: str) -> str | None:
    """The statement of a line, or None when the line is not whole."""
    sql, mark, checksum = line.rpartition(_MARK)
    return sql if mark and checksum == f"{zlib.crc32(sql.encode()):08x}" else None


def _replayed(lines: Sequence[str], path: Path) -> AccessState:
    state = AccessState()
    for number, line in enumerate(lines, 2):  # after the header
        sql = _sql(line)
        try:
            if sql is None:
                raise BadInputError("its checksum is wrong")
            state.apply(parse_statement(sql))
        except (HousekeysError, AccessRefused) as error:
            raise HousekeysError(
                f"The saved users and grants are damaged in line {number} of {path}.",
                advice="Restore the file from a backup, or remove the line if you know what it was.",
                detail=str(error),
            ) from error
    return state


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
