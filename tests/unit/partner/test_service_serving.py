"""A service on real sockets: who is too slow, too large or one too many, TLS, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInputError, UnreachableError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.handling.outcomes import Handled
from core.partner.messages.requests import ConnectRequest
from core.partner.messages.responses import Connection
from core.partner.service.listening import Listener
from core.partner.service.serving import Ending, serve
from core.partner.service.tls import ServerCertificate
from core.partner.service.wire import LARGEST_HEAD, WireLimits
from core.partner.systemd import VARIABLE, ServiceManager
from core.profiles.partner import ServicePolicy
from tests.http_front.certificates import Certificates, make_certificates
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


async def test_who_is_too_slow_is_let_go() -> None:
    """Silence, half a head, empty lines, half a body, and a body that nobody reads any more."""
    async with served(WireLimits(SOON, keep_alive=NEVER), read_timeout=SOON) as service:
        silent, head, lines, body, ignored = [await service.connection() for _ in range(5)]
        head.send(b"POST /connect HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        lines.send(b"\r\n\r\n")
        body.send(service.request()[:-10])
        ignored.send(b"POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        assert await silent.ended() == await lines.ended() == b""
        status, answer = await head.answer()
        assert (status, answer["error_reason"]) == (400, "bad_request")
        assert "did not arrive within" in answer["debugging_message"]
        status, answer = await body.answer()
        assert (status, answer["error_reason"]) == (400, "bad_request")
        for line in (head, body):
            assert await line.ended() == b""
        await ignored.ended()
        assert service.parts.requests.noted[-1].status in (400, 401)


async def test_a_request_in_time_is_answered_however_long_that_takes() -> None:
    """Also the next one on the connection, one behind it, and after an idle time that is allowed."""
    async with served(WireLimits(SOON, keep_alive=NEVER), read_timeout=SOON) as service:
        held = Held(service.parts)
        line, watch = await service.connection(), await service.connection()
        line.send(service.request() * 2)
        await held.begun.wait()
        assert await watch.ended() == b""  # so long that a head would have been given up
        watch = await service.connection()
        assert await watch.ended() == b""
        held.released.set()
        assert [(await line.answer())[0] for _ in range(2)] == [200, 200]
        watch = await service.connection()
        assert await watch.ended() == b""
        line.send(service.request())
        assert (await line.answer())[0] == 200
        line.close()


async def test_a_connection_that_is_kept_for_nothing_ends() -> None:
    async with served(WireLimits(NEVER, keep_alive=SOON)) as service:
        line = await service.connection()
        line.send(service.request())
        assert (await line.answer())[0] == 200
        assert await line.ended() == b""


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"what is this\r\n\r\n", "Invalid HTTP request received"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "Invalid HTTP request received"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 2 * LARGEST_HEAD, "the head of the request is larger"),
    ],
)
async def test_what_is_no_http_is_a_bad_request(sent: bytes, told: str) -> None:
    async with served(WireLimits(NEVER)) as service:
        line = await service.connection()
        for start in range(0, len(sent), 20_000):
            line.send(sent[start : start + 20_000])
            await line.writer.drain()
            await asyncio.sleep(0)
        status, answer = await line.answer()
        assert (status, answer["error_reason"]) == (400, "bad_request")
        assert told in answer["debugging_message"]
        await line.ended()


async def test_a_body_that_is_too_large_is_answered_while_it_comes() -> None:
    """By the length that is told, by what comes in parts, and by what few bytes become; each after another request."""
    large, bomb = b" " * 200_000, gzip.compress(b" " * 10_000_000)
    chunked = "Transfer-Encoding: chunked\r\n"
    async with served(WireLimits(NEVER)) as service:
        for body, more in ((large, ""), (large, chunked), (bomb, "Content-Encoding: gzip\r\n")):
            line = await service.connection()
            line.send(service.request())
            assert (await line.answer())[0] == 200
            request = service.request(body, more)
            if more is chunked:
                head = re.sub(rb"Content-Length: \d+\r\n", b"", request[: -len(body)])
                request = head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
            line.send(request)
            status, answer = await line.answer()
            assert (status, answer["error_reason"]) == (400, "bad_request")
            assert "larger than 65,536 bytes" in answer["debugging_message"]
            line.close()


@pytest.mark.parametrize(
    ("path", "replaced", "status"),
    [
        ("/connect", (b"Authorization", b"X-Nobody"), 401),
        ("/nowhere", (b"", b""), 400),
        ("/connect", (b"application/json", b"text/plain"), 400),
    ],
)
async def test_an_early_answer_is_not_lost_with_a_body_that_comes(
    path: str, replaced: tuple[bytes, bytes], status: int
) -> None:
    """Whoever sends all of it before reading is answered, and so is who stops in the middle of it."""
    large = b" " * 1_000_000
    async with served(WireLimits(NEVER), read_timeout=SOON * 4) as service:
        request = service.request(large, path=path).replace(*replaced, 1)
        for sent in (len(request), len(request) - 500_000):
            answer = await asyncio.to_thread(
                _sent_before_it_reads, service.listener.socket.getsockname(), request[:sent]
            )
            assert answer.startswith(b"HTTP/1.1 %d " % status)


def _sent_before_it_reads(address: tuple[str, int], request: bytes) -> bytes:
    """What is answered to a client that blocks, as most do; its small buffer holds no body."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.settimeout(10)
        client.connect(address)
        client.sendall(request)
        return client.recv(65_536)


