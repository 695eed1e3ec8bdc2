"""What a command is given to read: a file, or standard input for `-`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.display import one_line
from core.errors import BadInputError

if TYPE_CHECKING:
    from tui.cli.context import Context

STDIN = "-"


def name_of(source: str) -> str:
    """What a source is called in messages."""
    return "standard input" if source == STDIN else source


async def given_content(context: Context, source: str, limit: int) -> bytes:
    """All of it. Raises BadInputError for a file that cannot be read, and for more than `limit` bytes."""
    import asyncio

    if source == STDIN:
        content = await asyncio.to_thread(context.read_stdin, limit + 1)
    else:
        content = await asyncio.to_thread(_read_file, Path(source), limit + 1)
    if len(content) > limit:
        raise BadInputError(
            f"{one_line(name_of(source))} has more than {limit:,} bytes.", advice="Split it; nothing was changed."
        )
    return content


async def given_text(context: Context, source: str, limit: int) -> str:
    """The same as text, without a byte order mark. Raises BadInputError also for what is not UTF-8."""
    content = await given_content(context, source, limit)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInputError(f"{one_line(name_of(source))}:{line}: this is not UTF-8.") from None


def _read_file(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        why = getattr(error, "strerror", None) or "that is no name of a file"
        raise BadInputError(f"{one_line(str(path))} cannot be read: {why}.") from error
