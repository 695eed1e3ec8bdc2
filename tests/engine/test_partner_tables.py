"""The tables of Partner Connect on a real ClickHouse: made once, with the journal, on a cluster too."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.errors import RefusedError
from core.journal.journal import Journal
from core.partner.storage.tables import PartnerTables
from tests.engine.running_place import Place

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_tables_are_made_once_with_the_journal(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path)
    tables = PartnerTables(shared_engine, place.journal)
    assert await tables.missing() == ["journal", "partner_secrets", "partner_claims", "partner_requests"]
    assert (await place.runner.run(await tables.creation())).succeeded
    assert await tables.missing() == []
    assert not (await tables.creation()).steps
    await shared_engine.command(f"DROP TABLE {place.journal.database}.partner_claims")
    assert [step.title for step in (await tables.creation()).steps] == [
        f"Create table {place.journal.database}.partner_claims"
    ]
    assert ("create", "done") in [(action, outcome) for _, action, outcome in await place.told("partner_table")]


async def test_another_table_of_that_name_is_refused(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path)
    await shared_engine.command(f"CREATE DATABASE {place.journal.database}")
    table = f"{place.journal.database}.partner_secrets"
    await shared_engine.command(f"CREATE TABLE {table} (connection_id String, name String) ENGINE = Memory")
    with pytest.raises(RefusedError, match=r"its column name is String, not LowCardinality\(String\)"):
        await PartnerTables(shared_engine, place.journal).missing()


async def test_on_a_cluster_every_host_is_a_replica(shared_engine: EmbeddedEngine) -> None:
    journal = Journal(shared_engine, "strange {uuid} `name'\\", "main cluster")
    change = await PartnerTables(shared_engine, journal).creation()
    for step in change.steps[2:]:
        asked = await shared_engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": step.preview()})
        text = str(asked.first_cell())
        engine = text.partition("ENGINE = ")[2]
        assert "ON CLUSTER `main cluster`" in text
        assert engine.startswith("Replicated")
        assert engine.count("{") == 1
        assert "non_replicated" not in engine
