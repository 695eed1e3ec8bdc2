"""What comes over the wire instead of an answer: each is told in words, within bounded time; and checks cut short."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from core.errors import UnreachableError
from core.partner.checker import calling
from core.partner.checker.catalogue import CASES, chosen
from core.partner.checker.judging import UnmetError, check_link
from core.partner.checker.reporting import report_lines
from core.partner.checker.running import Outcome, check
from core.partner.checker.subject import Limits, Subject
from core.secrets import Secret
from tests.partner_faults import AUTHORIZATION, CONNECT
from tests.partner_server import PASSWORD, USER, Asked, Handler, MemoryPartner, Reply, faulty, serving
from tests.unit.partner.test_checker_rules import POLICY, checked

CONNECTION = {
    "redirect_value": "create_trial",
    "user_status": "new",
    "account_status": "new",
    "configured_resources": True,
    "connection_id": "pc1",
}


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@contextlib.asynccontextmanager
async def answering(make: Callable[[str], bytes], *, kept: bool = False) -> AsyncIterator[str]:
    """A server that answers connect with these bytes, made from its URL, and anything else by an empty page.

    A connection that is `kept` it closes when it is used again, as a server may that has counted or waited enough.
    """
    talks = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next((line[15:] for line in head.lower().splitlines() if line.startswith("content-length:")), "0")
            await reader.readexactly(int(length))
            answer = http(b"", Content_Type="text/plain") if head.startswith("GET") else make(url)
            writer.write(answer)
            await writer.drain()
            if kept:
                await reader.read(1)
        writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(talk(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield url
    finally:
        server.close()
        for task in talks:
            task.cancel()


def good(url: str) -> bytes:
    return json.dumps({**CONNECTION, "redirect_uri": f"{url}/page"}).encode()


WIRE: list[tuple[Callable[[str], bytes], str]] = [
    (lambda url: b"", "it broke off without an answer (the connection was closed)"),
    (lambda url: http(good(url))[:-9], "a body that cannot be read (the connection was closed before its end)"),
    (lambda url: b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "what came is not HTTP"),
    (lambda url: http(good(url), Content_Encoding="gzip"), "it sent a body that is not gzip, as it says"),
    (lambda url: http(gzip.compress(good(url))[:-9], **{"Content-Encoding": "gzip"}), "a body whose gzip breaks off"),
    (lambda url: http(gzip.compress(b" " * 9_000_000), Content_Encoding="gzip"), "it answered with more than 512 KiB"),
    (lambda url: http(b"", "302 Found", Location=f"{url}/v2?code=1"), "302 Found, to http://127.0.0.1"),
    (lambda url: http(b"", "307 Odd", Location="http://[::1"), "307 Temporary Redirect, to http://[::1"),
    (
        lambda url: http(b"<p>", "404 Not Found", Content_Type="text/html"),
        "404 Not Found, and Content-Type is 'text/html'",
    ),
    (lambda url: http(good(url)).replace(b"Content-Type", b"Content-Kind"), "200 OK, and no Content-Type"),
    (lambda url: http(good(url)[:-1] + b', "seen": "%s"}' % AUTHORIZATION[6:].encode()), "the answer repeats one"),
]


@pytest.mark.parametrize(("make", "came"), WIRE, ids=[came for _, came in WIRE])
async def test_what_is_no_answer_is_told_in_words(make: Callable[[str], bytes], came: str) -> None:
    async with answering(make) as url:
        (result,) = await check(Subject(url, None, USER, Secret(PASSWORD)), chosen(["P100"]))
    assert result.outcome is Outcome.FAILED
    assert came in result.came
    assert result.by
    lines = "\n".join(report_lines([result]))
    assert ("to do" in lines) == bool(result.advice)
    assert PASSWORD not in lines
    assert AUTHORIZATION[6:] not in lines


ALLOWED: list[Callable[[str], bytes]] = [
    lambda url: http(good(url), X_Trace="x" * 30_000),
    lambda url: http(gzip.compress(good(url)), Content_Encoding="GZIP"),
    lambda url: http(zlib.compress(good(url)), Content_Encoding="deflate"),
    lambda url: http(zlib.compress(good(url), wbits=-15), Content_Encoding="deflate"),
    lambda url: http(good(url)).replace(b"HTTP/1.1", b"HTTP/1.0"),
]


@pytest.mark.parametrize("make", ALLOWED)
async def test_what_http_allows_is_taken(make: Callable[[str], bytes]) -> None:
    """That a connection is closed after some time, too."""
    async with answering(make, kept=True) as url:
        results = await check(Subject(url, None, USER, Secret(PASSWORD)), chosen(["P100", "P400"]))
    assert [(each.outcome, each.came) for each in results] == [(Outcome.PASSED, "")] * 2


async def test_a_partner_that_hangs_is_given_up() -> None:
    async def hanging(asked: Asked, handler: Handler) -> Reply:
        if asked.path == CONNECT and asked.body:
            await asyncio.Event().wait()
        return await handler(asked)

    partner = MemoryPartner(POLICY)
    async with serving(faulty(partner, hanging)) as url:
        subject = Subject(url, partner.config, USER, Secret(PASSWORD), limits=Limits(answer=0.05))
        results = await check(subject, CASES)
    ended = {each.case.id: (each.outcome, each.note) for each in results if each.outcome is not Outcome.MANUAL}
    assert [name for name, (outcome, _) in ended.items() if outcome is Outcome.FAILED] == ["P100", "P101", "P300"]
    assert ended["H901"] == (Outcome.SKIPPED, "given up, for 3 cases in a row had no answer in time")
    assert results[0].advice.startswith("Send all headers within 60 s")
    assert len(results) == len(CASES)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NO_HEADERS = (Limits(answer=0.2), "it did not answer within 0.2 s: ")
NO_END = (Limits(body=0.1), "it did not end the body of its answer within 0.1 s")
DRIPS: dict[str, tuple[bytes, bytes, tuple[Limits, str]]] = {  # what is sent at first, and then again and again
    "a header without an end": (HEAD + b"X-Slow: ", b"a", NO_HEADERS),
    "headers without an end": (HEAD, b"X-Slow: a\r\n", NO_HEADERS),
    "one interim answer after the other": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", NO_HEADERS),
    "a body without an end": (HEAD + b"\r\n", b" ", NO_END),
    "a body that is told to be long": (HEAD + b"Content-Length: 9999\r\n\r\n", b" ", NO_END),
    "chunks without an end": (CHUNKED, b"1\r\n \r\n", NO_END),
    "the length of a chunk without an end": (CHUNKED, b"0", NO_END),
    "trailers without an end": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Slow: a\r\n", NO_END),
}


@pytest.mark.parametrize(("head", "drop", "given_up"), DRIPS.values(), ids=DRIPS)
async def test_a_partner_that_never_stops_is_not_waited_for(
    head: bytes, drop: bytes, given_up: tuple[Limits, str]
) -> None:
    """However soon something comes after what came before."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(head)
            while not reader.at_eof():
                writer.write(drop)
                await asyncio.sleep(0.01)  # one byte after the other, or it would be too much soon
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        subject = Subject(url, None, USER, Secret(PASSWORD), limits=given_up[0])
        async with asyncio.timeout(60):
            (result,) = await check(subject, chosen(["P100"]))
    assert (result.outcome, result.late) == (Outcome.FAILED, True)
    assert result.came.startswith(given_up[1])
    assert result.by == "the certification suite: 60 s for a call, and 5 s to read the body of its answer"
    assert "Databricks waits no longer" in result.advice


