"""A partner in memory to check: right by default, from the pure decisions of accounts, behind an HTTP server.

A handler turns what is asked into a reply. Faults (`tests.partner_faults`) wrap any handler: this one, or an ASGI
application by `asgi_handler`, so that the real service too can be made wrong one rule at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from aiohttp.web_runner import ServerRunner

from core.partner.accounts.deciding import Answer, Ending, decide_delete, decide_delete_account, decide_expire
from core.partner.accounts.deciding import decide_test as decide_connection_test
from core.partner.handling.outcomes import Handled
from core.partner.messages import reading
from core.partner.messages.partner_config import METHODS, AuthOption, PartnerConfig
from core.partner.messages.requests import (
    AccountInfo,
    AccountUserInfo,
    ConnectionInfo,
    ConnectRequest,
    DeleteConnectionRequest,
)
from core.partner.messages.responses import (
    Connection,
    ConnectionTestResult,
    Connector,
    ConnectorResponse,
    ConnectorType,
    DeleteConnectionResponse,
    ErrorAnswer,
    ErrorReason,
    TestResult,
    TestStatus,
)
from core.partner.messages.writing import Answer as Body
from core.partner.messages.writing import write_answer
from core.partner.partner_configs import partner_config
from core.partner.security.basic_credentials import parse_authorization
from core.profiles.partner import PartnerPolicy
from tests.unit.partner.account_examples import Partner

USER, PASSWORD = "databricks", "a-password-of-tests-5d7f2c"
OAUTH_REDIRECT = "https://acme.example/oauth/callback"
PAGE = "/welcome"
CONNECTORS = tuple(Connector(f"c{number}", f"Connector {number}", ConnectorType.SOURCE) for number in range(5))
PAGE_SIZE = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a handler gets it. The names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def saying(self, body: Any) -> Asked:
        """The same with another body."""
        return replace(self, body=json.dumps(body).encode())

    def with_header(self, name: str, value: str) -> Asked:
        """The same with another header."""
        return replace(self, headers={**self.headers, name: value})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `endless`: its body never ends."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        return json.loads(self.body) if self.body.startswith(b"{") else {}

    def saying(self, body: Any, status: int | None = None) -> Reply:
        """The same with another body."""
        return replace(self, body=json.dumps(body).encode(), status=status or self.status)


Handler = Callable[[Asked], Awaitable[Reply]]
Fault = Callable[[Asked, Handler], Awaitable[Reply]]


def faulty(handler: Handler, fault: Fault) -> Handler:
    """A handler with a fault."""

    async def answer(asked: Asked) -> Reply:
        return await fault(asked, handler)

    return answer


def said(body: Body | None) -> Reply:
    """A message as a reply."""
    if body is None:
        return Reply(200)
    status = body.status if isinstance(body, ErrorAnswer) else 200
    return Reply(int(status), write_answer(body), {"Content-Type": "application/json"})


def error(reason: ErrorReason) -> Reply:
    return said(ErrorAnswer(reason))


class MemoryPartner:
    """A partner that keeps every rule."""

    def __init__(self, policy: PartnerPolicy) -> None:
        self.partner = Partner(policy)
        self.config: PartnerConfig = partner_config(policy)
        self.base_url = policy.base_url  # where its page is

    async def __call__(self, asked: Asked) -> Reply:
        self.base_url = f"http://{asked.headers['host']}"
        if asked.path == PAGE:
            return Reply(200, b"welcome", {"Content-Type": "text/plain"})
        presented = parse_authorization([asked.headers[name] for name in asked.headers if name == "authorization"])
        if presented is None or (presented.user, presented.password.reveal()) != (USER, PASSWORD):
            return error(ErrorReason.UNAUTHORIZED)
        for endpoint, methods in METHODS.items():
            if getattr(self.config.endpoints, endpoint) == asked.path and asked.method in methods:
                try:
                    return said(self._body(endpoint, asked))
                except reading.BadRequestError as problem:
                    return said(problem.answer)
        return error(ErrorReason.BAD_REQUEST)

    def _body(self, endpoint: str, asked: Asked) -> Body | None:
        match endpoint:
            case "connect_path":
                return self.connect(reading.read_connect_request(asked.body, self.config))
            case "delete_connection_path":
                return self.delete_connection(reading.read_delete_connection_request(asked.body))
            case "test_connection_path":
                return self.test_connection(reading.read_connection_info(asked.body))
            case "delete_account_path":
                return self.delete_account(reading.read_account_info(asked.body))
            case "expire_account_path":
                return self.expire_account(reading.read_account_user_info(asked.body))
            case _:
                token = parse_qs(urlsplit(asked.target).query).get("pagination_token", [None])[0]
                return self.connectors(reading.read_pagination_token(token))

    def connect(self, request: ConnectRequest) -> Connection | ErrorAnswer:
        decision = self.partner.ask(request)
        if not isinstance(decision.answer, Answer):
            return decision.answer
        own_app = AuthOption.AUTH_OAUTH_U2M in self.config.auth_options and not self.config.is_published_app
        told = OAUTH_REDIRECT if own_app and not request.user_info.is_connection_established else None
        return decision.answer.connection(f"{self.base_url}{PAGE}?account={decision.account_id}", told)

    def delete_connection(self, request: DeleteConnectionRequest) -> DeleteConnectionResponse | ErrorAnswer:
        ending = decide_delete(request, self.partner.known)
        if ending.error is not None or ending.resource_status is None:
            return ending.error or ErrorAnswer(ErrorReason.GENERAL_ERROR)
        self.partner.tell(*ending.events)
        return DeleteConnectionResponse(ending.resource_status)

    def test_connection(self, request: ConnectionInfo) -> ConnectionTestResult | ErrorAnswer:
        ending = decide_connection_test(request, self.partner.known)
        return ending.error or ConnectionTestResult((TestResult("reach", TestStatus.PASS, "It answers."),))

    def delete_account(self, request: AccountInfo) -> ErrorAnswer | None:
        return self._ended(decide_delete_account(request, self.partner.known, self.partner.policy))

    def expire_account(self, request: AccountUserInfo) -> ErrorAnswer | None:
        return self._ended(decide_expire(request, self.partner.known, self.partner.policy, self.partner.now))

    def _ended(self, ending: Ending) -> ErrorAnswer | None:
        self.partner.tell(*ending.events)
        return ending.error

    def connectors(self, pagination_token: str | None) -> ConnectorResponse:
        start = int(pagination_token or 0)
        end = start + PAGE_SIZE
        return ConnectorResponse(CONNECTORS[start:end], str(end) if end < len(CONNECTORS) else None)


class MemoryHandler:
    """A partner in memory as the service needs one: `HandlesRequests`."""

    def __init__(self, partner: MemoryPartner) -> None:
        self.partner = partner

    async def connect(self, request: ConnectRequest) -> Handled[Connection]:
        return Handled(self.partner.connect(request))

    async def delete_connection(self, request: DeleteConnectionRequest) -> Handled[DeleteConnectionResponse]:
        return Handled(self.partner.delete_connection(request))

    async def test_connection(self, request: ConnectionInfo) -> Handled[ConnectionTestResult]:
        return Handled(self.partner.test_connection(request))

    async def delete_account(self, request: AccountInfo) -> Handled[None]:
        return Handled(self.partner.delete_account(request))

    async def expire_account(self, request: AccountUserInfo) -> Handled[None]:
        return Handled(self.partner.expire_account(request))

    async def connectors(self, pagination_token: str | None) -> Handled[ConnectorResponse]:
        return Handled(self.partner.connectors(pagination_token))


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve a handler on this machine, in this event loop; the URL."""

    ended = asyncio.Event()  # for replies that never come, so that nothing is left when the server goes

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path_qs, headers, await request.read())
        answering = asyncio.ensure_future(handler(asked))
        ending = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait((answering, ending), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                return web.Response(status=500)
            reply = answering.result()
            if not reply.endless:
                return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
            response = web.StreamResponse(status=reply.status, headers=reply.headers)
            await response.prepare(request)
            await ending
            return response
        finally:
            answering.cancel()
            ending.cancel()

    runner = ServerRunner(web.Server(handle), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        ended.set()
        await runner.cleanup()


@contextlib.contextmanager
def serving_in_thread(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The same in an event loop of its own, for who calls without one."""
    started, ended = threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with serving(handler, tls) as url:
            urls.append(url)
            started.set()
            await ended.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def asgi_handler(application: Callable[..., Awaitable[None]]) -> Handler:
    """The handler that an ASGI application is."""

    async def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.target)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        received = [{"type": "http.request", "body": asked.body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await application(scope, receive, send)
        start, *bodies = sent
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        return Reply(start["status"], b"".join(each.get("body", b"") for each in bodies), headers)

    return answer
