"""The life of a tenant on a real ClickHouse: created, suspended, resumed, described, removed, adopted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.changes import Danger, OnFailure, RecordStep, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.errors import BadInputError, NotFoundError, RefusedError
from core.tenants.model import TenantState
from core.tenants.planning import CHUNK, plan_adopt, plan_create, plan_describe, plan_resume, plan_suspend
from core.tenants.removal import plan_remove
from core.tenants.requests import TenantRequest
from core.tenants.steps import DatabaseEngine
from tests.engine.tenants_place import TenantsPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    place = await TenantsPlace(shared_engine, tmp_path).prepare()
    yield place
    await place.leave()


async def test_a_tenant_is_a_database_that_the_datalens_user_may_read(place: TenantsPlace) -> None:
    name = place.name("acme")
    change = await place.plan(name, owner="Ann", ticket="OPS-1")
    assert change.danger is Danger.ROUTINE
    assert change.reversible
    assert change.preview() == (f"CREATE DATABASE `{name}`\nGRANT SELECT ON `{name}`.* TO `{place.user}`")
    await place.run(change)
    reading = await place.reading()
    assert reading.own.names == {name}
    assert not reading.own.everything
    tenant = await place.tenant(name)
    assert (tenant.state, tenant.owner, tenant.ticket, tenant.tables, tenant.bytes) == (
        TenantState.ACTIVE,
        "Ann",
        "OPS-1",
        0,
        0,
    )
    assert tenant.created is not None


async def test_a_rerun_does_only_what_is_missing(place: TenantsPlace) -> None:
    first, second, third = place.name("a"), place.name("b"), place.name("c")
    await place.add(first, second, owner="Ann")
    assert not (await place.plan(first, second)).steps
    await place.engine.command(f"REVOKE SELECT ON {quote_identifier(second)}.* FROM {quote_identifier(place.user)}")
    assert (await place.tenant(second)).state is TenantState.NOT_READABLE
    change = await place.plan(first, second, third, owner="Bob")
    assert [step.title for step in change.steps] == [
        f"Create database {third}",
        f"Let {place.user} read {third}",
        f"Let {place.user} read {second}",
    ]
    assert any("left alone: 1" in sentence for sentence in change.consequences)
    await place.run(change)
    assert (await place.reading()).own.names == {first, second, third}
    assert (await place.tenant(first)).owner == "Ann"


async def test_many_tenants_are_created_in_chunks(place: TenantsPlace) -> None:
    names = [place.name(f"many{number:04}") for number in range(CHUNK + 30)]
    change = await place.plan(*names)
    assert change.on_failure is OnFailure.CONTINUE
    assert len(change.steps) == 2 * len(names)
    for index, step in enumerate(change.steps):
        if step.needs is not None:
            needed = change.steps[step.needs]
            assert isinstance(needed, StatementStep)
            assert needed.title.removeprefix("Create database ") in step.title
            assert step.needs < index
    await place.run(change)
    assert (await place.reading()).own.names == set(names)
    assert not (await place.plan(*names)).steps


async def test_one_failure_in_many_leaves_the_others(place: TenantsPlace) -> None:
    names = [place.name(f"m{number}") for number in range(3)]
    change = await place.plan(*names)
    await place.engine.command(f"CREATE DATABASE {quote_identifier(names[1])}")  # somebody was quicker
    report = await place.runner.run(change)
    assert [outcome.state for outcome in report.outcomes] == ["done", "failed", "done", "done", "skipped", "done"]
    assert (await place.reading()).own.names == {names[0], names[2]}
    with pytest.raises(BadInputError, match="adopt"):
        await place.plan(*names)


async def test_bad_names_are_all_reported_before_anything_runs(place: TenantsPlace) -> None:
    good = place.name("good")
    with pytest.raises(BadInputError) as caught:
        await place.plan(good, good, "system", "x" * 300, "", place.journal.database)
    assert caught.value.detail.count("\n") == 4
    assert "given twice" in caught.value.advice
    assert not await place.exists(good)


async def test_there_must_be_a_user_to_grant_to(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = await TenantsPlace(shared_engine, tmp_path).prepare(with_user=False)
    with pytest.raises(NotFoundError, match="datalens setup"):
        await place.plan(place.name("a"))


async def test_creation_is_undone_while_the_database_is_empty(place: TenantsPlace) -> None:
    name = place.name("undone")
    await place.add(name)
    await place.run(await place.runner.last_undoable())
    assert not await place.exists(name)
    assert not (await place.reading()).own.names
    with pytest.raises(NotFoundError):
        await place.tenant(name)


async def test_creation_is_not_undone_over_data(place: TenantsPlace) -> None:
    name = place.name("filled")
    await place.add(name)
    await place.fill(name)
    report = await place.runner.run(await place.runner.last_undoable())
    assert not report.succeeded
    assert "holds tables by now" in str(report.failed_outcomes[0].error)
    assert (await place.tenant(name)).rows == 10


async def test_suspend_and_resume(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    change = await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user)
    assert change.danger is Danger.DISRUPTIVE
    assert change.reversible
    await place.run(change)
    assert not (await place.reading()).covers(name)
    assert (await place.tenant(name)).state is TenantState.SUSPENDED
    assert not (await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user)).steps
    again = await place.plan(name)  # adding it again does not resume it
    assert not again.steps
    assert "Suspended" in again.consequences[0]
    await place.run(await plan_resume(place.engine, place.journal, [name], datalens_user=place.user))
    assert (await place.tenant(name)).state is TenantState.ACTIVE
    assert not (await plan_resume(place.engine, place.journal, [name], datalens_user=place.user)).steps
    assert await place.told(name) == ["create", "suspend", "resume"]


async def test_a_right_on_a_part_is_revoked_as_well(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    user = quote_identifier(place.user)
    await place.engine.command(f"REVOKE SELECT ON {name}.* FROM {user}")
    await place.engine.command(f"GRANT SELECT(a) ON {name}.t TO {user}")
    assert (await place.tenant(name)).state is TenantState.NOT_READABLE
    change = await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user)
    assert not change.reversible
    await place.run(change)
    assert not (await place.reading()).touches(name)


async def test_suspending_is_undone_by_granting(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    await place.run(await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user))
    await place.run(await place.runner.last_undoable())
    assert (await place.tenant(name)).state is TenantState.ACTIVE


async def test_what_a_role_opens_is_not_suspended_by_revoking(place: TenantsPlace) -> None:
    name, role = place.name("acme"), place.name("reader")
    await place.add(name)
    for statement in (
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON {name}.* TO {role}",
        f"GRANT {role} TO {quote_identifier(place.user)}",
    ):
        await place.engine.command(statement)
    with pytest.raises(RefusedError, match=role):
        await plan_suspend(place.engine, place.journal, [name], datalens_user=place.user)


async def test_strangers_are_not_touched(place: TenantsPlace) -> None:
    name = place.name("stranger")
    await place.engine.command(f"CREATE DATABASE {name}")
    arguments = (place.engine, place.journal)
    with pytest.raises(NotFoundError, match="adopt"):
        await plan_suspend(*arguments, [name], datalens_user=place.user)
    with pytest.raises(NotFoundError):
        await plan_resume(*arguments, [name], datalens_user=place.user)
    with pytest.raises(NotFoundError):
        await plan_remove(*arguments, name, datalens_user=place.user)
    with pytest.raises(NotFoundError):
        await plan_describe(*arguments, name, datalens_user=place.user, owner="x")
    for shared in ("system", "default", place.journal.database):
        with pytest.raises(BadInputError):
            await plan_remove(*arguments, shared, datalens_user=place.user)


async def test_a_database_is_adopted_and_let_go(place: TenantsPlace) -> None:
    name = place.name("old")
    await place.engine.command(f"CREATE DATABASE {name}")
    assert [other.name for other in (await place.survey()).others if other.name == name] == [name]
    change = await plan_adopt(place.engine, place.journal, [TenantRequest(name, "Ann")], datalens_user=place.user)
    assert "becomes readable" in change.consequences[0]
    await place.run(change)
    assert (await place.tenant(name)).owner == "Ann"
    assert (await place.reading()).own.names == {name}
    await place.run(await place.runner.last_undoable())
    assert await place.exists(name)
    with pytest.raises(NotFoundError, match="no tenant"):
        await place.tenant(name)
    with pytest.raises(NotFoundError, match="no database"):
        await plan_adopt(place.engine, place.journal, [TenantRequest("absent")], datalens_user=place.user)


async def test_a_database_granted_by_others_is_a_tenant_and_adopting_only_records_it(place: TenantsPlace) -> None:
    name = place.name("granted")
    await place.engine.command(f"CREATE DATABASE {name}")
    await place.engine.command(f"GRANT SELECT ON {name}.* TO {quote_identifier(place.user)}")
    tenant = await place.tenant(name)
    assert (tenant.state, tenant.created) == (TenantState.ACTIVE, None)
    change = await plan_adopt(place.engine, place.journal, [TenantRequest(name)], datalens_user=place.user)
    assert [type(step) for step in change.steps] == [RecordStep]
    await place.run(change)
    assert (await place.tenant(name)).created is not None


async def test_removal_shows_what_is_lost_and_drops_only_that(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    await place.fill(name, "events", 10)
    change = await plan_remove(place.engine, place.journal, name, datalens_user=place.user)
    assert (change.danger, change.confirm_name) == (Danger.DESTRUCTIVE, name)
    assert "1 table with 10 rows" in change.consequences[0]
    assert "events" in change.consequences[0]
    assert not change.reversible
    await place.fill(name, "more", 5)  # meanwhile
    report = await place.runner.run(change)
    assert "no longer those" in str(report.failed_outcomes[0].error)
    assert await place.exists(name)
    assert (await place.tenant(name)).state is TenantState.SUSPENDED
    await place.run(await plan_remove(place.engine, place.journal, name, datalens_user=place.user))
    assert not await place.exists(name)
    assert not (await place.reading()).own.names
    with pytest.raises(NotFoundError):
        await place.tenant(name)
    await place.add(name, owner="the next")
    assert (await place.tenant(name)).owner == "the next"


async def test_removal_that_only_revokes_keeps_the_data(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name)
    await place.fill(name)
    change = await plan_remove(place.engine, place.journal, name, datalens_user=place.user, only_revoke=True)
    assert change.danger is Danger.DISRUPTIVE
    await place.run(change)
    other = next(other for other in (await place.survey()).others if other.name == name)
    assert (other.state, other.rows) == (TenantState.UNMANAGED, 10)
    await place.run(await place.runner.last_undoable())
    assert (await place.tenant(name)).state is TenantState.ACTIVE


async def test_a_tenant_whose_database_is_gone_is_shown_and_forgotten(place: TenantsPlace) -> None:
    name = place.name("lost")
    await place.add(name)
    await place.engine.command(f"DROP DATABASE {name}")
    tenant = await place.tenant(name)
    assert (tenant.state, tenant.tables, tenant.bytes) == (TenantState.MISSING, None, None)
    await place.run(await plan_remove(place.engine, place.journal, name, datalens_user=place.user))
    with pytest.raises(NotFoundError):
        await place.tenant(name)
    assert not (await place.reading()).own.names


async def test_texts_are_noted_and_kept_whole(place: TenantsPlace) -> None:
    name = place.name("acme")
    await place.add(name, owner="Ann", note="first")
    arguments = (place.engine, place.journal, name)
    await place.run(await plan_describe(*arguments, datalens_user=place.user, ticket="OPS-2", note="two\nlines"))
    assert (await place.tenant(name)).texts() == {
        "owner": "Ann",
        "contact": "",
        "ticket": "OPS-2",
        "note": "two\nlines",
    }
    assert not (await plan_describe(*arguments, datalens_user=place.user, owner="Ann")).steps
    await place.run(await place.runner.last_undoable())
    assert (await place.tenant(name)).note == "first"
    await place.run(await plan_describe(*arguments, datalens_user=place.user, owner=""))
    assert (await place.tenant(name)).owner == ""
    with pytest.raises(BadInputError):
        await plan_describe(*arguments, datalens_user=place.user, owner="two\nlines")


async def test_statements_for_a_cluster_are_clickhouse_sql(place: TenantsPlace) -> None:
    name = "it's {shard}/`x`\\"
    change = await plan_create(
        place.engine,
        place.journal,
        [TenantRequest(name)],
        datalens_user=place.user,
        cluster="ma in",
        database_engine=DatabaseEngine.REPLICATED,
    )
    for step in change.steps:
        assert isinstance(step, StatementStep)
        assert isinstance(step.undo, StatementStep)
        for sql in (step.sql, step.undo.sql):
            assert "ON CLUSTER `ma in`" in sql
            shown = await place.engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": sql})
            assert "ON CLUSTER" in shown.first_cell()
    assert "'/clickhouse/databases/it%27s%20%7Bshard%7D%2F%60x%60%5C', '{shard}', '{replica}'" in change.preview()
    undo = change.steps[0].undo
    assert isinstance(undo, StatementStep)
    assert undo.guard is not None
    await place.engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": undo.guard.query})
