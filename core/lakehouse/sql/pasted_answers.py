"""The answer of DESC CONNECTION as an operator pastes it from wherever it was run.

Read are: JSON (rows as objects or lists, or one object), tables drawn with `|` or box characters, columns apart by
tabs, commas or blanks, and lines of `name: value`. What is around it (prompts, borders, `2 rows in set`) is passed
over.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from core.errors import BadInputError
from core.lakehouse.connections import EXTERNAL_ID_KEYS, ConnectionDescription

_MAX_CHARACTERS = 1_000_000
_BORDER = re.compile(r"[\s+|=\-_:\u2500-\u257f]*")
_COLUMN_LINES = re.compile(r"[|\u2502\u2503\u2551]")
_NAME = r"[A-Za-z][\w.\-]*(?: [A-Za-z]+){0,2}"
_APART = re.compile(rf"\s*[\"'`]?({_NAME})[\"'`]?(?::\s+|\s*=\s*|\s{{2,}})(\S.*)")
_ID_LINE = re.compile(r"\s*[\"'`]?(external[\s_-]?id)[\"'`]?[\s:=,]+(\S+)\s*", re.IGNORECASE)
_HEADERS = frozenset({"info_name", "info_value", "name", "value", "key", "property", "#", ""})
_ROWS_KEYS = ("rows", "data", "result", "results")


def read_pasted(text: str) -> ConnectionDescription:
    """The names and values of a pasted answer. Raises BadInputError when there are none, or two external ids."""
    if len(text) > _MAX_CHARACTERS:
        raise BadInputError("This is too long for an answer of DESC CONNECTION.", advice="Paste that answer alone.")
    pairs = _from_json(text)
    if pairs is None:
        pairs = _from_rows(list(_rows(text)))
    if not pairs:
        raise BadInputError(
            "There are no names and values in what was pasted.",
            advice="Paste the whole answer of DESC CONNECTION: lines with info_name and info_value.",
        )
    info: dict[str, str] = {}
    ids = {value for name, value in pairs if _plain(name) in EXTERNAL_ID_KEYS and value}
    if len(ids) > 1:
        raise BadInputError(
            "There are two external ids in what was pasted.", advice="Paste the answer about one connection only."
        )
    for name, value in pairs:
        info.setdefault("external_id" if _plain(name) in EXTERNAL_ID_KEYS else name, value)
    return ConnectionDescription(info)


def _plain(name: str) -> str:
    """A name as EXTERNAL_ID_KEYS has it: `External ID`, `sts:ExternalId` and `external-id` are the same."""
    return re.sub(r"[\s_-]", "", name.rpartition(":")[2]).lower()


def _from_json(text: str) -> list[tuple[str, str]] | None:
    """The pairs of a JSON text; None when it is no JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        rows = next((value[key] for key in _ROWS_KEYS if isinstance(value.get(key), list)), None)
        if rows is None:
            return [(str(name), _json_text(each)) for name, each in value.items()]
        value = rows
    return [pair for row in value for pair in _json_row(row)] if isinstance(value, list) else []


def _json_row(row: Any) -> list[tuple[str, str]]:
    if isinstance(row, list) and len(row) == 2:
        return [(_json_text(row[0]), _json_text(row[1]))]
    if not isinstance(row, dict):
        return []
    lower = {str(name).lower(): each for name, each in row.items()}
    for name, value in (("info_name", "info_value"), ("name", "value"), ("key", "value")):
        if name in lower and value in lower:
            return [(_json_text(lower[name]), _json_text(lower[value]))]
    return [(str(name), _json_text(each)) for name, each in row.items()]


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _rows(text: str) -> Iterable[list[str]]:
    """The cells of each line that has more than one."""
    for line in text.splitlines():
        if _BORDER.fullmatch(line):
            continue
        cells = [_unquoted(cell) for cell in _cells(line)]
        if len(cells) > 2 and cells[0].isdigit():  # the number of the row
            del cells[0]
        if len(cells) > 1:
            yield cells


def _cells(line: str) -> Sequence[str]:
    if _COLUMN_LINES.search(line):
        return _COLUMN_LINES.split(line.strip().strip("|\u2502\u2503\u2551"))
    if "\t" in line.strip():
        return line.strip().split("\t")
    if match := _ID_LINE.fullmatch(line) or _APART.fullmatch(line):
        return match.groups()
    return next(csv.reader([line], skipinitialspace=True), []) if "," in line else []


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"`" else cell


def _from_rows(rows: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    if len(rows) == 2 and len(rows[0]) == len(rows[1]) > 2:  # one row with a column for each name
        return list(zip(rows[0], rows[1], strict=True))
    if len(rows) == 2 and len(rows[0]) == 2 and any(_plain(name) in EXTERNAL_ID_KEYS for name in rows[0][1:]):
        return list(zip(rows[0], rows[1], strict=True))
    return [(row[0], row[1]) for row in rows if not {cell.lower() for cell in row[:2]} <= _HEADERS]
