"""The wire format of ClickHouse's HTTP interface: requests read, answers compressed, errors put into headers."""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import lz4.frame
from aiohttp import web
from backports import zstd

from tests.http_front.chdb_statements import Statement

_NOT_SETTINGS = frozenset(
    {"query", "database", "query_id", "session_id", "session_timeout", "session_check", "default_format", "role"}
    | {"wait_end_of_query", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "user", "password"}
    | {"enable_http_compression", "client_protocol_version", "quota_key", "buffer_size", "compress", "decompress"}
)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_ANSWERS = re.compile(r"\A[\s(]*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK|KILL)\b", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")
# https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
_STATUSES = {60: 404, 81: 404, 62: 400, 36: 400, 115: 400, 456: 400, 457: 400, 497: 403, 516: 403, 159: 408, 394: 500}


@dataclass(frozen=True, slots=True)
class Login:
    """Who a request says it comes from."""

    user: str
    password: str
    by_certificate: bool = False


async def read_statement(request: web.Request) -> Statement:
    """The statement of a request: in the URL, in the body, or in the parts of a form."""
    arguments = dict(request.query)
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        arguments |= {name: value for name, value in form.items() if isinstance(value, str)}
        body = b""
    else:
        body = decompress(await request.read(), request.headers.get("Content-Encoding", ""))
    query = arguments.get("query", "").encode()
    text = query + b"\n" + body if query and body else query or body
    headers = request.headers
    format_name = arguments.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    return Statement(
        text=text,
        query_id=arguments.get("query_id") or str(uuid4()),
        database=arguments.get("database") or headers.get("X-ClickHouse-Database") or "",
        output_format=format_name,
        settings={k: v for k, v in arguments.items() if k not in _NOT_SETTINGS and not k.startswith("param_")},
        parameters={k.removeprefix("param_"): v for k, v in arguments.items() if k.startswith("param_")},
    )


def read_login(request: web.Request) -> Login | None:
    """Who the request comes from; None when it says so in two ways, which ClickHouse refuses."""
    headers = request.headers
    authorization = headers.get("Authorization", "")
    named = "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers
    if authorization and named:
        return None
    if authorization.startswith("Basic "):
        user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        return Login(user, password)
    certificate = headers.get("X-ClickHouse-SSL-Certificate-Auth") == "on"
    return Login(headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", ""), certificate)


def answer_headers(statement: Statement, answer_size: int = 0) -> dict[str, str]:
    """The headers that ClickHouse gives every answer."""
    headers = {
        "X-ClickHouse-Query-Id": statement.query_id,
        "X-ClickHouse-Server-Display-Name": "front",
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Summary": json.dumps({"read_rows": "0", "written_rows": "0", "result_bytes": str(answer_size)}),
    }
    if _ANSWERS.match(statement.sql):
        headers["X-ClickHouse-Format"] = answer_format(statement)
    return headers


def answer_format(statement: Statement) -> str:
    """The format that the answer is in."""
    found = _FORMAT.search(statement.sql)
    return found.group(1) if found else statement.output_format


def error_response(text: str, query_id: str = "") -> web.Response:
    """ClickHouse's error, with its code in the header."""
    found = _CODE.search(text)
    code = int(found.group(1)) if found else 1002
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Query-Id": query_id}
    body = f"{text} (version 26.9.2.1 (official build))\n"
    return web.Response(status=_STATUSES.get(code, 500), headers=headers, body=body.encode())


def stream_exception(text: str, tag: str) -> bytes:
    """An error in the middle of an answer, as servers write it since 25.11."""
    message = f"{text}\n".encode()
    return b"__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag.encode(), message, len(message), tag.encode())


def new_tag() -> str:
    """The tag that tells an exception in a stream from data that looks like one."""
    return secrets.token_hex(8)


class Compressor(Protocol):
    """Compresses an answer piece by piece."""

    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class _Lz4:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        self._begun = True
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        head = b"" if self._begun else bytes(self._frame.begin())
        return head + bytes(self._frame.flush())


class _Plain:
    def compress(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def choose_compression(headers: Mapping[str, str], asked: bool) -> str:
    """The first encoding the client accepts that is spoken here; empty for none."""
    if not asked:
        return ""
    for name in headers.get("Accept-Encoding", "").replace(" ", "").split(","):
        if name in {"lz4", "zstd", "gzip"}:
            return name
    return ""


def compressor(encoding: str) -> Compressor:
    """A compressor for one answer."""
    made: dict[str, Any] = {
        "lz4": _Lz4,
        "zstd": zstd.ZstdCompressor,
        "gzip": lambda: zlib.compressobj(wbits=16 + zlib.MAX_WBITS),
        "": _Plain,
    }
    result: Compressor = made[encoding]()
    return result


def decompress(data: bytes, encoding: str) -> bytes:
    """The body of a request."""
    match encoding:
        case "" | "identity":
            return data
        case "lz4":
            return bytes(lz4.frame.decompress(data))
        case "zstd":
            return bytes(zstd.decompress(data))
        case "gzip":
            return gzip.decompress(data)
        case _:
            raise web.HTTPUnsupportedMediaType(text=f"Unknown compression method: {encoding}")
