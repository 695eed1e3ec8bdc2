"""Quoting for ClickHouse SQL: one function for identifiers, one for strings.

Source: https://clickhouse.com/docs/sql-reference/syntax#identifiers and #string. Both always quote, so that keywords
and hostile names need no thought, and both are proved against ClickHouse's own parser in tests/engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.display import require_unicode

_ESCAPES = {
    "\\": "\\\\",
    "\0": "\\0",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_IN_IDENTIFIER = str.maketrans({**_ESCAPES, "`": "\\`"})
_IN_STRING = str.maketrans({**_ESCAPES, "'": "\\'"})


def require_encodable(sql: str, parameters: Mapping[str, Any] | None = None) -> None:
    """Raise BadInputError when the statement or a parameter holds text that no encoding can carry to ClickHouse."""
    require_unicode(sql)
    for value in (parameters or {}).values():
        for text in [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else ():
            require_unicode(str(text))


def quote_identifier(name: str) -> str:
    """`name` as a back-quoted identifier. Raises ValueError for an empty name, which ClickHouse has no form for."""
    if not name:
        raise ValueError("a ClickHouse identifier cannot be empty")
    return f"`{name.translate(_IN_IDENTIFIER)}`"


def quote_string(value: str) -> str:
    """`value` as a single-quoted string literal."""
    return f"'{value.translate(_IN_STRING)}'"
