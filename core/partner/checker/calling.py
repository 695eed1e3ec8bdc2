"""The HTTP calls of a check, as Databricks makes them: no redirect followed, every wait and every answer bounded."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from core.error_causes import causes
from core.partner.checker.exchanges import Answer
from core.partner.checker.judging import Demand
from core.partner.checker.subject import Limits
from core.proxies import proxy_for

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

LONGEST_ANSWER = 512 * 1024  # bytes; the longest is a page of connectors
_LONGEST_HEADER = 64 * 1024  # bytes
_CONNECT_SECONDS = 10.0
_TOO_LONG = f"answered with more than {LONGEST_ANSWER // 1024} KiB"
_REASONS = {  # where the exceptions of the HTTP client say less than their kind
    "ServerDisconnectedError": "the connection was closed",
    "ClientPayloadError": "the connection was closed before its end",
    "ClientResponseError": "what came is not HTTP, or has headers that are too long",
}
_SUITE = "the certification suite: 60 s for a call, and 5 s to read the body of its answer"
_LATE = Demand("Send all headers within 60 s: Databricks waits no longer. --timeout is how long a check waits.", _SUITE)
_ENDLESS = Demand("End the body, by its length or its last chunk, within 5 s: Databricks waits no longer.", _SUITE)
_UNREACHABLE = Demand("Databricks and its users must reach it, and so must the machine that checks.")
_SILENT = Demand("Look at the firewalls on the way: a port where nobody listens would have refused at once.")
_BROKEN = Demand("The log of the service tells why, or that of a proxy before it.")
_MISCODED = Demand("Let Content-Encoding say how the body is coded, or leave it out.", "ApiSpecifications.md: Headers")
_LARGE = Demand("Answer less: connectors come in pages.", "ApiSpecifications.md: Get Connectors List API")


class NoAnswerError(Exception):
    """A call without an answer that can be used: the message is the rest of a sentence that begins with "it"."""

    def __init__(self, reason: str, demand: Demand) -> None:
        super().__init__(reason)
        self.demand = demand

    @property
    def unreachable(self) -> bool:
        """Whether nobody was there."""
        return self.demand in (_UNREACHABLE, _SILENT)

    @property
    def late(self) -> bool:
        """Whether the time was over."""
        return self.demand in (_LATE, _ENDLESS, _SILENT)


class _Reuse:
    """Whether the last request went by a connection that was used before."""

    seen = False

    async def note(self, *_: object) -> None:
        """Called by the HTTP client when it does so."""
        self.seen = True


class Caller:
    """Makes the calls of one check, from one event loop."""

    def __init__(self, session: ClientSession, limits: Limits, reuse: _Reuse) -> None:
        self._session = session
        self._limits = limits
        self._reuse = reuse
        self._proxies: dict[str, str | None] = {}  # by scheme and host: the environment stays as it is

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, limits: Limits, verify: ssl.SSLContext | bool = True) -> AsyncIterator[Caller]:
        """Ready to call until the end of the block; nothing is called yet. `verify` is how certificates are checked."""

        def load() -> Any:
            import aiohttp  # slow to import, and needed by nothing else of the command

            return aiohttp

        aiohttp = await asyncio.to_thread(load)
        reuse = _Reuse()
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(reuse.note)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=verify),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            auto_decompress=False,  # done here: nobody else notices that the end of a body lacks
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            trace_configs=[tracing],
        ) as session:
            yield cls(session, limits, reuse)

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, whole: bool = True
    ) -> Answer:
        """The answer to one request; its body only if the `whole` is wanted. Raises NoAnswerError."""
        from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError, InvalidURL
        from yarl import URL  # as aiohttp has URLs; `encoded` sends a link as it is

        try:
            async with asyncio.timeout(self._limits.answer):
                response = await self._request(method, URL(url, encoded=True), headers, body, self._proxy(url))
        except ConnectionTimeoutError:
            reason = f"cannot be reached (no connection within {_CONNECT_SECONDS:g} s)"
            failure = NoAnswerError(reason, _SILENT)
        except TimeoutError:
            waited = f"did not answer within {self._limits.answer:g} s: no headers came, or they did not end"
            failure = NoAnswerError(waited, _LATE)
        except InvalidURL:
            failure = NoAnswerError("is not a URL that can be called", _UNREACHABLE)
        except ClientConnectorError as error:
            failure = NoAnswerError(f"cannot be reached ({_reason(error)})", _UNREACHABLE)
        except (OSError, ClientError, ValueError) as error:
            failure = NoAnswerError(f"broke off without an answer ({_reason(error)})", _BROKEN)
        else:
            async with response:
                content = await self._content(response) if whole else b""
                return Answer(response.status, _headers(response), content)
        raise failure  # outside of the handlers: the HTTP client's exceptions can hold what was sent

    async def _request(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None, proxy: str | None
    ) -> ClientResponse:
        """The beginning of the answer. A connection that is closed when it is used again had been kept for too long.

        That is no fault of the service, which has not seen the request: it is made anew.
        """
        from aiohttp import ClientOSError, ServerDisconnectedError

        while True:
            self._reuse.seen = False
            try:
                return await self._session.request(
                    method, url, headers=headers, data=body, allow_redirects=False, proxy=proxy
                )
            except (ServerDisconnectedError, ClientOSError):
                if not self._reuse.seen:
                    raise

    def _proxy(self, url: str) -> str | None:
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(url)
        return self._proxies[origin]

    async def _content(self, response: Any) -> bytes:
        from aiohttp import ClientError

        content = bytearray()
        try:
            async with asyncio.timeout(self._limits.body):
                async for piece in response.content.iter_any():
                    content += piece
                    if len(content) > LONGEST_ANSWER:
                        raise NoAnswerError(_TOO_LONG, _LARGE)
            return _unpacked(bytes(content), response.headers.get("Content-Encoding", ""))
        except TimeoutError:
            failure = NoAnswerError(f"did not end the body of its answer within {self._limits.body:g} s", _ENDLESS)
        except (OSError, ClientError, ValueError) as error:
            failure = NoAnswerError(f"sent a body that cannot be read ({_reason(error)})", _BROKEN)
        raise failure


def _unpacked(content: bytes, coding: str) -> bytes:
    """The body without its coding, as far as we asked for one. Raises NoAnswerError."""
    coding = coding.strip().lower()
    if not content or coding not in ("gzip", "x-gzip", "deflate"):
        return content
    # What is called deflate is the zlib format, or as some send it that without its head, which has a low nibble of 8.
    bare = coding == "deflate" and content[0] & 0x0F != zlib.DEFLATED
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
    try:
        plain = unpacking.decompress(content, LONGEST_ANSWER + 1)
    except zlib.error:
        raise NoAnswerError(f"sent a body that is not {coding}, as it says", _MISCODED) from None
    if len(plain) > LONGEST_ANSWER:
        raise NoAnswerError(_TOO_LONG, _LARGE)
    if not unpacking.eof:
        raise NoAnswerError(f"sent a body whose {coding} breaks off", _MISCODED)
    return plain


def _headers(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: BaseException) -> str:
    """The socket's or TLS's own word, else what the exception means; never its text, which can hold what was sent."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not good: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            called = cause.errno if cause.strerror.startswith("Connect call failed") else None  # by asyncio
            return os.strerror(called) if called else cause.strerror
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return next((_REASONS[name] for name in kinds if name in _REASONS), kinds[0])
