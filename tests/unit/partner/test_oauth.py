"""OAuth against a fake workspace over real HTTP: M2M, U2M, and everything that can come between."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, HousekeysError, UnreachableError
from core.partner.handling.secrets_keeper import SecretsKeeper
from core.partner.oauth import calling
from core.partner.oauth.authorization import OAuthApp, published_app, read_callback, workspace_app
from core.partner.oauth.calling import DatabricksHttp, https_address
from core.partner.oauth.discovery import DOCUMENTS, Discovery
from core.partner.oauth.failures import AuthorizationStateError, MustAuthorizeAgainError, OAuthRefusedError
from core.partner.oauth.m2m import M2mTokens
from core.partner.oauth.tokens import AccessToken, DatabricksClient
from core.partner.oauth.u2m import U2mTokens
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.secret_calls import SecretCalls
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import workspace_host
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.running.needs import Service
from core.secrets import Secret, revealed
from tests.databricks_fake import (
    PRINCIPAL,
    PRINCIPAL_SECRET,
    PUBLISHED_APP,
    REDIRECT,
    USER,
    WORKSPACE_APP,
    DatabricksFake,
    Reply,
    as_json,
)
from tests.unit.partner.sealed_memory import SealedMemory

HOST = workspace_host("dbc-a1b2.cloud.databricks.com")
TOKEN_PATH = "/oidc/v1/token"
ME = "/api/2.0/preview/scim/v2/Me"
PRINCIPAL_CLIENT = DatabricksClient("c-1", HOST, PRINCIPAL)
USER_CLIENT = DatabricksClient("c-1", HOST, PUBLISHED_APP)
APP = published_app(PUBLISHED_APP, REDIRECT)
REFRESH_PLACE = SealedPlace("c-1", SecretName.U2M_REFRESH_TOKEN)
PENDING_PLACE = SealedPlace("c-1", SecretName.U2M_AUTHORIZATION)


class MemoryLeases:
    """Leases among processes that are all here."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        self.taken.append(name)
        async with self._locks[name]:
            yield


@dataclass
class Partner:
    """A partner's side, and the fake workspace that it takes for HOST."""

    fake: DatabricksFake
    http: DatabricksHttp
    now: float = 1000.0
    memory: SealedMemory = field(default_factory=SealedMemory)

    def __post_init__(self) -> None:
        self.secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), self.memory)
        self.leases = MemoryLeases()
        self.discovery = Discovery(self.http, self.clock)
        self.m2m = M2mTokens(self.http, self.discovery, self.secrets, self.clock)
        self.u2m = self.another_process()

    def another_process(self) -> U2mTokens:
        """The tokens of users as another process behind the balancer sees them."""
        clock = self.clock
        return U2mTokens(self.http, self.discovery, self.secrets, self.leases.hold, clock=clock, wall_clock=clock)

    def clock(self) -> float:
        return self.now

    async def authorise(self, app: OAuthApp = APP) -> DatabricksClient:
        begun = await self.u2m.begin("c-1", HOST, app)
        return await self.u2m.complete(self.fake.consent(begun.url), begun.browser_key)

    async def refresh_in_vain(self, client: DatabricksClient) -> None:
        """An hour later a token is refreshed, and what comes of it cannot be stored."""
        self.now += 3600
        self.memory.full = True
        with pytest.raises(UnreachableError):
            await self.u2m.access_token(client)
        self.memory.full = False

    async def name_of(self, token: AccessToken) -> str:
        """Whose token it is, by Databricks."""
        headers = {"Authorization": f"Bearer {token.value.reveal()}"}
        reply = await asyncio.to_thread(self.fake.answer, "GET", ME, headers, b"")
        return "" if reply.status != 200 else reply.body.decode()


@pytest.fixture
def running() -> Iterator[DatabricksFake]:
    with DatabricksFake() as fake:
        yield fake


@pytest_asyncio.fixture
async def partner(running: DatabricksFake, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Partner]:
    http = await DatabricksHttp.open(address=lambda host: running.url)
    yield Partner(running, http)
    await http.close()
    assert PRINCIPAL_SECRET not in caplog.text


async def with_secret(partner: Partner) -> Partner:
    place = SealedPlace("c-1", SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET)
    await partner.secrets.keep(place, Secret(PRINCIPAL_SECRET, passing=True))
    return partner


