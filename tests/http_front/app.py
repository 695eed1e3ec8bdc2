"""The front itself: an aiohttp application that answers as ClickHouse does, and a control interface for tests."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from core.clickhouse.engine import Engine
from core.clickhouse.errors import ServerError
from core.errors import BadInputError, HousekeysError
from tests.http_front import wire
from tests.http_front.chdb_statements import ChdbStatements, Statement, StatementError
from tests.http_front.faults import Fault, Faults

_ENTITY = r"(?:USER|ROLE|QUOTA|(?:SETTINGS\s+)?PROFILE|(?:ROW\s+)?POLICY)\b"
_ACCESS_WRITE = re.compile(
    rf"\s*(?:GRANT|REVOKE|SET\s+DEFAULT\s+ROLE|MOVE\s+{_ENTITY}|(?:CREATE|ALTER|DROP)\s+{_ENTITY})\b", re.IGNORECASE
)
_ACCESS_READ = re.compile(
    rf"\s*SHOW\s+(?:ACCESS|GRANTS|USERS|ROLES|QUOTAS|PROFILES|POLICIES|CREATE\s+{_ENTITY})\b", re.IGNORECASE
)
_FORMAT = re.compile(r"\s+FORMAT\s+\w+\s*;?\s*\Z", re.IGNORECASE)


class Turn:
    """Many statements at once, or one access statement alone: loading users.xml needs every handle closed."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self._changed:
            self._running += 1
        try:
            yield
        finally:
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: self._running == 0)
            yield


@dataclass(slots=True)
class FrontState:
    """What the handlers share. Without an `engine` access statements go to chDB like all others."""

    statements: ChdbStatements
    engine: Engine | None = None
    users: dict[str, str] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)  # user -> common name
    faults: Faults = field(default_factory=Faults)
    log: list[dict[str, Any]] = field(default_factory=list)
    turn: Turn = field(default_factory=Turn)
    stale: bool = False  # what was granted may not be loaded yet


STATE = web.AppKey("STATE", FrontState)


def make_app(state: FrontState) -> web.Application:
    """The application: `/` is ClickHouse's, `/front/…` is for tests."""
    app = web.Application(client_max_size=1 << 30)
    app[STATE] = state
    app.router.add_get("/ping", _ping)
    app.router.add_get("/front/log", _log)
    app.router.add_post("/front/faults", _set_faults)
    app.router.add_route("*", "/", _answer)
    return app


