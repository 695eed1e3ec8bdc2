"""Every way a server cannot be reached, met over real sockets, and what the operator is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from core.clickhouse.server import ServerEngine
from core.clickhouse.server_failures import explain_failure
from core.clickhouse.server_options import ServerOptions
from core.errors import BadInputError, HousekeysError, UnreachableError
from tests.http_front.certificates import make_certificates
from tests.http_front.faults import Fault
from tests.http_front.process import Front

pytest_plugins = ("tests.http_front.fixtures",)

NATIVE_ANSWER = (
    b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\n"
    b"You must use port 8123 for HTTP.\r\n"
)
NGINX_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><head><title>400 The plain "
    b"HTTP request was sent to HTTPS port</title></head></html>"
)
NO_CERTIFICATE_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><head><title>400 No "
    b"required SSL certificate was sent</title></head></html>"
)
TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


@asynccontextmanager
async def raw_server(answer: bytes | None) -> AsyncIterator[int]:
    """A server that sends `answer` to whatever it hears and hangs up; with None it says nothing and stays."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextmanager
def openssl_server(front: Front) -> Iterator[int]:
    """A server that wants a client certificate and sends OpenSSL's alerts, as ClickHouse does and asyncio does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(front.certificates.server)
    context.load_verify_locations(front.certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


async def failure_of(options: ServerOptions) -> HousekeysError:
    with pytest.raises(HousekeysError) as raised:
        await ServerEngine.open(options)
    error = raised.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    assert "\n" not in error.message
    assert error.advice
    return error


def plain(port: int, **changes: Any) -> ServerOptions:
    return ServerOptions("127.0.0.1", port, **{"secure": False, "connect_timeout": 5.0, **changes})


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await failure_of(plain(taken.getsockname()[1]))
    assert isinstance(error, UnreachableError)
    assert "refused" in error.message


async def test_a_name_that_does_not_exist() -> None:
    error = await failure_of(ServerOptions("no-such-host.invalid", 8443))
    assert "no-such-host.invalid cannot be resolved" in error.message


async def test_no_answer() -> None:
    async with raw_server(None) as port:
        error = await failure_of(plain(port, connect_timeout=0.1))
    assert "did not answer in time" in error.message
    assert "connect_timeout" in error.advice


async def test_no_answer_to_tls() -> None:
    async with raw_server(None) as port:
        error = await failure_of(plain(port, secure=True, connect_timeout=0.1))
    assert "did not answer in time" in error.message


async def test_an_untrusted_authority(http_front: Front) -> None:
    wrong = http_front.certificates.wrong_ca
    error = await failure_of(http_front.options("tls", ca_file=wrong))
    assert "not trusted" in error.message
    assert str(wrong) in error.advice
    error = await failure_of(http_front.options("tls", ca_file=None))
    assert "not trusted" in error.message
    assert "set ca_file" in error.advice


async def test_a_certificate_for_another_name(http_front: Front) -> None:
    error = await failure_of(http_front.options("tls", host="127.0.0.2"))
    assert isinstance(error, UnreachableError)
    if "not trusted" in error.message:  # where 127.0.0.2 reaches the front at all
        assert "set host" in error.advice.lower()


async def test_verification_can_be_given_up(http_front: Front) -> None:
    engine = await ServerEngine.open(http_front.options("tls", ca_file=None, verify=False))
    assert (await engine.query("SELECT 1")).first_cell() == 1
    await engine.close()


async def test_a_client_certificate_is_wanted(http_front: Front, tmp_path: Path) -> None:
    error = await failure_of(http_front.options("mutual"))  # asyncio's TLS, which hangs up without a word
    assert "seems to want a client certificate" in error.message
    assert "client_certificate" in error.advice
    with openssl_server(http_front) as port:
        error = await failure_of(http_front.options("tls", port=port))
        assert "wants a client certificate" in error.message
        stranger = make_certificates(tmp_path, "stranger")
        pair = {"client_certificate": stranger.client, "client_key": stranger.client_key}
        error = await failure_of(http_front.options("tls", port=port, **pair))
        assert "did not accept the client certificate" in error.message


@pytest.mark.parametrize("broken", ["missing", "not PEM", "wrong key"])
async def test_certificate_files_that_cannot_be_used(http_front: Front, tmp_path: Path, broken: str) -> None:
    bad = tmp_path / "bad.pem"
    changes: dict[str, Any] = {"ca_file": bad}
    if broken == "not PEM":
        bad.write_text("no certificate")
    if broken == "wrong key":
        certificates = http_front.certificates
        changes = {"client_certificate": certificates.client, "client_key": certificates.other_key}
    error = await failure_of(http_front.options("tls", **changes))
    assert isinstance(error, BadInputError)
    assert "of the profile cannot be" in error.message


async def test_plain_http_to_a_tls_port(http_front: Front) -> None:
    error = await failure_of(plain(http_front.ports["tls"]))
    assert "seems to expect TLS" in error.message
    error = await failure_of(plain(http_front.ports["mutual"]))
    assert "seems to expect TLS" in error.message
    async with raw_server(TLS_ALERT) as port:
        error = await failure_of(plain(port))
    assert "seems to expect TLS" in error.message
    async with raw_server(NGINX_ANSWER) as port:
        error = await failure_of(plain(port))
    assert "seems to expect TLS" in error.message


async def test_tls_to_a_plain_port(http_front: Front) -> None:
    error = await failure_of(http_front.options("tls", port=http_front.ports["plain"]))
    assert "does not speak TLS" in error.message
    assert "8443" in error.advice


async def test_the_native_port() -> None:
    async with raw_server(NATIVE_ANSWER) as port:
        error = await failure_of(plain(port))
    assert "native port" in error.message
    assert "8123" in error.advice


async def test_a_proxy_that_wants_a_certificate() -> None:
    async with raw_server(NO_CERTIFICATE_ANSWER) as port:
        error = await failure_of(plain(port))
    assert "wants a client certificate" in error.message


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 100])
async def test_something_else_answers(answer: bytes) -> None:
    async with raw_server(answer) as port:
        error = await failure_of(plain(port))
    assert isinstance(error, UnreachableError)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (502, "A proxy at"),
        (503, "A proxy at"),
        (504, "A proxy at"),
        (401, "HTTP 401"),
        (403, "HTTP 403"),
        (404, "not as ClickHouse"),
        (429, "too busy"),
        (500, "not as ClickHouse"),
    ],
)
async def test_a_proxy_answers_instead(http_front: Front, status: int, words: str) -> None:
    body = "<html><head><title>Oops \x1b[31m</title></head><body>https://a:hunter2@b/</body></html>"
    await http_front.commit_faults(Fault("status", times=100, status=status, body=body))
    error = await failure_of(http_front.options())
    assert isinstance(error, UnreachableError)
    assert words in error.message
    assert "Oops" in error.message
    assert "\x1b" not in error.message
    assert "hunter2" not in error.detail


NATIVE = ServerOptions("db", 9000, secure=False)
TLS_NATIVE = ServerOptions("db", 9440)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (lambda: ConnectionResetError("reset"), NATIVE, "native port"),
        (lambda: ConnectionResetError("reset"), TLS_NATIVE, "native port"),
        (lambda: ConnectionResetError("reset"), ServerOptions("db", 8443, secure=False), "expect TLS"),
        (lambda: ConnectionResetError("reset"), ServerOptions("::1", 8443), "[::1]:8443 broke"),
        (lambda: OSError(113, "No route to host"), NATIVE, "no way to db:9000"),
        (lambda: ValueError("bad"), NATIVE, "not ClickHouse's"),
    ],
)
def test_failures_told_by_the_port(make: Callable[[], Exception], options: ServerOptions, words: str) -> None:
    error = explain_failure(make(), options)
    assert isinstance(error, UnreachableError)
    assert words in error.message
