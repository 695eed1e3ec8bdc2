"""What an exception of an HTTP client came from: the socket's or TLS's own word is some causes down."""

from __future__ import annotations

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came from, each once; what aiohttp holds in attributes comes before what holds it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        for held in (getattr(current, "certificate_error", None), getattr(current, "os_error", None)):
            if isinstance(held, BaseException):
                yield held
        yield current
        current = current.__cause__ or current.__context__
