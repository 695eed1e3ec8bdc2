"""A real engine that refuses some statements: to a user who may read all but one table, or as an older one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.clickhouse.errors import NoRightError
from core.errors import HousekeysError
from tests.engine.faulty_engine import FaultyEngine


class DenyingEngine(FaultyEngine):
    """Passes everything on to `engine` but queries with `words`, usually a table, which it answers by `error`."""

    def __init__(self, engine: Engine, words: str, error: HousekeysError | None = None) -> None:
        super().__init__(engine)
        self.words = words
        lacking = NoRightError("The user lacks a right.", code=497, missing=f"SELECT ON housekeys.{words}")
        self.error = error or lacking

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        if self.words in sql:
            raise self.error
        return await super().query(sql, parameters, settings=settings)
