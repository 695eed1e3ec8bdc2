"""Reading a key in PEM form from a file that an operator names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.display import one_line
from core.errors import BadInputError, NotFoundError
from core.keys.rsa_keys import LONGEST_PEM


async def read_pem(path: Path) -> bytes:
    """The content of `path`; `~` stands for the home directory.

    Raises NotFoundError, or BadInputError for what is no file, cannot be read, or is too large to be one key.
    """
    return await asyncio.to_thread(_read, path)


def _read(path: Path) -> bytes:
    shown = one_line(str(path))
    try:
        path = path.expanduser()
        if not path.is_file():
            if path.exists():
                raise BadInputError(f"{shown} is not a file.", advice="Name the file that holds the key.")
            raise NotFoundError(f"There is no file {shown}.", advice="Check the path.")
        with path.open("rb") as file:
            content = file.read(LONGEST_PEM + 1)
    except (RuntimeError, ValueError):  # no such user to expand, or a name no file can have
        raise BadInputError(f"{shown} cannot be the path of a file.") from None
    except OSError as error:
        raise BadInputError(f"{shown} cannot be read: {error.strerror}.") from error
    if len(content) > LONGEST_PEM:
        raise BadInputError(f"{shown} is larger than {LONGEST_PEM // 1024} KiB: it is no key.")
    return content
