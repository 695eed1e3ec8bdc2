"""Places in a text of statements: line and column, and the line itself with a mark under the place.

A line is shown without what may be secret: see `core.lakehouse.sql.secret_values`.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from core.display import cell_width, one_line
from core.errors import BadInputError
from core.lakehouse.sql.secret_values import hidden_spans

HIDDEN = "[HIDDEN]"
_SHOWN_CELLS = 100  # of a line


class LakehouseSyntaxError(BadInputError):
    """A statement that cannot be read. The message says where, the detail shows the line with a mark under the place.

    `position` counts characters from 0, line and column from 1. `begin` is where the statement begins, if it is known.
    """

    def __init__(
        self, what: str, text: str, position: int, *, begin: int = 0, file: str = "", advice: str = ""
    ) -> None:
        self.what = what
        self.position = position
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        where = f"{one_line(file)}, line {self.line}" if file else f"line {self.line}"
        super().__init__(
            f"The statement cannot be read at {where}, column {self.column}: {what}.",
            advice=advice,
            detail=pointed(text, position, begin),
        )


class Lines:
    """The places of many characters of one text, which is looked through once."""

    def __init__(self, text: str) -> None:
        self._begins = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self._begins, position)
        return line, position - self._begins[line - 1] + 1

    def position(self, line: int, column: int) -> int:
        """Back from there."""
        return self._begins[line - 1] + column - 1


def pointed(text: str, position: int, begin: int = 0) -> str:
    """The line of a place, secrets hidden, and under it a line with `^` below the place.

    `begin` is where the statement begins: nothing before it is shown, and quotes before it mislead nobody.
    """
    end = text.find("\n", position)
    statement = text[begin : len(text) if end < 0 else end]
    place = position - begin
    spans = hidden_spans(statement)
    first = statement.rfind("\n", 0, place) + 1
    before = one_line(_hidden(statement, first, place, spans).lstrip())
    after = one_line(_hidden(statement, place, len(statement), spans).rstrip())
    if cell_width(before) > _SHOWN_CELLS // 2:
        before = "…" + before[-_SHOWN_CELLS // 2 :]
    return f"{one_line(before + after, _SHOWN_CELLS)}\n{' ' * cell_width(before)}^"


def without_secrets(text: str) -> str:
    """The whole text with `[HIDDEN]` in the place of everything in it that may be secret."""
    return _hidden(text, 0, len(text), hidden_spans(text))


def _hidden(text: str, begin: int, end: int, spans: list[tuple[int, int]]) -> str:
    """`text[begin:end]` with every span that reaches into it replaced."""
    pieces: list[str] = []
    for first, last in spans:
        if last <= begin or first >= end:
            continue
        pieces += [text[begin : max(first, begin)], HIDDEN]
        begin = min(last, end)
    return "".join([*pieces, text[begin:end]])
