"""The embedded engine: chDB, a whole ClickHouse in this process, with the access storage that chDB lacks.

The folder of an engine holds `data/` (ClickHouse's own files), `access/` (access entities as SQL),
`users.xml` and `config.xml` (written from them), and `lock`. chDB runs in one thread of its own; nothing here blocks
the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from core.access.access_model import EntityKey
from core.clickhouse.embedded_repair import require_room
from core.clickhouse.embedded_worker import Worker
from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.clickhouse.quoting import require_encodable
from core.clickhouse.trying import Tried
from core.errors import UnreachableError

T = TypeVar("T")
_KILL_AGAIN = 0.05  # seconds after which a statement that did not end is killed again (it may not have begun before)
_GRACE = 2.0  # seconds that a statement may still run when the engine is closed


@dataclass(frozen=True, slots=True)
class _Job:
    """What runs in the engine's thread: told to stop by `cancelled`, over when `ended`."""

    cancelled: threading.Event
    ended: threading.Event


class EmbeddedEngine(Engine):
    """A ClickHouse in this process. Only one can be open at a time in a process, and on a folder."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="housekeys-chdb")
        self._closed = False
        self._running: _Job | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        read_only: bool = False,
        settings: Mapping[str, SettingValue] | None = None,
        query_log: bool = False,
    ) -> Self:
        """Open the engine whose files are in `folder`, creating what is missing.

        `settings` hold for every statement. `read_only` makes ClickHouse refuse every change (`readonly = 2`).
        Raises UnreachableError when chDB is not installed, or when the folder is in use.
        """
        engine = cls(Worker(folder, read_only=read_only, settings=settings or {}, query_log=query_log))
        try:
            await engine._run(engine._worker.open)
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def home(self) -> Literal["server", "embedded"]:
        return "embedded"

    @property
    def address(self) -> str:
        """The folder of the engine."""
        return str(self._worker.folder)

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        require_encodable(sql, parameters)
        return await self._run(lambda: self._worker.query(sql, parameters, settings))

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        require_encodable(sql)
        require_room(self._worker.folder)
        await self._run(lambda: self._worker.command(sql, settings))

    async def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        *,
        stop_on_error: bool,
    ) -> None:
        require_room(self._worker.folder)
        cancelled = threading.Event()
        await self._run(lambda: self._worker.commands(statements, done, stop_on_error, cancelled), cancelled)

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        require_room(self._worker.folder)
        await self._run(lambda: self._worker.insert(database, table, columns, rows))

    async def not_enforced(self) -> dict[EntityKey, tuple[str, ...]]:
        """What of access is kept but not enforced by this engine, in words.

        Users whom that would let do more than they should are locked.
        """
        return await self._run(self._worker.not_enforced)

    async def try_as(self, user: str, sql: str, really: bool = False) -> Tried:
        """What ClickHouse answers to `user` for one statement, on the data of this engine.

        A statement that reads is run. One that would change something is checked, and carried out only `really`. The
        engine is closed meanwhile (about 0.2 s), and with it temporary tables; quotas count from nothing. Raises
        UnknownNameError, BadInputError for what cannot be tried, RefusedError for a user with limits not enforced here.
        """
        require_encodable(sql)
        require_room(self._worker.folder)
        return await self._run(lambda: self._worker.try_as(user, sql, really))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        closing = self._executor.submit(self._worker.close)
        self._executor.shutdown(wait=False)
        await asyncio.shield(self._until_closed(asyncio.wrap_future(closing)))

    async def _until_closed(self, closing: asyncio.Future[None]) -> None:
        """Wait for what still runs, but not for long."""
        await asyncio.wait([closing], timeout=_GRACE)
        while not closing.done():
            if (running := self._running) is not None:
                running.cancelled.set()
                await asyncio.to_thread(self._worker.kill, running.ended)
            await asyncio.wait([closing], timeout=_KILL_AGAIN)
        closing.result()

    async def _run(self, work: Callable[[], T], cancelled: threading.Event | None = None) -> T:
        """Run `work` in the engine's thread; when this call is cancelled, so is the statement that runs there."""
        if self._closed:
            raise UnreachableError("The embedded engine is closed.", detail=self.address)
        this = _Job(cancelled or threading.Event(), threading.Event())

        def job() -> T:
            if self._closed:
                raise UnreachableError("The embedded engine is closed.", detail=self.address)
            self._running = this
            try:
                return work()
            finally:
                self._running = None
                self._worker.end(this.ended)

        submitted = self._executor.submit(job)
        waiting = asyncio.wrap_future(submitted)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            this.cancelled.set()
            if not submitted.cancel():
                await self._kill_until_done(waiting, this.ended)
            raise

    async def _kill_until_done(self, waiting: asyncio.Future[T], ended: threading.Event) -> None:
        """Kill the running statement until its thread comes back: it is not left behind to work on unseen."""
        while not waiting.done():
            await asyncio.to_thread(self._worker.kill, ended)
            await asyncio.wait([waiting], timeout=_KILL_AGAIN)
        waiting.exception()  # read, or asyncio reports it as never retrieved
