"""Quoting for the Lakehouse's SQL: one function for strings, one for names.

The escapes are those that the vendor's own connector writes. Its documentation says nothing of escapes in names; a
backtick is doubled there, as in the SQL dialects that the Lakehouse is made after.
"""

from __future__ import annotations

import re

from core.display import one_line, require_unicode
from core.errors import BadInputError

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_STRING = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})
# Plain to look at, but a statement would read them as its own words.
_KEYWORDS = frozenset(
    (
        *("API", "AS", "ARCHIVE", "CODE_BUCKET", "COMMENT", "CONNECTION", "CONNECTIONS", "CREATE", "DESC", "DESCRIBE"),
        *("DROP", "EXISTS", "EXTERNAL", "FILE", "FUNCTION", "FUNCTIONS", "IF", "JAR", "LIKE", "NAMESPACE", "NOT"),
        *("PROPERTIES", "PROVIDER", "REGION", "ROLE_ARN", "SHOW", "TYPE", "USING", "WITH"),
    )
)


def quote_string(value: str) -> str:
    """`value` as a single-quoted string literal."""
    require_unicode(value)
    return f"'{value.translate(_IN_STRING)}'"


def quote_name(name: str) -> str:
    """A name, qualified by dots if it has any (`workspace.connection`), each part in backticks unless it is plain.

    Raises BadInputError for a name with an empty part.
    """
    require_unicode(name)
    parts = name.split(".")
    if not all(parts):
        what = f"The name {one_line(name, 60)!r} has an empty part." if name else "A name is missing."
        raise BadInputError(what, advice="Write a name, or workspace.name.")
    return ".".join(map(_quoted_part, parts))


def _quoted_part(part: str) -> str:
    if PLAIN_NAME.fullmatch(part) and part.upper() not in _KEYWORDS:
        return part
    return f"`{part.replace('`', '``')}`"
