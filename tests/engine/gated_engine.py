"""A real engine that holds somebody up: in front of the next statement, or of the next rows for a table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.clickhouse.engine import Engine, SettingValue
from tests.engine.passing_engine import PassingEngine

STATEMENT = "statement"


class GatedEngine(PassingEngine):
    """Passes everything on to `engine`. What comes to `at` (a table, or STATEMENT) waits until `opened` is set."""

    def __init__(self, engine: Engine, at: str) -> None:
        super().__init__(engine)
        self.at = at
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        await self._pass(STATEMENT)
        await self.engine.command(sql, settings=settings)

    async def commands(
        self, statements: Sequence[str], done: Callable[[int, Exception | None], None], *, stop_on_error: bool
    ) -> None:
        await self._pass(STATEMENT)
        await self.engine.commands(statements, done, stop_on_error=stop_on_error)

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await self._pass(table)
        await self.engine.insert(database, table, columns, rows)

    async def _pass(self, what: str) -> None:
        if what == self.at:
            self.reached.set()
            await self.opened.wait()
