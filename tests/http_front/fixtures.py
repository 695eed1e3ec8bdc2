"""Fixtures: a front for a module, and server engines connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from core.clickhouse.server import ServerEngine
from tests.http_front.process import Front


@pytest.fixture(scope="module")
def running_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One front for the tests of a module."""
    front = Front.start(tmp_path_factory.mktemp("front"))
    yield front
    front.close()


@pytest_asyncio.fixture
async def http_front(running_front: Front) -> Front:
    """The front of the module, without faults and with an empty log."""
    await running_front.commit_faults()
    return running_front


@pytest_asyncio.fixture
async def server_engine(http_front: Front) -> AsyncIterator[ServerEngine]:
    """An engine connected to the front, without TLS."""
    engine = await ServerEngine.open(http_front.options())
    yield engine
    await engine.close()
