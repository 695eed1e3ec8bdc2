"""The statements of the Lakehouse: written, read back, and what is wrong with them told with its place."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, ExternalFunction, Provider
from core.lakehouse.findings import Severity
from core.lakehouse.quoting import quote_name, quote_string
from core.lakehouse.sql.places import LakehouseSyntaxError, pointed, without_secrets
from core.lakehouse.sql.statement_parsing import parse_script, parse_statement
from core.lakehouse.sql.statement_rendering import create_statement, render, render_script
from core.lakehouse.sql.statements import (
    CreateApiConnection,
    CreateExternalFunction,
    DescribeConnection,
    DropConnection,
    DropFunction,
    OtherStatement,
    ShowConnections,
    ShowExternalFunctions,
    Statement,
    Syntax,
)

_HOSTILE = "aZ_09 ,;:*@$%'\"`\\/(){}[]-=#\n\r\t\0\x01\x1b<>éя漢😀\u2018\u2019\u201c\u202e\ufeff"
_parts = st.one_of(
    st.text(_HOSTILE, min_size=1, max_size=8),
    st.sampled_from(["if", "not", "Exists", "TYPE", "provider", "connection", "with", "as", "1a", "_x"]),
)
_names = st.lists(_parts, min_size=1, max_size=3).map(".".join)
_values = st.one_of(st.text(_HOSTILE + ".", max_size=12), st.sampled_from(["--", "/*", "*/", "';", "''", "\\'", "\\n"]))
_some = _values.filter(bool)
_connections = st.builds(ApiConnection, _names, st.sampled_from(Provider), _values, _values, _values, _values)
_functions = st.builds(
    ExternalFunction,
    _names,
    _names,
    _some,
    st.lists(st.tuples(st.sampled_from(["FILE", "JAR", "ARCHIVE"]), _values), min_size=1, max_size=2).map(tuple),
    st.dictionaries(_values, _values, max_size=2),
    _values,
)
_created = st.one_of(
    st.builds(CreateApiConnection, _connections, st.booleans()),
    st.builds(
        lambda connection, comment, there: CreateApiConnection(
            ApiConnection(
                connection.name,
                connection.provider,
                connection.region,
                connection.role_arn,
                connection.code_bucket,
                connection.namespace,
                comment,
            ),
            there,
            Syntax.PROPERTIES,
        ),
        _connections,
        _values,
        st.booleans(),
    ),
)
_statements: st.SearchStrategy[Statement] = st.one_of(
    _created,
    st.just(ShowConnections()),
    st.builds(DescribeConnection, _names),
    st.builds(DropConnection, _names, st.booleans()),
    st.builds(CreateExternalFunction, _functions, st.booleans()),
    st.builds(DropFunction, _names, st.booleans()),
    st.builds(ShowExternalFunctions, _values),
)


@given(_statements)
def test_what_is_written_is_read_back_exactly(statement: Statement) -> None:
    assert parse_statement(render(statement)) == statement


@given(st.lists(_statements, max_size=3))
def test_a_script_is_read_back_statement_by_statement(statements: list[Statement]) -> None:
    text = render_script(statements)
    script = parse_script(text)
    assert [parsed.statement for parsed in script.statements] == statements
    assert [text[parsed.begin : parsed.end] for parsed in script.statements] == [render(each) for each in statements]


@given(_connections, st.data())
def test_clauses_are_taken_in_any_order_and_case(connection: ApiConnection, data: st.DataObject) -> None:
    assume("=" not in connection.name)  # the first one is given blanks below
    statement = CreateApiConnection(connection)
    values = {
        "PROVIDER": connection.provider.value,
        "REGION": connection.region,
        "ROLE_ARN": connection.role_arn,
        "NAMESPACE": connection.namespace,
        "CODE_BUCKET": connection.code_bucket,
    }
    clauses = [f"{key}={quote_string(value)}" for key, value in values.items()]
    words = [*clauses, "TYPE CLOUD_FUNCTION"]
    shuffled = data.draw(st.permutations(words))
    blank = data.draw(st.sampled_from([" ", "\n", " -- it's\n", "/* ; ' */", "\t\r\n"]))
    cased = [
        data.draw(st.sampled_from([str.lower, str.upper, str.title]))(key) + equals + value
        for key, equals, value in (clause.partition("=") for clause in shuffled)
    ]
    head = data.draw(st.sampled_from(["create api connection", "Create API Connection"]))
    text = blank.join([head, quote_name(connection.name), *cased]).replace("=", f"{blank}={blank}", 1)
    assert parse_statement(text) == statement


@given(_created)
def test_properties_are_taken_in_any_case_too(statement: CreateApiConnection) -> None:
    text = render(statement)
    for key in ("provider", "region", "role_arn", "namespace", "code_bucket"):
        text = text.replace(f"'cloud_function.{key}'=", f"'Cloud_Function.{key.upper()}' = ")
    assert parse_statement(text) == statement


def test_the_documented_forms_are_written() -> None:
    connection = ApiConnection("ws.my conn", Provider.AWS, "cn-north-1", "arn:x", "b", "", "it's")
    statement, told = create_statement(connection, if_not_exists=True)
    assert [finding.code for finding in told] == ["properties-for-comment"]
    assert render(statement) == (
        "CREATE API CONNECTION IF NOT EXISTS ws.`my conn`\n"
        "TYPE CLOUD_FUNCTION\n"
        "WITH PROPERTIES(\n"
        "    'cloud_function.provider'='aws',\n"
        "    'cloud_function.region'='cn-north-1',\n"
        "    'cloud_function.role_arn'='arn:x',\n"
        "    'cloud_function.code_bucket'='b'\n"
        ")\n"
        "COMMENT 'it\\'s'"
    )
    with pytest.raises(BadInputError, match="comment cannot be written"):
        render(CreateApiConnection(connection))


def test_tencent_gets_its_namespace_and_the_caller_is_told() -> None:
    statement, told = create_statement(ApiConnection("c", Provider.TENCENT, "ap-shanghai", "qcs:x", "b-1"))
    assert render(statement) == (
        "CREATE API CONNECTION c\nTYPE CLOUD_FUNCTION\nPROVIDER='tencent'\nREGION='ap-shanghai'\nROLE_ARN='qcs:x'\n"
        "NAMESPACE='default'\nCODE_BUCKET='b-1'"
    )
    assert [finding.code for finding in told] == ["namespace-added"]
    given_one, told = create_statement(ApiConnection("c", Provider.TENCENT, "ap-shanghai", "qcs:x", "b-1", "mine"))
    assert (given_one.connection.namespace, told) == ("mine", ())


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b"])
def test_a_name_with_an_empty_part_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        render(DescribeConnection(name))


@pytest.mark.parametrize("text", ["a\ud800", "\udcff"])
def test_text_that_nothing_can_carry_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        quote_string(text)
    with pytest.raises(BadInputError):
        quote_name(text)


@pytest.mark.parametrize("missing", ["handler", "file", "connection"])
def test_a_function_that_lacks_something_is_not_written(missing: str) -> None:
    parts = {"handler": "m.C", "file": (("FILE", "volume://v/f.zip"),), "connection": "c"}
    parts[missing] = () if missing == "file" else ""
    function = ExternalFunction("public.f", str(parts["connection"]), str(parts["handler"]), parts["file"])  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=f"has no {missing}"):
        render(CreateExternalFunction(function))


_FUNCTION = ExternalFunction(
    "public.upper_udf",
    "qn_hz_fc_connection",
    "com.example.GenericUdfUpper",
    (("FILE", "volume://qn_hz_bucket_vol/upper.jar"),),
    {"remote.udf.api": "java8.hive2.v0", "remote.udf.protocol": "http.arrow.v0"},
)
_WITH = "with properties ('remote.udf.api' = 'java8.hive2.v0', 'remote.udf.protocol' = 'http.arrow.v0',)"


@pytest.mark.parametrize(
    "clauses",
    [
        "USING FILE 'volume://qn_hz_bucket_vol/upper.jar' connection qn_hz_fc_connection",
        "USING = FILE 'volume://qn_hz_bucket_vol/upper.jar' CONNECTION = qn_hz_fc_connection",
        "connection=`qn_hz_fc_connection` using file = 'volume://qn_hz_bucket_vol/upper.jar'",
    ],
)
def test_external_functions_are_read_in_both_notations(clauses: str) -> None:
    text = f"create external function public.upper_udf as 'com.example.GenericUdfUpper' {clauses} {_WITH}"
    assert parse_statement(text) == CreateExternalFunction(_FUNCTION)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("SHOW  connections ;", ShowConnections()),
        ("-- why\ndescribe CONNECTION ws.c;;", DescribeConnection("ws.c")),
        ("DROP CONNECTION if exists `a``b`", DropConnection("a`b", True)),
        ("drop function public.f", DropFunction("public.f")),
        ('SHOW EXTERNAL FUNCTIONS LIKE "ai_%"', ShowExternalFunctions("ai_%")),
    ],
)
def test_short_statements_are_read(text: str, statement: Statement) -> None:
    assert parse_statement(text) == statement


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("'it''s'", "it's"),
        (r"'a\\b\'c\nd\q\t'", "a\\b'c\nd" + "q\t"),
        ('"a""b\'"', "a\"b'"),
        ("'--no /*comment*/'",) * 2,
    ],
)
def test_strings_are_read_with_every_escape(written: str, value: str) -> None:
    expected = value.strip("'") if written == value else value
    assert parse_statement(f"SHOW EXTERNAL FUNCTIONS LIKE {written}") == ShowExternalFunctions(expected)


_C = "CREATE API CONNECTION c TYPE CLOUD_FUNCTION\nPROVIDER='aws' REGION='us-east-1'\nROLE_ARN='arn:x' CODE_BUCKET='b'"


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "fixed"),
    [
        ("CODE_BUCKET", "NAMESPCE='d' CODE_BUCKET", "misspelled", (3, 18), "NAMESPACE='d' CODE_BUCKET"),
        ("TYPE CLOUD", "TYPE = CLOUD", "type-equals", (1, 30), "TYPE CLOUD"),
        ("TYPE CLOUD", "TYPE=CLOUD", "type-equals", (1, 29), "TYPE CLOUD"),
        ("TYPE CLOUD", "TYPE /* ; */ = CLOUD", "type-equals", (1, 38), "TYPE /* ; */   CLOUD"),
        ("CLOUD_FUNCTION", "CLOUD_FUNCTON", "misspelled", (1, 30), "CLOUD_FUNCTION"),
        ("CLOUD_FUNCTION", "'cloud_function'", "type-quoted", (1, 30), "CLOUD_FUNCTION"),
        ("API CONNECTION", "API CONNECITON", "misspelled", (1, 12), "API CONNECTION"),
        ("'aws'", "'AWS'", "provider-case", (2, 10), "'aws'"),
        ("'aws'", "aws", "quotes", (2, 10), "'aws'"),
        ("'arn:x'", "arn:x", "quotes", (3, 10), "'arn:x'"),
        ("'aws'", "\u2018aws\u2019", "quotes", (2, 10), "'aws'"),
        ("'aws' ", "'aws', ", "comma", (2, 15), "'aws' "),
    ],
)
def test_what_can_be_read_past_is_a_finding_with_its_fix(
    old: str, new: str, code: str, place: tuple[int, int], fixed: str
) -> None:
    text = _C.replace(old, new, 1)
    script = parse_script(text)
    (finding,) = script.findings
    assert (finding.code, finding.line, finding.column) == (code, *place)
    assert finding.severity is not Severity.ERROR
    assert finding.fix is not None
    repaired = text[: finding.fix.begin] + finding.fix.replacement + text[finding.fix.end :]
    assert repaired == _C.replace(old, fixed, 1)
    (parsed,) = script.statements
    assert parsed.statement == parse_script(repaired).statements[0].statement


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "words"),
    [
        ("REGION=", "REGOIN=", "clause-unknown", (2, 16), "Did you mean REGION?"),
        ("REGION='us-east-1'", "", "clause-missing", (1, 1), "REGION is missing."),
        ("TYPE CLOUD_FUNCTION", "", "clause-missing", (1, 1), "TYPE CLOUD_FUNCTION is missing."),
        ("ROLE_ARN", "REGION='x' ROLE_ARN", "clause-twice", (3, 1), "REGION is given twice."),
        ("'aws'", "'azure'", "unknown-provider", (2, 10), "azure is not a provider."),
        ("'aws'", "", "unreadable", (2, 11), "expected the value of PROVIDER in quotes, found 'REGION'"),
        ("'aws'", "=", "unreadable", (2, 10), "expected the value of PROVIDER in quotes, found '='"),
        ("CODE_BUCKET='b'", "CODE_BUCKET='b", "unreadable", (3, 30), "a string is not closed"),
        ("c TYPE", "[ c ] TYPE", "unreadable", (1, 23), "expected the name of the connection, found '['"),
        ("c TYPE", "`a.b` TYPE", "unreadable", (1, 23), "a name without a dot in it"),
        ("c TYPE", "c 'x' TYPE", "unreadable", (1, 25), "expected a clause such as PROVIDER='…', found string"),
    ],
)
def test_every_error_is_told_with_its_place(old: str, new: str, code: str, place: tuple[int, int], words: str) -> None:
    text = "SHOW CONNECTIONS;\n" + _C.replace(old, new, 1)
    script = parse_script(text)
    assert [parsed.statement for parsed in script.statements] == [ShowConnections()]
    errors = [error for error in script.errors if error.code == code]
    assert any(
        (error.line, error.column) == (place[0] + 1, place[1]) and words in f"{error.message} {error.advice}"
        for error in errors
    ), script.errors
    with pytest.raises(LakehouseSyntaxError) as raised:
        parse_statement(_C.replace(old, new, 1), file="made.sql")
    assert raised.value.message.startswith("The statement cannot be read at made.sql, line ")
    assert raised.value.detail.endswith("^")


def test_all_errors_of_a_statement_are_told_at_once() -> None:
    errors = parse_script("CREATE API CONNECTION c REGOIN='x' REGION='y' REGION='z' TYPE CLOUD_FUNCTION").errors
    assert [error.code for error in errors] == ["clause-unknown", "clause-twice", *["clause-missing"] * 3]
    assert [error.field for error in errors[2:]] == ["provider", "role_arn", "code_bucket"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no statement"),
        ("SHOW CONNECTIONS; SHOW CONNECTIONS", "only one statement"),
        ("DROP CONNECTION", "expected a name, found end of the statement"),
        ("DROP CONNECTION a b", "expected the end of the statement, found 'b'"),
        ("DROP CONNECTION 'a'", "expected a name, found string"),
        ("CREATE EXTERNAL FUNCTION f AS 'm.C' CONNECTION c", "USING is missing"),
        ("CREATE EXTERNAL FUNCTION f AS 'm.C' AS 'm.D' USING FILE 'x' CONNECTION c", "AS is given twice"),
        (
            "CREATE EXTERNAL FUNCTION f AS 'm.C' USING ZIP 'x' CONNECTION c",
            "expected FILE, JAR or ARCHIVE, found 'ZIP'",
        ),
        ("SHOW CONNECTIONS /* on", "a comment is not closed"),
    ],
)
def test_a_statement_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(LakehouseSyntaxError, match=words):
        parse_statement(text)


def test_an_error_shows_the_line_with_a_mark_under_the_place() -> None:
    with pytest.raises(LakehouseSyntaxError) as raised:
        parse_statement("-- it's mine\n  DROP CONNECTION 漢 b")
    assert (raised.value.line, raised.value.column) == (2, 21)
    assert raised.value.detail == "DROP CONNECTION 漢 b\n                   ^"


def test_missing_namespace_of_tencent_is_an_error_with_a_fix_in_both_forms() -> None:
    text = _C.replace("'aws'", "'tencent'")
    properties = (
        "CREATE API CONNECTION c TYPE CLOUD_FUNCTION WITH PROPERTIES ('cloud_function.provider'='tencent', "
        "'cloud_function.region'='r', 'cloud_function.role_arn'='a', 'cloud_function.code_bucket'='b')"
    )
    for written in (text, properties, text.replace("REGION", "NAMESPACE='' REGION")):
        script = parse_script(written)
        (error,) = script.errors
        assert (error.code, error.field) == ("namespace-missing", "namespace")
        assert error.fix is not None
        repaired = written[: error.fix.begin] + error.fix.replacement + written[error.fix.end :]
        statement = parse_statement(repaired)
        assert isinstance(statement, CreateApiConnection)
        assert statement.connection.namespace == "default"


_OTHERS = [
    "CREATE API CONNECTION ai TYPE ai_function PROVIDER='bailian' BASE_URL='https://x' API_KEY='sk-Sesame'",
    "CREATE STORAGE CONNECTION s TYPE COS REGION='r' APP_ID='1' ACCESS_KEY = 'Sesame' SECRET_KEY=\"Sesame''\"",
    "create storage connection s type s3 access_key_id /* id */ 'Sesame' secret_access_key Sesame-1/2+3= region 'r'",
    "CREATE STORAGE CONNECTION s WITH PROPERTIES('oss.access.key'='Sesame', 'x' = Sesame)",
    "SELECT f('Sesame') -- api_key Sesame: 'Sesame'",
    "CREATE STORAGE CONNECTION s ACCESS_KEY \u2018Sesame\u2019",
]


@pytest.mark.parametrize("text", _OTHERS)
def test_statements_of_other_subjects_are_kept_and_their_secrets_shown_nowhere(text: str) -> None:
    script = parse_script(f"SHOW CONNECTIONS; {text}; SHOW CONNECTIONS")
    other = script.statements[1].statement
    assert isinstance(other, OtherStatement)
    assert render(other) in text
    assert not script.findings
    assert "Sesame" not in repr(script)
    assert "Sesame" not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        *(f"CREATE API CONNECTION c; {text}" for text in _OTHERS),
        *(f"don't {text}" for text in _OTHERS),
        "CREATE API CONNECTION c TYPE CLOUD_FUNCTION API_KEY='Sesame'",
        "CREATE API CONNECTION c TYPE CLOUD_FUNCTION API_KEY 'Sesame",
        "CREATE API CONNECTION c TYPE CLOUD_FUNCTION AK='Sesame'",
        "DROP CONNECTION c SECRET 'Sesame'",
        "CREATE EXTERNAL FUNCTION f WITH PROPERTIES('api.token'=Sesame, 'x')",
    ],
)
def test_no_error_tells_a_secret(text: str) -> None:
    told = [repr(finding) for finding in parse_script(text).findings]
    for position in range(len(text)):
        told.append(pointed(text, position))
    with pytest.raises(LakehouseSyntaxError) as raised:
        parse_statement(text)
    told += [str(raised.value), raised.value.detail]
    assert not [each for each in told if "Sesame" in each]


@given(st.text(_HOSTILE + ".CREATE API CONNECTION c TYPE", max_size=60))
def test_any_text_is_read_or_told_to_be_unreadable(text: str) -> None:
    script = parse_script(text)
    assert all(error.line > 0 and error.column > 0 for error in script.findings)
    for parsed in script.statements:
        assert text[parsed.begin : parsed.end].strip()