async def test_pages_without_an_end_are_not_waited_for_either() -> None:
    """Each comes in time, and that for ever."""
    results = await checked(POLICY, ("H901",), limits=Limits(calls=0))
    assert (results[0].outcome, results[0].late) == (Outcome.FAILED, True)
    assert results[0].expected == "the end of a case within 0 s"
    assert results[0].by.startswith("no document")


async def test_a_host_that_takes_no_connection_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(2):  # nobody takes them, so that there is no room for another
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=r"cannot be reached \(no connection within 0.1 s\)"):
            await check(Subject(url, None, USER, Secret(PASSWORD)), chosen(["P100"]))


LINKS: list[tuple[str, tuple[str, ...] | None, bool, bool]] = [  # the last: whether it may be so
    ("https://a.example/x", ("A.example",), False, True),
    ("https://www.a.example/x", ("a.example",), False, True),
    ("https://b.example/x", ("a.example",), False, False),
    ("https://evila.example/x", ("a.example",), False, False),
    ("http://a.example/x", ("a.example",), False, False),
    ("http://a.example/x", ("a.example",), True, True),
    ("http://partner:8080/x", ("partner",), True, True),
    ("https://10.0.0.5/x", ("10.0.0.5",), False, True),
    ("https://10.0.0.5/x", ("a.example",), False, False),
    ("https://[::1]:8443/x", None, False, True),
    ("https://a.example@b.example/x", None, False, False),
    ("https://a.example\\@b.example/x", ("a.example",), False, False),
    ("javascript:alert(1)", None, False, False),
    ("/welcome", None, False, False),
    ("https://[::1", None, False, False),
    ("https://a.example:70000/x", ("a.example",), False, False),
]


@pytest.mark.parametrize(("url", "hostnames", "insecure", "right"), LINKS)
def test_where_a_link_may_lead(url: str, hostnames: tuple[str, ...] | None, insecure: bool, right: bool) -> None:
    with contextlib.nullcontext() if right else pytest.raises(UnmetError, match="a redirect_uri by https"):
        check_link(url, hostnames, insecure_http=insecure)
