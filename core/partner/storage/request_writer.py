"""Writes the log of requests behind the answers: once a second, in batches, and never in the way of an answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from core.errors import HousekeysError
from core.partner.storage.requests_seen import AnsweredRequest

log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 30.0  # between two attempts while ClickHouse is away
BATCH_REQUESTS: Final = 5_000
MOST_WAITING: Final = 50_000  # requests; some 20 MB


class KeepsRequests(Protocol):
    """Where the log of requests is; `core.partner.storage.request_log.RequestLog` has it."""

    async def append(self, requests: Sequence[AnsweredRequest]) -> None:
        """Keep a batch; the same one again counts once."""
        ...


class RequestWriter:
    """Notes requests, and writes them in the background. To be used from one event loop; ended with `aclose`."""

    def __init__(self, kept: KeepsRequests, *, every: float = WRITE_SECONDS) -> None:
        self._kept = kept
        self._every = every
        self._waiting: deque[AnsweredRequest] = deque()
        self._batch: list[AnsweredRequest] = []  # on its way: after a lost answer the same one goes again
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.dropped = 0  # requests that were answered and will not be in the log

    def note(self, request: AnsweredRequest) -> None:
        """Note one request. Never waits and never raises: of too many the oldest are dropped, and counted."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(request)
        if self._task is None and not self._closing.is_set():
            self._task = asyncio.create_task(self._write_on())

    @property
    def waiting(self) -> int:
        """How many are noted and not written yet."""
        return len(self._waiting) + len(self._batch)

    async def aclose(self) -> None:
        """Write what is left; what cannot be written now is dropped. Idempotent."""
        self._closing.set()
        if self._task is not None:
            await self._task
        while self.waiting and await self._write():
            pass
        if self.waiting:
            log.error("%d answered requests are not in the log of requests: ClickHouse is away", self.waiting)
            self.dropped += self.waiting
            self._waiting.clear()
            self._batch.clear()

    async def _write_on(self) -> None:
        pause = self._every
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause)
            written = True
            while self.waiting and written and not self._closing.is_set():
                written = await self._write()
            pause = self._every if written else min(pause * 2, LONGEST_WAIT_SECONDS)

    async def _write(self) -> bool:
        """Write one batch; whether it went well."""
        if not self._batch:
            self._batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_REQUESTS))]
        try:
            await self._kept.append(self._batch)
        except HousekeysError as error:
            log.warning("%d answered requests wait to be written: %s %s", self.waiting, error, error.detail)
            return False
        except Exception:  # the log must never end the service; nobody would see why nothing is written any more
            log.exception("%d answered requests cannot be written and are dropped", len(self._batch))
            self.dropped += len(self._batch)
        self._batch = []
        return True
