"""Two texts of a configuration file side by side: the lines that come and go, and no password among them.

A password has no place in the file, only a reference to it; one that was written there all the same is not repeated.
"""

from __future__ import annotations

import re
from typing import Final

from core.errors import BadInputError
from core.secrets import MASK, SecretReference

_QUOTED: Final = r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'"
_PASSWORD: Final = re.compile(
    rf"""(?P<key>\bpassword\b["']?[ \t]*=[ \t]*)(?P<value>{_QUOTED}|\[[^\]]*\]|[^\s,#}}]+)""", re.DOTALL
)


def difference(before: str, after: str, *, around: int = 3) -> str:
    """What leads from `before` to `after`, as a unified diff without its two lines of names."""
    import difflib  # only an edit needs it

    lines = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=around)
    return "\n".join(list(lines)[2:])


def holds_password(text: str) -> bool:
    """Whether a password itself stands in `text`, where only a reference may."""
    return any(not _is_reference(match["value"]) for match in _PASSWORD.finditer(text))


def _lines(text: str) -> list[str]:
    return _PASSWORD.sub(_masked, text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")).splitlines()


def _masked(match: re.Match[str]) -> str:
    return match[0] if _is_reference(match["value"]) else f"{match['key']}{MASK}"


def _is_reference(value: str) -> bool:
    if value.startswith("["):
        found = re.search(_QUOTED, value)
        value = found[0] if found else value
    try:
        SecretReference.parse(value.strip("\"'"))
    except BadInputError:
        return False
    return True