# Discovery


async def test_endpoints_are_read_once_by_however_many(partner: Partner) -> None:
    found = await asyncio.gather(*(partner.discovery.endpoints(HOST) for _ in range(5)))
    assert {endpoints.token for endpoints in found} == {f"{partner.fake.url}{TOKEN_PATH}"}
    assert partner.fake.requests == [DOCUMENTS[0]]
    partner.now += 3600
    await partner.discovery.endpoints(HOST)
    assert partner.fake.requests == [DOCUMENTS[0]] * 2
    assert all(agent.startswith("Housekeys/") for agent in partner.fake.agents)


async def test_the_other_document_will_do(partner: Partner) -> None:
    partner.fake.expect(DOCUMENTS[0], Reply(404))
    assert (await partner.discovery.endpoints(HOST)).issuer == f"{partner.fake.url}/oidc"
    partner.fake.expect(DOCUMENTS[0], Reply(404))
    partner.fake.expect(DOCUMENTS[1], Reply(404))
    with pytest.raises(UnreachableError, match="publishes no document"):
        await Discovery(partner.http).endpoints(HOST)


@pytest.mark.parametrize(
    "document",
    [
        {"token_endpoint": "https://evil.example/oidc/v1/token"},
        {"token_endpoint": "http://127.0.0.1:1/oidc/v1/token"},
        {"token_endpoint": None},
        {"token_endpoint": ["x"]},
        {"authorization_endpoint": "https://evil.example/authorize"},
        {"issuer": "https://evil.example/oidc"},
        {"issuer": ""},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
    ],
)
async def test_a_document_is_believed_about_its_own_workspace_only(partner: Partner, document: dict[str, Any]) -> None:
    partner.fake.documents = document
    with pytest.raises(UnreachableError, match="does not answer as Databricks does"):
        await partner.discovery.endpoints(HOST)


@pytest.mark.parametrize(
    "url", ["{0}/oidc?x=1", "{0}/oidc#x", "{0}/oidc\\x", "{0}/oidc x", "{0}.evil.example/", "{0}@b/"]
)
async def test_an_endpoint_is_a_plain_url_of_the_workspace(partner: Partner, url: str) -> None:
    partner.fake.documents = {"token_endpoint": url.format(partner.fake.url)}
    with pytest.raises(UnreachableError):
        await partner.discovery.endpoints(HOST)


@pytest.mark.parametrize(
    "issuer", ["{0}", "{0}/", "{0}/oidc/", "{0}/OIDC", "{0}/oidc/accounts/1", "{0}/oidc/../oidc", "{0}/other/oidc"]
)
@pytest.mark.parametrize("path", DOCUMENTS)
async def test_the_issuer_is_the_one_whose_document_was_asked_for(partner: Partner, issuer: str, path: str) -> None:
    """RFC 8414, section 3.3; OpenID Connect Discovery, section 4.3."""
    if path != DOCUMENTS[0]:
        partner.fake.expect(DOCUMENTS[0], Reply(404))
    partner.fake.documents = {"issuer": issuer.format(partner.fake.url)}
    with pytest.raises(UnreachableError, match=f"the issuer that it publishes is not {partner.fake.url}/oidc"):
        await partner.discovery.endpoints(HOST)
    partner.fake.documents = {}
    assert (await partner.discovery.endpoints(HOST)).issuer == f"{partner.fake.url}/oidc"  # nothing of it is kept


def test_a_workspace_is_called_by_https() -> None:
    assert https_address(HOST) == "https://dbc-a1b2.cloud.databricks.com"


