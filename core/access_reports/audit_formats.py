"""An audit as CSV and as one HTML page that needs nothing else: no script, no style sheet, no picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from html import escape

from core.access_reports.audit import COLUMNS, AuditRow
from core.display import one_line

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
<p>{count}, {moment}</p>
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def audit_csv(rows: Iterable[AuditRow]) -> str:
    """The rows as CSV (RFC 4180) with a header. A text that a spreadsheet would compute gets a `'` before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([[_cell(getattr(row, column)) for column in COLUMNS] for row in rows])
    return out.getvalue()


def _cell(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if value.startswith(_FORMULA) else value


def audit_html(rows: Iterable[AuditRow], title: str, now: datetime) -> str:
    """The rows as a page. Everything in it is escaped."""
    lines = [_line(row) for row in rows]
    heads = "".join(f"<th>{column.replace('_', ' ')}</th>" for column in COLUMNS)
    moment = now.isoformat(sep=" ", timespec="seconds")
    return _PAGE.format(
        title=escape(one_line(title)),
        count="1 row" if len(lines) == 1 else f"{len(lines):,} rows",
        moment=moment,
        heads=heads,
        rows="\n".join(lines),
    )


def _line(row: AuditRow) -> str:
    mark = "" if row.active and row.state == "active" else ' class="inactive"'
    cells = "".join(f"<td>{escape(one_line(_plain(getattr(row, column))))}</td>" for column in COLUMNS)
    return f"<tr{mark}>{cells}</tr>"


def _plain(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value