async def test_no_other_protocol_is_spoken() -> None:
    async with served(WireLimits(NEVER)) as service:
        line = await service.connection()
        line.send(service.request(b"", "Connection: upgrade\r\nUpgrade: websocket\r\n", "GET", "/connectors"))
        assert (await line.answer())[0] in (200, 400)
        assert await line.ended() == b""


async def test_one_connection_too_many_is_told_to_come_back_and_idle_ones_make_room() -> None:
    async with served(WireLimits(NEVER, connections=2)) as service:
        held = Held(service.parts)
        working, waiting = await service.connection(), await service.connection()
        working.send(service.request())
        await held.begun.wait()
        waiting.send(b"POST /connect HTTP/1.1\r\n")
        too_many = await service.connection()
        too_many.send(service.request())
        status, answer = await too_many.answer()
        assert (status, answer["error_reason"]) == (500, "general_error")
        assert await too_many.ended() == b""
        crowd = [await service.connection() for _ in range(3)]  # of which one is more than twice the limit
        assert await crowd[-1].ended() == b""
        for line in (*crowd, waiting):
            line.close()
            await line.writer.wait_closed()
        held.released.set()
        assert (await working.answer())[0] == 200  # and is kept, idle
        others = [await service.connection() for _ in range(2)]
        assert await working.ended() == b""
        others[1].send(service.request())
        assert (await others[1].answer())[0] == 200
        for line in others:
            line.close()


