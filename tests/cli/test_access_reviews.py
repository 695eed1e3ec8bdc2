"""`housekeys access` with questions: effective, who-can, audit, review, lint; on the embedded engine."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

from tests.cli.conftest import Housekeys

HOSTILE = "<script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)"
SQL = f"""\
CREATE ROLE low;
CREATE ROLE middle;
GRANT SELECT ON acme.* TO low;
REVOKE SELECT ON acme.secret FROM low;
GRANT low TO middle;
CREATE USER ann IDENTIFIED WITH sha256_hash BY '{"0" * 63}A' HOST IP '10.0.0.0/8';
GRANT middle TO ann;
CREATE USER `{HOSTILE}` IDENTIFIED WITH no_password HOST NONE;
CREATE USER `{FORMULA}` IDENTIFIED WITH no_password HOST LOCAL;
GRANT INSERT(day, id) ON acme.orders TO `{FORMULA}` WITH GRANT OPTION;
"""


class Cells(HTMLParser):
    """The texts of all table cells, and the tags of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_cell = tag == "td"
        if self._in_cell:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False


def test_rights_with_their_paths(housekeys: Housekeys, tmp_path: Path) -> None:
    file = tmp_path / "access.sql"
    file.write_text(SQL)
    assert housekeys("access", "apply", str(file), "--yes").code == 0

    found = housekeys("access", "effective", "ann", "--json")
    assert found.code == 0, found.stderr
    assert [(row["right"], row["revoked"], row["path"], row["active"]) for row in found.json["rights"]] == [
        ("SELECT ON acme.*", False, "middle > low", True),
        ("SELECT ON acme.secret", True, "middle > low", True),
    ]
    assert found.json["limits"]["hosts"] == "IP '10.0.0.0/8'"
    assert {"SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON acme.*", "SELECT ON system.*"} <= set(found.json["implicit"])
    assert "SELECT ON system.*" in housekeys("access", "effective", "ann").stdout
    elsewhere = housekeys("access", "effective", "ann", "--object", "other.*", "--json").json
    assert (elsewhere["rights"], elsewhere["implicit"]) == ([], [])
    assert "middle > low" in housekeys("access", "effective", "ann", "--object", "acme.orders").stdout
    assert housekeys("access", "effective", "nobody").code == 4
    assert housekeys("access", "effective", "ann", "--object", "acme.").code == 2

    who = housekeys("access", "who-can", "SELECT", "acme.orders", "--json").json
    assert {(row["kind"], row["name"], row["path"]) for row in who if row["name"] != "default"} == {
        ("user", "ann", "middle > low"),
        ("role", "low", "-"),
        ("role", "middle", "low"),
    }
    assert "ann" not in housekeys("access", "who-can", "SELECT", "acme.secret").stdout
    assert FORMULA in housekeys("access", "who-can", "INSERT(id)", "acme.orders").stdout
    for words in (("SELECT, INSERT", "a.b"), ("NO SUCH", "a.b"), ("SELECT", "a.b TO x")):
        assert housekeys("access", "who-can", *words).code == 2

    rows = {row["user"]: row for row in housekeys("access", "audit", "--format", "json").json}
    ann = rows["ann"]
    assert (ann["privilege"], ann["database"], ann["table"], ann["path"]) == ("SELECT", "acme", "*", "middle > low")
    assert (ann["revoked_parts"], ann["hosts"]) == ("SELECT ON acme.secret", "IP '10.0.0.0/8'")
    assert (rows[HOSTILE]["privilege"], rows[HOSTILE]["state"]) == ("", "disabled")
    assert (rows[FORMULA]["columns"], rows[FORMULA]["grant_option"]) == ("day, id", True)
    table = list(csv.DictReader(io.StringIO(housekeys("access", "audit").stdout)))
    assert {row["user"] for row in table} == {"ann", "default", HOSTILE, f"'{FORMULA}"}
    titles, *lines = housekeys("access", "audit", typed="").stdout.splitlines()  # a person reads it
    assert titles.split("  ")[0] == "USER" and len(lines) == len(table)
    assert "disabled" in next(line for line in lines if line.startswith(HOSTILE[:3]))
    [line] = [line for line in lines if line.startswith("ann ")]
    assert line[titles.index("PRIVILEGE") :].split(maxsplit=3)[:2] == ["SELECT", "acme.*"]
    assert line.endswith("without SELECT ON acme.secret; from IP '10.0.0.0/8'")
    assert housekeys("access", "audit", "--format", "csv", typed="").stdout.startswith("user,privilege,database,")
    page = tmp_path / "audit.html"
    assert housekeys("access", "audit", "--format", "html", "--out", str(page)).code == 0
    assert housekeys("access", "audit", "--format", "html", "--out", str(page)).code == 2
    cells = Cells(page.read_text())
    assert HOSTILE in cells.cells
    assert not cells.tags & {"script", "link", "img", "iframe"}

    linted = housekeys("access", "lint", "--json")
    assert linted.code == 0, linted.json  # nobody can come in without a password from elsewhere
    assert f"user {FORMULA}" in {row["entity"] for row in linted.json}
    assert not any(row["entity"] == "user default" for row in linted.json)  # every embedded engine has that one


