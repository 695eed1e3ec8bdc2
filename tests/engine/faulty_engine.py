"""A real engine whose line to us can be cut: before a statement arrives, or before its answer does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.errors import HousekeysError, UnreachableError
from tests.engine.passing_engine import PassingEngine


class FaultyEngine(PassingEngine):
    """Passes everything on to `engine` and remembers the statements that it was asked to run.

    `statements_left` and `inserts_left` say after how many the fault happens (None: never): with `arrives` the
    statement is still carried out and only its answer is lost. From then on nothing can be reached until `repair`.
    With `hangs` the statement neither ends nor fails; `hanging` is set when it has begun.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.statements: list[str] = []
        self.statements_left: int | None = None
        self.inserts_left: int | None = None
        self.arrives = False
        self.hangs = False
        self.hanging = asyncio.Event()
        self.fault: HousekeysError = UnreachableError("The connection was lost.")
        self.broken = False

    def repair(self) -> None:
        self.broken = False
        self.hangs = False
        self.statements_left = self.inserts_left = None

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        self._refuse_when_broken()
        return await super().query(sql, parameters, settings=settings)

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        self._refuse_when_broken()
        self.statements_left = await self._fail_after(self.statements_left, lambda: self._run(sql, settings))
        await self._run(sql, settings)

    async def commands(
        self, statements: Sequence[str], done: Callable[[int, Exception | None], None], *, stop_on_error: bool
    ) -> None:
        for place, sql in enumerate(statements):
            try:
                await self.command(sql)
            except HousekeysError as error:
                done(place, error)
                if stop_on_error:
                    return
            else:
                done(place, None)

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._refuse_when_broken()

        async def insert() -> None:
            await self.engine.insert(database, table, columns, rows)

        self.inserts_left = await self._fail_after(self.inserts_left, insert)
        await insert()

    async def _run(self, sql: str, settings: Mapping[str, SettingValue] | None = None) -> None:
        self.statements.append(sql)
        await self.engine.command(sql, settings=settings)

    async def _fail_after(self, left: int | None, act: Callable[[], Any]) -> int | None:
        if left is None or left > 0:
            return None if left is None else left - 1
        if self.hangs:
            self.hanging.set()
            await asyncio.Event().wait()
        self.broken = isinstance(self.fault, UnreachableError)
        self.statements_left = self.inserts_left = None
        if self.arrives:
            await act()
        raise self.fault

    def _refuse_when_broken(self) -> None:
        if self.broken:
            raise self.fault
