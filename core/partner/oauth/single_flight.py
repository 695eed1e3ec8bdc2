"""One task per key at a time: those who want the same meanwhile wait for it, and none of them can cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Start = Callable[[], Coroutine[Any, Any, T]]


class SingleFlight(Generic[T]):
    """The tasks under way, by key. A request whose answer cannot be asked for twice is safe in here."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, start: Start[T]) -> T:
        """The result of the task under way for `key`, or of a new one. Its exception is that of all who wait."""
        task = self._tasks.get(key) or self._begin(key, start)
        return await asyncio.shield(task)

    async def alone(self, key: str, start: Start[T]) -> T:
        """The result of a new task for `key`, begun when none is under way."""
        await self.settle(key)
        return await asyncio.shield(self._begin(key, start))

    async def settle(self, key: str) -> None:
        """Wait until no task is under way for `key`."""
        while task := self._tasks.get(key):
            await asyncio.wait({task})

    async def settle_all(self) -> None:
        """Wait until no task is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    def _begin(self, key: str, start: Start[T]) -> asyncio.Task[T]:
        task = self._tasks[key] = asyncio.create_task(self._watched(key, start))
        task.add_done_callback(_retrieve)
        return task

    async def _watched(self, key: str, start: Start[T]) -> T:
        try:
            return await start()
        finally:
            del self._tasks[key]


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # those who waited may all be gone: asyncio would complain of an exception nobody saw
