"""The tables of Partner Connect on the engine of a module: made once, and empty for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.clickhouse.embedded import EmbeddedEngine
from tests.engine.partner_storage_place import Storage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared_engine: EmbeddedEngine, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A place with the tables of Partner Connect, made once: that takes a while."""
    return await Storage(shared_engine, tmp_path_factory.mktemp("storage")).with_tables()


@pytest_asyncio.fixture(loop_scope="module")
async def storage(made: Storage) -> AsyncIterator[Storage]:
    """It, with nothing in its tables."""
    yield made.begun_anew()
    made.engine.repair()
    for table in ("journal", "partner_secrets", "partner_claims", "partner_requests"):
        await made.engine.engine.command(f"TRUNCATE TABLE {made.journal.database}.{table}")
