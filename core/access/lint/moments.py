"""The end of a validity as a moment, to compare with now."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from core.access.model import Authentication
from core.access.user_changes import NEVER

_BLANK_BEFORE_ZONE = re.compile(r"\s+(?=(?:[+-]\d|Z$))")


def end_of(method: Authentication, now: datetime) -> datetime | None:
    """When a method ends; None when it does not, or when its text is not understood."""
    text = _BLANK_BEFORE_ZONE.sub("", method.valid_until.strip())
    if not text or text.lower() == NEVER:
        return None
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return None
    return end if end.tzinfo is not None else end.replace(tzinfo=zoned(now).tzinfo)


def zoned(now: datetime) -> datetime:
    """`now` with a zone; UTC when it has none."""
    return now if now.tzinfo is not None else now.replace(tzinfo=UTC)


def expired(method: Authentication, now: datetime) -> bool:
    """Whether a method has ended."""
    end = end_of(method, now)
    return end is not None and end <= zoned(now)


def ends(method: Authentication) -> bool:
    """Whether a method has an end at all."""
    return method.valid_for is not None or (bool(method.valid_until) and method.valid_until.lower() != NEVER)
