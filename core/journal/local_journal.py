"""The journal of what concerns this machine only, and must be kept when no ClickHouse can be reached: a file.

One row is one line of JSON, appended and never rewritten; 0600. Several processes may append: a lock is held meanwhile.
A line that is not whole, as a loss of power leaves it, was never acknowledged and does not count; its row is sent anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from core.errors import HousekeysError
from core.files import PRIVATE_FILE, private_folder, read_whole, sync_folder, write_at
from core.journal.rows import CHANGE, DONE, Row

log = logging.getLogger(__name__)

_FUTURE: Final = timedelta(days=1)  # a time further ahead is a mistake of some clock
_TEXTS: Final = ("operator", "host", "profile", "subject_kind", "subject", "action", "outcome")


class LocalJournal:
    """The rows in `path`, which is made with the first one. OSError is told as HousekeysError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def append(self, rows: Sequence[Row], *, in_doubt: bool = False) -> None:
        """Keep `rows` durably, each once: those whose ids are there already are left out, in doubt or not."""
        if rows:
            await asyncio.to_thread(self._append, rows)

    async def history(
        self,
        subject_kind: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Row]:
        """Rows of any outcome, newest first, at most `limit`, since a moment if one is given."""
        found = [
            row
            for row in await self._rows()
            if subject_kind in (None, row.subject_kind)
            and subject in (None, row.subject)
            and (since is None or row.at >= since)
        ]
        return _newest_first(found)[:limit]

    async def newest(self) -> datetime | None:
        """The time of the newest row; one more than a day ahead is left out as a mistake."""
        latest = datetime.now(UTC) + _FUTURE
        return max((row.at for row in await self._rows() if row.at < latest), default=None)

    async def later_events(self, change: UUID, limit: int = 10) -> list[Row]:
        """Done events of other changes on the subjects of `change`, from when it touched each; newest first."""
        rows = [row for row in await self._rows() if row.outcome == DONE]
        touched: dict[tuple[str, str], datetime] = {}
        for row in rows:
            if row.change == change and row.subject_kind != CHANGE:
                about = row.subject_kind, row.subject
                touched[about] = min(row.at, touched.get(about, row.at))
        later = [
            row
            for row in rows
            if row.change != change
            and (since := touched.get((row.subject_kind, row.subject))) is not None
            and row.at >= since
        ]
        return _newest_first(later)[:limit]

    async def _rows(self) -> list[Row]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[Row]:
        with self._explained("read"):
            try:
                content = self.path.read_bytes()
            except FileNotFoundError:
                return []
        rows = list(map(_row, _whole_lines(content)))
        if broken := rows.count(None):
            log.warning("%s: %d lines are no rows of a journal and are passed over", self.path, broken)
        return [row for row in rows if row is not None]

    def _append(self, rows: Sequence[Row]) -> None:
        with self._explained("written"), self._held() as descriptor:
            content = read_whole(descriptor)
            lines = _whole_lines(content)
            there = {row.id for line in lines if (row := _row(line)) is not None}
            new = [_line(row) for row in rows if row.id not in there]
            end = sum(map(len, lines))
            os.ftruncate(descriptor, end)  # the rest is torn
            write_at(descriptor, b"".join(new), end)
            os.fsync(descriptor)

    @contextlib.contextmanager
    def _held(self) -> Iterator[int]:
        """The file, opened and locked."""
        folder = private_folder(self.path.parent)
        fresh = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if fresh:
                sync_folder(folder)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HousekeysError(
                f"The journal of this machine cannot be {what}: {error.strerror or error}.",
                advice=f"Make room or access in {self.path.parent}.",
                detail=f"{self.path}: {error}",
            ) from error


def _newest_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)


def _whole_lines(content: bytes) -> list[bytes]:
    """The lines of `content` that have an end."""
    lines = content.split(b"\n")
    return [line + b"\n" for line in lines[:-1]]


def _line(row: Row) -> bytes:
    record = {
        "id": str(row.id),
        "at": row.at.isoformat(timespec="microseconds"),
        **{name: getattr(row, name) for name in _TEXTS},
        "change": str(row.change),
        "details": dict(row.details),
    }
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _row(line: bytes) -> Row | None:
    """The row of a line, or None when it is none."""
    try:
        record: dict[str, Any] = json.loads(line)
        texts = {name: record[name] for name in _TEXTS}
        at = datetime.fromisoformat(record["at"])
        row = Row(id=UUID(record["id"]), at=at, change=UUID(record["change"]), details=record["details"], **texts)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    whole = isinstance(row.details, dict) and at.tzinfo is not None
    return row if whole and all(isinstance(text, str) for text in texts.values()) else None
