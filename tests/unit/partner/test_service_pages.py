"""The pages over HTTP: what a link, a form and an authorization lead to, and what no page ever shows or does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from starlette.routing import Route

from core.errors import BadInputError, NotFoundError, UnreachableError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.handling.outcomes import AuthorizationBegun, HowToConnect, Visitor
from core.partner.oauth.failures import AuthorizationStateError
from core.partner.security.sign_in_links import SignInLinkRefusedError
from core.partner.service.app import create_app
from core.partner.service.connection_texts import connection_texts, dsn_file
from core.partner.service.pages import HEADERS, page_routes
from core.profiles.partner import SERVED_PATHS
from core.secrets import Secret
from tests.partner_handler import MemoryParts
from tests.partner_server import Asked, Reply, asgi_handler

POLICY = PartnerPolicy("https://acme.example", hostnames=("acme.example",))
HOSTILE = '<script>alert("x")</script>'
HOW = HowToConnect("ch.acme.example", 8443, True, "partner_pa1", "partner_pu1")
VISITOR = Visitor("ann@acme.example", HOSTILE, "pa1", "pu1", False, HOW)
LINK = "link1.good"
PASSWORD = "four quiet words together"
CONSENT = "https://dbc-1.cloud.databricks.com/oidc/v1/authorize?state=s&code_challenge=c"


class Desk:
    """A reception that knows one link and one visitor, and raises `failure` instead where it is set."""

    def __init__(self, visitor: Visitor = VISITOR) -> None:
        self.visitor = visitor
        self.failure: Exception | None = None
        self.set: list[str] = []
        self.finished: list[tuple[Sequence[tuple[str, str]], str]] = []

    async def look(self, token: str) -> Visitor:
        if token != LINK:
            raise SignInLinkRefusedError
        return self.visitor

    async def set_password(self, token: str, password: Secret) -> Visitor:
        await self.look(token)
        if self.failure is not None:
            raise self.failure
        self.set.append(password.reveal())
        self.visitor = replace(self.visitor, signed_up=True)
        return self.visitor

    async def begin_authorization(self, token: str) -> AuthorizationBegun:
        await self.look(token)
        if not self.visitor.workspace_to_authorize:
            raise NotFoundError("There is no workspace to authorise.")
        return AuthorizationBegun(CONSENT, Secret("browser-key", passing=True))

    async def finish_authorization(self, query: Sequence[tuple[str, str]], browser_key: Secret) -> str:
        if self.failure is not None:
            raise self.failure
        self.finished.append((query, browser_key.reveal()))
        return "dbc-1.cloud.databricks.com"


class Site:
    """The application with its pages."""

    def __init__(self, desk: Desk | None = None, policy: PartnerPolicy = POLICY) -> None:
        self.desk = desk or Desk()
        pages = page_routes(policy, self.desk, "Acme Data")
        self._handler = asgi_handler(create_app(MemoryParts(policy), "here", pages=pages))

    async def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        return await self._handler(Asked(method, path, headers))

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Reply:
        form = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return await self._handler(Asked("POST", path, form, urlencode(fields).encode()))


def header(reply: Reply, name: str) -> str:
    return {key.lower(): value for key, value in reply.headers.items()}.get(name, "")


async def test_a_link_may_be_followed_by_machines_and_texts_of_others_are_no_markup() -> None:
    site = Site()
    for method in ("GET", "GET", "HEAD"):
        reply = await site.get(f"/welcome?link={LINK}", method)
        assert reply.status == 200
    shown = (await site.get(f"/welcome?link={LINK}")).body.decode()
    assert HOSTILE not in shown and "&lt;script&gt;" in shown
    assert site.desk.set == []
    for name, value in HEADERS.items():
        assert header(reply, name.lower()) == value


async def test_a_password_is_set_and_a_reload_sends_nothing_again() -> None:
    site = Site()
    reply = await site.post("/welcome", link=LINK, password=PASSWORD, again=PASSWORD)
    assert (reply.status, header(reply, "location")) == (303, f"/welcome?link={LINK}")
    assert site.desk.set == [PASSWORD]
    shown = (await site.get(f"/welcome?link={LINK}")).body.decode()
    assert "ch.acme.example" in shown and 'name="password"' not in shown


@pytest.mark.parametrize(
    ("again", "failure", "status", "told"),
    [
        ("another one here", None, 400, "The two passwords differ."),
        (PASSWORD, BadInputError("The password is too easy to guess."), 400, "too easy to guess"),
        (PASSWORD, UnreachableError("ch-1.internal:9000 does not answer"), 503, "Something went wrong here."),
        (PASSWORD, RuntimeError("kaputt"), 503, "Something went wrong here."),
    ],
)
async def test_what_goes_wrong_is_told_calmly(again: str, failure: Exception | None, status: int, told: str) -> None:
    site = Site()
    site.desk.failure = failure
    reply = await site.post("/welcome", link=LINK, password=PASSWORD, again=again)
    shown = reply.body.decode()
    assert (reply.status, site.desk.set) == (status, [])
    assert told in shown
    for hidden in (PASSWORD, again, "internal", "kaputt"):
        assert hidden not in shown
    assert ("ann@acme.example" in shown) == (status == 400)  # nothing is lost but passwords


async def test_links_and_forms_that_are_not_good() -> None:
    site = Site()
    assert (await site.get("/welcome?link=link1.bad")).status == 410
    assert (await site.get("/welcome")).status == 410
    assert (await site.post("/welcome", link="link1.bad", password=PASSWORD, again=PASSWORD)).status == 410
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert (await site.post("/welcome", elsewhere, link=LINK, password=PASSWORD, again=PASSWORD)).status == 403
    assert (await site.post("/welcome", link=LINK, password="x" * 20_000, again="")).status == 400
    assert site.desk.set == []


async def test_a_workspace_is_authorised() -> None:
    desk = Desk(replace(VISITOR, signed_up=True, workspace_to_authorize="dbc-1.cloud.databricks.com"))
    site = Site(desk)
    assert "Continue to Databricks" in (await site.get(f"/welcome?link={LINK}")).body.decode()
    reply = await site.post("/authorize", link=LINK)
    assert CONSENT.replace("&", "&amp;") in reply.body.decode()
    cookie = header(reply, "set-cookie")
    for part in ("housekeys_authorization=browser-key", "HttpOnly", "Secure", "SameSite=lax", "Path=/oauth/callback"):
        assert part in cookie
    back = "/oauth/callback?code=c&state=s"
    reply = await site.get(back, cookie="housekeys_authorization=browser-key")
    assert reply.status == 200 and "dbc-1.cloud.databricks.com" in reply.body.decode()
    assert desk.finished == [([("code", "c"), ("state", "s")], "browser-key")]
    assert 'housekeys_authorization=""' in header(reply, "set-cookie")
    desk.failure = AuthorizationStateError()
    assert (await site.get(back)).status == 400
    assert (await Site().post("/authorize", link=LINK)).status == 404


async def test_the_callback_is_where_the_profile_says() -> None:
    site = Site(policy=replace(POLICY, oauth_redirect_uri="https://acme.example/back"))
    assert (await site.get("/back?code=c&state=s")).status == 200
    assert (await site.get("/oauth/callback?code=c&state=s")).status == 401


async def test_a_connection_file_leads_where_the_page_says() -> None:
    desk = Desk(replace(VISITOR, signed_up=True))
    desktop = Site(desk, replace(POLICY, integration="desktop"))
    assert "Download the connection file" in (await desktop.get(f"/welcome?link={LINK}")).body.decode()
    reply = await desktop.get(f"/clickhouse.dsn?link={LINK}")
    assert header(reply, "content-disposition") == 'attachment; filename="clickhouse.dsn"'
    assert reply.body.decode() == dsn_file(HOW)
    assert "Url=https://ch.acme.example:8443/\r\nDatabase=partner_pa1\r\nUID=partner_pu1\r\n" in dsn_file(HOW)
    assert (await desktop.get("/clickhouse.dsn?link=x")).status == 410
    nowhere = Site(Desk(replace(VISITOR, signed_up=True, how=None)))
    assert (await nowhere.get(f"/clickhouse.dsn?link={LINK}")).status == 404
    assert "for the address of ClickHouse" in (await nowhere.get(f"/welcome?link={LINK}")).body.decode()


def test_names_with_signs_of_their_own_end_nothing() -> None:
    how = HowToConnect("::1", 8123, False, "a;b}\r\nUID=root", "it's & you")
    assert "Url=http://[::1]:8123/" in dsn_file(how)
    assert "Database={a;b}}UID=root}\r\nUID={it's & you}\r\n" in dsn_file(how)
    assert dsn_file(how).count("\r\n") == 5
    jdbc, _, curl = (one.text for one in connection_texts(how))
    assert jdbc == "jdbc:ch:http://[::1]:8123/a%3Bb%7D%0D%0AUID%3Droot?user=it%27s+%26+you"
    assert "'it'\"'\"'s & you'" in curl and "\n" not in curl


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/purchase", "/contact-admin"])
async def test_pages_for_everybody(path: str) -> None:
    reply = await Site().get(path)
    assert (reply.status, "Acme Data" in reply.body.decode()) == (200, True)


async def test_the_style_is_ours_alone() -> None:
    reply = await Site().get("/style.css")
    assert header(reply, "content-type").startswith("text/css")
    assert b"url(" not in reply.body and b"@import" not in reply.body


def test_the_profile_knows_every_path_that_no_endpoint_may_have() -> None:
    desk = Desk()
    app = create_app(MemoryParts(POLICY), "here:1/2", pages=page_routes(POLICY, desk, "ACME"))
    assert {route.path for route in app.routes if isinstance(route, Route)} == SERVED_PATHS
