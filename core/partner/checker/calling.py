"""The HTTP calls of a check, as Databricks makes them: no redirect followed, every wait and every answer bounded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.error_causes import causes
from core.partner.checker.exchanges import Answer
from core.partner.checker.subject import Limits
from core.proxies import proxy_for

if TYPE_CHECKING:
    from aiohttp import ClientSession

LONGEST_ANSWER = 512 * 1024  # bytes; the longest is a page of connectors
_CONNECT_SECONDS = 10.0


class NoAnswerError(Exception):
    """A call without an answer that can be used: the message is the rest of a sentence that begins with "it"."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class Caller:
    """Makes the calls of one check. Closed with `close`; to be used from one event loop."""

    def __init__(self, session: ClientSession, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._proxies: dict[str, str | None] = {}  # by scheme and host: the environment stays as it is

    @classmethod
    async def open(cls, limits: Limits, verify: ssl.SSLContext | bool = True) -> Caller:
        """Make ready to call; nothing is called yet. `verify` is how certificates are checked."""

        def load() -> Any:
            import aiohttp  # slow to import, and needed by nothing else of the command

            return aiohttp

        aiohttp = await asyncio.to_thread(load)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=verify),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        )
        return cls(session, limits)

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._session.close()

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, whole: bool = True
    ) -> Answer:
        """The answer to one request; its body only if the `whole` is wanted. Raises NoAnswerError."""
        from aiohttp import ClientConnectorError, ClientError, InvalidURL
        from yarl import URL  # as aiohttp has URLs; `encoded` sends a link as it is

        try:
            async with asyncio.timeout(self._limits.answer):
                response = await self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                    proxy=self._proxy(url),
                )
        except TimeoutError:
            failure = NoAnswerError(f"did not answer within {self._limits.answer:g} s")
        except InvalidURL:
            failure = NoAnswerError("is not a URL that can be called", unreachable=True)
        except ClientConnectorError as error:
            failure = NoAnswerError(f"cannot be reached ({_reason(error)})", unreachable=True)
        except (OSError, ClientError, ValueError) as error:
            failure = NoAnswerError(f"broke off without an answer ({_reason(error)})")
        else:
            async with response:
                content = await self._content(response) if whole else b""
                return Answer(response.status, _headers(response), content)
        raise failure  # outside of the handlers: the HTTP client's exceptions can hold what was sent

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
                        raise NoAnswerError(f"answered with more than {LONGEST_ANSWER // 1024} KiB")
            return bytes(content)
        except TimeoutError:
            failure = f"did not end the body of its answer within {self._limits.body:g} s"
        except (OSError, ClientError, ValueError) as error:
            failure = f"sent a body that cannot be read ({_reason(error)})"
        raise NoAnswerError(failure)


def _headers(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: BaseException) -> str:
    """The socket's or TLS's own word, else the kind of the exception; never its text, which can hold what was sent."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not good: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(error).__name__
