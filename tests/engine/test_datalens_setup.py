"""The DataLens user on a real ClickHouse."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.access.model import AuthKind
from core.changes import Change, Danger, FileStep, StatementStep
from core.clickhouse.access_reading import user_definition
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.datalens.passwords import generate_password
from core.datalens.setup import is_readonly, plan_setup, weak_methods
from core.errors import BadInputError
from core.secrets import Secret
from tests.engine.tenants_place import TenantsPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "Correct-horse 😀 'battery'"


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[TenantsPlace]:
    place = await TenantsPlace(shared_engine, tmp_path).prepare(with_user=False)
    yield place
    await place.leave()


async def setup(place: TenantsPlace, password: str | None = PASSWORD) -> Change:
    secret = None if password is None else Secret(password)
    return await plan_setup(place.engine, user=place.user, password=secret)


async def test_the_user_is_created_with_a_hash_and_readonly(place: TenantsPlace, tmp_path: Path) -> None:
    change = await setup(place)
    assert change.danger is Danger.ROUTINE
    assert change.reversible
    step = change.steps[0]
    assert isinstance(step, StatementStep)
    assert change.preview() == (
        f"CREATE USER IF NOT EXISTS `{place.user}` IDENTIFIED WITH sha256_hash BY '********' SALT '********'"
        " SETTINGS readonly = 2"
    )
    salt = step.sql.split("SALT '")[1].split("'")[0]
    digest = hashlib.sha256((PASSWORD + salt).encode()).hexdigest().upper()
    assert f"BY '{digest}'" in step.sql
    await place.run(change)
    user = await user_definition(place.engine, place.user)
    assert user is not None
    assert is_readonly(user)
    assert not weak_methods(user)
    assert [method.kind for method in user.methods] == [AuthKind.SHA256]
    told = "".join(str(row) for row in await place.journal.history())
    for secret in (PASSWORD, digest, salt):
        assert secret not in told
        assert secret not in change.preview()
        assert secret not in repr(place.runner)
    assert not (await setup(place, None)).steps


async def test_creation_is_undone(place: TenantsPlace) -> None:
    await place.run(await setup(place))
    await place.run(await place.runner.last_undoable())
    assert await user_definition(place.engine, place.user) is None


async def test_a_user_is_not_created_without_a_good_password(place: TenantsPlace) -> None:
    for password in (None, "short"):
        with pytest.raises(BadInputError):
            await setup(place, password)


@pytest.mark.parametrize("before", ["", " SETTINGS readonly = 1", " SETTINGS readonly = 0, max_threads = 4"])
async def test_readonly_is_set_right_and_other_settings_stay(place: TenantsPlace, before: str) -> None:
    user = quote_identifier(place.user)
    await place.engine.command(f"CREATE USER {user} IDENTIFIED WITH sha256_password BY 'some-password'{before}")
    shown = (await place.engine.query(f"SHOW CREATE USER {user}")).first_cell()
    change = await setup(place, None)
    assert change.reversible
    await place.run(change)
    fixed = await user_definition(place.engine, place.user)
    assert fixed is not None
    assert is_readonly(fixed)
    assert [element.value for element in fixed.settings if element.name == "max_threads"] == ["4"] * ("4" in before)
    await place.run(await place.runner.last_undoable())
    assert (await place.engine.query(f"SHOW CREATE USER {user}")).first_cell() == shown


async def test_a_password_for_an_existing_user_replaces_its_own(place: TenantsPlace, tmp_path: Path) -> None:
    await place.engine.command(f"CREATE USER {quote_identifier(place.user)} IDENTIFIED WITH plaintext_password BY 'x'")
    definition = await user_definition(place.engine, place.user)
    assert definition is not None
    assert weak_methods(definition) == [AuthKind.PLAINTEXT]
    password, file = generate_password(), tmp_path / "out" / "datalens.password"
    change = await plan_setup(place.engine, user=place.user, password=password, password_file=file)
    assert change.danger is Danger.DISRUPTIVE
    assert isinstance(change.steps[0], FileStep)
    assert password.reveal() not in repr(change)
    await place.run(change)
    assert file.read_text() == password.reveal() + "\n"
    assert file.stat().st_mode & 0o777 == 0o600
    definition = await user_definition(place.engine, place.user)
    assert definition is not None
    assert not weak_methods(definition)
    assert is_readonly(definition)


async def test_statements_for_a_cluster_are_clickhouse_sql(place: TenantsPlace) -> None:
    change = await plan_setup(place.engine, user="it's `me`", password=generate_password(), cluster="ma in")
    for step in change.steps:
        assert isinstance(step, StatementStep)
        assert isinstance(step.undo, StatementStep)
        for sql in (step.sql, step.undo.sql):
            assert "ON CLUSTER `ma in`" in sql
            await place.engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": sql})
