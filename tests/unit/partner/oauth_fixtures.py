"""A partner's side of OAuth for a test, and its fake workspace, which runs as long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from core.partner.oauth.calling import DatabricksHttp
from tests.databricks_fake import PRINCIPAL_SECRET, DatabricksFake
from tests.unit.partner.oauth_place import Partner


@pytest.fixture
def running() -> Iterator[DatabricksFake]:
    with DatabricksFake() as fake:
        yield fake


@pytest_asyncio.fixture
async def partner(running: DatabricksFake, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Partner]:
    http = await DatabricksHttp.open(address=lambda host: running.url)
    yield Partner(running, http)
    await http.close()
    assert PRINCIPAL_SECRET not in caplog.text
