"""Lint of texts about API connections: scripts, and prose with statements and documents in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.findings import Severity
from core.lakehouse.lint.found_in_text import broken_documents_in, documents_in, external_ids_in, statements_in
from core.lakehouse.lint.statement_lint import fixed_text, lint_text
from core.lakehouse.sql.statement_rendering import render
from core.lakehouse.sql.statements import CreateApiConnection, DescribeConnection, Statement

# The statements and documents of the vendor's page, as it was when this was written, errors and all.
_PAGE = (Path(__file__).parents[2] / "data" / "lakehouse" / "page.md").read_text(encoding="utf-8")
_PAGE_STATEMENTS: list[Statement] = [
    CreateApiConnection(
        ApiConnection(
            "my_funciton_connection",
            Provider.ALIYUN,
            "cn-hangzhou",
            "acs:ram::1757168149572678:role/czudfrole",
            "function-compute-my1",
        )
    ),
    DescribeConnection("my_funciton_connection"),
    CreateApiConnection(
        ApiConnection(
            "my_funciton_connection",
            Provider.TENCENT,
            "ap-shanghai",
            "qcs::cam::uin/xxxx:roleName/CzUDFRole",
            "myfunction-131xxxx",
            "default",
        )
    ),
    DescribeConnection("my_funciton_connection"),
    CreateApiConnection(
        ApiConnection(
            "udf_noah",
            Provider.AWS,
            "cn-north-1",
            "arn:aws-cn:iam::028022243208:role/CzUdfRole",
            "cz-udf-code",
            "default",
        )
    ),
    DescribeConnection("udf_noah"),
]


def _line(words: str, text: str = _PAGE) -> int:
    """The line that begins with, or has, these words."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def _codes(text: str, file: str = "") -> list[str]:
    return [finding.code for finding in lint_text(text, file)]


def test_every_statement_of_the_page_is_found_and_comes_out_right() -> None:
    assert [parsed.statement for parsed in statements_in(_PAGE).statements] == _PAGE_STATEMENTS
    tencent = render(_PAGE_STATEMENTS[2])
    assert "NAMESPACE='default'" in tencent
    assert render(_PAGE_STATEMENTS[3]) == "DESC CONNECTION my_funciton_connection"
    assert [line for line in render(_PAGE_STATEMENTS[4]).splitlines() if "TYPE" in line] == ["TYPE CLOUD_FUNCTION"]


@pytest.mark.parametrize(
    ("code", "severity", "words"),
    [
        ("cloud-left-out", Severity.INFORMATION, "supported by API Connection include"),
        ("misspelled", Severity.WARNING, "NAMESPCE=''"),
        ("misspelled", Severity.WARNING, "• NAMESPCE"),
        ("misspelled", Severity.WARNING, "NAMESPCE='default'"),
        ("misspelled", Severity.WARNING, "DESC CONNECITON"),
        ("system-policy-edited", Severity.WARNING, "Edit the AliyunFCFullAccess"),
        ("policy-created-twice", Severity.WARNING, "step3: Create a permission policy"),
        ("external-id-differs", Severity.ERROR, '"sts:ExternalId"'),
        ("role-arn-form", Severity.ERROR, "uin/xxxx"),
        ("code-bucket-name", Severity.ERROR, "myfunction-131xxxx"),
        ("vendor-account-as-own", Severity.WARNING, "Current Main Account"),
        ("vendor-account-as-own", Severity.ERROR, "028022243208"),
        ("other-cloud-named", Severity.INFORMATION, "Lambda Function"),
        ("other-connection-named", Severity.INFORMATION, "to create the STORAGE CONNECTION"),
    ],
)
def test_every_error_of_the_page_is_found_at_its_place(code: str, severity: Severity, words: str) -> None:
    found = [(finding.code, finding.severity, finding.line) for finding in lint_text(_PAGE, "page.md")]
    assert found.count((code, severity, _line(words))) == 1


def test_the_page_has_no_more_statement_errors_than_these() -> None:
    assert sorted(finding.code for finding in statements_in(_PAGE).findings) == ["misspelled"] * 2


def test_fixing_the_page_corrects_the_keywords_and_nothing_else() -> None:
    fixed = fixed_text(_PAGE, "page.md")
    assert fixed == _PAGE.replace("NAMESPCE", "NAMESPACE").replace("CONNECITON", "CONNECTION")
    assert fixed_text(fixed, "page.md") == fixed


