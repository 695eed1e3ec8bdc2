"""Rows under columns that leave the console as a file: CSV, JSON, or one HTML page that needs nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from pathlib import Path

from core.display import one_line
from core.errors import BadInputError
from core.files import write_private

Cell = str | bool | int | datetime | None
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 2em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid #ccc; padding: 2px 8px; text-align: left; vertical-align: top; }}
th {{ background: #eee; position: sticky; top: 0; }}
tr.inactive td {{ color: #777; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{count}, {moment}</p>{notes}
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


class SheetFormat(StrEnum):
    """What a file is written in."""

    CSV = "csv"
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written. `inactive` are the rows (from 0) that a page shows pale; `notes` are what has to be known."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    notes: tuple[str, ...] = ()
    inactive: frozenset[int] = frozenset()


def sheet_text(sheet: Sheet, form: SheetFormat, now: datetime) -> str:
    """The sheet in a format."""
    if form is SheetFormat.CSV:
        return sheet_csv(sheet)
    return sheet_json(sheet) if form is SheetFormat.JSON else sheet_html(sheet, now)


def sheet_csv(sheet: Sheet) -> str:
    """The rows as CSV (RFC 4180) with a header. A text that a spreadsheet would compute gets a `'` before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_harmless(column) for column in sheet.columns])
    writer.writerows([[_harmless(cell_text(cell)) for cell in row] for row in sheet.rows])
    return out.getvalue()


def sheet_json(sheet: Sheet) -> str:
    """The rows as an array of objects; times are ISO 8601."""
    rows = [dict(zip(sheet.columns, map(_plain, row), strict=True)) for row in sheet.rows]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def sheet_html(sheet: Sheet, now: datetime) -> str:
    """The rows as a page. Everything in it is escaped."""
    lines = [_line(row, pale=number in sheet.inactive) for number, row in enumerate(sheet.rows)]
    heads = "".join(f"<th>{escape(one_line(column.replace('_', ' ')))}</th>" for column in sheet.columns)
    return _PAGE.format(
        title=escape(one_line(sheet.title)),
        count="1 row" if len(lines) == 1 else f"{len(lines):,} rows",
        moment=now.isoformat(sep=" ", timespec="seconds"),
        notes="".join(f"\n<p>{escape(one_line(note))}</p>" for note in sheet.notes),
        heads=heads,
        rows="\n".join(lines),
    )


def write_sheet(sheet: Sheet, path: Path, form: SheetFormat, now: datetime, *, replace: bool = False) -> Path:
    """Write it to a file (0600, atomically), and return where that is. Waits for the disk: call it in a thread.

    Raises BadInputError when the file exists, unless it is to be replaced, and when its folder does not.
    """
    path = path.expanduser().absolute()
    shown = one_line(str(path))
    if path.is_dir():
        raise BadInputError(f"{shown} is a folder.", advice="Name a file in it.")
    if not path.parent.is_dir():  # a mistyped folder must not be made: the file would be looked for elsewhere
        raise BadInputError(f"There is no folder {one_line(str(path.parent))}.", advice="Make it, or choose another.")
    try:
        write_private(path, sheet_text(sheet, form, now).encode(), replace=replace)
    except OSError as error:
        raise BadInputError(f"{shown} cannot be written: {error.strerror}.", advice="Choose another place.") from error
    return path


def cell_text(cell: Cell) -> str:
    """A value as text: `yes` and `no`, ISO 8601 for a moment, nothing for None."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return "" if cell is None else str(cell)


def _plain(cell: Cell) -> str | bool | int | None:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(row: Sequence[Cell], *, pale: bool) -> str:
    cells = "".join(f"<td>{escape(one_line(cell_text(cell)))}</td>" for cell in row)
    mark = ' class="inactive"' if pale else ""
    return f"<tr{mark}>{cells}</tr>"
