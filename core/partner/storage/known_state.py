"""What a process knows of Partner Connect: read from the journal at first, and followed from then on.

Other processes write to the journal too, and clocks differ, so what is new is looked for some way back: a row that
arrives late is told in its place. Whatever is older than that is found by its number, and all is read again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from core.errors import HousekeysError
from core.journal.rows import Row
from core.partner.accounts.state import Known
from core.partner.security.basic_credentials import BasicCredential
from core.partner.storage.ordered_folding import SUBJECT_KINDS, OrderedFolding

log = logging.getLogger(__name__)

OVERLAP: Final = timedelta(minutes=2)  # how late a row may arrive, by the clocks of all machines, to be met at once
FOLLOW_SECONDS: Final = 0.5  # between two reads while nothing else reads
COUNT_SECONDS: Final = 60.0  # between two counts of older rows
_ROWS_AT_ONCE: Final = 500  # are told in one go: some 50 ms
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TellsFacts(Protocol):
    """The part of a journal that is followed; `core.journal.journal.Journal` has it."""

    async def news(self, subject_kinds: Collection[str], since: datetime, known: Mapping[int, int]) -> list[Row]:
        """The done events of some kinds of subject in seconds that have more of them than `known`, oldest first."""
        ...

    async def count_of_kinds(self, subject_kinds: Collection[str], before: datetime) -> int:
        """How many done events of some kinds of subject there are from before a moment."""
        ...


@dataclass(slots=True)
class _Read:
    """All that was read, folded, and which rows it was. Those that are not recent are only counted."""

    folding: OrderedFolding = field(default_factory=OrderedFolding)
    recent: dict[int, set[UUID]] = field(default_factory=dict)  # by second
    settled: int = 0  # rows from before `since`
    since: datetime = _EPOCH  # a whole second; what is from then on is recent

    def tell(self, rows: Sequence[Row]) -> bool:
        """Take in those of `rows` that are new; whether there were any."""
        new = [row for row in rows if row.id not in self.recent.get(_second(row.at), ())]
        self.folding.tell(new)
        for row in new:
            self.recent.setdefault(_second(row.at), set()).add(row.id)
        return bool(new)

    def settle(self, now: datetime) -> None:
        """Only count from now on the rows that are older than OVERLAP, by the newest of them and by `now`."""
        if not self.recent:
            return
        newest = _EPOCH + timedelta(seconds=max(self.recent))
        since = (min(newest, now) - OVERLAP).replace(microsecond=0)
        if since <= self.since:
            return
        self.since = since
        self.folding.settle(since)
        for second in [second for second in self.recent if second < _second(since)]:
            self.settled += len(self.recent.pop(second))

    @property
    def counts(self) -> dict[int, int]:
        """How many rows of each recent second were read."""
        return {second: len(ids) for second, ids in self.recent.items()}


class KnownState:
    """Follows a journal. For one event loop, in which `known` and `credentials` change only while it reads.

    Everything that reads raises what the journal raises; what is known stays then.
    """

    def __init__(self, journal: TellsFacts, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._journal = journal
        self._clock = clock
        self._read: _Read | None = None
        self._current: asyncio.Task[bool] | None = None  # the read under way
        self._next: asyncio.Task[bool] | None = None  # the one after it, for those who came since
        self._read_at = self._counted_at = -float("inf")  # when the last one had begun

    @property
    def known(self) -> Known:
        """What is known: a view that moves along. Nothing before the first read."""
        return self._read.folding.known if self._read is not None else Known()

    @property
    def credentials(self) -> Mapping[str, BasicCredential]:
        """The Basic credentials that are valid, by id."""
        return self._read.folding.credentials if self._read is not None else {}

    @property
    def age(self) -> float:
        """How many seconds ago the last read that went well had begun."""
        return time.monotonic() - self._read_at

    async def load(self) -> None:
        """Read everything. Takes seconds for tens of thousands of facts; the event loop goes on."""
        await self.catch_up()

    async def catch_up(self) -> bool:
        """Read what is there by now; whether something was new. Those who ask at once share one read."""
        if self._next is None:
            before, self._current = self._current, None
            self._next = asyncio.create_task(self._read_after(before))
            self._next.add_done_callback(_retrieve)
        return await asyncio.shield(self._next)

    async def fresh(self, seconds: float) -> None:
        """Catch up if the last read is longer ago than that."""
        if self.age > seconds:
            await self.catch_up()

    async def follow(self) -> None:
        """Catch up again and again until cancelled. A journal that cannot be read is waited for."""
        while True:
            try:
                await self.fresh(FOLLOW_SECONDS)
            except HousekeysError as error:
                log.warning("what is new of Partner Connect cannot be read: %s %s", error, error.detail)
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _read_after(self, before: asyncio.Task[bool] | None) -> bool:
        if before is not None:
            await asyncio.wait({before})
        self._current, self._next = self._next, None  # who comes from here on gets another read
        begun = time.monotonic()
        new = await (self._load() if self._read is None else self._look(self._read))
        self._read_at = begun
        return new

    async def _load(self) -> bool:
        self._counted_at = time.monotonic()
        with _without_collecting():
            rows = await self._journal.news(SUBJECT_KINDS, _EPOCH, {})
            self._read = await asyncio.to_thread(_fold_all, rows, self._clock())
        return bool(rows)

    async def _look(self, read: _Read) -> bool:
        if time.monotonic() - self._counted_at >= COUNT_SECONDS:
            self._counted_at = time.monotonic()
            if await self._journal.count_of_kinds(SUBJECT_KINDS, read.since) > read.settled:
                return await self._load()  # rows have arrived too late to be met
        rows = await self._journal.news(SUBJECT_KINDS, read.since, read.counts)
        new = False
        with _without_collecting() if len(rows) > _ROWS_AT_ONCE else nullcontext():
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                new = read.tell(rows[start : start + _ROWS_AT_ONCE]) or new
                await asyncio.sleep(0)  # others have their turn; what is known is whole between two rows
        read.settle(self._clock())
        return new


def _fold_all(rows: Sequence[Row], now: datetime) -> _Read:
    """Fold rows, in portions so that how to take them back is not remembered of all."""
    read = _Read()
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        read.tell(rows[start : start + _ROWS_AT_ONCE])
        read.settle(now)
    return read


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Without looking for garbage: all that is read is kept, and every look at it would hold up the event loop too."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _retrieve(task: asyncio.Task[bool]) -> None:
    if not task.cancelled():
        task.exception()  # those who waited may all be gone: asyncio would complain of an exception nobody saw