# What can come instead of an answer


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(302, b"", (("Location", "http://127.0.0.1:1/"),)), "redirects"),
        (Reply(307, b"", (("Location", "/elsewhere"),)), "redirects"),
        (Reply(500, b"<html>oops doseabcdef0123456789abcdef</html>"), "HTTP 500"),
        (Reply(429, b"{}"), "HTTP 429"),
        (Reply(200, b"<html>sign in</html>"), "without JSON"),
        (Reply(200, b"[" * 100_000), "without JSON"),
        (Reply(200, b"[1]"), "without JSON"),
        (Reply(400, b'{"a": %s%s}' % (b"[" * 600, b"]" * 600)), "without JSON"),
        (Reply(200, b" " * 300_000), "does not end"),
        (Reply(200, gzip.compress(b'{"access_token": "x"}'), (("Content-Encoding", "gzip"),)), "without JSON"),
        (as_json(200, {}), "no bearer token"),
        (as_json(200, {"access_token": "a b"}), "no bearer token"),
        (as_json(200, {"access_token": "a\r\nX: y"}), "no bearer token"),
        (as_json(200, {"access_token": 5}), "no bearer token"),
        (as_json(200, {"access_token": "x" * 40_000}), "no bearer token"),
        (as_json(200, {"access_token": "x", "token_type": "mac"}), "no bearer token"),
        (as_json(400, {"message": "odd"}), "HTTP 400"),
        (Reply(404), "HTTP 404"),
    ],
)
async def test_answers_that_are_not_databricks(partner: Partner, reply: Reply, told: str) -> None:
    await with_secret(partner)
    partner.fake.expect(TOKEN_PATH, reply)
    with pytest.raises(UnreachableError, match=told) as caught:
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert_no_secret(caught.value)
    assert "doseabcdef" not in caught.value.detail
    assert "/elsewhere" not in partner.fake.requests
    assert await partner.name_of(await partner.m2m.access_token(PRINCIPAL_CLIENT))  # nothing of it is kept


def assert_no_secret(error: HousekeysError) -> None:
    shown = f"{error}{error.detail}{error!r}{''.join(traceback.format_exception(error))}"
    assert PRINCIPAL_SECRET not in shown
    seen: BaseException | None = error
    while seen is not None:
        assert not isinstance(seen, OSError)  # the HTTP client's own hold headers
        seen = seen.__cause__ or seen.__context__


