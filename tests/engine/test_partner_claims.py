"""By what processes keep out of each other's way, in a real ClickHouse: claims, links that work once, leases."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.errors import UnreachableError
from core.partner.oauth.authorization import published_app
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.u2m import U2mTokens, lease_of
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import workspace_host
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.storage.claims import Claims
from core.partner.storage.leases import Leases
from core.partner.storage.used_links import UsedLinks
from tests.databricks_fake import PUBLISHED_APP, REDIRECT, DatabricksFake
from tests.engine.faulty_engine import FaultyEngine
from tests.engine.gated_engine import STATEMENT, GatedEngine
from tests.engine.partner_storage_place import NOW, REFRESH, TOKEN, Storage

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOST = workspace_host("dbc-a1b2.cloud.databricks.com")


class Beside(FaultyEngine):
    """The same ClickHouse by a connection of its own: statements run at the same time, as those of processes do."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        folder = Path(engine.address)
        self.handle = Handle(HandleOptions(folder / "data", folder / "config.xml", {}, "another process"))

    async def query(self, sql: str, parameters: Any = None, *, settings: Any = None) -> QueryResult:
        return await asyncio.to_thread(self.handle.query, sql, parameters, settings)

    async def command(self, sql: str, *, settings: Any = None) -> None:
        await asyncio.to_thread(self.handle.command, sql, settings)


async def test_of_all_who_claim_at_once_one_gets_it(storage: Storage) -> None:
    engines = [Beside(storage.engine) for _ in range(4)]
    try:
        processes = [Claims(engine, storage.journal.database) for engine in engines]
        links = [UsedLinks(claims) for claims in processes]
        later = NOW + timedelta(hours=1)
        for number in range(5):
            told = await asyncio.gather(*(link.record(f"nonce {number}", later) for link in links))
            assert sorted(told) == [False, False, False, True]
            assert not await links[0].record(f"nonce {number}", later)
            taken = await asyncio.gather(*(claims.take(f"thing {number}", 60) for claims in processes))
            assert taken.count(None) == 3
    finally:
        for engine in engines:
            engine.handle.close()


async def test_a_lease_is_one_holders_at_a_time(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    mine = await claims.take("a", 60)
    assert mine is not None
    assert await claims.take("a", 60) is None
    assert await claims.take("b", 60) is not None
    await claims.give_back(mine)
    short = await claims.take("a", -1)
    assert short is not None
    next_one = await claims.take("a", 60)  # its time is over
    assert next_one is not None
    await claims.give_back(short)
    assert await claims.take("a", 60) is None  # and it was not its holder's to give back
    leases = Leases(claims, patience=0)
    with pytest.raises(UnreachableError, match="Another process"):
        async with leases.hold("a"):
            pass
    await claims.give_back(next_one)
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("a"):
            raise ZeroDivisionError
    async with leases.hold("a"):
        assert await claims.take("a", 60) is None


class Unanswered(GatedEngine):
    """What is run is done, and its answer does not come until `opened` is set."""

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        await self.engine.command(sql, settings=settings)
        await self._pass(STATEMENT)


async def test_nothing_is_done_under_a_lease_that_is_over(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    hurried = Leases(claims, seconds=60, margin=60)
    with pytest.raises(UnreachableError, match="taken too long"):
        async with asyncio.timeout(10), hurried.hold("a"):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError, match="its own"):
        async with Leases(claims).hold("a"):
            raise TimeoutError("its own")
    assert await claims.take("a", 60) is not None


async def test_who_is_cancelled_on_taking_a_lease_leaves_none(storage: Storage) -> None:
    gate = Unanswered(storage.engine, STATEMENT)
    taking = asyncio.create_task(Leases(Claims(gate, storage.journal.database)).hold("a").__aenter__())
    await gate.reached.wait()
    taking.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await Claims(storage.engine, storage.journal.database).take("a", 60) is not None


async def test_an_operator_erases_behind_a_refresh_that_is_under_way(storage: Storage) -> None:
    claims = Claims(storage.engine, storage.journal.database)
    for place in (TOKEN, replace(REFRESH, connection_id="pc2")):
        await storage.sealed.write(place, "x")
        held = await claims.take(lease_of(place.connection_id), 60)
        assert held is not None
        erasing = asyncio.create_task(
            storage.connections.secret_calls.call(ERASE, {CONNECTION_ID: place.connection_id})
        )
        if place == TOKEN:
            await erasing  # which no refresh replaces
        await claims.give_back(held)
        await erasing
        assert await storage.sealed.names(place.connection_id) == []
        next_one = await claims.take(lease_of(place.connection_id), 60)
        assert next_one is not None
        assert next_one.turn == held.turn + (2 if place == TOKEN else 4)  # it had the turn between


async def test_a_refresh_token_is_used_by_one_process_at_a_time(storage: Storage) -> None:
    secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), storage.sealed)
    with DatabricksFake() as fake:
        http = await DatabricksHttp.open(address=lambda host: fake.url)
        leases = Leases(Claims(storage.engine, storage.journal.database)).hold
        processes = [U2mTokens(http, Discovery(http), secrets, leases) for _ in range(3)]
        begun = await processes[0].begin("pc1", HOST, published_app(PUBLISHED_APP, REDIRECT))
        client = await processes[1].complete(fake.consent(begun.url), begun.browser_key)
        for _ in range(2):
            for process in processes:
                process._tokens.clear()
            tokens = await asyncio.gather(*(process.access_token(client) for process in processes))
            assert len({token.value.reveal() for token in tokens}) == 3
        await http.close()
    assert fake.grants == ["authorization_code", *["refresh_token"] * 6]  # no one was refused and came again
