"""Privileges of the template that no database can have, as a real ClickHouse judges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import BadStatementError
from core.errors import BadInputError
from core.partner.provisioning.grantable import refuse_ungrantable
from core.profiles.partner import ResourceTemplate
from tests.engine.faulty_engine import FaultyEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")


class OldEngine(FaultyEngine):
    """As a ClickHouse that knows no CHECK GRANT yet."""

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        if sql.startswith("CHECK GRANT"):
            raise BadStatementError("Syntax error: failed at position 7.", code=62)
        return await super().query(sql, parameters, settings=settings)


async def test_what_no_database_can_have_is_refused_before_anybody_connects(shared_engine: EmbeddedEngine) -> None:
    usual = ResourceTemplate()
    await refuse_ungrantable(shared_engine, usual)
    await refuse_ungrantable(shared_engine, replace(usual, privileges=("ALTER", "SHOW TABLES", "SYSTEM MERGES")))
    for privilege in ("SELEKT", "ROLE ADMIN", "CREATE USER"):
        template = replace(usual, privileges=("SELECT", privilege))
        with pytest.raises(BadInputError, match=privilege):
            await refuse_ungrantable(shared_engine, template)
        if privilege != "CREATE USER":  # which is refused without a question
            await refuse_ungrantable(OldEngine(shared_engine), template)
