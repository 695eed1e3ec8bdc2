"""The body of a request: how large it may be, how long it may take, and in which form it may come."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from typing import Final

from starlette.requests import ClientDisconnect, Request

from core.partner.messages.responses import ErrorAnswer, ErrorReason

_JSON: Final = "application/json"
_DROPPED: Final = 1024 * 1024  # bytes of a refused body that are read nevertheless
_LONGEST_LENGTH: Final = 18  # digits of a Content-Length
_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # of zlib, by content coding


class BodyRefusedError(Exception):
    """A body that is not taken. `rest_unread`: more of it may come, so that the connection cannot be used again."""

    def __init__(self, why: str, *, rest_unread: bool = False) -> None:
        super().__init__(why)
        self.rest_unread = rest_unread

    @property
    def answer(self) -> ErrorAnswer:
        """A 400: neither 413 nor 415 nor 408 is declared by the API."""
        return ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=str(self))


async def read_body(request: Request, largest: int, seconds: float) -> bytes:
    """The body, decoded. At most `largest` bytes of it are ever held, before and after decoding.

    Raises BodyRefusedError, ClientDisconnect.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity" and coding not in _WINDOW_BITS:
        await drop_body(request, seconds)
        raise BodyRefusedError("the body must be sent as it is, or by gzip or deflate", rest_unread=True)
    if not _is_json(request.headers.get("content-type", "")):
        await drop_body(request, seconds)
        raise BodyRefusedError("Content-Type must be application/json, in UTF-8", rest_unread=True)
    try:
        async with asyncio.timeout(seconds):
            received = await _received(request, largest)
    except TimeoutError:
        raise BodyRefusedError(f"the body did not arrive within {seconds:g} seconds", rest_unread=True) from None
    return received if coding == "identity" else _decoded(received, _WINDOW_BITS[coding], largest)


async def drop_body(request: Request, seconds: float) -> None:
    """Read the body of a request that is refused, as far as that is no burden: the answer is not lost with it then.

    Whoever expects to be told to continue has not sent it.
    """
    if "expect" in request.headers:
        return
    size = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > _DROPPED:
                    return


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [value.strip('"') for name, _, value in (one.partition("=") for one in parameters) if name == "charset"]
    return kind == _JSON and all(charset in ("utf-8", "utf8") for charset in charsets)


async def _received(request: Request, largest: int) -> bytes:
    """The body as it came. The rest of one that is too large is read and dropped, as far as that is no burden.

    Whoever closes a connection with something unread resets it, and the answer may be lost with it.
    """
    told = request.headers.get("content-length", "0")
    refused = not told.isdecimal() or len(told) > _LONGEST_LENGTH or int(told) > largest
    received, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size > largest + _DROPPED:
            break
        refused |= size > largest
        if not refused:
            received += part
    if refused:
        raise _too_large(largest)
    return bytes(received)


def _decoded(received: bytes, window_bits: int, largest: int) -> bytes:
    for bits in (window_bits, -15) if window_bits == 15 else (window_bits,):  # "deflate" is often sent without header
        decoder = zlib.decompressobj(bits)
        try:
            decoded = decoder.decompress(received, largest + 1)
        except zlib.error:
            continue
        if len(decoded) > largest or decoder.unconsumed_tail:
            raise _too_large(largest)
        if not decoder.eof:
            break
        return decoded
    raise BodyRefusedError("the body cannot be decoded by its Content-Encoding")


def _too_large(largest: int) -> BodyRefusedError:
    return BodyRefusedError(f"the body is larger than {largest:,} bytes", rest_unread=True)


__all__ = ["BodyRefusedError", "ClientDisconnect", "drop_body", "read_body"]
