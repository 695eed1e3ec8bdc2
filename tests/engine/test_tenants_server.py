"""Tenants, the DataLens user and the checklist over HTTP: the real client against the front, or any ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from core.clickhouse.quoting import quote_identifier
from core.clickhouse.server import ServerEngine
from core.datalens.checklist import CheckState, run_checklist
from core.tenants.model import TenantState
from core.tenants.planning import plan_resume, plan_suspend
from core.tenants.removal import plan_remove
from tests.engine.tenants_place import TenantsPlace
from tests.engine.test_server_protocol import url_options
from tests.http_front.process import Front

pytest_plugins = ("tests.http_front.fixtures",)


@pytest_asyncio.fixture(params=["front", pytest.param("url", marks=pytest.mark.server)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    """On a server that other tests may share: everything has names of its own, and is removed."""
    if request.param == "front":
        front: Front = request.getfixturevalue("running_front")
        options = front.options()
    else:
        options = url_options()
    engine = await ServerEngine.open(options)
    place = TenantsPlace(engine, tmp_path, uuid4().hex)
    yield await place.prepare()
    await engine.command(f"DROP USER IF EXISTS {quote_identifier(place.user)}")
    await engine.command(f"DROP DATABASE IF EXISTS {quote_identifier(place.journal.database)} SYNC")
    await engine.close()


async def test_hostile_names_live_a_whole_life(place: TenantsPlace) -> None:
    names = [place.name(stem) for stem in ("plain", "it's", "`t`\\", '"q" {x:String} %s', "клиент 😀", "a/b..*")]
    await place.add(*names, owner="D'Arc Жанна\\`")
    assert (await place.reading()).own.names == set(names)
    assert not (await place.plan(*names)).steps
    arguments = (place.engine, place.journal)
    await place.run(await plan_suspend(*arguments, names, datalens_user=place.user))
    states = {tenant.name: (tenant.state, tenant.owner) for tenant in (await place.survey()).tenants}
    assert {name: states[name] for name in names} == dict.fromkeys(
        names,
        (TenantState.SUSPENDED, "D'Arc Жанна\\`"),
    )
    await place.run(await plan_resume(*arguments, names, datalens_user=place.user))
    for name in names:
        await place.fill(name)
        assert (await place.tenant(name)).rows == 10
        await place.run(await plan_remove(*arguments, name, datalens_user=place.user))
        assert not await place.exists(name)
    assert not (await place.reading()).own.names


async def test_the_checklist_and_what_it_sets_right(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    await place.engine.command(f"GRANT SELECT ON *.* TO {quote_identifier(place.user)}")
    items = {i.id: i for i in await run_checklist(place.engine, place.journal, datalens_user=place.user)}
    assert [items[key].state for key in ("user", "readonly", "password")] == [CheckState.OK] * 3
    fix = items["grants"].fix
    assert fix is not None
    await place.run(fix)
    items = {i.id: i for i in await run_checklist(place.engine, place.journal, datalens_user=place.user)}
    assert items["grants"].state is CheckState.OK
    await place.run(await plan_remove(place.engine, place.journal, name, datalens_user=place.user))