_SCRIPT = """\
create api connection a type = cloud_function, provider='TENCENT' region=ap-shanghai
  role_arn='qcs::cam::uin/100000000001:roleName/LakehouseRole' code_bucket='code-1250000000';
DESC CONNECITON a;
"""


def test_a_script_is_fixed_in_one_go_and_needs_nothing_more() -> None:
    assert sorted(_codes(_SCRIPT, "a.sql")) == [
        *("comma", "misspelled", "namespace-missing", "provider-case", "quotes", "type-equals")
    ]
    assert fixed_text(_SCRIPT, "a.sql") == (
        "create api connection a type cloud_function provider='tencent' region='ap-shanghai'\n"
        "  role_arn='qcs::cam::uin/100000000001:roleName/LakehouseRole' code_bucket='code-1250000000' "
        "NAMESPACE='default';\nDESC CONNECTION a;\n"
    )
    assert _codes(fixed_text(_SCRIPT, "a.sql"), "a.sql") == []


def test_the_values_of_a_connection_are_checked_at_their_places() -> None:
    text = (
        "CREATE API CONNECTION a TYPE CLOUD_FUNCTION PROVIDER='aws' REGION='us-east-1'\n"
        "ROLE_ARN='arn:aws:iam::014617434350:role/r'\nCODE_BUCKET='UPPER';"
    )
    found = [(finding.line, finding.column, finding.field) for finding in lint_text(text)]
    assert found == [(2, 10, "role_arn"), (3, 13, "code_bucket")]


def test_the_older_form_is_information_and_stays_as_it_is() -> None:
    text = (
        "CREATE API CONNECTION a TYPE CLOUD_FUNCTION WITH PROPERTIES('cloud_function.provider'='aliyun',"
        "'cloud_function.region'='cn-hangzhou','cloud_function.role_arn'='acs:ram::1757168149572678:role/r',"
        "'cloud_function.code_bucket'='code') COMMENT 'of billing';"
    )
    (finding,) = lint_text(text, "a.sql")
    assert (finding.code, finding.severity, finding.column) == ("properties-form", Severity.INFORMATION, 45)
    assert fixed_text(text, "a.sql") == text


_CREATE = (
    "CREATE API CONNECTION {} TYPE CLOUD_FUNCTION PROVIDER='aws' REGION='us-east-1' "
    "ROLE_ARN='arn:aws:iam::123456789012:role/r' CODE_BUCKET='code';\n"
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (_CREATE.format("a") + "DESC CONNECTION A;DESC CONNECTION ws.a;", []),
        (_CREATE.format("a") + "DESC CONNECTION b;", ["connection-not-created"]),
        (_CREATE.format("a") + "CREATE STORAGE CONNECTION s TYPE OSS ACCESS_KEY='k'; DESC CONNECTION `s`;", []),
        (
            _CREATE.format("a") + "CREATE EXTERNAL FUNCTION f AS 'm.C' USING FILE 'x' CONNECTION b;",
            ["connection-not-created"],
        ),
        ("DESC CONNECTION b;", []),
        (_CREATE.format("a") * 2, ["connection-created-twice"]),
        (_CREATE.format("a") + "DROP CONNECTION a;" + _CREATE.format("a"), []),
        (_CREATE.format("a") + _CREATE.format("IF NOT EXISTS a"), []),
        ("SELECT 1; GRANT x TO y;", []),
        ("", []),
    ],
)
def test_connections_are_followed_through_a_script(text: str, codes: list[str]) -> None:
    assert _codes(text, "a.sql") == codes
    assert _codes(text) == codes  # a script is known without its name


@pytest.mark.parametrize(
    "prose",
    [
        "Create API CONNECTION\n\nThis type of CONNECTION is for functions.",
        "To see it, desc connection to obtain the id. Don't show connections to others.",
        "DROP CONNECTION [IF EXISTS] name;",
        "CREATE API CONNECTION <name> TYPE CLOUD_FUNCTION PROVIDER='…';",
        "-- CREATE API CONNECTION c TYPE CLOUD_FUNCTION PROVIDER='aws';",
        "It's how you create api connection things: type what region it's in.",
        "```\nCREATE API CONNECTION\n```\nPROVIDER='aws'",
    ],
)
def test_prose_is_no_statement(prose: str) -> None:
    assert statements_in(prose) == statements_in("")


