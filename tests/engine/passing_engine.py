"""A real engine behind another that only passes on: for those that do something on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.clickhouse.engine import Engine, QueryResult, SettingValue


class PassingEngine:
    """Passes on to `engine` what only reads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def home(self) -> Literal["server", "embedded"]:
        return self.engine.home

    @property
    def address(self) -> str:
        return self.engine.address

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        return await self.engine.query(sql, parameters, settings=settings)

    async def close(self) -> None:
        await self.engine.close()
