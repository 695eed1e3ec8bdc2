"""A connection of the service: how long a request may take to arrive, how large its head may be, how many there are.

uvicorn knows none of these limits, and answers 503 when it has too many connections, which the Connect API does not
declare. Here whoever sends a byte now and then is let go, and what is no HTTP is answered as the API answers errors.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from core.partner.messages.responses import ErrorAnswer, ErrorReason
from core.partner.messages.writing import write_answer

LARGEST_HEAD: Final = 65_536  # bytes that are taken after those in which it began
_BUSY: Final = write_answer(
    ErrorAnswer(ErrorReason.GENERAL_ERROR, "Please try again in a minute.", "too many connections at once")
)


@dataclass(frozen=True, slots=True)
class WireLimits:
    """`read_timeout`: seconds for the head of a request; its body may take as long again after the API gave it up."""

    read_timeout: float
    connections: int = 400  # below the 1024 open files that a process has usually, twice
    keep_alive: float = 75.0  # longer than the usual 60 of proxies: they, not we, end a connection that is kept


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers on a connection that is one too many: a 500, which Databricks repeats."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BUSY)).encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"5"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": _BUSY})


class Wire(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        limits: WireLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._head_begun = False  # and not ended
        self._head_size = 0

    @property
    def idle(self) -> bool:
        """Whether it is kept for a next request of which nothing has come."""
        return self.timeout_keep_alive_task is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        most = self._limits.connections
        if len(self.connections) > most:
            self._make_room()
        if len(self.connections) > 2 * most:
            transport.abort()
        elif len(self.connections) > most:
            self.app = _too_many
        self._expect_within(self._limits.read_timeout)

    def _make_room(self) -> None:
        for other in self.connections:
            if isinstance(other, Wire) and other.idle and not other.transport.is_closing():
                other.timeout_keep_alive_handler()
                self.connections.discard(other)  # which its end, a moment later, does again
                return

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        went_on = self._head_begun
        super().data_received(data)
        if self._head_begun and went_on:
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self.send_400_response(f"the head of the request is larger than {LARGEST_HEAD:,} bytes")
        if self._deadline is None and not self._answering and not self.transport.is_closing():
            self._expect_within(self._limits.read_timeout)  # something came that begins no request: empty lines

    # -- what the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_begun, self._head_size = True, 0
        if self._deadline is None:
            self._expect_within(self._limits.read_timeout)

    def on_headers_complete(self) -> None:
        self._head_begun = False
        # The API gives up after `read_timeout` and says so; only who goes on sending then is cut off.
        self._expect_within(2 * self._limits.read_timeout)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._deadline is None and self.cycle is not None and self.cycle.more_body:
            self._expect_within(self._limits.read_timeout)  # the rest of a body that nobody reads
        super().on_response_complete()

    # -- deadlines

    @property
    def _answering(self) -> bool:
        """Whether a request that has arrived as a whole waits for its answer: then the client may wait as well."""
        working = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return bool(self.pipeline) or working

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._answering:
            self._expect_within(self._limits.read_timeout)
        elif self._head_begun:
            self.send_400_response(f"the head did not arrive within {self._limits.read_timeout:g} seconds")
        else:
            self.transport.close()

    # -- answers without the application

    def send_400_response(self, msg: str) -> None:
        """Answer as the API does, and end the connection: nothing that comes on it can be understood."""
        body = write_answer(ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=msg.rstrip(".")))
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """No other protocol is spoken: the request is answered as it is, and what follows is not read."""
        if self.cycle is not None:
            self.cycle.keep_alive = False
