"""The durable access storage of the embedded engine: accepted statements as SQL, one a line, in `access/access.sql`.

A statement is appended and fsynced before it is reported done. Each line ends in a checksum, so that a line torn by a
crash is told from a whole one: torn at the end of the file it is dropped (it was never reported), anywhere else the
file is damaged and nothing is guessed. When the file is opened and has become long, it is written anew, atomically, as
the statements that build the present state.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.access.model import Statement
from core.access.parser import parse_statement
from core.access.render import render
from core.access.state import AccessRefused, AccessState
from core.errors import BadInputError, HousekeysError
from core.files import PRIVATE_FILE, private_folder, sync_folder, write_private

_MARK = "; -- "
_SPARE_LINES = 200  # more lines than the state needs before the file is written anew


class AccessStorage:
    """The access state and the file it lives in. One process at a time; the engine's lock sees to that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = AccessState()
        self._descriptor: int | None = None

    def open(self) -> None:
        """Read the file, repair a torn end, and make ready for more. Raises HousekeysError when it is damaged."""
        private_folder(self.path.parent)
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").split("\n")[:-1]
        if lines and _sql(lines[-1]) is None:
            lines.pop()
            whole = whole[: whole[:-1].rfind(b"\n") + 1]
        self.state = _replayed(lines, self.path)
        needed = self.state.statements()
        if len(lines) > len(needed) + _SPARE_LINES:
            write_private(self.path, b"".join(map(_line, map(render, needed))))
        elif len(whole) != len(content):
            write_private(self.path, whole)
        existed = self.path.exists()
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        if not existed:
            sync_folder(self.path.parent)

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
            os.ftruncate(self._descriptor, size)
            self.close()
            self.open()
            raise HousekeysError(
                "Users and grants cannot be saved; the statement was not carried out.",
                advice="Free some space on the disk and try again.",
                detail=f"{self.path}: {error}",
            ) from error

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _line(sql: str) -> bytes:
    return f"{sql}{_MARK}{zlib.crc32(sql.encode()):08x}\n".encode()


def _sql(line: str) -> str | None:
    """The statement of a line, or None when the line is not whole."""
    sql, mark, checksum = line.rpartition(_MARK)
    return sql if mark and checksum == f"{zlib.crc32(sql.encode()):08x}" else None


def _replayed(lines: Sequence[str], path: Path) -> AccessState:
    state = AccessState()
    for number, line in enumerate(lines, 1):
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
