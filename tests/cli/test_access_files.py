"""`housekeys access` with files: show, export, convert, plan, apply, import, diff; on the embedded engine."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path

import pytest

from core.access.model import AlterUser
from core.access.parser import parse_statement
from core.access.render import render
from tests.cli.conftest import Housekeys

HASH = "0" * 63 + "A"
SQL = f"""\
CREATE ROLE reader;
GRANT SELECT ON acme.* TO reader;
REVOKE SELECT ON acme.secret FROM reader;
CREATE USER ann IDENTIFIED WITH sha256_hash BY '{HASH}' HOST IP '10.0.0.0/8';
GRANT reader TO ann;
"""
XML = f"""\
<clickhouse>
  <users>
    <bob>
      <password_sha256_hex>{HASH.lower()}</password_sha256_hex>
      <networks><ip>10.1.0.0/16</ip></networks>
      <databases><acme><orders><filter>region=1 or a+b &gt; 5</filter></orders></acme></databases>
      <grants><query>GRANT SELECT ON acme.orders</query></grants>
    </bob>
  </users>
</clickhouse>
"""


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    file = tmp_path / "access.txt"  # what it is, is told by its content
    file.write_text(SQL)
    return file


def test_a_file_is_planned_applied_compared_and_exported(housekeys: Housekeys, sql: Path, tmp_path: Path) -> None:
    planned = housekeys("access", "plan", str(sql), "--json")
    assert planned.code == 0, planned.stderr
    previews = [step["preview"] for step in planned.json["steps"]]
    assert previews[0] == "CREATE ROLE reader"
    assert HASH not in planned.stdout
    assert housekeys("--read-only", "access", "apply", str(sql)).code == 3
    assert housekeys("access", "diff", "embedded", str(sql)).code == 1  # nothing was made so far
    applied = housekeys("access", "apply", str(sql))
    assert applied.code == 0, applied.stderr
    same = housekeys("access", "diff", "embedded", str(sql))
    assert (same.code, same.stdout) == (0, "")
    shown = housekeys("access", "show").stdout
    assert "REVOKE SELECT ON acme.secret FROM reader;" in shown
    assert HASH not in shown
    for line in shown.splitlines():
        parse_statement(line)

    out = tmp_path / "out"
    for words in (("sql", "a.sql"), ("xml", "users.xml"), ("xml", "folder")):
        exported = housekeys("access", "export", "--format", words[0], "--out", str(out / words[1]))
        assert exported.code == 0, exported.stderr
    written = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    assert {"a.sql", "users.xml", "folder/users.d/user-ann.xml", "folder/users.d/role-reader.xml"} <= set(written)
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.values()} == {0o600}
    again = housekeys("access", "export", "--format", "sql", "--out", str(out / "a.sql"))
    assert (again.code, "exists already" in again.stderr) == (2, True)
    for name in ("a.sql", "folder"):
        assert housekeys("access", "diff", "embedded", str(out / name)).code in (0, 1)
        assert "user" not in housekeys("access", "lint", str(out / name)).stderr


def test_exactly_what_a_file_says(housekeys: Housekeys, sql: Path, tmp_path: Path) -> None:
    assert housekeys("role", "create", "leftover").code == 0
    assert housekeys("access", "apply", str(sql)).code == 0
    more = housekeys("access", "plan", str(sql))
    assert (more.stdout, "nothing to do" in more.stderr) == ("", True)
    assert "was not compared" in more.stderr  # the server does not tell its hash
    anew = housekeys("access", "plan", str(sql), "--set-passwords")
    assert anew.stdout == "ALTER USER ann IDENTIFIED WITH sha256_hash BY '[HIDDEN]'\n"
    exact = housekeys("access", "plan", str(sql), "--exact")
    assert exact.stdout == "DROP ROLE leftover\n"
    assert housekeys("access", "apply", str(sql), "--exact").code == 3
    assert housekeys("access", "apply", str(sql), "--exact", "--yes").code == 0
    assert [row["name"] for row in housekeys("role", "list", "--json").json] == ["reader"]
    differing = tmp_path / "differing.sql"
    differing.write_text(SQL.replace("10.0.0.0/8", "10.9.0.0/16").replace("GRANT reader TO ann;\n", ""))
    found = housekeys("access", "diff", str(sql), str(differing), "--json")
    assert (found.code, found.json["same"]) == (1, False)
    assert [each["field"] for each in found.json["altered"]] == ["HOST"]
    assert [each["after"] for each in found.json["roles"]] == ["not granted"]
    lines = housekeys("access", "diff", str(sql), str(differing)).stdout.splitlines()
    assert lines == [
        "~ user ann: HOST: IP '10.0.0.0/8' -> IP '10.9.0.0/16'",
        "~ user ann: role reader: granted -> not granted",
    ]


def test_several_files_of_both_formats_in_one_change(housekeys: Housekeys, sql: Path, tmp_path: Path) -> None:
    xml = tmp_path / "people"
    xml.write_text(XML)
    imported = housekeys("access", "import", str(sql), str(xml), "--json")
    assert imported.code == 0, imported.stderr
    assert {"user ann", "user bob", "role reader"} <= set(imported.json["entities"])
    again = housekeys("access", "import", str(sql), str(xml))
    assert (again.code, "Nothing to change" in again.stderr) == (0, True)  # ClickHouse writes the filter its own way
    both = housekeys("access", "diff", str(xml), "embedded", "--json").json
    assert (both["removed"], both["altered"]) == ([], [])
    # What names the user that every embedded engine brings still names it beside that user.
    assert housekeys("row-policy", "create", "own ON acme.t", "--using", "1", "--to", "bob, default", "--yes").code == 0
    exported = housekeys("access", "export", "--format", "sql", "--out", str(tmp_path / "now.sql"))
    assert (exported.code, "TO bob, default;" in (tmp_path / "now.sql").read_text()) == (0, True)
    differing = housekeys("access", "diff", "embedded", str(tmp_path / "now.sql"), "--json").json
    assert differing["altered"] == []
    secretless = tmp_path / "secretless.sql"
    secretless.write_text("CREATE USER cy IDENTIFIED WITH sha256_password;")
    refused = housekeys("access", "apply", str(secretless))
    assert (refused.code, "is not known here" in refused.stderr) == (3, True)
    assert housekeys("user", "show", "cy").code == 4


def test_a_password_in_clear_leaves_a_configuration_as_a_hash(housekeys: Housekeys, tmp_path: Path) -> None:
    xml, sql, kept = tmp_path / "users.xml", tmp_path / "access.sql", tmp_path / "shown.sql"
    hashed = re.compile(r"IDENTIFIED WITH sha256_hash BY '([0-9A-F]{64})' SALT '([0-9A-F]+)'")
    xml.write_text(
        XML.replace(
            f"<password_sha256_hex>{HASH.lower()}</password_sha256_hex>", "<password>hunter2-Hunter</password>"
        ).replace("bob>", "etl>")
    )
    made = housekeys("access", "convert", str(xml), "--to", "sql", "--out", str(sql))
    assert made.code == 0 and "Lost: user etl: its password in clear: it is kept as a SHA-256 hash" in made.stderr
    [(digest, salt)] = hashed.findall(sql.read_text())
    assert digest == hashlib.sha256(f"hunter2-Hunter{salt}".encode()).hexdigest().upper()
    assert housekeys("access", "diff", str(xml), str(sql)).code == 0  # the password is the same
    planned = housekeys("access", "plan", str(xml))
    assert "CREATE USER etl IDENTIFIED WITH sha256_hash BY '[HIDDEN]'" in planned.stdout
    for again in ("", "Nothing to change"):
        applied = housekeys("access", "apply", str(xml))
        assert (applied.code, again in applied.stderr) == (0, True), applied.stderr
    assert housekeys("access", "plan", str(sql)).stdout == housekeys("access", "plan", str(xml)).stdout == ""

    fixed = housekeys("access", "lint", str(xml), "--fix")
    assert "hunter2" not in fixed.stdout + fixed.stderr
    statement = parse_statement(fixed.stdout.strip().removesuffix(";"))
    assert isinstance(statement, AlterUser)
    unsalted = hashlib.sha256(b"hunter2-Hunter").hexdigest().upper()
    assert [method.hash for method in statement.methods or ()] == [unsalted]
    assert housekeys("access", "lint", str(xml), "--fix", "--json").json["statements"] == [render(statement)]

    # What has just been shown is what is there, with what every embedded engine brings.
    kept.write_text(housekeys("access", "show").stdout)
    same = housekeys("access", "diff", "embedded", str(kept))
    assert (same.code, same.stdout) == (0, ""), same.stdout
    assert housekeys("access", "diff", str(kept), "embedded").code == 0
    assert (exact := housekeys("access", "plan", str(kept), "--exact")).stdout == "", exact.stderr
    kept.write_text(kept.read_text().replace("KEYED BY user_name", "KEYED BY ip_address"))
    altered = housekeys("access", "diff", "embedded", str(kept), "--json").json["altered"]
    assert [(each["entity"], each["field"]) for each in altered] == [("quota default", "KEYED BY")]
    refused = housekeys("access", "apply", str(kept), "--exact")
    assert (refused.code, "which SQL cannot change" in refused.stderr) == (3, True)


def test_conversion_needs_no_engine_and_tells_what_is_lost(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    xml, sql = tmp_path / "users.xml", tmp_path / "back.sql"
    xml.write_text(XML.replace("<networks>", "<quota>nowhere</quota><networks>"))
    to_sql = housekeys("access", "convert", str(xml), "--to", "sql", "--out", str(sql))
    assert to_sql.code == 0, to_sql.stderr
    assert "Warning:" in to_sql.stderr and "Lost: user bob: the quota 'nowhere'" in to_sql.stderr
    text = sql.read_text()
    assert HASH in text.upper() and "GRANT SELECT ON acme.orders TO bob;" in text
    sql.write_text(f"{text}CREATE QUOTA q KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 5 TO ALL;\n")
    dry = housekeys("--dry-run", "access", "convert", str(sql), "--to", "xml", "--out", str(tmp_path / "c"))
    assert (dry.code, (tmp_path / "c").exists()) == (0, False)
    to_xml = housekeys("access", "convert", str(sql), "--to", "xml")
    assert to_xml.code == 0
    assert "<bob>" in to_xml.stdout and "Lost: quota q: TO" in to_xml.stderr
    assert housekeys("access", "convert", str(sql), "--to", "sql").code == 2
    assert not list(home.rglob("access.sql"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"CREATE ROLE a;\nCREATE USR b;\nGRANT SELECT ON a.* TO nobody;\n", ":2: "),
        (b"GRANT SELECT ON a.* TO nobody;", ":1: "),
        (b"CREATE ROLE a;\nCREATE ROLE 'b;\n", ":2: "),
        (b"CREATE ROLE a;\n\xff\xfe", ":2: This is no UTF-8"),
        (b"<clickhouse>\n<users>\n</clickhouse>", ":3: "),
        (b"<clickhouse><users><u/></users></clickhouse>", ":1: "),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><clickhouse>&b;</clickhouse>', ":1: "),
    ],
)
def test_files_that_cannot_be_used_change_nothing(
    content: bytes, why: str, housekeys: Housekeys, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    for words in (("plan",), ("apply", "--yes"), ("import",)):
        refused = housekeys("access", words[0], str(file), *words[1:])
        assert (refused.code, refused.stdout) == (2, ""), refused.stderr
        assert f"{file}{why}" in refused.stderr
    assert housekeys("access", "lint", str(file)).code == 1
    assert housekeys("access", "apply", str(tmp_path / "absent")).code == 4
    assert not list(home.rglob("access.sql"))
