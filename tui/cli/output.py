"""What one-shot commands print: data to stdout (text, or JSON with --json), messages to stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TextIO
from uuid import UUID

from core.display import cell_width, one_line, plain_lines


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table: the key of its value in each row, its title, and how a value is shown."""

    key: str
    title: str
    align: Literal["left", "right"] = "left"
    show: Callable[[Any], str] = lambda value: "-" if value is None else str(value)


def json_default(value: Any) -> Any:
    """JSON for the values that occur in rows: times as ISO 8601, paths and UUIDs as text, enums by value."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path | UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass(slots=True)
class Output:
    """The two streams of one run."""

    stdout: TextIO
    stderr: TextIO
    json: bool = False

    @property
    def width(self) -> int | None:
        """How many cells a line of the terminal has that data goes to, now; None where that is none."""
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns or None
        except OSError:  # a pipe, a file, or no file at all
            return None

    def text(self, line: str) -> None:
        """A line of data, exactly as it is: for what a script or a person takes away (a token, a PEM)."""
        print(line, file=self.stdout)

    def data(self, value: Any) -> None:
        """`value` as JSON, whether or not --json was given."""
        print(json.dumps(value, default=json_default, indent=2, ensure_ascii=False), file=self.stdout)

    def rows(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, empty: str = "") -> None:
        """Rows as an aligned table, or all of their keys as a JSON array. `empty` goes to stderr when none."""
        if self.json:
            self.data(list(rows))
            return
        if not rows:
            if empty:
                self.message(empty)
            return
        shown = [[one_line(column.show(row.get(column.key))) for column in columns] for row in rows]
        titles = [column.title for column in columns]
        widths = [max(map(cell_width, cells)) for cells in zip(titles, *shown, strict=True)]
        for cells in (titles, *shown):
            padded = [
                _pad(cell, width, column.align) for cell, width, column in zip(cells, widths, columns, strict=True)
            ]
            print("  ".join(padded).rstrip(), file=self.stdout)

    def record(self, fields: Mapping[str, Any], value: Any) -> None:
        """One thing: `fields` (label to shown text, several lines allowed) as text, or `value` as JSON."""
        if self.json:
            self.data(value)
            return
        width = max((cell_width(label) for label in fields), default=0)
        for label, shown in fields.items():
            lines = plain_lines("-" if shown is None or shown == "" else str(shown)).split("\n")
            for index, line in enumerate(lines):
                print(f"{_pad(label if index == 0 else '', width, 'left')}  {line}".rstrip(), file=self.stdout)

    def message(self, text: str) -> None:
        """A message for the person at the terminal. Control characters are shown, never sent."""
        print(plain_lines(text), file=self.stderr)


def _pad(cell: str, width: int, align: Literal["left", "right"]) -> str:
    gap = " " * (width - cell_width(cell))
    return gap + cell if align == "right" else cell + gap
