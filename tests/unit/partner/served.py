"""A service on a real socket, and the caller of its tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from core.partner.accounts.policy import PartnerPolicy
from core.partner.handling.outcomes import Handled
from core.partner.messages.requests import ConnectRequest
from core.partner.messages.responses import Connection
from core.partner.service.listening import Listener
from core.partner.service.serving import Ending, serve
from core.partner.service.tls import ServerCertificate
from core.partner.service.wire import WireLimits
from core.partner.systemd import ServiceManager
from core.profiles.partner import ServicePolicy
from tests.partner_handler import MemoryParts
from tests.unit.partner.bodies import CONNECT, WAREHOUSE

SOON = 0.15  # seconds, for a limit that is to be reached
NEVER = 60.0  # seconds, for one that is not
POLICY = PartnerPolicy("https://acme.example", hostnames=("acme.example",))
BODY = json.dumps({**CONNECT, **WAREHOUSE}).encode()


class Served:
    """A service that listens, and the caller of its tests."""

    def __init__(self, parts: MemoryParts, listener: Listener, ending: Ending) -> None:
        self.parts, self.listener, self.ending = parts, listener, ending

    async def connection(self, tls: ssl.SSLContext | None = None) -> Line:
        if self.listener.socket.family == socket.AF_UNIX:
            return Line(*await asyncio.open_unix_connection(self.listener.address))
        port = self.listener.socket.getsockname()[1]
        return Line(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))

    def request(self, body: bytes = BODY, more: str = "", method: str = "POST", path: str = "/connect") -> bytes:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {self.parts.credentials.authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        )
        return head.encode() + body

    async def ask(self, path: str, tls: ssl.SSLContext | None = None) -> tuple[int, Any]:
        line = await self.connection(tls)
        line.send(self.request(b"", method="GET", path=path))
        answer = await line.answer()
        line.close()
        return answer


class Line:
    """A connection as a client has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, content: bytes) -> None:
        self.writer.write(content)

    async def answer(self) -> tuple[int, Any]:
        """Status and body of the next answer."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            return int(head.split()[1]), json.loads(await self.reader.readexactly(int(fields["content-length"])))

    async def ended(self) -> bytes:
        """What still comes until the service has closed the connection."""
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
        return b""

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def served(
    limits: WireLimits,
    *,
    read_timeout: float = NEVER,
    listener: Listener | None = None,
    certificate: ServerCertificate | None = None,
    manager: ServiceManager | None = None,
    drain: float = 0.0,
    renew: Callable[[], object] = lambda: None,
) -> AsyncIterator[Served]:
    policy = replace(POLICY, service=ServicePolicy(read_timeout=read_timeout))
    listens = asyncio.Event()
    service = Served(MemoryParts(policy), listener or Listener.tcp("127.0.0.1:0"), Ending(drain))
    running = asyncio.create_task(
        serve(
            service.parts,
            service.listener,
            certificate=certificate,
            ending=service.ending,
            limits=limits,
            manager=manager or ServiceManager({}),
            tell=lambda _: listens.set(),
            renew=renew,
        )
    )
    listening = asyncio.create_task(listens.wait())
    await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    try:
        if not running.done():
            yield service
    finally:
        service.ending.ask(at_once=True)
        await running


class Held:
    """A handler whose connect waits until it is let go."""

    def __init__(self, parts: MemoryParts) -> None:
        self.inner = parts.handler.connect
        self.begun, self.released = asyncio.Event(), asyncio.Event()
        parts.handler.connect = self.connect  # type: ignore[method-assign]

    async def connect(self, request: ConnectRequest) -> Handled[Connection]:
        self.begun.set()
        await self.released.wait()
        return await self.inner(request)
