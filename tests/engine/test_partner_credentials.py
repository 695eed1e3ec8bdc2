"""Basic credentials in the journal of a real ClickHouse: several at once, their use, a ClickHouse that is away."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import NotFoundError, RefusedError
from core.partner.security.basic_credentials import header_value
from core.partner.storage.credentials import LiveCredentials
from core.partner.storage.known_state import KnownState
from core.secrets import Secret
from tests.engine.partner_storage_place import Storage

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_credentials_overlap_and_their_use_is_recorded(storage: Storage) -> None:
    connections = storage.connections
    presented, change = connections.plan_add_credential("databricks")
    assert presented.password.reveal() not in repr(change)
    await storage.run(change)
    live = LiveCredentials(KnownState(storage.journal), storage.runner)
    header = [header_value(presented).reveal()]
    found = await live.check(header)
    assert found is not None
    assert await live.check(["Basic YTpi"]) is None
    await asyncio.gather(*(live.check(header) for _ in range(5)))
    await live.aclose()
    assert await storage.told("partner_credential") == [(found.id, "add", "done"), (found.id, "use", "done")]
    (used,) = await connections.credentials()
    assert used.last_used is not None
    with pytest.raises(RefusedError, match="last credential"):
        await connections.plan_remove_credential(found.id)
    with pytest.raises(NotFoundError):
        await connections.plan_remove_credential("nothing")
    await storage.run(await connections.plan_choose_credential("second", Secret("a long enough password")))
    await storage.run(await connections.plan_remove_credential(found.id))
    await live._known_state.catch_up()
    assert await live.check(header) is None
    assert [one.user for one in await connections.credentials()] == ["second"]
    storage.engine.broken = True
    await live.aclose()


async def test_credentials_stay_valid_while_clickhouse_is_away(storage: Storage) -> None:
    presented, change = storage.connections.plan_add_credential("databricks")
    await storage.run(change)
    state = KnownState(storage.journal)
    live = LiveCredentials(state, storage.runner)
    assert await live.check([header_value(presented).reveal()]) is not None
    await live.aclose()
    storage.engine.broken = True
    state._read_at = -float("inf")
    assert await live.check([header_value(presented).reveal()]) is not None
