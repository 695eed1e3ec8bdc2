"""Hostile names and texts, on a real ClickHouse: exact or refused, never altered."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.changes import Guard, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.errors import BadInputError
from core.tenants.model import TenantState
from core.tenants.naming import LONGEST_ENCODED, field_problem, name_problem, shortest_plaintext
from core.tenants.planning import plan_describe, plan_resume, plan_suspend
from core.tenants.removal import plan_remove
from core.tenants.requests import TEXT_FIELDS
from tests.engine.tenants_place import TenantsPlace
from tests.examples import examples

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = [
    "it's",
    'say "hi"',
    "back\\slash",
    "`ticks`",
    "a`; DROP DATABASE x; --",
    "x' OR '1'='1",
    "[bold red]markup[/]",
    "<script>alert(1)</script>",
    "{db:Identifier}",
    "%s %n {0} $HOME",
    "../../etc/passwd",
    "..",
    "*",
    "db.*",
    "two words",
    "клиент №1",
    "日本",
    "😀🏳️‍🌈",
    "a\u202eb",
    "NULL",
    "ALL",
    "none",
    "x" * LONGEST_ENCODED,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(shared_engine: EmbeddedEngine, tmp_path_factory: pytest.TempPathFactory) -> TenantsPlace:
    return await TenantsPlace(shared_engine, tmp_path_factory.mktemp("hostile")).prepare()


async def test_hostile_names_live_a_whole_life(place: TenantsPlace) -> None:
    await place.add(*HOSTILE)
    assert (await place.reading()).own.names == set(HOSTILE)
    for name in HOSTILE:
        assert await place.exists(name), name
    arguments = (place.engine, place.journal)
    await place.run(await plan_suspend(*arguments, HOSTILE, datalens_user=place.user))
    assert not (await place.reading()).own.names
    states = {tenant.name: tenant.state for tenant in (await place.survey()).tenants}
    assert states == dict.fromkeys(HOSTILE, TenantState.SUSPENDED)
    await place.run(await plan_resume(*arguments, HOSTILE, datalens_user=place.user))
    assert (await place.reading()).own.names == set(HOSTILE)
    for name in HOSTILE:
        await place.fill(name, "t")
    removals = {name: await plan_remove(*arguments, name, datalens_user=place.user) for name in HOSTILE}
    for name, change in removals.items():
        assert change.confirm_name == name
        await place.run(change)
        assert not await place.exists(name), name
    assert not (await place.survey()).tenants
    assert not (await place.reading()).own.names


_names = st.text(
    st.characters(codec="utf-8") | st.sampled_from("'\"\\`*.%/{}[]<>\x00\n\t\x1b\x7f ;-"), min_size=1, max_size=40
)


@given(names=st.lists(_names, min_size=1, max_size=16, unique=True))
@settings(max_examples=examples(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_name_is_taken_exactly_or_refused(place: TenantsPlace, names: list[str]) -> None:
    good = [name for name in names if not name_problem(name, journal_database=place.journal.database)]
    if len(good) < len(names):
        with pytest.raises(BadInputError):
            await place.plan(*names)
    if not good:
        return
    report = await place.add(*good)
    for name in good:
        assert await place.exists(name)
        await place.engine.command(f"CREATE TABLE {quote_identifier(name)}.t (a Int8) ENGINE = MergeTree ORDER BY a")
        await place.engine.command(f"DROP TABLE {quote_identifier(name)}.t SYNC")
        assert json.loads(shortest_plaintext(name)) == {"db_name": name}
    assert (await place.reading()).own.names == set(good)
    assert {tenant.name for tenant in (await place.survey()).tenants} == set(good)
    for step in report.change.steps:
        assert isinstance(step, StatementStep)
        await _answers_one(place, step.done_when)
    await place.run(await place.runner.last_undoable())
    for name in good:
        assert not await place.exists(name)
    assert not (await place.reading()).own.names


async def _answers_one(place: TenantsPlace, query: str | None) -> None:
    if query is not None:
        assert (await place.engine.query(query)).first_cell() == 1


_texts = st.text(st.characters() | st.sampled_from("'\"\\`{}[]<>\x00\n\t\r\x1b😀"), max_size=60)


@given(texts=st.fixed_dictionaries(dict.fromkeys(TEXT_FIELDS, _texts)))
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_text_is_kept_exactly_or_refused(place: TenantsPlace, texts: dict[str, str]) -> None:
    name = place.name("described")
    if not await place.exists(name):
        await place.add(name)
    described = plan_describe(
        place.engine,
        place.journal,
        name,
        datalens_user=place.user,
        owner=texts["owner"],
        contact=texts["contact"],
        ticket=texts["ticket"],
        note=texts["note"],
    )
    if any(field_problem(field, text) for field, text in texts.items()):
        with pytest.raises(BadInputError):
            await described
        return
    await place.run(await described)
    assert (await place.tenant(name)).texts() == texts


async def test_names_too_long_for_tables_are_those_that_clickhouse_refuses_tables_in(place: TenantsPlace) -> None:
    """The limit comes from ClickHouse itself: one byte more, and it lets no table be made."""
    longest, longer = "y" * LONGEST_ENCODED, "y" * (LONGEST_ENCODED + 1)
    for name in (longest, longer):
        await place.engine.command(f"CREATE DATABASE `{name}`")
    await place.engine.command(f"CREATE TABLE `{longest}`.t (a Int8) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(Exception, match="length"):
        await place.engine.command(f"CREATE TABLE `{longer}`.t (a Int8) ENGINE = MergeTree ORDER BY a")
    for name in (longest, longer):
        await place.engine.command(f"DROP DATABASE `{name}`")


async def test_guards_of_hostile_names_are_answered(place: TenantsPlace) -> None:
    change = await place.plan("g'u\\ard`", "x{y:String}")
    guards = [
        step.undo.guard
        for step in change.steps
        if isinstance(step.undo, StatementStep) and isinstance(step.undo.guard, Guard)
    ]
    assert len(guards) == 2
    for guard in guards:
        await _answers_one(place, guard.query)
