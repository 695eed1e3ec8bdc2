"""What a case says to the subject, step by step, and what it expects: every step either comes out right or raises.

Every answer is held to what any answer must be, whichever case asked for it. What a case made is removed at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from core.display import one_line
from core.logs import secret_forms
from core.partner.checker.calling import Caller, NoAnswerError
from core.partner.checker.exchanges import Answer, Exchange
from core.partner.checker.judging import (
    Demand,
    UnmetError,
    check_answer,
    check_entry,
    check_link,
    check_new_connection,
    check_opened,
    check_refusal,
    check_sign_in,
    check_success,
    read_connection,
    read_deletion,
    require,
    unmet,
)
from core.partner.checker.requesting import TEST_DOMAIN, Json, RequestFactory, User, Workspace, place_of
from core.partner.checker.subject import Subject
from core.partner.messages.responses import Connection, ErrorReason, RedirectValue, ResourceStatus
from core.partner.security.redaction import redacted

ANY_REDIRECT: Final = (RedirectValue.CREATE_TRIAL, RedirectValue.SIGN_IN, RedirectValue.PURCHASE_PRODUCT)
NOT_FOUND: Final = (ErrorReason.ACCOUNT_NOT_FOUND, ErrorReason.CONNECTION_NOT_FOUND)
METHODS: Final[Mapping[str, str]] = {
    "connect_path": "POST",
    "delete_connection_path": "POST",
    "test_connection_path": "POST",
    "delete_account_path": "DELETE",
    "expire_account_path": "PUT",
    "get_connectors_path": "GET",
}
"""By which method the tests of Databricks call each endpoint."""
_MANUAL: Final = Demand(
    "Let nobody sign in before the sign-up is finished, or take require_manual_signup out of the PartnerConfig."
)
_SHORTEST_SECRET: Final = 8
HEADERS: Final = {
    "User-Agent": "databricks",
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "en-US",
}
"""What every call has, but where a case is about headers."""


class Conversation:
    """The calls of one case. `requests` makes the bodies."""

    def __init__(self, subject: Subject, caller: Caller) -> None:
        self.subject = subject
        self.requests = RequestFactory(subject)
        self.exchanges: list[Exchange] = []
        self.warnings: list[str] = []
        self.late = False  # whether the last call had no answer in time
        self.unheard = False  # whether a call of the cleaning had no answer
        self._caller = caller
        self._calling: asyncio.Future[Answer] | None = None
        self._made: dict[str, Workspace] = {}  # partner connections that are there
        self._testers: set[Workspace] = set()  # workspaces with users under the test domain

    def should(self, holds: bool, text: str) -> None:
        """Note a warning unless it `holds`: what is wise, and nobody demands."""
        warning = one_line(redacted(text), 300)
        if not holds and warning not in self.warnings:
            self.warnings.append(warning)

    async def call(
        self,
        endpoint: str,
        body: Json | bytes | None = None,
        *,
        query: str = "",
        method: str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Call an endpoint, given by its field of `Endpoints`; None among `headers` leaves one out."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        sent: dict[str, str | None] = {**HEADERS, "Authorization": self.subject.authorization(), **(headers or {})}
        present = {name: value for name, value in sent.items() if value is not None}
        if content is None:
            present.pop("Content-Type", None)
        url = self.subject.url(endpoint, query)
        made_by = body if endpoint == "connect_path" and isinstance(body, dict) else None
        calling = self._noted_exchange(method or METHODS[endpoint], url, present, content, made_by)
        # Not ended with the check: what a call makes is known from its answer alone.
        self._calling = asyncio.ensure_future(calling)
        self._calling.add_done_callback(_take_note)
        answer = await asyncio.shield(self._calling)
        check_answer(answer, endpoint, self._secrets())
        own = self.subject.password is not None and "Authorization" not in (headers or {})
        check_entry(answer, own=own)
        return answer

    async def _noted_exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, made_by: Json | None
    ) -> Answer:
        answer = await self._exchange(method, url, headers, content)
        if made_by is not None:
            self._note_made(made_by, answer)
        return answer

    def _secrets(self) -> set[str]:
        """What was sent and must not come back, in no form. A short password may be a word of any answer."""
        password = "" if self.subject.password is None else self.subject.password.reveal()
        return self.requests.tokens | (secret_forms(password) if len(password) >= _SHORTEST_SECRET else set())

    def _note_made(self, body: Json, answer: Answer) -> None:
        """Note the partner connection that was made, whatever is wrong with the answer: it is removed in the end."""
        with contextlib.suppress(KeyError, TypeError, ValueError, RecursionError):
            connection_id = json.loads(answer.content)["connection_id"]
            if isinstance(connection_id, str) and connection_id:
                self._made[connection_id] = place_of(body, self.subject.cloud())

    async def connect(self, body: Json | bytes, headers: Mapping[str, str | None] | None = None) -> Answer:
        """Call connect."""
        return await self.call("connect_path", body, headers=headers)

    async def made(
        self,
        body: Json,
        redirects: Collection[RedirectValue] = ANY_REDIRECT,
        headers: Mapping[str, str | None] | None = None,
    ) -> Connection:
        """Connect, which must make a partner connection and lead the user to one of these pages."""
        connection = read_connection(await self.connect(body, headers))
        check_new_connection(connection, redirects)
        await self.follow(connection.redirect_uri)
        return connection

    async def connection(self, user: User, workspace: Workspace, changes: Json | None = None) -> str:
        """The id of a new partner connection."""
        made = await self.made(self.requests.connect(user, workspace, changes))
        return made.connection_id or ""

    async def signed_in(
        self,
        user: User,
        workspace: Workspace,
        connection_id: str,
        redirects: Collection[RedirectValue] = ANY_REDIRECT,
        changes: Json | None = None,
    ) -> Connection | None:
        """Connect where a partner connection is established, which must be a sign-in to one of these pages.

        None where the partner has its sign-up done by hand: then it must be refused until that is done.
        """
        answer = await self.connect(self.requests.established(user, workspace, connection_id, changes))
        if self.subject.manual_signup:
            check_refusal(answer, *NOT_FOUND, demand=_MANUAL)
            return None
        connection = read_connection(answer)
        check_sign_in(answer, connection, redirects)
        await self.follow(connection.redirect_uri)
        return connection

    async def not_connected(self, user: User, workspace: Workspace, connection_id: str) -> None:
        """Connect where Databricks believes in a partner connection that is not there, or is not its own."""
        answer = await self.connect(self.requests.established(user, workspace, connection_id))
        manual = (ErrorReason.ACCOUNT_NOT_FOUND,) if self.subject.manual_signup else ()
        check_refusal(answer, ErrorReason.CONNECTION_NOT_FOUND, *manual)

    async def delete(self, connection_id: str, workspace: Workspace, more: Json | None = None) -> Answer:
        """Call delete-connection."""
        body = self.requests.of_connection(connection_id, workspace) | (more or {})
        answer = await self.call("delete_connection_path", body)
        if answer.status == 200 and self._made.get(connection_id) == workspace:
            del self._made[connection_id]
        return answer

    async def not_deleted(self, connection_id: str, workspace: Workspace) -> None:
        """Call delete-connection where there is nothing to delete; a partner that says 200 all the same is warned."""
        answer = await self.delete(connection_id, workspace)
        if answer.status != 200:
            check_refusal(answer, ErrorReason.CONNECTION_NOT_FOUND)
            return
        said = read_deletion(answer, user_named=False)
        self.should(False, f"what is not there is deleted with 200 {said}, and not refused by 404 connection_not_found")

    async def deleted(self, connection_id: str, workspace: Workspace, more: Json | None = None) -> ResourceStatus:
        """Call delete-connection, which must find the partner connection."""
        answer = await self.delete(connection_id, workspace, more)
        return read_deletion(answer, user_named="user_info" in (more or {}))

    async def forgotten(self, workspace: Workspace, domain: str = TEST_DOMAIN) -> None:
        """Call delete-account, which must find somebody."""
        answer = await self.call("delete_account_path", self.requests.delete_account(domain, workspace))
        check_success(answer, "delete_account_path")

    def nobody_found(self, answer: Answer, endpoint: str) -> None:
        """A hook for tests did not find anybody: 404 is declared for that, and not everywhere, so others are warned."""
        if answer.status not in (200, 400):
            check_refusal(answer, ErrorReason.ACCOUNT_NOT_FOUND)
        name = endpoint.removesuffix("_path").replace("_", "-")
        self.should(answer.status == 404, f"{name} that finds nobody is answered by {answer.status} and not by 404")

    async def expired(self, user: User, workspace: Workspace) -> None:
        """Call expire-account, which must find the user."""
        answer = await self.call("expire_account_path", self.requests.expire_account(user, workspace))
        check_success(answer, "expire_account_path")

    async def clear_testers(self, workspace: Workspace) -> None:
        """Remove the users under the test domain that an earlier check left, and at the end those of this one."""
        self._testers.add(workspace)
        await self._clear_testers(workspace)

    async def follow(self, url: str) -> None:
        """Open a link that users are led to, as Databricks does: it looks at the host, and gets it once."""
        require(not any(secret in url for secret in self._secrets()), "no secret in a redirect_uri", "one is in it")
        config = self.subject.config
        check_link(url, None if config is None else config.hostnames, insecure_http=self.subject.insecure_http)
        headers = {name: HEADERS[name] for name in ("User-Agent", "Accept-Language")}
        answer = await self._exchange("GET", url, headers, None, link=True)
        check_opened(answer.status)

    async def clean(self) -> None:
        """Remove what the case made, as far as there are endpoints for it. What fails is `left`.

        The users of the test domain go first: without their partner connections some partners would not find them.
        """
        shown, late = len(self.exchanges), self.late
        await self._end_call()
        for workspace in self._testers:
            await self._clear_testers(workspace)
        for connection_id, workspace in tuple(self._made.items()):
            if self.subject.endpoints.delete_connection_path is not None and not self._is_unheard(shown):
                with contextlib.suppress(UnmetError):  # what is wrong with the answer, cases tell
                    await self.delete(connection_id, workspace)
                answer = self.exchanges[-1].answer
                if answer is not None and answer.status in (200, 404):
                    self._made.pop(connection_id, None)
        self.late, self.unheard = late, self._is_unheard(shown)
        del self.exchanges[shown:]

    @property
    def left(self) -> tuple[str, ...]:
        """The partner connections that the case made and that are there still, in words."""
        return tuple(
            f"{one_line(redacted(connection_id), 100)} (cloud {place.cloud}, workspace {place.id})"
            for connection_id, place in self._made.items()
        )

    async def _end_call(self) -> None:
        """Wait for a call that an interruption has left under way, as long as for the body of an answer."""
        if self._calling is not None and not self._calling.done():
            try:
                await asyncio.wait((self._calling,), timeout=self.subject.limits.body)
            finally:
                self._calling.cancel()

    def _is_unheard(self, since: int) -> bool:
        """Whether a call `since` then had no answer: so would the next ones, each after a long wait."""
        return any(exchange.answer is None for exchange in self.exchanges[since:])

    async def _clear_testers(self, workspace: Workspace) -> None:
        if self.subject.endpoints.delete_account_path is not None:
            with contextlib.suppress(UnmetError):  # nobody may be there; whether the endpoint is right, cases tell
                await self.call("delete_account_path", self.requests.delete_account(TEST_DOMAIN, workspace))

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, link: bool = False
    ) -> Answer:
        try:
            answer = await self._caller.call(method, url, headers, body, whole=not link)
        except NoAnswerError as error:
            self.late = error.late
            self.exchanges.append(Exchange(method, url, headers, body, failure=f"it {error}", link=link))
            wanted = f"an answer from {urlsplit(url).hostname or 'a host'}"
            unmet(wanted, f"it {error}", error.demand)
        self.late = False
        self.exchanges.append(Exchange(method, url, headers, body, answer, link=link))
        return answer


def _take_note(calling: asyncio.Future[Answer]) -> None:
    """Of how a call ended that an interruption has left: else asyncio complains that nobody did."""
    if not calling.cancelled():
        calling.exception()


def told(connection: Connection) -> tuple[Any, ...]:
    """What an answer says of a user, to be compared with another's."""
    return connection.redirect_value, connection.user_status, connection.account_status


def told_in_words(connection: Connection) -> str:
    """The same for people."""
    redirect, user, account = told(connection)
    return f"redirect_value {redirect}, user_status {user}, account_status {account}"