def test_a_statement_in_a_fence_ends_with_it_and_its_errors_have_their_place() -> None:
    text = "It's so:\n```sql\nCREATE API CONNECTION c TYPE CLOUD_FUNCTION\n  PROVIDRE='aws'\n```\nIt's done."
    errors = [(error.code, error.line, error.column) for error in statements_in(text).errors]
    assert errors[0] == ("clause-unknown", 4, 3)
    text = "It's so:\n```sql\nCREATE API CONNECTION c TYPE CLOUD_FUNCTION\n  PROVIDER='aws\n```\nIt's done."
    assert [(error.code, error.line, error.column) for error in statements_in(text).errors] == [("unreadable", 4, 12)]


def test_documents_are_found_with_their_lines() -> None:
    text = 'a {b}\n{"Version": "1",\n "Statement": [{"Effect": "}"}]} {"x": {}}\n[{"y": 1}] {"open": '
    found = documents_in(text)
    assert [(each.line, dict(each.document)) for each in found] == [
        (2, {"Version": "1", "Statement": [{"Effect": "}"}]}),
        (3, {"x": {}}),
        (4, {"y": 1}),
    ]
    assert [json.loads(text[each.begin : each.end]) for each in found] == [each.document for each in found]


def test_a_policy_that_is_no_json_is_an_error_where_it_stops() -> None:
    text = 'Paste:\n{"Version": "1",\n "Statement": [{"Effect": "Allow"},]\n}\n{"x": 1}'
    (error,) = broken_documents_in(text)
    assert (error.code, error.line) == ("document-unreadable", 3)
    assert [dict(each.document) for each in documents_in(text)] == [{"x": 1}]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("the external ID is: VW9UaGwYENBQ7cFp.", ["VW9UaGwYENBQ7cFp"]),
        ("| ExternalId | abcDEFgh12 |", ["abcDEFgh12"]),
        ("external_id   abcDEFgh12", ["abcDEFgh12"]),
        ("external-id: 'abcDEFgh=='", ["abcDEFgh=="]),
        ("sts:ExternalId 000000 with the EXTERNAL_ID from the DESC result", []),
        ("External ID is described below. External ID: something", []),
        ("External ID" + " " * 100_000 + "x", []),
    ],
)
def test_external_ids_are_told_from_prose(text: str, ids: list[str]) -> None:
    assert [each for each, _ in external_ids_in(text)] == ids


@pytest.mark.parametrize(
    ("asked", "codes"),
    [("abcDEFgh12", []), ("otherDEF12", ["external-id-differs"]), ("000000", []), ("the value of DESC", [])],
)
def test_the_trust_policy_must_ask_for_the_id_that_the_text_tells(asked: str, codes: list[str]) -> None:
    condition = {"string_equal": {"sts:external_id": [asked]}}
    document = json.dumps({"version": "2.0", "x": [{"condition": condition}]}, indent=1)
    text = f"External ID: abcDEFgh12\n{document}"
    found = lint_text(text)
    assert [finding.code for finding in found if finding.code == "external-id-differs"] == codes
    assert all(finding.line == _line(asked, text) for finding in found if finding.code == "external-id-differs")


_WORDS = [
    "CREATE API CONNECTION ",
    "TYPE ",
    "CLOUD_FUNCTION ",
    "NAMESPCE",
    "=",
    "'",
    '"',
    "{",
    "}",
    ",",
    ";",
    "\n",
    "x ",
]
_WORDS += ["PROVIDER='TENCENT' ", "DESC CONNECITON ", '{"Statement": [', "]", "external id: abcDEF12 ", "`", "--", "/*"]


@given(st.lists(st.sampled_from(_WORDS), max_size=14).map("".join), st.sampled_from(["", "a.sql", "a.md"]))
def test_any_text_is_linted_and_fixing_it_again_changes_nothing(text: str, file: str) -> None:
    for finding in lint_text(text, file):
        assert finding.line > 0
    fixed = fixed_text(text, file)
    assert fixed_text(fixed, file) == fixed
