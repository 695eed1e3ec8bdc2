"""Text for people: names made safe to show, and sizes, counts and times in a form that lines up.

Pure functions, used alike by the console and the one-shot commands. Server text is data: `one_line` is what stands
between a name chosen by a stranger and an operator's terminal.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

# Besides control characters (Cc): format characters (Cf: bidirectional overrides, zero-width), line and paragraph
# separators (Zl, Zp), surrogates (Cs) and private use (Co) can hide or reorder what is shown.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})


def cell_width(text: str) -> int:
    """How many terminal cells `text` takes: wide East Asian characters and emoji two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def one_line(text: str, limit: int | None = None) -> str:
    """`text` on one line with every invisible character written as an escape; cut to `limit` cells with `…`."""
    if not text.isprintable():
        text = "".join(_visible(character) for character in text)
    if limit is not None and len(text) > limit:
        return text[: max(limit - 1, 0)] + "…"
    return text


def _visible(character: str) -> str:
    if character == " " or (character.isprintable() and unicodedata.category(character) not in _HIDDEN):
        return character
    return character.encode("unicode_escape").decode("ascii")


def plain_lines(text: str) -> str:
    """`text` with line breaks kept (LF) and every other invisible character written as an escape."""
    return "\n".join(one_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def count(number: int | None) -> str:
    """`1234567` as `1,234,567`; None (not known) as `-`."""
    return "-" if number is None else f"{number:,}"


def byte_size(size: int | None) -> str:
    """Bytes in binary units with three significant digits: `0 B`, `12 MiB`, `4.10 GiB`; None as `-`."""
    if size is None:
        return "-"
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if amount < 1024 or unit == "PiB":
            break
        amount /= 1024
    if unit == "B" or amount >= 100:
        return f"{amount:,.0f} {unit}"
    return f"{amount:.{1 if amount >= 10 else 2}f} {unit}"


def relative_time(moment: datetime | None, now: datetime) -> str:
    """How long ago, in words that fit a column: `just now`, `2 min ago`, `3 h ago`, `5 days ago`, else the date."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return exact_time(moment)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86_400)
    if days < 30:
        return "1 day ago" if days == 1 else f"{days} days ago"
    return moment.astimezone(UTC).strftime("%d %b %Y")


def exact_time(moment: datetime | None) -> str:
    """UTC to the second: `2026-11-03 14:05:09 UTC`; None as `never`."""
    return "never" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
