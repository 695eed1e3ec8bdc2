"""A real engine as it is to a user who may read all but one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.clickhouse.errors import NoRightError
from tests.engine.faulty_engine import FaultyEngine


class DenyingEngine(FaultyEngine):
    """Passes everything on to `engine` but queries about `table`, which it answers as ClickHouse does."""

    def __init__(self, engine: Engine, table: str) -> None:
        super().__init__(engine)
        self.table = table

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        if self.table in sql:
            raise NoRightError("The user lacks a right.", code=497, missing=f"SELECT ON housekeys.{self.table}")
        return await super().query(sql, parameters, settings=settings)