async def _ping(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _log(request: web.Request) -> web.Response:
    return web.json_response(request.app[STATE].log)


async def _set_faults(request: web.Request) -> web.Response:
    state = request.app[STATE]
    state.faults.replace(json.loads(await request.text()))
    state.log.clear()
    return web.Response(text="Ok.\n")


async def _answer(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    statement = await wire.read_statement(request)
    entry = {
        "sql": statement.sql,
        "query_id": statement.query_id,
        "settings": dict(statement.settings),
        "encoding": request.headers.get("Content-Encoding", ""),
        "executed": False,
    }
    state.log.append(entry)
    if refusal := _refuse_login(request, state):
        return refusal
    fault = state.faults.take(statement.sql)
    if fault is not None:
        return await _fail(request, statement, fault, entry)
    return await _carry_out(request, statement, entry)


def _refuse_login(request: web.Request, state: FrontState) -> web.Response | None:
    login = wire.read_login(request)
    if login is None:
        return wire.error_response(
            "Code: 516. DB::Exception: Invalid authentication: it is not allowed to use Authorization HTTP header and "
            "authentication via X-ClickHouse headers simultaneously. (AUTHENTICATION_FAILED)"
        )
    if login.by_certificate:
        peer = (request.transport and request.transport.get_extra_info("peercert")) or {}
        names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
        if names and state.certificates.get(login.user) == names[0]:
            return None
    elif state.users.get(login.user) == login.password:
        return None
    return wire.error_response(
        f"Code: 516. DB::Exception: {login.user}: Authentication failed: password is incorrect, or there is no user "
        "with such name. (AUTHENTICATION_FAILED)"
    )


async def _carry_out(request: web.Request, statement: Statement, entry: dict[str, Any]) -> web.StreamResponse:
    try:
        body = await _run(request.app[STATE], statement, entry)
    except StatementError as error:
        return wire.error_response(str(error), statement.query_id)
    response = web.Response(headers=wire.answer_headers(statement, len(body)))
    if encoding := wire.choose_compression(request.headers, request.query.get("enable_http_compression") == "1"):
        packer = wire.compressor(encoding)
        body = packer.compress(body) + packer.flush()
        response.headers["Content-Encoding"] = encoding
    response.body = body
    return response


async def _run(state: FrontState, statement: Statement, entry: dict[str, Any]) -> bytes:
    sql = statement.sql
    if state.engine is not None and (_ACCESS_WRITE.match(sql) or _ACCESS_READ.match(sql)):
        async with state.turn.alone():
            entry["executed"] = True
            return await _access_statement(state, state.engine, statement)
    if state.stale and state.engine is not None:
        async with state.turn.alone():
            await state.engine.query("SELECT 1")
            state.stale = False
    async with state.turn.shared():
        entry["executed"] = True
        return await state.statements.run(statement)


async def _access_statement(state: FrontState, engine: Engine, statement: Statement) -> bytes:
    sql = _FORMAT.sub("", statement.sql)
    writes = _ACCESS_WRITE.match(sql) is not None
    if writes and statement.settings.get("readonly", "0") != "0":
        raise StatementError("Code: 164. DB::Exception: default: Cannot execute query in readonly mode. (READONLY)")
    try:
        if writes:
            await engine.command(sql)
            state.stale = True
            return b""
        answer = await engine.query(sql)
    except HousekeysError as error:
        if isinstance(error, ServerError):
            raise StatementError(error.detail) from error
        code = "62. DB::Exception: Syntax error" if isinstance(error, BadInputError) else "344. DB::Exception"
        raise StatementError(f"Code: {code}: {error}") from error
    rows = [tuple(str(value) for value in row) for row in answer.rows]
    if wire.answer_format(statement) == "Native":
        return _native_strings(answer.columns, rows)
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def _native_strings(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    """One block of String columns in Native format."""
    out = bytearray(_varint(len(columns)) + _varint(len(rows)))
    for index, name in enumerate(columns):
        for text in (name, "String", *(row[index] for row in rows)):
            encoded = text.encode()
            out += _varint(len(encoded)) + encoded
    return bytes(out)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


async def _fail(request: web.Request, statement: Statement, fault: Fault, entry: dict[str, Any]) -> web.StreamResponse:
    match fault.kind:
        case "reset before":
            _reset(request)
            return web.Response()
        case "hang":
            await asyncio.Event().wait()
            return web.Response()
        case "status":
            return web.Response(status=fault.status, body=fault.body.encode(), content_type="text/html")
        case "garbage":
            return web.Response(body=b"\xff\xfe\x00garbage" * 20, headers=wire.answer_headers(statement))
        case "stream":
            return await _stream(request, statement, entry)
        case "reset after":
            await _run(request.app[STATE], statement, entry)
            _reset(request)
            return web.Response()
        case "reset in answer" | "truncate":
            return await _break_off(request, statement, fault, entry)


async def _break_off(
    request: web.Request, statement: Statement, fault: Fault, entry: dict[str, Any]
) -> web.StreamResponse:
    """Half of the answer."""
    body = await _run(request.app[STATE], statement, entry)
    response = web.StreamResponse(headers=wire.answer_headers(statement, len(body)))
    response.content_length = len(body) + 1000
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if fault.kind == "reset in answer":
        _reset(request)
    elif request.transport is not None:
        request.transport.close()
    return response


async def _stream(request: web.Request, statement: Statement, entry: dict[str, Any]) -> web.StreamResponse:
    """The answer while it is made, with an error of ClickHouse in its middle when there is one."""
    state = request.app[STATE]
    tag = wire.new_tag()
    response = web.StreamResponse(headers={**wire.answer_headers(statement), "X-ClickHouse-Exception-Tag": tag})
    encoding = wire.choose_compression(request.headers, request.query.get("enable_http_compression") == "1")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    packer = wire.compressor(encoding)
    await response.prepare(request)
    entry["executed"] = True
    async with state.turn.shared():
        try:
            async for block in state.statements.stream(statement):
                await response.write(packer.compress(block))
        except StatementError as error:
            await response.write(packer.compress(wire.stream_exception(str(error), tag)))
    await response.write(packer.flush())
    await response.write_eof()
    return response


def _reset(request: web.Request) -> None:
    """Close the connection with RST, as a crashed server or a firewall does."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
