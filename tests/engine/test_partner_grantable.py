"""Privileges of the template that no database can have, as a real ClickHouse judges them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import BadStatementError
from core.errors import BadInputError
from core.partner.provisioning.grantable import refuse_ungrantable
from core.profiles.partner import ResourceTemplate
from tests.engine.denying_engine import DenyingEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_no_database_can_have_is_refused_before_anybody_connects(shared_engine: EmbeddedEngine) -> None:
    usual = ResourceTemplate()
    old = DenyingEngine(shared_engine, "CHECK GRANT", BadStatementError("Syntax error.", code=62))  # knows none yet
    await refuse_ungrantable(shared_engine, usual)
    await refuse_ungrantable(shared_engine, replace(usual, privileges=("ALTER", "SHOW TABLES", "SYSTEM MERGES")))
    for privilege in ("SELEKT", "ROLE ADMIN", "CREATE USER"):
        template = replace(usual, privileges=("SELECT", privilege))
        with pytest.raises(BadInputError, match=privilege):
            await refuse_ungrantable(shared_engine, template)
        if privilege != "CREATE USER":  # which is refused without a question
            await refuse_ungrantable(old, template)
