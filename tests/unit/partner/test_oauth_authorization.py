"""How a user authorises a partner connection: PKCE, state, callback, against a fake workspace over real HTTP."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, UnreachableError
from core.partner.oauth.authorization import OAuthApp, published_app, read_callback, workspace_app
from core.partner.oauth.failures import AuthorizationStateError, OAuthRefusedError
from core.partner.oauth.tokens import DatabricksClient
from core.secrets import Secret
from tests.databricks_fake import PUBLISHED_APP, REDIRECT, USER, WORKSPACE_APP
from tests.unit.partner.oauth_place import APP, HOST, PENDING_PLACE, REFRESH_PLACE, Partner

pytest_plugins = ("tests.unit.partner.oauth_fixtures",)


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
