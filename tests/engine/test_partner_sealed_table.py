"""Sealed secrets in a real ClickHouse: the newest value counts, and what is erased is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.errors import HousekeysError, UnreachableError
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.storage.request_log import RequestLog
from core.partner.storage.sealed_table import SealedTable
from core.secrets import Secret
from tests.engine.partner_storage_place import REFRESH, TOKEN, Storage

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_newest_value_counts(storage: Storage) -> None:
    sealed = storage.sealed
    assert await sealed.read(TOKEN) is None
    await sealed.write(TOKEN, "first")
    await sealed.write(TOKEN, "second")
    other_process = SealedTable(storage.engine, storage.journal.database)
    assert await other_process.read(TOKEN) == "second"
    assert await other_process.places("pc1") == [TOKEN]
    await other_process.remove(REFRESH)
    await asyncio.gather(other_process.remove(TOKEN), sealed.write(replace(TOKEN, connection_id="pc2"), "kept"))
    assert await sealed.read(TOKEN) is None
    assert await sealed.read(replace(TOKEN, connection_id="pc2")) == "kept"


async def test_who_writes_at_the_same_time_shares_an_insert(storage: Storage) -> None:
    places = [replace(TOKEN, connection_id=f"pc{number}") for number in range(40)]
    storage.engine.inserts_left = 4
    await asyncio.gather(*(storage.sealed.write(place, place.connection_id) for place in places))
    assert [await storage.sealed.read(place) for place in places[::10]] == ["pc0", "pc10", "pc20", "pc30"]
    assert storage.engine.inserts_left is not None
    assert storage.engine.inserts_left >= 2
    await asyncio.gather(*(storage.sealed.erase(place.connection_id) for place in places))
    assert len([sql for sql in storage.engine.statements if "DELETE" in sql]) < 20
    assert [await storage.sealed.read(place) for place in places[::10]] == [None] * 4


async def test_a_write_that_fails_says_so_to_all(storage: Storage) -> None:
    storage.engine.inserts_left = 0
    told = await asyncio.gather(*(storage.sealed.write(TOKEN, "x") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, UnreachableError) for error in told)
    storage.engine.repair()
    await storage.sealed.write(TOKEN, "x")
    assert await storage.sealed.read(TOKEN) == "x"


async def test_nothing_is_read_where_no_table_is(shared_engine: EmbeddedEngine) -> None:
    sealed = SealedTable(shared_engine, "nowhere")
    assert await sealed.read(TOKEN) is None
    await sealed.erase("pc1")
    with pytest.raises(HousekeysError):
        await sealed.write(TOKEN, "x")
    assert await RequestLog(shared_engine, "nowhere").newest() == []


async def test_what_is_erased_is_gone_from_the_disk(storage: Storage) -> None:
    secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), storage.sealed)
    for number in range(12):  # enough for ClickHouse to merge parts, which leaves old ones behind
        await secrets.keep(replace(TOKEN, connection_id=f"pc{number}"), Secret(f"dapi{number:032}"))
    await secrets.keep(replace(TOKEN, connection_id="pc7"), Secret("dapi-newer"))
    place = replace(TOKEN, connection_id="pc7")
    found = await storage.engine.query(
        f"SELECT sealed FROM {storage.journal.database}.partner_secrets WHERE connection_id = 'pc7'"
    )
    texts = [str(text).encode() for (text,) in found.rows]
    folder = Path(storage.engine.engine.address)

    def files() -> list[Path]:
        return [one for one in folder.rglob("*") if one.is_file() and any(text in one.read_bytes() for text in texts)]

    assert files()
    await secrets.erase("pc7")
    assert await secrets.get(place) is None
    assert await storage.sealed.names("pc7") == []
    assert files() == []
    assert (await secrets.get(replace(place, connection_id="pc8"))) is not None
