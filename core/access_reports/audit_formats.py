"""An audit as CSV and as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.access_reports.audit import COLUMNS, AuditRow
from core.access_reports.sheets import Sheet, sheet_csv, sheet_html


def audit_csv(rows: Iterable[AuditRow]) -> str:
    """The rows as CSV with a header."""
    return sheet_csv(_sheet(rows, ""))


def audit_html(rows: Iterable[AuditRow], title: str, now: datetime) -> str:
    """The rows as a page; pale are rights that are not in force, and users that cannot come in."""
    return sheet_html(_sheet(rows, title), now)


def _sheet(rows: Iterable[AuditRow], title: str) -> Sheet:
    found = list(rows)
    cells = [[getattr(row, column) for column in COLUMNS] for row in found]
    pale = (number for number, row in enumerate(found) if not (row.active and row.state == "active"))
    return Sheet(title, COLUMNS, cells, inactive=frozenset(pale))
