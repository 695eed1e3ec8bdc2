"""Moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from core.display import one_line
from core.errors import BadInputError

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_moment(text: str, now: datetime) -> datetime:
    """`30m`, `2h`, `7d` before `now`, or an ISO 8601 date or time; UTC unless it says otherwise.

    Raises BadInputError.
    """
    text = text.strip()
    ago = _AGO.fullmatch(text)
    if ago:
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise BadInputError(f"{text!r} is too long ago") from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        shown = one_line(text, 60)
        raise BadInputError(f"{shown!r} is neither like 30m, 2h, 7d nor a date like 2026-11-03") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
