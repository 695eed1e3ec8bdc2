"""The HTTP calls to workspaces: their hosts only, no redirect followed, every wait and every answer bounded.

What an answer says may be shown, so that secrets which were sent are masked in it, whatever form they have.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.errors import HousekeysError, UnreachableError
from core.partner.oauth.failures import foreign_answer
from core.partner.security.hosts import WorkspaceHost
from core.partner.security.redaction import is_secret_name
from core.proxies import proxy_for
from core.secrets import MASK, Secret
from core.version import VERSION

if TYPE_CHECKING:
    from aiohttp import ClientSession

LONGEST_ANSWER = 256 * 1024  # bytes; a token takes some two thousand
_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 30.0
_CONNECTIONS_PER_HOST = 4

Address = Callable[[WorkspaceHost], str]
"""Gives scheme, host and port under which a workspace is called. Tests lead a workspace to this machine by another."""


def https_address(host: WorkspaceHost) -> str:
    """The address of a workspace."""
    return f"https://{host}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the JSON object of an answer. Neither is shown: a token may be in it."""

    status: int
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The secrets that a call has sent. One `for_tokens` may be given the same one again."""

    values: tuple[str, ...] = field(repr=False)
    for_tokens: bool = False

    @classmethod
    def of(cls, bearer: Secret | None) -> _Sent:
        return cls(() if bearer is None else (bearer.reveal(),))

    def masked(self, said: Any) -> Any:
        """A JSON value, or a text, without them."""
        if isinstance(said, dict):
            return {self.masked(name): self.masked(inner) for name, inner in said.items()}
        if isinstance(said, list):
            return [self.masked(inner) for inner in said]
        if isinstance(said, str):
            for value in filter(None, self.values):
                said = said.replace(value, MASK)
        return said


class DatabricksHttp:
    """Calls workspaces. Closed with `close`; to be used from one event loop."""

    def __init__(self, session: ClientSession, address: Address) -> None:
        self._session = session
        self.address = address

    @classmethod
    async def open(cls, *, verify: ssl.SSLContext | bool = True, address: Address = https_address) -> DatabricksHttp:
        """Make ready to call; nothing is called yet. `verify` is how certificates are checked."""

        def load() -> Any:
            import aiohttp  # slow to import, and not everybody has partner connections

            return aiohttp

        aiohttp = await asyncio.to_thread(load)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=verify, limit_per_host=_CONNECTIONS_PER_HOST),
            timeout=aiohttp.ClientTimeout(
                total=_ANSWER_SECONDS, connect=_CONNECT_SECONDS, sock_connect=_CONNECT_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # whatever the other side makes of the header below
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # a small answer must not become a large one
                "User-Agent": f"Housekeys/{VERSION}",
            },
        )
        return cls(session, address)

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._session.close()

    async def get(self, host: WorkspaceHost, path: str, bearer: Secret | None = None) -> Answer | None:
        """GET a JSON object, with a token if it is given; None when there is nothing (404). Raises UnreachableError."""
        sent = _Sent.of(bearer)
        answer = await self._call("GET", host, f"{self.address(host)}{path}", {"headers": _bearing(bearer)}, sent)
        return None if answer.status == 404 else answer

    async def post_json(self, host: WorkspaceHost, path: str, body: Mapping[str, Any], bearer: Secret) -> Answer | None:
        """POST a JSON object; None when there is nothing of that path (404). Raises UnreachableError."""
        options = {"json": dict(body), "headers": _bearing(bearer)}
        answer = await self._call("POST", host, f"{self.address(host)}{path}", options, _Sent.of(bearer))
        return None if answer.status == 404 else answer

    async def post_form(
        self, host: WorkspaceHost, url: str, form: Mapping[str, str], client: tuple[str, Secret] | None = None
    ) -> Answer:
        """POST a form to an endpoint of a workspace, as `client` (id and secret) or as a public one.

        Raises UnreachableError.
        """
        if not url.startswith(f"{self.address(host)}/"):
            raise ValueError("an endpoint of another host")
        headers = {}
        sent = _Sent(tuple(value for name, value in form.items() if is_secret_name(name)), for_tokens=True)
        if client is not None:
            pair = f"{client[0]}:{client[1].reveal()}".encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode('ascii')}"
            sent = replace(sent, values=(*sent.values, client[1].reveal()))
        return await self._call("POST", host, url, {"data": dict(form), "headers": headers}, sent)

    async def _call(
        self, method: str, host: WorkspaceHost, url: str, options: Mapping[str, Any], sent: _Sent
    ) -> Answer:
        failure: HousekeysError
        from aiohttp import ClientError

        try:
            request = self._session.request(method, url, allow_redirects=False, proxy=proxy_for(url), **options)
            async with request as response:
                content = await _bounded(response)
            return _read(host, response.status, content, sent)
        except TimeoutError:
            failure = UnreachableError(f"{host} did not answer in time.", advice="Try again later.")
        except (OSError, ClientError, ValueError) as error:
            reason = type(error).__name__  # no more of it: the HTTP client's exceptions can hold what was sent
            failure = UnreachableError(
                f"{host} cannot be reached.", advice="Check the network and the workspace.", detail=reason
            )
        raise failure  # outside of the handler for the same reason


def _bearing(bearer: Secret | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer.reveal()}"}


async def _bounded(response: Any) -> bytes | None:
    """The content of an answer; None when it is longer than any that is meant for us."""
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > LONGEST_ANSWER:
            return None
    return bytes(content)


def _read(host: WorkspaceHost, status: int, content: bytes | None, sent: _Sent) -> Answer:
    if status == 404:
        return Answer(status, {})
    if content is None:
        raise foreign_answer(host, "the answer does not end")
    text = content.decode("utf-8", "replace")
    if 300 <= status < 400:
        raise foreign_answer(host, f"it redirects (HTTP {status}), which is not followed")
    if status == 429 or status >= 500:
        raise foreign_answer(host, f"HTTP {status}", sent.masked(text))
    try:
        body = json.loads(text)
        if not (sent.for_tokens and status == 200):
            body = sent.masked(body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise foreign_answer(host, f"HTTP {status} without JSON", sent.masked(text))
    return Answer(status, body)
