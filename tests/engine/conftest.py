"""Real engines for tests: the embedded one, fresh for a test or shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.clickhouse.embedded import EmbeddedEngine


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """A fresh embedded engine of its own for each test."""
    opened = await EmbeddedEngine.open(tmp_path / "engine")
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedEngine]:
    """One embedded engine for a whole module, whose tests must be marked `pytest.mark.asyncio(loop_scope="module")`.

    A module uses either this or `engine`, never both: one process holds one data folder at a time.
    """
    opened = await EmbeddedEngine.open(tmp_path_factory.mktemp("engine"))
    yield opened
    await opened.close()
