"""Revokes of a script that change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access.xml.problems import Severity
from core.access_reports.files import read_access_file

START = "CREATE ROLE r; CREATE USER u IDENTIFIED WITH no_password;\nGRANT SELECT ON *.* TO r; GRANT r TO u;\n"


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("REVOKE SELECT ON shop.* FROM u;", [3]),  # the role still gives it
        ("GRANT INSERT ON a.* TO u;\nREVOKE INSERT ON b.* FROM u, r;", [4]),  # that of r is kept, and is lint's
        ("REVOKE GRANT OPTION FOR SELECT ON a.* FROM r;", []),  # so is this
        ("REVOKE SELECT ON shop.* FROM r;", []),
        ("GRANT SELECT ON a.* TO u;\nREVOKE SELECT ON a.* FROM u;", []),
        ("GRANT SELECT ON a.* TO u;\nREVOKE ALL ON *.* FROM u;", []),
        ("REVOKE SELECT ON a.* FROM u;\nGRANT SELECT ON a.* TO u;", [3]),
        ("REVOKE r FROM u;", []),
    ],
)
def test_a_revoke_that_meets_no_grant_of_the_same_holder_is_told(script: str, lines: list[int], tmp_path: Path) -> None:
    path = tmp_path / "access.sql"
    path.write_text(START + script)
    problems = read_access_file(path).problems
    assert [problem.line for problem in problems] == lines
    assert all(problem.severity is Severity.WARNING and "changes nothing" in problem.message for problem in problems)
