"""Who comes by a sign-in link: looked at, given a password in a real ClickHouse, led through an authorization."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from core.changes import Change, RecordStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import Engine
from core.errors import BadInputError, NotFoundError, UnreachableError
from core.partner.accounts import facts
from core.partner.accounts.state import PartnerUser
from core.partner.handling.outcomes import HowToConnect
from core.partner.handling.reception import Reception
from core.partner.handling.titles import SET_PASSWORD
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.failures import AuthorizationStateError, OAuthRefusedError
from core.partner.provisioning.password import plan_password
from core.partner.security.sign_in_links import SignInLinkRefusedError
from core.partner.storage.claims import Claims
from core.partner.storage.used_links import UsedLinks
from core.partner.workspaces.tokens import WorkspaceTokens
from core.profiles.partner import ClickHouseAddress
from core.secrets import Secret
from tests.databricks_fake import PUBLISHED_APP, REDIRECT, DatabricksFake
from tests.engine.gated_engine import STATEMENT, GatedEngine
from tests.engine.partner_service_place import ServicePlace
from tests.unit.partner.account_examples import asked

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = Secret("correct horse battery")
ADDRESS = ClickHouseAddress("ch.acme.example", 8443, secure=True)
U2M: dict[str, Any] = {
    "auth_options": ("AUTH_OAUTH_U2M",),
    "is_published_app": True,
    "oauth_app_id": PUBLISHED_APP,
    "oauth_redirect_uri": REDIRECT,
}
_numbers = itertools.count()


class Desk:
    """A process of the service with its reception."""

    def __init__(self, place: ServicePlace, http: DatabricksHttp) -> None:
        self.place = place
        self.http = http
        self.reception = Reception(
            place.policy,
            place.state,
            place.runner,
            place.keys,
            UsedLinks(Claims(place.engine, place.database)).record,
            place.secrets,
            WorkspaceTokens(http, place.secrets, place.policy),
            address=ADDRESS,
        )

    def another(self, folder: Path, engine: Engine | None = None, **changed: Any) -> Desk:
        """Another process."""
        return Desk(self.place.another(folder, engine, **changed), self.http)

    async def close(self) -> None:
        await self.reception.close()
        await self.place.handler.close()

    async def link(self, email: str) -> str:
        """Connect, and give the token of the link that the answer leads to."""
        request = asked(email)
        if "AUTH_PAT" not in self.place.policy.auth_options:
            request = replace(request, user_info=replace(request.user_info, auth=None))
        connection = await self.place.connect(request)
        return parse_qs(urlsplit(connection.redirect_uri).query)["link"][0]

    async def user(self, email: str) -> PartnerUser:
        known = await self.place.known()
        (identifier,) = known.users_by_email[email]
        return known.users[identifier]

    async def passwords(self, email: str) -> int:
        """How often a password was set, as the journal tells."""
        user, rows = await self.user(email), await self.place.journal.history(facts.PARTNER_USER)
        return sum((row.subject, row.action) == (user.id, facts.SIGN_UP) for row in rows)

    async def identified(self, email: str) -> str:
        """How ClickHouse identifies the user."""
        found = await self.place.engine.engine.query(f"SHOW CREATE USER {(await self.user(email)).name}")
        return str(found.first_cell())


@pytest.fixture
def email() -> str:
    """The address of somebody of a new company."""
    return f"ann@company{next(_numbers)}.com"


@pytest.fixture(scope="module")
def fake() -> Iterator[DatabricksFake]:
    with DatabricksFake() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http(fake: DatabricksFake) -> AsyncIterator[DatabricksHttp]:
    opened = await DatabricksHttp.open(address=lambda host: fake.url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(
    shared_engine: EmbeddedEngine, http: DatabricksHttp, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    place = ServicePlace(shared_engine, tmp_path_factory.mktemp("desk"), "reception")
    desk = Desk(await place.prepare(), http)
    yield desk
    await desk.close()


@pytest_asyncio.fixture(loop_scope="module")
async def authorising(desk: Desk, tmp_path: Path) -> AsyncIterator[Desk]:
    """A process whose users authorise their workspaces."""
    desk = desk.another(tmp_path / "authorising", **U2M)
    yield desk
    await desk.close()


async def test_a_visitor_looks_sets_a_password_once_and_sees_how_to_connect(desk: Desk, email: str) -> None:
    token = await desk.link(email)
    user = await desk.user(email)
    account = (await desk.place.known()).accounts[user.account_id]
    visitor = await desk.reception.look(token)
    assert (visitor.email, visitor.first_name, visitor.signed_up) == (email, "Ann", False)
    assert visitor.how == HowToConnect("ch.acme.example", 8443, True, account.database, user.name)
    for bad in ("short", email.upper(), "correct horse \ud800"):
        with pytest.raises(BadInputError):
            await desk.reception.set_password(token, Secret(bad))
    assert await desk.passwords(email) == 0
    assert (await desk.reception.set_password(token, PASSWORD)).signed_up
    assert "sha256_password" in await desk.identified(email)
    with pytest.raises(SignInLinkRefusedError):
        await desk.reception.set_password(token, PASSWORD)
    assert (await desk.reception.look(token)).signed_up  # the page can be loaded again
    assert await desk.passwords(email) == 1
    later = await desk.link(email)
    assert (await desk.reception.look(later)).signed_up
    with pytest.raises(SignInLinkRefusedError):  # who has a password is only led in
        await desk.reception.set_password(later, PASSWORD)


async def test_of_all_links_one_sets_a_password_in_whichever_process(desk: Desk, email: str, tmp_path: Path) -> None:
    first, second = await desk.link(email), await desk.link(email)
    other = desk.another(tmp_path / "other")
    assert not (await other.reception.look(first)).signed_up  # made by another process just now
    tries = (one.reception.set_password(token, PASSWORD) for one in (desk, other) for token in (first, second))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    done = [not isinstance(end, BaseException) for end in ends]
    assert (done[:2].count(True) <= 1, done[2:].count(True) <= 1) == (True, True)  # a process takes one link of two
    assert 1 <= await desk.passwords(email) == done.count(True)  # and each link is taken once
    assert all(isinstance(end, SignInLinkRefusedError) for end in ends if isinstance(end, BaseException))
    for token in (first, second):
        with pytest.raises(SignInLinkRefusedError):
            await desk.reception.set_password(token, PASSWORD)
    await other.close()


async def test_a_link_that_was_used_in_vain_stays_good(desk: Desk, email: str) -> None:
    token = await desk.link(email)
    await desk.reception.look(token)
    desk.place.engine.statements_left = 1  # the first one uses up the link
    with pytest.raises(UnreachableError):
        await desk.reception.set_password(token, PASSWORD)
    desk.place.engine.repair()
    assert desk.place.runner.unfinished() == []  # nobody continues it when there is another password already
    assert (await desk.reception.set_password(token, PASSWORD)).signed_up
    with pytest.raises(SignInLinkRefusedError):
        await desk.reception.set_password(token, PASSWORD)


async def test_who_is_gone_or_stands_behind_no_link_is_refused(desk: Desk, email: str) -> None:
    token = await desk.link(email)
    user = await desk.user(email)
    for bad in ("", "link1.x", token[:-2], token.replace("link1.", "link2.")):
        with pytest.raises(SignInLinkRefusedError):
            await desk.reception.look(bad)
    report = await desk.place.runner.run(Change("Leave", (RecordStep("Leave", (facts.user_deleted(user.id),)),)))
    assert report.succeeded
    for refused in (desk.reception.set_password(token, PASSWORD), desk.reception.look(token)):
        with pytest.raises(SignInLinkRefusedError):
            await refused


async def test_a_password_that_a_killed_process_was_setting_is_never_set_later(
    desk: Desk, email: str, tmp_path: Path
) -> None:
    await desk.link(email)
    change = replace(plan_password(await desk.user(email), PASSWORD), title=f"{SET_PASSWORD}somebody")
    desk.place.engine.statements_left = 0
    assert not (await desk.place.runner.run(change)).finished
    desk.place.engine.repair()
    await desk.place.handler.settle_at_start()
    assert desk.place.runner.unfinished() == []
    assert await desk.passwords(email) == 0


async def test_closing_the_page_does_not_stop_a_password_that_is_being_set(
    desk: Desk, email: str, tmp_path: Path
) -> None:
    token = await desk.link(email)
    gate = GatedEngine(desk.place.engine.engine, STATEMENT)
    other = desk.another(tmp_path / "other", gate)
    setting = asyncio.create_task(other.reception.set_password(token, PASSWORD))
    await gate.reached.wait()  # it is about to use up the link
    setting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await setting
    gate.opened.set()
    await other.close()
    assert await desk.passwords(email) == 1


async def test_a_visitor_authorises_the_workspace(authorising: Desk, email: str, fake: DatabricksFake) -> None:
    desk = authorising
    token = await desk.link(email)
    visitor = await desk.reception.look(token)
    assert visitor.workspace_to_authorize == "dbc-1.cloud.databricks.com"
    assert (await desk.place.known()).connections[visitor.connection_id].user_id == visitor.user_id
    begun = await desk.reception.begin_authorization(token)
    assert "code_challenge" in begun.url
    query = fake.consent(begun.url)
    with pytest.raises(AuthorizationStateError):  # another browser
        await desk.reception.finish_authorization(query, Secret("another"))
    desk.place.engine.broken = True
    with pytest.raises(AuthorizationStateError):  # of nobody: it asks ClickHouse nothing
        await desk.reception.finish_authorization([("code", "x"), ("state", f"Yy0y.{'r' * 43}")], begun.browser_key)
    desk.place.engine.repair()
    assert await desk.reception.finish_authorization(query, begun.browser_key) == visitor.workspace_to_authorize
    with pytest.raises(AuthorizationStateError):
        await desk.reception.finish_authorization(query, begun.browser_key)
    assert (await desk.reception.look(token)).workspace_to_authorize == ""
    with pytest.raises(NotFoundError):
        await desk.reception.begin_authorization(token)


async def test_of_a_connection_that_is_deleted_meanwhile_nothing_is_kept(
    authorising: Desk, email: str, fake: DatabricksFake, tmp_path: Path
) -> None:
    desk = authorising
    token = await desk.link(email)
    visitor = await desk.reception.look(token)
    begun = await desk.reception.begin_authorization(token)
    query = fake.consent(begun.url)
    fake.hold_tokens()
    asks = len(fake.grants)
    finishing = asyncio.create_task(desk.reception.finish_authorization(query, begun.browser_key))
    await asyncio.to_thread(fake.wait_for, lambda: len(fake.grants) > asks)
    other = desk.another(tmp_path / "other")
    deleted = await other.place.delete(visitor.connection_id)
    assert deleted.error is None
    fake.release()
    with pytest.raises(AuthorizationStateError):
        await finishing
    assert await desk.place.table.places(visitor.connection_id) == []
    await other.close()


async def test_an_app_that_nobody_has_named_cannot_be_authorised(authorising: Desk, email: str, tmp_path: Path) -> None:
    desk = authorising.another(tmp_path, oauth_app_id=None)
    token = await desk.link(email)
    with pytest.raises(OAuthRefusedError, match="no id of the OAuth app"):
        await desk.reception.begin_authorization(token)
    await desk.close()
