"""Plans on a real ClickHouse: what they make is what was desired, and their inverse gives back what was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.assembling import model_from_statements
from core.access.difference import compare
from core.access.difference_privileges import is_table_engine
from core.access.difference_rights import folded, rights_statements, same_rights
from core.access.model import (
    Authentication,
    AuthKind,
    CreateUser,
    EntityKind,
    Grant,
    Revoke,
    Right,
    Role,
    SettingElement,
    Statement,
    User,
)
from core.access.parser import parse_statement
from core.access.planning.entities import create, disable, drop, enable, grant, remembered_hosts
from core.access.planning.planner import plan
from core.access.render import render
from core.access_changes.changes import change_for
from core.access_changes.fingerprints import read_fingerprints
from core.clickhouse.embedded import EmbeddedEngine
from tests.engine.running_place import Place, states
from tests.examples import examples
from tests.unit.access.plan_models import PROFILES, models, rights_of, whole_models

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ENGINE = settings(
    max_examples=examples(6),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NOTHING = AccessModel(settings_profiles=PROFILES)
HOLDER = Holder(EntityKind.USER, "u")


async def read(engine: EmbeddedEngine) -> AccessModel:
    """What ClickHouse shows, without what its users.xml holds beside users and roles."""
    lines = [str(row[0]) for row in (await engine.query("SHOW ACCESS")).rows]
    model = model_from_statements(map(parse_statement, lines))
    return replace(
        model,
        users={name: user for name, user in model.users.items() if name != "default"},
        rights={holder: rights for holder, rights in model.rights.items() if holder.name != "default"},
        quotas={},
    )


async def run(engine: EmbeddedEngine, statements: Sequence[Statement]) -> None:
    failed: dict[str, str] = {}
    sql = list(map(render, statements))

    def ended(index: int, error: Exception | None) -> None:
        if error is not None:
            failed[sql[index]] = f"{error} {getattr(error, 'detail', '')}"

    await engine.commands(sql, ended, stop_on_error=True)
    assert failed == {}


@pytest_asyncio.fixture(loop_scope="module")
async def engine(shared_engine: EmbeddedEngine) -> AsyncIterator[EmbeddedEngine]:
    """The engine of the module without users and roles."""
    await clear(shared_engine)
    yield shared_engine


async def clear(engine: EmbeddedEngine) -> None:
    await run(engine, [step.statement for step in plan(await read(engine), NOTHING, exact=True).steps])


@_ENGINE
@given(st.lists(st.tuples(whole_models(), whole_models()), min_size=1, max_size=3))
async def test_clickhouse_understands_every_statement_of_a_plan(
    shared_engine: EmbeddedEngine, found: list[tuple[AccessModel, AccessModel]]
) -> None:
    planned = [
        statement
        for current, desired in found
        for step in plan(current, desired, exact=True, cluster="c").steps
        for statement in (step.statement, *step.inverse)
    ]
    sql = list(map(render, planned))
    ask = "SELECT arrayMap(sql -> formatQuerySingleLine(sql), {statements:Array(String)})"
    theirs = (await shared_engine.query(ask, {"statements": sql})).first_cell()
    for ours, text in zip(sql, theirs, strict=True):
        # ClickHouse does not write a priority of 0, though in an ALTER it means something.
        assert render(parse_statement(text)) == render(parse_statement(ours)).removesuffix(" PRIORITY 0")


@_ENGINE
@given(models(), models())
async def test_a_plan_is_carried_out_and_taken_back(
    engine: EmbeddedEngine, first: AccessModel, second: AccessModel
) -> None:
    await clear(engine)
    current = NOTHING
    for desired in map(kept_by_clickhouse, (first, second)):
        made = plan(current, desired, exact=True)
        await run(engine, [step.statement for step in made.steps])
        differences = compare(await read(engine), desired)
        assert differences.nothing, differences
        await run(engine, [statement for step in reversed(made.steps) for statement in step.inverse])
        assert compare(await read(engine), current).nothing
        await run(engine, [step.statement for step in made.steps])
        current = desired
    await run(engine, [step.statement for step in plan(current, NOTHING, exact=True).steps])
    assert compare(await read(engine), NOTHING).nothing


def kept_by_clickhouse(model: AccessModel) -> AccessModel:
    """`model` with what an engine without further configuration takes, and the rights that SHOW GRANTS tells truly of.

    Of an option on a wildcard, in what is held plainly, ClickHouse 26.9 tells nothing; and of ALL on a table more than
    there is.
    """
    return replace(
        model,
        users={name: replace(user, settings=_taken(user.settings)) for name, user in model.users.items()},
        roles={name: replace(role, settings=_taken(role.settings)) for name, role in model.roles.items()},
        rights={holder: tuple(map(_told_truly, statements)) for holder, statements in model.rights.items()},
    )


def _taken(elements: tuple[SettingElement, ...]) -> tuple[SettingElement, ...]:
    return tuple(
        replace(element, writability=element.writability.replace("CHANGEABLE_IN_READONLY", "CONST"))
        for element in elements
    )


def _told_truly(statement: Grant | Revoke) -> Grant | Revoke:
    rights = tuple(
        right._replace(
            privilege="SELECT" if right.table is not None and right.privilege == "ALL" else right.privilege,
            database_wildcard=right.database_wildcard and not statement.grant_option,
            table_wildcard=right.table_wildcard and not statement.grant_option,
        )
        for right in statement.rights
    )
    return replace(statement, rights=rights)


@_ENGINE
@given(st.lists(st.tuples(rights_of("u"), rights_of("u")), min_size=4, max_size=8))
async def test_clickhouse_agrees_on_what_rights_mean(
    engine: EmbeddedEngine, found: list[tuple[tuple[Grant | Revoke, ...], tuple[Grant | Revoke, ...]]]
) -> None:
    """The changed rights of one user against those that another was given at once."""
    statements: list[Statement] = []
    names = [(f"x{number}", f"y{number}") for number in range(len(found))]
    for (before, after), (changed, fresh) in zip(found, names, strict=True):
        before, after = tuple(map(_told_truly, before)), tuple(map(_told_truly, after))
        made = rights_statements(folded(before), folded(after), changed)
        statements += [CreateUser((changed, fresh), or_replace=True)]
        statements += [replace(each, grantees=(changed,)) for each in (*before, *made)]
        statements += [replace(each, grantees=(fresh,)) for each in after]
    await run(engine, statements)
    shown = (await read(engine)).rights
    for changed, fresh in names:
        ours, theirs = (folded(shown.get(Holder(EntityKind.USER, name), ())) for name in (changed, fresh))
        assert same_rights(ours, theirs), (
            shown.get(Holder(EntityKind.USER, changed)),
            shown.get(Holder(EntityKind.USER, fresh)),
        )


async def test_a_change_is_run_journalled_and_undone(engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = await Place(engine, tmp_path).prepare()
    user = User("u", (Authentication(AuthKind.SHA256, password="Secret-1-secret"),))
    await run(engine, [parse_statement("CREATE ROLE r")])
    made = create(await read(engine), user, rights=(Grant((Right("SELECT", database="a"),)),), roles={"r": False})
    assert (await place.runner.run(change_for(made))).succeeded
    before = await read(engine)
    assert before.granted_roles[HOLDER] == {"r": False}
    off = disable(before, "u")
    assert (await place.runner.run(change_for(off))).succeeded
    row, *earlier = await place.journal.history("user")
    assert [row.action, *(each.action for each in earlier)] == ["disable", "grant", "grant", "create"]
    hosts = remembered_hosts(row.details)
    assert hosts is not None
    assert (await place.runner.run(change_for(enable(await read(engine), "u", hosts)))).succeeded
    assert compare(await read(engine), before).nothing
    assert (await place.runner.run(change_for(drop(before, [EntityKey(EntityKind.ROLE, "r")])))).succeeded
    assert (await read(engine)).roles == {}
    assert (await place.runner.run(await place.runner.last_undoable())).succeeded
    assert compare(await read(engine), before).nothing
    assert b"Secret-1" not in b"".join(path.read_bytes() for path in place.folder.rglob("*") if path.is_file())


async def test_a_change_refuses_what_somebody_altered_meanwhile(engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = await Place(engine, tmp_path).prepare()
    await run(engine, list(map(parse_statement, ("CREATE USER u, `v w`", "CREATE ROLE r"))))
    for number, meddling in enumerate(
        ("GRANT INSERT ON z.* TO u", "GRANT r TO u", "ALTER USER u HOST LOCAL", "DROP USER u")
    ):
        fingerprints = await read_fingerprints(engine)
        current = await read(engine)
        other = grant(current, Holder(EntityKind.USER, "v w"), [Right("SELECT", database=f"c{number}")])
        ours = grant(current, HOLDER, [Right("SELECT", database=f"c{number}")])
        await run(engine, [parse_statement(meddling)])
        assert (await place.runner.run(change_for(other, fingerprints=fingerprints))).succeeded
        report = await place.runner.run(change_for(ours, fingerprints=fingerprints))
        assert states(report) == ["failed"]
        assert "Somebody has altered" in str(report.outcomes[0].error)
    fingerprints = await read_fingerprints(engine)
    made = create(await read(engine), User("u"))
    await run(engine, [parse_statement("CREATE USER u")])
    assert states(await place.runner.run(change_for(made, fingerprints=fingerprints))) == ["failed"]
    assert Role("r") == (await read(engine)).roles["r"]


async def test_every_table_engine_is_known(engine: EmbeddedEngine) -> None:
    names = [str(row[0]) for row in (await engine.query("SELECT name FROM system.table_engines")).rows]
    assert [name for name in names if not is_table_engine(name)] == []
    assert not is_table_engine("acme_prod")
