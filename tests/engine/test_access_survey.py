"""Reading all access at once: what SQL created comes back as it is, and what may not be seen is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from core.access.access_model import EntityKey, Holder
from core.access.difference import keys_of
from core.access.model import CreateUser, EntityKind, Grant, NameSet, Right, SettingElement
from core.access.planning.entities import drop
from core.access.policies import PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.render import render
from core.access.settings_profiles import SettingsProfile
from core.access.user_changes import new_user
from core.access_changes.present import EMBEDDED_STORAGE, read_present_access
from core.clickhouse.access_survey import AccessSurvey, survey_access
from core.clickhouse.capabilities import probe
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import Engine, QueryResult, SettingValue
from core.clickhouse.server import ServerEngine
from tests.engine.test_embedded_access import done

pytest_plugins = ("tests.http_front.fixtures",)

CREATED = (
    "CREATE ROLE `reader one`",
    "CREATE USER `anna@example.com` NOT IDENTIFIED HOST IP '10.0.0.0/8' SETTINGS max_threads = 2",
    "GRANT SELECT ON d.* TO `reader one`",
    "GRANT `reader one` TO `anna@example.com` WITH ADMIN OPTION",
    "CREATE SETTINGS PROFILE `slow 1` SETTINGS max_threads = 4 MIN 1 MAX 8 TO `reader one`",
    "CREATE QUOTA `per day` KEYED BY user_name FOR INTERVAL 1 day MAX queries = 5 TO ALL EXCEPT `anna@example.com`",
    "CREATE ROW POLICY `some rows` ON d.t USING a = 'it''s' TO `reader one`",
    "CREATE ROW POLICY every ON d.* AS RESTRICTIVE USING a != '' TO `anna@example.com`",
)


class AsUser(EmbeddedEngine):
    """An engine as another user sees it: ClickHouse refuses to it what it would."""

    def __init__(self, engine: EmbeddedEngine, user: str) -> None:
        self._engine = engine
        self._user = user

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        found = await self._engine.try_as(self._user, sql)
        if found.error is not None:
            raise found.error
        assert found.result is not None
        return found.result


async def _comes_back(engine: Engine) -> AccessSurvey:
    found = await survey_access(engine)
    assert (found.hidden, found.unread) == ((), ())
    model = found.model
    role = NameSet(("reader one",))
    user = new_user(CreateUser(("anna@example.com",)), "anna@example.com")
    settings = (SettingElement("max_threads", "2"),)
    assert model.users["anna@example.com"].settings == settings
    assert model.users["anna@example.com"].methods == user.methods
    assert model.users["anna@example.com"].hosts.addresses == ("10.0.0.0/8",)
    assert set(model.roles) == {"reader one"}
    holder = Holder(EntityKind.ROLE, "reader one")
    assert model.rights[holder] == (Grant((Right("SELECT", database="d"),), grantees=("reader one",)),)
    assert model.granted_roles[Holder(EntityKind.USER, "anna@example.com")] == {"reader one": True}
    assert model.settings_profiles["slow 1"] == SettingsProfile(
        "slow 1", (SettingElement("max_threads", "4", "1", "8"),), role
    )
    interval = QuotaInterval(86400, ((QuotaLimit.QUERIES, 5),))
    to = NameSet(everyone=True, excepted=("anna@example.com",))
    assert model.quotas["per day"] == Quota("per day", QuotaKey.USER_NAME, (interval,), to)
    some, every = PolicyName("some rows", "d", "t"), PolicyName("every", "d", None)
    assert model.row_policies == {
        some: RowPolicy(some, "a = 'it\\'s'", to=role),
        every: RowPolicy(every, "a != ''", restrictive=True, to=NameSet(("anna@example.com",))),
    }
    return found


async def test_an_embedded_engine_tells_everything(engine: EmbeddedEngine) -> None:
    await done(engine, *CREATED)
    model = (await _comes_back(engine)).model
    built_in = {key for key in keys_of(model) if key.name == "default" and key.kind is not EntityKind.ROLE}
    assert model.storages == {key: "users_xml" for key in built_in}
    present = await read_present_access(engine, await probe(engine, database="housekeys", cluster=None), None)
    assert present.model == model
    assert {key: present.storage(key) for key in keys_of(model)} == present.shown.storages
    assert {present.storage(key) for key in keys_of(model) if key not in built_in} == {EMBEDDED_STORAGE}
    # A plan made from what was read runs on the very engine it was read from.
    (dropped,) = drop(present.model, [EntityKey(EntityKind.QUOTA, "per day")]).steps
    await engine.command(render(dropped.statement))
    assert "per day" not in (await survey_access(engine)).model.quotas


async def test_a_server_tells_everything(server_engine: ServerEngine) -> None:
    for statement in CREATED:
        await server_engine.command(statement)
    await _comes_back(server_engine)


@pytest.mark.parametrize(
    ("rights", "seen"),
    [
        ("", set()),
        ("SHOW USERS", {"users"}),
        ("SHOW ACCESS", {"users", "roles", "quotas", "settings profiles", "row policies", "grants"}),
    ],
)
async def test_what_may_not_be_seen_is_named(engine: EmbeddedEngine, rights: str, seen: set[str]) -> None:
    await done(engine, "CREATE USER u, other", "CREATE ROLE r", *([f"GRANT {rights} ON *.* TO u"] if rights else []))
    found = await survey_access(AsUser(engine, "u"))
    hidden = {words for words in ("users", "roles", "quotas", "settings profiles", "row policies", "grants")} - seen
    named = {re.split(" cannot be seen[:,]", line.removeprefix("The "))[0] for line in found.hidden}
    assert named == hidden
    assert ("users" in seen) is ("default" in found.model.users)
    assert "GRANT" not in "".join(found.unread)