async def test_the_end_comes_in_order(tmp_path: Path) -> None:
    """On SIGTERM it is not ready, but answers while balancers turn away; then what is under way is finished."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        told = ServiceManager({VARIABLE: str(tmp_path / "notify")})
        async with served(WireLimits(NEVER), manager=told, drain=NEVER) as service:
            held = Held(service.parts)
            port = service.listener.address
            assert manager.recv(1000) == f"READY=1\nSTATUS=listens on http://{port}".encode()
            assert await service.ask("/health/ready") == (200, {"status": "ready"})
            line, idle, kept = [await service.connection() for _ in range(3)]
            kept.send(service.request(b"", method="GET", path="/health/live"))
            assert (await kept.answer())[0] == 200
            line.send(service.request())
            await held.begun.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await service.ending.wait()
            assert await service.ask("/health/ready") == (
                503,
                {"status": "not ready", "reason": "The service is ending."},
            )
            kept.send(service.request(b"", method="GET", path="/health/live"))
            assert (await kept.answer())[0] == 200
            assert await kept.ended() == b""
            os.kill(os.getpid(), signal.SIGINT)
            assert await idle.ended() == b""
            held.released.set()
            assert (await line.answer())[0] == 200
            assert await line.ended() == b""
        assert manager.recv(1000).startswith(b"STOPPING=1")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", int(port.rpartition(":")[2]))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = make_certificates(tmp_path_factory.mktemp("tls"), "client")
    for file in (made.server, made.client_key, made.other_key):
        file.chmod(0o600)
    return made


async def test_a_renewed_certificate_is_taken_on_sighup(certificates: Certificates, tmp_path: Path) -> None:
    """One that does not fit is not, and the one before goes on being shown; the rest is renewed in both cases."""
    renewed_too: list[None] = []
    file = tmp_path / "server.pem"
    file.touch(0o600)
    file.write_bytes(certificates.server.read_bytes())
    old_client, new_client = (ssl.create_default_context(cafile=certificates.ca) for _ in range(2))
    renewed = make_certificates(tmp_path, "client")
    file.chmod(0o600)
    new = file.read_bytes()
    file.write_bytes(certificates.server.read_bytes())
    new_client.load_verify_locations(renewed.ca)
    certificate = ServerCertificate(file)
    renew = partial(renewed_too.append, None)
    async with served(WireLimits(NEVER), certificate=certificate, renew=renew) as service:
        assert service.listener.url(secure=True).startswith("https://127.0.0.1:")
        assert (await service.ask("/health/live", old_client))[0] == 200
        assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2
        file.write_bytes(b"half of a")
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await service.ask("/health/live", new_client))[0] == 200
        assert not certificate.renew()
        file.write_bytes(new)
        only_new = ssl.create_default_context(cafile=renewed.ca)
        with pytest.raises(ssl.SSLCertVerificationError):
            await service.ask("/health/live", only_new)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)  # the loop hears of it
        assert (await service.ask("/health/live", only_new))[0] == 200
    assert len(renewed_too) == 2


def test_what_is_wrong_with_a_certificate_is_told_at_the_start(certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"certificate .*gone\.pem cannot be used: the file is missing"):
        ServerCertificate(tmp_path / "gone.pem")
    with pytest.raises(BadInputError, match="cannot be used together") as refused:
        ServerCertificate(certificates.server, certificates.client_key)
    assert "without a passphrase" in refused.value.advice
    wide = tmp_path / "wide.pem"
    wide.write_bytes(certificates.server.read_bytes())
    wide.chmod(0o644)
    with pytest.raises(BadInputError, match=r"wide\.pem cannot be used: the file of the private key .*chmod 600"):
        ServerCertificate(wide)


async def test_a_socket_file_is_for_the_group_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "partner.sock"
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(path))
    listener = Listener.unix(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    async with served(WireLimits(NEVER), listener=listener) as service:
        assert service.listener.url(secure=False) == f"unix:{path}"
        assert (await service.ask("/health/ready"))[0] == 200
        with pytest.raises(UnreachableError, match="is in use by another program"):
            Listener.unix(path)
    assert not path.exists()
    path.write_text("something else")
    with pytest.raises(BadInputError, match="is no socket"):
        Listener.unix(path)
    assert path.read_text() == "something else"


@pytest.mark.parametrize("address", ["8085", ":8085", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:8085"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(BadInputError, match="is no address to listen on"):
        Listener.tcp(address)


async def test_an_address_that_is_taken_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UnreachableError, match="is in use by another program"),
    ):
        Listener.tcp(f"127.0.0.1:{taken.getsockname()[1]}")
    first = Listener.tcp("127.0.0.1:0")
    second = Listener.tcp(first.address)  # nobody listens yet: it is found out when the second one would
    async with served(WireLimits(NEVER), listener=first):
        with pytest.raises(UnreachableError, match="is in use by another program"):
            await serve(MemoryParts(POLICY), second, ending=Ending(0))
    with pytest.raises(BadInputError, match="is not possible to listen on"):
        Listener.tcp("192.0.2.1:8085")
