"""The list of tenants, as ClickHouse and the journal tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.changes import Change, Event, RecordStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import NoRightError
from core.clickhouse.quoting import quote_identifier
from core.journal.journal import Journal
from core.tenants.listing import list_tenants, survey
from core.tenants.model import TenantState
from tests.engine.tenants_place import TenantsPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    place = await TenantsPlace(shared_engine, tmp_path).prepare()
    yield place
    await place.leave()


class Partly(EmbeddedEngine):
    """A real engine whose connected user lacks rights: statements that hold `forbidden` are refused."""

    def __init__(self, engine: EmbeddedEngine, forbidden: str) -> None:
        self.engine = engine
        self.forbidden = forbidden
        self.asked: list[str] = []

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        self.asked.append(sql)
        if self.forbidden and self.forbidden in sql:
            raise NoRightError("The user lacks the right SHOW USERS.", code=497, missing="SHOW USERS ON *.*")
        return await self.engine.query(sql, parameters, settings=settings)


async def test_sizes_and_tokens(place: TenantsPlace) -> None:
    full, empty = place.name("full"), place.name("empty")
    await place.add(full, empty)
    await place.fill(full, "a", 1000)
    await place.fill(full, "b", 10)
    await place.engine.command(f"CREATE VIEW {full}.v AS SELECT * FROM {full}.a")
    issued = [Event("token", mark, "issue", {"tenant": full}) for mark in ("aa", "bb")]
    noise = [Event("token", "cc", "issue", {"tenant": 5}), Event("token", "dd", "deliver", {"tenant": empty})]
    await place.run(Change("Issue", (RecordStep("Issue", (*issued, *noise)),)))
    tenants = {
        tenant.name: tenant for tenant in await list_tenants(place.engine, place.journal, datalens_user=place.user)
    }
    assert (tenants[full].tables, tenants[full].rows, tenants[full].tokens) == (3, 1010, 2)
    assert (tenants[full].bytes or 0) > 0
    assert (tenants[empty].tables, tenants[empty].rows, tenants[empty].bytes, tenants[empty].tokens) == (0, 0, 0, 0)
    assert tenants[full].engine == "Atomic"


async def test_shared_databases_and_the_journal_are_never_listed(place: TenantsPlace) -> None:
    await place.engine.command(f"GRANT SELECT ON default.* TO {quote_identifier(place.user)}")
    found = await place.survey()
    names = {tenant.name for tenant in (*found.tenants, *found.others)}
    assert not names & {"default", "system", "information_schema", place.journal.database}


async def test_reading_everything_makes_no_tenants(place: TenantsPlace) -> None:
    name = place.name("mine")
    await place.add(name)
    await place.engine.command(f"CREATE DATABASE {place.name('other')}")
    await place.engine.command(f"GRANT SELECT ON *.* TO {quote_identifier(place.user)}")
    found = await place.survey()
    assert [(tenant.name, tenant.state) for tenant in found.tenants] == [(name, TenantState.ACTIVE)]
    assert found.reading.own.everything


async def test_a_prefix_opens_what_begins_so(place: TenantsPlace) -> None:
    name = place.name("prefixed")
    await place.engine.command(f"CREATE DATABASE {name}")
    await place.engine.command(f"GRANT SELECT ON {name[:-1]}*.* TO {quote_identifier(place.user)}")
    assert (await place.tenant(name)).state is TenantState.ACTIVE


async def test_suspended_here_and_granted_elsewhere_is_told(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    await place.run(Change("Pretend", (RecordStep("Pretend", (Event("tenant", name, "suspend"),)),)))
    tenant = await place.tenant(name)
    assert tenant.state is TenantState.ACTIVE
    assert "granted it again" in tenant.remark


async def test_without_a_user_tenants_are_not_readable(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    found = await survey(place.engine, place.journal, datalens_user="nobody-else")
    assert found.find(name).state is TenantState.NOT_READABLE
    assert "no user" in found.find(name).remark


async def test_grants_that_cannot_be_seen_leave_the_state_unknown(
    place: TenantsPlace, shared_engine: EmbeddedEngine
) -> None:
    name = place.name("acme")
    await place.add(name)
    found = await survey(Partly(shared_engine, "SHOW GRANTS"), place.journal, datalens_user=place.user)
    assert found.find(name).state is TenantState.UNKNOWN
    assert "SHOW USERS" in found.reading.problem


async def test_a_handful_of_queries_whatever_the_number(place: TenantsPlace, shared_engine: EmbeddedEngine) -> None:
    engine = Partly(shared_engine, "")
    journal = Journal(engine, place.journal.database)
    await place.add(place.name("a"))
    await survey(engine, journal, datalens_user=place.user)
    engine.asked.clear()
    await survey(engine, journal, datalens_user=place.user)
    with_one = len(engine.asked)
    await place.add(*[place.name(f"n{number}") for number in range(20)])
    engine.asked.clear()
    await survey(engine, journal, datalens_user=place.user)
    assert len(engine.asked) == with_one <= 8


async def test_without_a_query_log_the_reason_is_told(place: TenantsPlace) -> None:
    await place.add(place.name("a"))
    found = await place.survey()
    assert "query log" in found.last_read_problem
    assert all(tenant.last_read is None for tenant in found.tenants)


async def test_before_there_is_a_journal_grants_alone_make_tenants(
    shared_engine: EmbeddedEngine, tmp_path: Path
) -> None:
    place = TenantsPlace(shared_engine, tmp_path)
    name = place.name("early")
    await place.engine.command(f"CREATE DATABASE {name}")
    assert name in [other.name for other in (await place.survey()).others]
    assert (await place.survey()).reading.exists is False
