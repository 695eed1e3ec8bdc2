"""A service on real sockets: who is too slow, too large or one too many, and how it ends."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from core.partner.service.wire import LARGEST_HEAD, WireLimits
from core.partner.systemd import VARIABLE, ServiceManager
from tests.unit.partner.served import NEVER, SOON, Held, served


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