async def test_an_endless_answer_and_one_that_does_not_come(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_secret(partner)
    partner.fake.endless = True
    with pytest.raises(UnreachableError, match="does not end"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    partner.fake.endless = False
    partner.fake.hold_tokens()
    monkeypatch.setattr(calling, "_ANSWER_SECONDS", 0.05)
    http = await DatabricksHttp.open(address=lambda host: partner.fake.url)
    with pytest.raises(UnreachableError, match="did not answer in time") as caught:
        await M2mTokens(http, partner.discovery, partner.secrets).access_token(PRINCIPAL_CLIENT)
    assert_no_secret(caught.value)
    await http.close()


async def test_nobody_is_there(partner: Partner) -> None:
    http = await DatabricksHttp.open(address=lambda host: "http://127.0.0.1:1")
    with pytest.raises(UnreachableError, match="cannot be reached") as caught:
        await Discovery(http).endpoints(HOST)
    assert_no_secret(caught.value)
    with pytest.raises(ValueError, match="another host"):
        await http.post_form(HOST, f"{partner.fake.url}{TOKEN_PATH}", {})
    await http.close()


# M2M


async def test_a_token_is_asked_for_once_and_used_until_shortly_before_its_end(partner: Partner) -> None:
    await with_secret(partner)
    partner.fake.hold_tokens()
    waiting = [asyncio.create_task(partner.m2m.access_token(PRINCIPAL_CLIENT)) for _ in range(5)]
    await asyncio.to_thread(partner.fake.wait_for, lambda: bool(partner.fake.grants))
    waiting[0].cancel()  # the others still get theirs
    partner.fake.release()
    tokens = await asyncio.gather(*waiting[1:])
    assert len({id(token) for token in tokens}) == 1
    assert PRINCIPAL in await partner.name_of(tokens[0])
    partner.now += 3600 - 121
    assert await partner.m2m.access_token(PRINCIPAL_CLIENT) is tokens[0]
    assert partner.fake.grants == ["client_credentials"]
    partner.now += 1
    renewed = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert renewed is not tokens[0]
    assert tokens[0].value.reveal() not in repr(tokens[0])
    assert not {renewed.value.reveal(), PRINCIPAL_SECRET} & revealed()


async def test_a_rejected_token_is_not_used_again(partner: Partner) -> None:
    await with_secret(partner)
    first = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    partner.m2m.rejected(PRINCIPAL_CLIENT, first)
    second = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert second is not first
    partner.m2m.rejected(PRINCIPAL_CLIENT, first)  # somebody who is late
    assert await partner.m2m.access_token(PRINCIPAL_CLIENT) is second


@pytest.mark.parametrize(
    ("said", "kept"), [(None, 240), ("300", 240), (0, 240), (-5, 240), (True, 240), (10**400, 240)]
)
async def test_lifetimes_as_they_come(partner: Partner, said: object, kept: float) -> None:
    await with_secret(partner)
    partner.fake.expect(TOKEN_PATH, as_json(200, {"access_token": "x", "expires_in": said}))
    assert (await partner.m2m.access_token(PRINCIPAL_CLIENT)).use_until == partner.now + kept


async def test_a_wrong_secret_and_one_that_is_not_there(partner: Partner) -> None:
    with pytest.raises(OAuthRefusedError, match="no OAuth secret"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    await with_secret(partner)
    with pytest.raises(OAuthRefusedError, match="refuses the authorisation") as caught:
        await partner.m2m.access_token(DatabricksClient("c-1", HOST, "another"))
    assert caught.value.code == "invalid_client"
    assert caught.value.detail == "invalid_client: Client authentication failed"
    assert_no_secret(caught.value)
    partner.fake.expect(TOKEN_PATH, as_json(401, {}))
    with pytest.raises(OAuthRefusedError):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)


@pytest.mark.parametrize("echo", ["a secret of no form", "cr-2b'\"\\x"])
async def test_what_was_sent_is_not_told_whatever_its_form(partner: Partner, echo: str) -> None:
    """The other side repeats it: a client secret, a refresh token, a bearer token; in JSON and in a page."""
    secret, prose = Secret(echo, passing=True), f"we do not know {echo} here"
    await partner.secrets.keep(SealedPlace("c-1", SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET), secret)
    await partner.secrets.keep(REFRESH_PLACE, secret)
    refusal = as_json(400, {"error": "invalid_request", "error_description": prose})
    for reply in (refusal, Reply(502, prose.encode()), Reply(200, prose.encode())):
        for asking in (partner.m2m.access_token(PRINCIPAL_CLIENT), partner.u2m.access_token(USER_CLIENT)):
            partner.fake.expect(TOKEN_PATH, reply)
            with pytest.raises(HousekeysError) as caught:
                await asking
            assert caught.value.detail.endswith("we do not know ******** here")
    partner.fake.expect(ME, as_json(403, {"message": prose}), as_json(200, {"userName": prose}))
    for _ in range(2):
        answer = await partner.http.get(HOST, ME, secret)
        assert answer is not None
        assert set(answer.body.values()) == {"we do not know ******** here"}


async def test_a_connection_that_ends_leaves_no_token(partner: Partner) -> None:
    await with_secret(partner)
    await partner.m2m.access_token(PRINCIPAL_CLIENT)
    await partner.m2m.forget("c-1")
    await partner.secrets.erase("c-1")
    with pytest.raises(OAuthRefusedError, match="no OAuth secret"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)


# U2M


@pytest.mark.parametrize(
    ("app", "announced"),
    [
        (published_app(PUBLISHED_APP, REDIRECT), None),
        (workspace_app(WORKSPACE_APP, REDIRECT, ("sql", "offline_access")), REDIRECT),
    ],
)
async def test_a_user_authorises(partner: Partner, app: OAuthApp, announced: str | None) -> None:
    assert app.redirect_uri_to_announce == announced
    begun = await partner.u2m.begin("c-1", HOST, app)
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == " ".join(app.scopes)
    assert begun.browser_key.reveal() not in begun.url
    assert asked["state"] not in repr(begun)
    client = await partner.u2m.complete(partner.fake.consent(begun.url), begun.browser_key)
    assert client == DatabricksClient("c-1", HOST, app.client_id)
    token = await partner.u2m.access_token(client)
    assert USER in await partner.name_of(token)
    assert partner.fake.grants == ["authorization_code"]
    assert list(partner.memory.values) == [REFRESH_PLACE]


def test_an_app_that_cannot_be() -> None:
    for client_id, redirect, scopes in (
        (None, REDIRECT, APP.scopes),
        ("", REDIRECT, APP.scopes),
        ("a\n", REDIRECT, APP.scopes),
        ("a", "/callback", APP.scopes),
        ("a", "https://*.example/", APP.scopes),
        ("a", "https://h/#x", APP.scopes),
        ("a", REDIRECT, ("sql",)),
        ("a", REDIRECT, ("sql all", "offline_access")),
    ):
        with pytest.raises(BadInputError):
            workspace_app(client_id, redirect, scopes)


async def test_a_callback_counts_once_and_only_where_it_belongs(partner: Partner) -> None:
    begun = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(begun.url)
    state = dict(back)["state"]
    other_random = state[:-1] + ("A" if state[-1] != "A" else "B")
    for query, key in (
        (back, Secret("another browser")),
        ([*back, ("iss", "https://evil.example/oidc")], begun.browser_key),
        ([*back, *back], begun.browser_key),
        ([("code", "x"), ("state", other_random)], begun.browser_key),
        ([("code", "x"), ("state", f"Yy0y{state[state.index('.') :]}")], begun.browser_key),  # of c-2
        ([("code", "x"), ("error", "y"), ("state", state)], begun.browser_key),
        ([("state", state)], begun.browser_key),
        ([("code", "x")], begun.browser_key),
        ([("code", "x"), ("state", f"gA{state[state.index('.') :]}")], begun.browser_key),  # no UTF-8
        ([("code", "x"), ("state", "x" * 5000)], begun.browser_key),
    ):
        with pytest.raises(AuthorizationStateError) as caught:
            await partner.u2m.complete(query, key)
        assert str(caught.value) == str(AuthorizationStateError())
    assert partner.fake.grants == []  # none of them reached Databricks, or ended the authorization
    assert partner.leases.taken == []  # or left a claim in ClickHouse, or kept the owner's tokens waiting
    await partner.u2m.complete([*back, ("iss", f"{partner.fake.url}/oidc")], begun.browser_key)
    with pytest.raises(AuthorizationStateError):
        await partner.u2m.complete(back, begun.browser_key)
    assert partner.fake.grants == ["authorization_code"]


async def test_where_a_workspace_tells_who_it_is_that_must_be_told(partner: Partner) -> None:
    """RFC 9207, section 2.4."""
    partner.fake.documents = {"authorization_response_iss_parameter_supported": True}
    begun = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(begun.url)
    with pytest.raises(AuthorizationStateError):
        await partner.u2m.complete(back, begun.browser_key)
    assert partner.fake.grants == []
    await partner.u2m.complete([*back, ("iss", f"{partner.fake.url}/oidc")], begun.browser_key)


async def test_an_authorization_has_its_time_and_the_last_one_begun_counts(partner: Partner) -> None:
    first = await partner.u2m.begin("c-1", HOST, APP)
    second = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(second.url)
    with pytest.raises(AuthorizationStateError):
        await partner.u2m.complete(partner.fake.consent(first.url), first.browser_key)
    partner.now += 900
    with pytest.raises(AuthorizationStateError):
        await partner.u2m.complete(back, second.browser_key)


async def test_another_process_can_finish_what_one_began(partner: Partner) -> None:
    begun = await partner.u2m.begin("c-1", HOST, APP)
    other = partner.another_process()
    client = await other.complete(partner.fake.consent(begun.url), begun.browser_key)
    assert USER in await partner.name_of(await other.access_token(client))


async def test_the_user_says_no(partner: Partner) -> None:
    partner.fake.denies = True
    begun = await partner.u2m.begin("c-1", HOST, APP)
    with pytest.raises(OAuthRefusedError, match="did not allow it") as caught:
        await partner.u2m.complete(partner.fake.consent(begun.url), begun.browser_key)
    assert caught.value.code == "access_denied"
    assert caught.value.detail == "access_denied: the user said <no>\\x1b[2J"
    assert PENDING_PLACE not in partner.memory.values


async def test_without_a_refresh_token_nothing_is_authorised(partner: Partner) -> None:
    partner.fake.offline = False
    with pytest.raises(OAuthRefusedError, match="no refresh token"):
        await partner.authorise()
    assert partner.memory.values == {}


async def test_a_refresh_token_is_used_once_by_however_many(partner: Partner) -> None:
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = [asyncio.create_task(partner.u2m.access_token(client)) for _ in range(8)]
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    waiting[0].cancel()
    partner.fake.release()
    tokens = await asyncio.gather(*waiting[1:])
    assert len({id(token) for token in tokens}) == 1
    assert partner.fake.grants == ["authorization_code", "refresh_token"]
    assert partner.memory.values[REFRESH_PLACE] != before
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_a_refresh_goes_on_when_all_who_wait_are_gone(partner: Partner) -> None:
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    partner.fake.release()
    await partner.u2m.close()
    assert partner.memory.values[REFRESH_PLACE] != before
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_no_access_token_before_the_refresh_token_is_stored(
    partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.memory.full = True
    for _ in range(2):
        with pytest.raises(UnreachableError, match="engine cannot be reached"):
            await partner.u2m.access_token(client)
    await partner.u2m.close()
    assert "the refresh token of partner connection 'c-1' is lost" in caplog.text
    partner.memory.full = False
    token = await partner.u2m.access_token(client)
    assert USER in await partner.name_of(token)
    assert partner.fake.grants == ["authorization_code", "refresh_token"]  # what came first was kept, and stored later
    partner.memory.full = True
    partner.now += 3600
    with pytest.raises(UnreachableError):
        await partner.u2m.access_token(client)
    partner.memory.full = False
    await partner.u2m.close()
    partner.now += 3600
    assert USER in await partner.name_of(await partner.another_process().access_token(client))


async def test_a_token_kept_too_long_for_want_of_a_store_is_renewed(partner: Partner) -> None:
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.fake.grants.count("refresh_token") == 2


@pytest.mark.parametrize("late", ["access_token", "close"])
async def test_a_token_that_could_not_be_stored_gives_way_to_a_newer_one(partner: Partner, late: str) -> None:
    """The user has authorised again by another process meanwhile."""
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    other = partner.another_process()
    begun = await other.begin("c-1", HOST, APP)
    await other.complete(partner.fake.consent(begun.url), begun.browser_key)
    newer = partner.memory.values[REFRESH_PLACE]
    if late == "close":
        await partner.u2m.close()
        assert partner.memory.values[REFRESH_PLACE] == newer
    else:
        assert USER in await partner.name_of(await partner.u2m.access_token(client))
        assert partner.fake.grants[-1] == "refresh_token"  # by the newer one
    partner.now += 3600
    assert USER in await partner.name_of(await other.access_token(client))


@pytest.mark.parametrize("late", ["access_token", "close"])
async def test_a_token_that_could_not_be_stored_does_not_come_back_once_all_is_erased(
    partner: Partner, late: str
) -> None:
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    await partner.secrets.erase("c-1")  # by another process
    if late == "close":
        await partner.u2m.close()
    else:
        with pytest.raises(MustAuthorizeAgainError):
            await partner.u2m.access_token(client)
    assert partner.memory.values == {}


async def test_an_authorization_that_could_not_be_stored_is_begun_again(partner: Partner) -> None:
    begun = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(begun.url)
    partner.memory.full = True
    with pytest.raises(UnreachableError):
        await partner.u2m.complete(back, begun.browser_key)
    partner.memory.full = False
    await partner.u2m.close()
    assert partner.memory.values == {}
    assert USER in await partner.name_of(await partner.u2m.access_token(await partner.authorise()))


async def test_an_app_whose_refresh_tokens_stay_good(partner: Partner) -> None:
    partner.fake.single_use = False
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    for _ in range(2):
        partner.now += 3600
        assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.memory.values[REFRESH_PLACE] == before


async def test_what_another_process_has_refreshed_is_taken_over(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one refreshes between our reading the refresh token and our using it."""
    client = await partner.authorise()
    stale = await partner.secrets.get(REFRESH_PLACE)
    assert stale is not None
    partner.now += 3600
    await partner.another_process().access_token(client)
    partner.fake.forgives_reuse = True
    read, answers = partner.secrets.get, [stale]

    async def late(place: SealedPlace) -> Secret | None:
        return answers.pop() if answers else await read(place)

    monkeypatch.setattr(partner.secrets, "get", late)
    assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.fake.grants.count("refresh_token") == 3


async def test_when_the_refresh_token_has_ended_the_user_must_authorise_again(partner: Partner) -> None:
    client = await partner.authorise()
    partner.fake.end_refresh_tokens()
    partner.now += 3600
    for _ in range(2):
        with pytest.raises(MustAuthorizeAgainError, match="must authorise it again"):
            await partner.u2m.access_token(client)
    assert partner.fake.grants.count("refresh_token") == 1  # not tried again
    client = await partner.authorise()
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_the_user_authorises_again_while_the_old_refresh_token_is_refused(partner: Partner) -> None:
    client = await partner.authorise()
    begun = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(begun.url)
    partner.now += 300
    partner.u2m.rejected(client, await partner.u2m.access_token(client))
    partner.fake.hold_tokens()
    refreshing = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    partner.fake.end_refresh_tokens()
    authorising = asyncio.create_task(partner.u2m.complete(back, begun.browser_key))
    partner.fake.release()
    refused, completed = await asyncio.gather(refreshing, authorising, return_exceptions=True)
    assert isinstance(refused, MustAuthorizeAgainError)
    assert completed == client
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_a_used_refresh_token_is_never_shown(partner: Partner) -> None:
    client = await partner.authorise()
    used = await partner.secrets.get(REFRESH_PLACE)
    assert used is not None
    partner.now += 3600
    await partner.u2m.access_token(client)
    await partner.secrets.keep(REFRESH_PLACE, used)  # as a restored backup would
    partner.now += 3600
    with pytest.raises(MustAuthorizeAgainError) as caught:
        await partner.u2m.access_token(client)
    assert caught.value.detail == "invalid_grant: the refresh token ******** was used before"


async def test_trouble_is_not_the_end_of_an_authorization(partner: Partner) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.fake.expect(TOKEN_PATH, Reply(503), as_json(400, {"error": "invalid_scope"}))
    with pytest.raises(UnreachableError):
        await partner.u2m.access_token(client)
    with pytest.raises(OAuthRefusedError, match="scopes") as caught:
        await partner.u2m.access_token(client)
    assert not isinstance(caught.value, MustAuthorizeAgainError)
    token = await partner.u2m.access_token(client)
    assert USER in await partner.name_of(token)
    partner.u2m.rejected(client, token)
    assert await partner.u2m.access_token(client) is not token


async def test_a_connection_that_ends_leaves_nothing_though_a_refresh_is_under_way(partner: Partner) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    ending = asyncio.create_task(partner.u2m.forget("c-1"))
    partner.fake.release()
    await asyncio.gather(waiting, ending)
    await partner.secrets.erase("c-1")
    assert partner.memory.values == {}
    with pytest.raises(MustAuthorizeAgainError):
        await partner.u2m.access_token(client)


@pytest.mark.parametrize("by", ["service", "operator"])
async def test_what_is_erased_elsewhere_does_not_come_back_by_a_late_refresh(partner: Partner, by: str) -> None:
    """A process erases, for a request or an operator, while the answer to a refresh of another one is on its way."""
    client = await partner.authorise()
    eraser: Service = (
        SecretsKeeper(partner.secrets, one_at_a_time=partner.leases.hold)
        if by == "service"
        else SecretCalls(partner.memory, partner.leases.hold)
    )
    partner.now += 3600
    partner.fake.hold_tokens()
    refreshing = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    erasing = asyncio.create_task(eraser.call(ERASE, {CONNECTION_ID: "c-1"}))
    await partner.memory.asked.wait()
    partner.fake.release()
    await asyncio.gather(refreshing, erasing)
    assert partner.memory.values == {}
    partner.now += 3600
    with pytest.raises(MustAuthorizeAgainError):
        await partner.u2m.access_token(client)


@given(
    st.lists(st.tuples(st.sampled_from(["state", "code", "error", "iss"]), st.text(max_size=20)), max_size=4),
    st.from_regex(r"[A-Za-z0-9_-]{0,8}\.?[A-Za-z0-9_-]{42,43}"),
)
def test_no_query_breaks_the_reader_of_callbacks(query: list[tuple[str, str]], state: str) -> None:
    for parameters in (query, [*query, ("state", state)], [("code", "x"), ("state", state)]):
        try:
            callback = read_callback(parameters)
        except AuthorizationStateError:
            continue
        assert bool(callback.code) != bool(callback.error)


def test_a_callback_shows_no_code() -> None:
    callback = read_callback([("code", "dcod123"), ("state", f"Yy0x.{'r' * 43}")])
    assert callback.connection_id == "c-1"
    assert "dcod123" not in repr(callback)
    assert "rrr" not in repr(callback)
