"""A password that is entered: typed twice on a terminal, or all of standard input. Never an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import BadInputError

if TYPE_CHECKING:
    from core.secrets import Secret
    from tui.cli.context import Context

LONGEST = 4096  # bytes of a password from standard input


async def entered_password(context: Context, label: str = "Password") -> Secret:
    """The password: typed twice on a terminal, else all of standard input without its last line end."""
    import asyncio

    from core.secrets import Secret

    if context.stdin.isatty():
        first = await context.prompt_secret(label)
        second = await context.prompt_secret(f"{label}, again") if first is not None else None
        if first is None or second is None or not first.matches(second):
            raise BadInputError("The two entries differ, or are empty. Nothing was done with them.")
        return first
    content = await asyncio.to_thread(context.read_stdin, LONGEST + 1)
    if len(content) > LONGEST:
        raise BadInputError(f"This is too long for a password: more than {LONGEST:,} bytes.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the decoding error carries the bytes.
        raise BadInputError("The password is not UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise BadInputError("There is no password on standard input.", advice="Pipe one in, or run it on a terminal.")
    if "\n" in text:
        raise BadInputError("Standard input has more than one line; a password is one.")
    return Secret(text)
