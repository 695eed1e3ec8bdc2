"""Quoting for ClickHouse SQL: one function for identifiers, one for strings.

Source: https://clickhouse.com/docs/sql-reference/syntax#identifiers and #string. Both always quote, so that keywords
and hostile names need no thought, and both are proved against ClickHouse's own parser in tests/engine.
"""

from __future__ import annotations

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


def quote_identifier(name: str) -> str:
    """`name` as a back-quoted identifier. Raises ValueError for an empty name, which ClickHouse has no form for."""
    if not name:
        raise ValueError("a ClickHouse identifier cannot be empty")
    return f"`{name.translate(_IN_IDENTIFIER)}`"


def quote_string(value: str) -> str:
    """`value` as a single-quoted string literal."""
    return f"'{value.translate(_IN_STRING)}'"
