"""When the DataLens user last read a tenant: from the query log of a real ClickHouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.journal.journal import Journal
from core.tenants.listing import survey

NAMES = ("plain", "it's `quoted`", "with-dash", "select", "никогда")


async def test_last_read_is_found_under_every_kind_of_name(tmp_path: Path) -> None:
    # The embedded engine has one login, `default`: here it plays the DataLens user.
    engine = await EmbeddedEngine.open(tmp_path / "engine", query_log=True)
    try:
        before = datetime.now(UTC) - timedelta(seconds=1)
        for name in NAMES:
            place = f"{quote_identifier(name)}.t"
            await engine.command(f"CREATE DATABASE {quote_identifier(name)}")
            await engine.command(f"CREATE TABLE {place} (a Int8) ENGINE = MergeTree ORDER BY a")
            if name != NAMES[-1]:
                await engine.query(f"SELECT count() FROM {place} WHERE a = 1")
        await engine.command("SYSTEM FLUSH LOGS")
        found = await survey(engine, Journal(engine, "journal"), datalens_user="default")
        assert not found.last_read_problem
        rows = {row.name: row.last_read for row in (*found.tenants, *found.others)}
        assert {name for name, moment in rows.items() if moment is not None} == set(NAMES[:-1])
        assert all(moment is None or before <= moment <= datetime.now(UTC) for moment in rows.values())
        strangers = await survey(engine, Journal(engine, "journal"), datalens_user="somebody")
        assert all(row.last_read is None for row in (*strangers.tenants, *strangers.others))
    finally:
        await engine.close()
