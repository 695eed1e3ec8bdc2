"""`housekeys connection` with texts: documents before anything is recorded, scripts taken over, lint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.sql.statement_rendering import create_statement, render_script
from tests.cli.conftest import Housekeys
from tests.cli.test_connection import ALIYUN, AWS, EXTERNAL_ID, options, trust

PAGE = Path(__file__).parents[1] / "data" / "lakehouse" / "page.md"
SCRIPT = render_script(create_statement(connection)[0] for connection in (ALIYUN, AWS))


def test_documents_can_be_had_before_anything_is_known_and_without_an_engine(housekeys: Housekeys, home: Path) -> None:
    words = ("connection", "documents", "udf_aws", *options(AWS))
    shown = housekeys(*words)
    wanted = Wanted(AWS).documents()
    decoder, position, found = json.JSONDecoder(), 0, []
    while (position := shown.stdout.find("{", position)) >= 0:
        document, position = decoder.raw_decode(shown.stdout, position)
        found.append(document)
    assert found == [*(p.document for p in wanted.permissions if p.document is not None), wanted.trust]
    assert "CREATE API CONNECTION udf_aws\n" in shown.stdout
    assert "the same with --external-id ID" in shown.stderr
    value = housekeys(*words, "--external-id", EXTERNAL_ID, "--format", "json", "--scope", "least").json
    assert value["trust"] == json.loads(trust(AWS, EXTERNAL_ID))
    assert value["policies"][0]["document"] != wanted.permissions[0].document
    before = housekeys(*words, "--format", "cli").stdout
    after = housekeys(*words, "--format", "cli", "--external-id", EXTERNAL_ID).stdout
    assert "aws iam create-role --role-name LakehouseUdf" in before
    assert ("create-role" in after, "aws iam update-assume-role-policy" in after) == (False, True)
    assert housekeys(*words, "--external-id", "a b").code == 2
    assert not (home / "data").exists()


def test_documents_of_what_is_known_need_only_its_name(housekeys: Housekeys) -> None:
    unknown = housekeys("connection", "documents", "udf", "--provider", "aliyun")
    assert (unknown.code, "--role-arn and --bucket" in unknown.stderr) == (4, True)
    assert housekeys("connection", "create", "udf", *options(ALIYUN), "--comment", "ours").code == 0
    shown = housekeys("connection", "documents", "udf", "--bucket", "another", "--json").json
    assert "oss:*:*:another/*" in json.dumps(shown["policies"])
    assert shown["statement"].endswith("COMMENT 'ours';")
    again = housekeys("connection", "documents", "udf", "--if-not-exists", "--json").json
    assert again["statement"].startswith("CREATE API CONNECTION IF NOT EXISTS udf\n")


def test_a_script_is_taken_over_and_an_error_in_it_takes_over_nothing(housekeys: Housekeys, tmp_path: Path) -> None:
    script = tmp_path / "connections.sql"
    script.write_text(f"{SCRIPT}SHOW CONNECTIONS;\n{SCRIPT}".replace("'aws'", "'azure'", 1))
    wrong = housekeys("connection", "import", str(script))
    assert wrong.code == 2
    assert f"{script}:9:10: error: " in wrong.stderr
    assert "nothing was taken over" in wrong.stderr
    misspelled = SCRIPT.replace("CODE_BUCKET", "NAMESPCE='default'\nCODE_BUCKET", 1)
    script.write_text(f"{misspelled}SHOW CONNECTIONS;\n")
    dry = housekeys("--dry-run", "connection", "import", str(script))
    assert (dry.code, dry.stdout.count("define")) == (0, 2)
    taken = housekeys("connection", "import", str(script), "--json")
    assert taken.json["adopted"] == ["udf", "udf_aws"]
    assert "warning: " in taken.stderr
    assert "passed over: 1." in taken.stderr
    again = housekeys("connection", "import", "-", "--json", typed=misspelled)
    assert (again.code, again.json) == (0, {"change": None, "adopted": []})
    assert "known already" in again.stderr
    assert housekeys("connection", "import", "-", typed="SHOW CONNECTIONS;").code == 2


def test_lint_needs_no_engine_and_its_exit_code_tells_of_errors(
    housekeys: Housekeys, home: Path, tmp_path: Path
) -> None:
    page = housekeys("connection", "lint", str(PAGE))
    assert page.code == 1
    assert f"{PAGE}:75:16: error: The account 028022243208 is the vendor's own" in page.stdout
    rows = housekeys("connection", "lint", str(PAGE), "--json").json
    assert {"misspelled", "external-id-differs", "vendor-account-as-own"} <= {row["id"] for row in rows}
    right = tmp_path / "right.sql"
    right.write_text(SCRIPT)
    fine = housekeys("connection", "lint", str(right))
    assert (fine.code, fine.stdout, fine.stderr) == (0, "", "Nothing was found.\n")
    misspelled = SCRIPT.replace("CODE_BUCKET", "NAMESPCE='default'\nCODE_BUCKET", 1)
    fixed = housekeys("connection", "lint", "-", "--fix", typed=misspelled)
    assert (fixed.code, fixed.stdout) == (0, misspelled.replace("NAMESPCE", "NAMESPACE"))
    assert "standard input:6:1: warning: " in fixed.stderr
    assert housekeys("connection", "lint", str(tmp_path / "absent.sql")).code == 2
    assert not (home / "data").exists()


@pytest.mark.parametrize("content", [b"CREATE \xff", b"x" * (5 * 1024 * 1024)], ids=["no-utf8", "too-large"])
def test_a_file_that_cannot_be_read_is_told(housekeys: Housekeys, tmp_path: Path, content: bytes) -> None:
    script = tmp_path / "x.sql"
    script.write_bytes(content)
    outcome = housekeys("connection", "lint", str(script))
    assert (outcome.code, str(script) in outcome.stderr) == (2, True)
