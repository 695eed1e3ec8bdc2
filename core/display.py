"""Text for people: names made safe to show, and sizes, counts and times in a form that lines up.

Pure functions, used alike by the console and the one-shot commands. Server text is data: `one_line` is what stands
between a name chosen by a stranger and an operator's terminal.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from core.errors import BadInputError

# Hangul vowels and finals: drawn into the cell of the consonant before them.
_JAMO = frozenset((*range(0x1160, 0x1200), *range(0xD7B0, 0xD800)))


def cell_width(text: str) -> int:
    """How many terminal cells `text` takes: wide East Asian characters and emoji two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Mc") or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def one_line(text: str, limit: int | None = None) -> str:
    """`text` on one line with every invisible character written as an escape; cut to `limit` cells with `…`.

    Invisible is what Python does not call printable: control, format (bidirectional overrides, zero-width),
    separator other than the space, private, unassigned and half characters.
    """
    if not text.isprintable():
        text = "".join(_visible(character) for character in text)
    if limit is not None and cell_width(text) > limit:
        return _cut(text, max(limit - 1, 0)) + "…"
    return text


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _cut(text: str, cells: int) -> str:
    for index, character in enumerate(text):
        cells -= _cells(character)
        if cells < 0:
            return text[:index]
    return text


def plain_lines(text: str) -> str:
    """`text` with line breaks kept (LF) and every other invisible character written as an escape."""
    return "\n".join(one_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def require_unicode(text: str) -> None:
    """Raise BadInputError for text with a lone surrogate, as undecodable arguments give: it can be stored nowhere."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(f"{one_line(text, 100)} is not valid text.", advice="Type it anew, in UTF-8.") from error


def count(number: int | None) -> str:
    """`1234567` as `1,234,567`; None (not known) as `-`."""
    return "-" if number is None else f"{number:,}"


def byte_size(size: int | None) -> str:
    """Bytes in binary units with three significant digits: `0 B`, `12.0 MiB`, `4.10 GiB`; None as `-`."""
    if size is None:
        return "-"
    if size < 1024:
        return f"{size} B"
    amount = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        amount /= 1024
        # Compared as it will be printed: 1023.9 KiB would be "1024 KiB".
        if round(amount) < 1024 or unit == "PiB":
            break
    digits = 2 if round(amount, 2) < 10 else 1 if round(amount, 1) < 100 else 0
    return f"{amount:.{digits}f} {unit}"


def relative_time(moment: datetime | None, now: datetime) -> str:
    """How far away, in words that fit a column: `just now`, `2 min ago`, `in 3 h`, `5 days ago`; else the date."""
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    distance = abs(seconds)
    if distance < 60:  # another machine's clock may be a little ahead
        return "just now"
    days = distance // 86_400
    if days >= 30:
        return moment.astimezone(UTC).strftime("%d %b %Y")
    if distance < 3600:
        words = f"{distance // 60} min"
    elif not days:
        words = f"{distance // 3600} h"
    else:
        words = "1 day" if days == 1 else f"{days} days"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def exact_time(moment: datetime | None) -> str:
    """UTC to the second: `2026-11-03 14:05:09 UTC`; None as `never`."""
    return "never" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
