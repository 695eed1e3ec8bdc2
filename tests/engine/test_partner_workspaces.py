"""Partner connections tested for real: against a fake workspace over HTTP, and what is there in a real ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from core.clickhouse.embedded import EmbeddedEngine
from core.partner.accounts import facts
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import PartnerConnection
from core.partner.messages import responses
from core.partner.oauth.calling import DatabricksHttp
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.workspaces.oauth_apps import app_of
from core.partner.workspaces.testing import ME_PATH, STATEMENTS_PATH, WorkspaceTests, try_out, warehouse_id
from core.partner.workspaces.tokens import WorkspaceTokens, host_of
from core.secrets import Secret
from tests.databricks_fake import (
    PAT,
    PRINCIPAL,
    PRINCIPAL_SECRET,
    PUBLISHED_APP,
    REDIRECT,
    USER,
    WAREHOUSE,
    WORKSPACE_APP,
    DatabricksFake,
    Reply,
    as_json,
)
from tests.unit.partner.account_examples import POLICY, Partner, asked
from tests.unit.partner.sealed_memory import SealedMemory

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN_PATH = "/oidc/v1/token"
PATHS = {"http_path": f"/sql/1.0/warehouses/{WAREHOUSE}"}
PUBLISHED = replace(
    POLICY,
    auth_options=("AUTH_OAUTH_U2M",),
    is_published_app=True,
    oauth_app_id=PUBLISHED_APP,
    oauth_redirect_uri=REDIRECT,
)
M2M = replace(POLICY, auth_options=("AUTH_OAUTH_M2M",))


class Side:
    """A partner with one partner connection, and the fake that it takes for the workspace."""

    def __init__(self, engine: EmbeddedEngine, fake: DatabricksFake, policy: PartnerPolicy, **more: Any) -> None:
        self.engine = engine
        self.fake = fake
        self.policy = policy
        self.partner = Partner(policy)
        self.connection: PartnerConnection = self.partner.known.connections[self.partner.connected(**{**PATHS, **more})]
        self.secrets = SealedSecrets(CurrentKeys(SealingKeys([new_sealing_key()])), SealedMemory())

    async def open(self, http: DatabricksHttp) -> Side:
        self.tokens = WorkspaceTokens(http, self.secrets, self.policy)
        account = self.partner.known.accounts[self.connection.account_id]
        user = self.partner.known.users[self.connection.user_id]
        await self.engine.command(f"CREATE DATABASE IF NOT EXISTS {account.database}")
        await self.engine.command(f"CREATE USER IF NOT EXISTS {user.name} IDENTIFIED WITH no_password")
        return self

    async def keep(self, name: SecretName, value: str) -> Side:
        await self.secrets.keep(SealedPlace(self.connection.id, name), Secret(value, passing=True))
        return self

    async def test(self, seconds: float = 20) -> dict[str, tuple[str, str]]:
        """The outcome of each test, and what it says."""
        tests = WorkspaceTests(self.engine, self.partner, self.secrets, self.tokens, seconds)
        return outcomes(await tests.test(self.connection))


def outcomes(results: tuple[responses.TestResult, ...]) -> dict[str, tuple[str, str]]:
    assert all(result.status in (responses.TestStatus.PASS, responses.TestStatus.FAIL) for result in results)
    told = {result.test_name: (result.status.value, result.message or "") for result in results}
    assert len(told) == len(results)
    assert all(message and secret not in message for _, message in told.values() for secret in (PAT, PRINCIPAL_SECRET))
    return told


@pytest.fixture
def fake() -> Iterator[DatabricksFake]:
    with DatabricksFake() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http(fake: DatabricksFake) -> AsyncIterator[DatabricksHttp]:
    opened = await DatabricksHttp.open(address=lambda host: fake.url)
    yield opened
    await opened.close()


@pytest.fixture
async def by_token(shared_engine: EmbeddedEngine, fake: DatabricksFake, http: DatabricksHttp) -> Side:
    side = await Side(shared_engine, fake, POLICY).open(http)
    return await side.keep(SecretName.PERSONAL_ACCESS_TOKEN, PAT)


@pytest.fixture
async def by_principal(shared_engine: EmbeddedEngine, fake: DatabricksFake, http: DatabricksHttp) -> Side:
    principal = {"service_principal_id": PRINCIPAL, "service_principal_oauth_secret": Secret(PRINCIPAL_SECRET)}
    side = await Side(shared_engine, fake, M2M, **principal, user_info=_without_token()).open(http)
    return await side.keep(SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET, PRINCIPAL_SECRET)


@pytest.fixture
async def by_user(shared_engine: EmbeddedEngine, fake: DatabricksFake, http: DatabricksHttp) -> Side:
    return await Side(shared_engine, fake, PUBLISHED, user_info=_without_token()).open(http)


def _without_token() -> Any:
    return replace(asked().user_info, auth=None)


async def test_all_of_a_connection_that_works_passes(by_token: Side) -> None:
    told = await by_token.test()
    assert list(told) == ["ClickHouse database", "ClickHouse user", "Secrets", "Workspace", "SQL warehouse"]
    assert {status for status, _ in told.values()} == {"PASS"}, told
    assert USER in told["Workspace"][1]
    once = await try_out(
        by_token.engine,
        by_token.partner,
        by_token.secrets,
        POLICY,
        by_token.connection,
        lambda name: nullcontext(),
        address=lambda host: by_token.fake.url,
    )
    assert outcomes(once) == told


async def test_what_is_not_there_in_clickhouse_fails(by_token: Side) -> None:
    known = by_token.partner.known
    user, account = known.users[by_token.connection.user_id], known.accounts[by_token.connection.account_id]
    await by_token.engine.command(f"DROP USER {user.name}")
    await by_token.engine.command(f"DROP DATABASE {account.database}")
    told = await by_token.test()
    assert (told["ClickHouse user"][0], told["ClickHouse database"][0]) == ("FAIL", "FAIL")
    assert account.database in told["ClickHouse database"][1]
    assert told["SQL warehouse"][0] == "PASS"


async def test_without_its_secret_nothing_is_sent_to_the_workspace(by_token: Side) -> None:
    await by_token.secrets.erase(by_token.connection.id)
    told = await by_token.test()
    assert [name for name, (status, _) in told.items() if status == "FAIL"] == ["Secrets", "Workspace", "SQL warehouse"]
    assert "Not tried" in told["SQL warehouse"][1]
    assert by_token.fake.requests == []


async def test_a_token_that_has_ended_fails_with_the_words_of_databricks(by_token: Side) -> None:
    by_token.fake.end_access_tokens()
    status, message = (await by_token.test())["Workspace"]
    assert (status, "HTTP 401" in message, "Invalid access token" in message) == ("FAIL", True, True)


@pytest.mark.parametrize(
    ("state", "reply", "words"),
    [
        ("STARTING", None, "may be starting"),
        ("DENIED", None, "You may not use <this>\\x1b[2J"),
        ("RUNNING", Reply(404), "is not there"),
        ("RUNNING", Reply(503, b"<html>"), "does not answer as Databricks does"),
        ("RUNNING", as_json(200, {"status": {"state": "FAILED", "error": {"message": f"no {PAT}"}}}), "no ****"),
        ("RUNNING", as_json(200, {"status": None}), "has failed to answer"),
    ],
)
async def test_a_warehouse_that_does_not_answer(by_token: Side, state: str, reply: Reply | None, words: str) -> None:
    by_token.fake.warehouse = state
    if reply is not None:
        by_token.fake.expect(STATEMENTS_PATH, reply)
    told = await by_token.test()
    assert told["Workspace"][0] == "PASS"
    status, message = told["SQL warehouse"]
    assert (status, words in message) == ("FAIL", True), message


async def test_a_principal_gets_a_new_token_where_the_old_one_is_not_taken(by_principal: Side) -> None:
    assert {status for status, _ in (await by_principal.test()).values()} == {"PASS"}
    by_principal.fake.end_access_tokens()
    told = await by_principal.test()
    assert {status for status, _ in told.values()} == {"PASS"}, told
    assert by_principal.fake.grants == ["client_credentials"] * 2
    await by_principal.keep(SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET, "dosewrong")
    by_principal.fake.end_access_tokens()
    status, message = (await by_principal.test())["Workspace"]
    assert (status, "refuses the authorisation" in message) == ("FAIL", True)


async def test_a_user_must_have_authorised(by_user: Side) -> None:
    told = await by_user.test()
    assert "must authorise" in told["Secrets"][1]
    assert {told[name][0] for name in ("Secrets", "Workspace", "SQL warehouse")} == {"FAIL"}
    app = app_of(PUBLISHED, by_user.connection)
    begun = await by_user.tokens.u2m.begin(by_user.connection.id, host_of(by_user.connection), app)
    await by_user.tokens.u2m.complete(by_user.fake.consent(begun.url), begun.browser_key)
    assert {status for status, _ in (await by_user.test()).values()} == {"PASS"}
    await by_user.tokens.forget(by_user.connection.id)
    assert {status for status, _ in (await by_user.test()).values()} == {"PASS"}  # by the refresh token
    assert by_user.fake.grants == ["authorization_code", "refresh_token"]


async def test_a_workspace_that_hangs_costs_no_more_than_the_time_there_is(by_principal: Side) -> None:
    by_principal.fake.hold_tokens()
    told = await by_principal.test(seconds=0.1)
    assert told["Workspace"] == ("FAIL", "No answer within 0.1 seconds.")
    assert told["SQL warehouse"][0] == "FAIL"
    by_principal.fake.release()


async def test_a_connection_of_a_user_who_left_to_a_cluster(by_token: Side) -> None:
    by_token.partner.tell(facts.user_deleted(by_token.connection.user_id))
    assert by_token.connection.coordinates is not None
    coordinates = replace(by_token.connection.coordinates, http_path="/sql/protocolv1/o/1/0123-456789-abc")
    by_token.connection = replace(by_token.connection, coordinates=coordinates)
    assert list(await by_token.test()) == ["ClickHouse database", "Secrets", "Workspace"]
    assert by_token.fake.requests == [ME_PATH]


async def test_the_app_of_a_workspace_is_the_one_that_connect_has_told(by_user: Side) -> None:
    own = replace(PUBLISHED, is_published_app=False)
    assert by_user.connection.coordinates is not None
    coordinates = replace(by_user.connection.coordinates, oauth_u2m_app_id=WORKSPACE_APP)
    app = app_of(own, replace(by_user.connection, coordinates=coordinates))
    assert (app.client_id, app.redirect_uri_to_announce) == (WORKSPACE_APP, REDIRECT)
    assert app_of(PUBLISHED, by_user.connection).redirect_uri_to_announce is None
    assert app_of(replace(PUBLISHED, oauth_redirect_uri=None), by_user.connection).redirect_uri.startswith(
        POLICY.base_url
    )


@pytest.mark.parametrize(
    ("http_path", "identifier"),
    [
        ("/sql/1.0/warehouses/a1b2", "a1b2"),
        ("/sql/1.0/endpoints/a1b2?o=1", "a1b2"),
        ("/sql/protocolv1/o/1/0123-456789-abc", None),
        ("/sql/1.0/warehouses/../../x", None),
        ("", None),
        (None, None),
    ],
)
async def test_a_warehouse_is_known_by_its_http_path(http_path: str | None, identifier: str | None) -> None:
    assert warehouse_id(http_path) == identifier
