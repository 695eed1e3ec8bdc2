"""One tenant looked at closely, on a real ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.tenants.inspection import read_definition, read_tables, statements_about
from core.tenants.planning import plan_resume, plan_suspend
from tests.engine.tenants_place import TenantsPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    place = await TenantsPlace(shared_engine, tmp_path).prepare()
    yield place
    await place.leave()


async def test_tables_the_largest_first(place: TenantsPlace) -> None:
    name = place.name("full")
    await place.add(name)
    await place.fill(name, "small", 10)
    await place.fill(name, "large", 100_000)
    await place.engine.command(f"CREATE VIEW {name}.v AS SELECT 1")
    tables = await read_tables(place.engine, name)
    assert [(table.name, table.rows) for table in tables if table.engine == "MergeTree"] == [
        ("large", 100_000),
        ("small", 10),
    ]
    assert [table.engine for table in tables if table.name == "v"] == ["View"]
    assert await read_tables(place.engine, place.name("nowhere")) == ()


async def test_the_statements_that_make_it(place: TenantsPlace) -> None:
    name, other = place.name("it's `ours`"), place.name("other")
    await place.add(name, other)
    quoted = quote_identifier(name)
    assert (await read_definition(place.engine, name)).startswith(f"CREATE DATABASE {quoted}")
    [statement] = statements_about(await place.reading(), name)
    assert statement == f"GRANT SELECT ON {quoted}.* TO `{place.user}`"


async def test_wider_grants_are_told_and_others_are_not(place: TenantsPlace) -> None:
    name = place.name("wide")
    await place.add(name, place.name("other"))
    user = quote_identifier(place.user)
    await place.engine.command(f"GRANT SHOW TABLES ON *.* TO {user}")
    await place.engine.command(f"GRANT INSERT ON wid*.* TO {user}")
    told = statements_about(await place.reading(), name)
    assert any("SHOW TABLES" in statement and "*.*" in statement for statement in told)
    assert any("INSERT" in statement and "wid*" in statement for statement in told)
    assert not any("other" in statement for statement in told)
    everywhere = tuple(statement for statement in told if "SHOW TABLES" in statement)
    assert statements_about(await place.reading(), "nobody's") == everywhere


async def test_a_database_that_is_not_there_is_an_answer(place: TenantsPlace) -> None:
    assert "does not exist" in await read_definition(place.engine, place.name("nowhere"))


async def test_since_when_the_state_holds(place: TenantsPlace) -> None:
    name = place.name("moving")
    await place.add(name)
    created = await place.tenant(name)
    assert created.since is not None and created.since == created.created
    await place.run(await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user))
    suspended = await place.tenant(name)
    assert suspended.since is not None and suspended.since > created.since
    await place.run(await plan_resume(place.engine, place.journal, [name], datalens_user=place.user))
    resumed = await place.tenant(name)
    assert resumed.since is not None and resumed.since > suspended.since
    assert resumed.created == created.created


async def test_nothing_is_said_of_a_state_that_came_about_otherwise(place: TenantsPlace) -> None:
    name = place.name("by_hand")
    await place.add(name)
    await place.engine.command(f"REVOKE SELECT ON {name}.* FROM {quote_identifier(place.user)}")
    assert (await place.tenant(name)).since is None
