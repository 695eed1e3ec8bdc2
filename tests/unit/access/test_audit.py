"""The audit as a pure function: one row for each right and way, and formats that any reader can take apart again."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.access.script import model_of_script
from core.access_reports.audit import COLUMNS, AuditRow, audit, audit_sheet, limited_by
from core.access_reports.sheets import sheet_csv, sheet_html

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCRIPT = """
CREATE ROLE a; CREATE ROLE b;
CREATE USER u IDENTIFIED WITH no_password VALID UNTIL '2025-01-01' HOST LOCAL DEFAULT ROLE a SETTINGS readonly = 2;
GRANT SELECT ON d.* TO a; REVOKE SELECT ON d.secret FROM a; REVOKE INSERT ON d.t FROM a;
GRANT SELECT ON d.* TO b; GRANT CREATE USER ON x* TO b;
GRANT a, b TO u;
ALTER USER u DEFAULT ROLE a;
CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 1 TO a;
CREATE ROW POLICY p ON d.t USING x = 1 TO u;
CREATE ROW POLICY elsewhere ON e.t USING x = 1 TO u;
"""


def test_each_right_by_each_way() -> None:
    model, problems = model_of_script(SCRIPT)
    assert problems == []
    rows = audit(model, NOW)
    ways = {(row.privilege, row.object, row.path, row.active): row for row in rows}
    assert set(ways) == {
        ("SELECT", "d.*", "a", True),
        ("SELECT", "d.*", "b", False),
        ("CREATE USER", "x*", "b", False),
    }
    by_a, by_b = ways["SELECT", "d.*", "a", True], ways["SELECT", "d.*", "b", False]
    assert (by_a.revoked_parts, by_b.revoked_parts) == ("SELECT ON d.secret", "")
    assert {row.quotas for row in rows} == {"q"}
    assert by_a.row_policies == "p ON d.t"
    assert ways["CREATE USER", "x*", "b", False].row_policies == ""
    assert {(row.hosts, row.readonly, row.state) for row in rows} == {("LOCAL", "2", "expired")}
    assert by_a.valid_until.startswith("2025-01-01")
    assert limited_by(by_a) == (
        "without SELECT ON d.secret; row policies p ON d.t; quotas q; readonly 2; from LOCAL; "
        "until 2025-01-01 00:00:00+00:00"
    )
    assert limited_by(by_b).startswith("only after SET ROLE; row policies p ON d.t; quotas q;")
    free, _ = model_of_script("CREATE USER v IDENTIFIED WITH no_password HOST ANY; GRANT SELECT(a, b) ON d.t TO v")
    [row] = audit(free, NOW)
    assert limited_by(row) == ""


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
ROWS = st.builds(
    AuditRow,
    **{column: st.booleans() if column in ("active", "grant_option") else TEXTS for column in COLUMNS},
)


@given(st.lists(ROWS, max_size=3))
def test_csv_is_read_back(rows: list[AuditRow]) -> None:
    text = sheet_csv(audit_sheet(rows, ""))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == list(COLUMNS)
    assert len(read) == len(rows) + 1
    for row, cells in zip(rows, read[1:], strict=True):
        assert cells[0] in (row.user, f"'{row.user}")
        assert not cells[0].startswith(("=", "+", "-", "@"))


@given(st.lists(ROWS, max_size=3), TEXTS)
def test_html_holds_no_markup_of_others(rows: list[AuditRow], title: str) -> None:
    page = sheet_html(audit_sheet(rows, title), NOW)
    empty = sheet_html(audit_sheet([], ""), NOW)
    cells = len(rows) * len(COLUMNS)
    assert page.count("<") == empty.count("<") + 2 * cells + 2 * len(rows)
