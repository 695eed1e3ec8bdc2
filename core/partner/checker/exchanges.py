"""One call and what came of it, kept for the report of a case that failed. Only `shown` leaves the process.

Secrets are masked when it is shown: most exchanges never are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.partner.security.redaction import is_secret_name, redacted, redacted_body
from core.secrets import MASK

_LONGEST_SHOWN = 2000  # characters of a body


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; without an answer, why there is none."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    answer: Answer | None = None
    failure: str = ""
    link: bool = False  # that users are led to, and not an endpoint

    @property
    def right(self) -> bool:
        """Whether it is a link that opens: then it is not what a case failed for."""
        return self.link and self.answer is not None and 200 <= self.answer.status < 400

    def shown(self) -> dict[str, Any]:
        """What a report tells of it, without a secret."""
        answer = self.answer
        return {
            "method": self.method,
            "url": shown_url(self.url),
            "sent_headers": _shown_headers(self.headers),
            "sent": shown_body(self.body or b""),
            "status": None if answer is None else answer.status,
            "received_headers": {} if answer is None else _shown_headers(answer.headers),
            "received": shown_body(answer.content) if answer is not None else "",
            "failure": redacted(self.failure),
        }


def shown_url(url: str) -> str:
    """A URL without what may be a secret in it: the values of its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return redacted(url.partition("?")[0])
    query = "&".join(f"{name}={MASK if value else ''}" for name, _, value in _pairs(parts.query))
    return redacted(parts._replace(query=query, fragment="").geturl())


def shown_body(content: bytes) -> str:
    """A body without secrets, cut where it is long."""
    text = redacted_body(content) if content else ""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(content):,} bytes)"


def _pairs(query: str) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in query.split("&") if part]


def _shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: MASK if is_secret_name(name) else redacted(value) for name, value in headers.items()}