def test_a_review_of_what_expires_is_too_wide_and_has_changed(housekeys: Housekeys, tmp_path: Path) -> None:
    file = tmp_path / "access.sql"
    file.write_text(
        f"CREATE USER ann IDENTIFIED WITH sha256_hash BY '{'0' * 63}A' HOST LOCAL VALID UNTIL '2020-01-01 00:00:00';\n"
        "CREATE USER bob IDENTIFIED WITH no_password HOST LOCAL;\nGRANT ALL ON acme.* TO bob;\n"
    )
    assert housekeys("access", "apply", str(file), "--yes").code == 0
    found = housekeys("access", "review", "--json")
    assert found.code == 0, found.stderr
    assert "cannot be told who is dormant" in found.stderr
    assert {(row["what"], row["name"], row["severity"]) for row in found.json} == {
        ("expired", "ann", "warning"),
        ("over-granted", "bob", "warning"),
        ("changed", "ann", "note"),
        ("changed", "bob", "note"),
    }
    [titles, *table] = housekeys("access", "review", typed="").stdout.splitlines()  # a person reads it
    assert titles.split() == ["SEVERITY", "WHAT", "WHO", "SINCE/UNTIL", "WHY"]
    assert table[0] == "warning   expired       user ann  2020-01-01   no way in is valid"
    assert all(line.index("user ") == titles.index("WHO") for line in table)
    for words, to in (((), None), (("--format", "csv"), "")):
        assert housekeys("access", "review", *words, typed=to).stdout.startswith("what,kind,name,why,since,until")
    later = housekeys("access", "review", "--since", "2100-01-01", "--format", "csv").stdout
    assert [row["what"] for row in csv.DictReader(io.StringIO(later))] == ["expired", "over-granted"]
    page = tmp_path / "review.html"
    assert housekeys("access", "review", "--format", "html", "--out", str(page), "--dry-run").code == 0
    assert not page.exists()
    assert housekeys("access", "review", "--format", "html", "--out", str(page)).code == 0
    assert page.stat().st_mode & 0o777 == 0o600
    assert "over-granted" in Cells(page.read_text()).cells
    assert housekeys("access", "review", "--out", str(page)).code == 2
    assert housekeys("access", "review", "--since", "soon").code == 2


def test_files_are_linted_without_an_engine(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.sql", tmp_path / "good.sql"
    bad.write_text("CREATE ROLE r;\nCREATE USER ann IDENTIFIED WITH no_password;\nGRANT r TO ann;\nGRANT x\n")
    good.write_text("")
    found = housekeys("access", "lint", str(good), str(bad), "--json")
    assert found.code == 1
    places = {(row["id"], row["file"], row["line"]) for row in found.json}
    assert ("password-empty", str(bad), 2) in places
    assert ("file", str(bad), 4) in places
    text = housekeys("access", "lint", str(bad)).stdout
    assert f"{bad}:2: error: User ann needs no password. [password-empty]" in text
    nothing = housekeys("access", "lint", str(good))
    assert (nothing.code, nothing.stdout) == (0, "")
    assert housekeys("access", "lint", str(tmp_path / "absent")).code == 4
    assert not list(home.rglob("access.sql"))

    console, members = tmp_path / "console.sql", tmp_path / "members.csv"
    console.write_text("CREATE ROLE `sql-console-role:an@x.example`;\n")
    members.write_text("name,email\nAnn,ann@x.example\n")
    assert "orphan" not in housekeys("access", "lint", str(console)).stdout
    orphaned = housekeys("access", "lint", str(console), "--members", str(members)).stdout
    assert "[sql-console-role-orphan]" in orphaned and "sql-console-role:ann@x.example" in orphaned
    members.write_text("Ann\n")
    assert housekeys("access", "lint", str(console), "--members", str(members)).code == 2


def test_the_statements_of_safe_fixes(housekeys: Housekeys, tmp_path: Path) -> None:
    file = tmp_path / "access.sql"
    file.write_text(
        "CREATE USER ann IDENTIFIED WITH sha256_hash BY '" + "0" * 64 + "' HOST LOCAL;\n"
        "GRANT SELECT ON acme.* TO ann;\nREVOKE INSERT ON other.t FROM ann;\n"
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 5 TO ann, nobody;\n"
    )
    fixed = housekeys("access", "lint", str(file), "--fix", "--json")
    assert any(row["fix"] for row in fixed.json["findings"]), fixed.json
    assert fixed.json["statements"] == ["ALTER QUOTA q TO ann"]
    assert housekeys("access", "lint", str(file), "--fix").stdout == "ALTER QUOTA q TO ann;\n"
