"""What the Lakehouse answers: rows from a client, and text as an operator pastes it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.lakehouse.connections import ConnectionDescription, ExternalFunction, ListedConnection
from core.lakehouse.sql.answers import needed_external_id, read_description, read_functions, read_listing, same_name
from core.lakehouse.sql.pasted_answers import read_pasted


def test_connections_are_read_by_the_names_of_the_columns() -> None:
    columns = ["CREATED_TIME", "name", "category", "type", "enabled", "more"]
    rows: list[list[object]] = [
        ["2024-05-29 17:03:25.000", "ws.c", "API", "CLOUD_FUNCTION", "true", "x"],
        [None, "s", "STORAGE", "OSS", False],
    ]
    assert read_listing(columns, rows) == (
        ListedConnection("ws.c", "API", "CLOUD_FUNCTION", True, "2024-05-29 17:03:25.000"),
        ListedConnection("s", "STORAGE", "OSS", False),
    )
    with pytest.raises(BadInputError, match="no column of names"):
        read_listing(["a", "b"], [])


def test_functions_are_read_with_their_schema_and_connection() -> None:
    columns = ["schema_name", "function_name", "connection", "handler"]
    assert read_functions(columns, [["public", "f", "ws.c", "m.C"], ["", "g", None, ""]]) == (
        ExternalFunction("public.f", "ws.c", "m.C"),
        ExternalFunction("g", ""),
    )
    with pytest.raises(BadInputError, match="no column of names"):
        read_functions(["a"], [])


@pytest.mark.parametrize("key", ["ExternalId", "externalId", "EXTERNAL_ID", "external_id"])
def test_a_description_tells_the_external_id_however_it_is_spelled(key: str) -> None:
    description = read_description(["info_name", "info_value"], [["name", "ws.c"], [key, " abc12 "]])
    assert needed_external_id(description, "c") == "abc12"
    assert dict(description.info) == {"name": "ws.c", key: "abc12"}
    with pytest.raises(BadInputError, match="not one of names and values"):
        read_description(["info_name"], [["name"]])


_TABLE = """\
singdata> DESC CONNECTION my_conn;
+--------------------+------------------+
| info_name          | info_value       |
+--------------------+------------------+
| name               | my_conn          |
| role_arn           | acs:ram::1:role/a |
| ExternalId         | VW9UaGwYENBQ7cFp |
+--------------------+------------------+
3 rows in set (0.05 sec)
"""


@pytest.mark.parametrize(
    "text",
    [
        _TABLE,
        _TABLE.replace("\n", "\r\n"),
        _TABLE.replace("|", "\u2502"),
        _TABLE.replace("ExternalId ", "External ID"),
        "│ 1 │ name │ my_conn │\n│ 2 │ externalId │ VW9UaGwYENBQ7cFp │",
        "info_name\tinfo_value\nname\tmy_conn\nexternalId\tVW9UaGwYENBQ7cFp\n",
        'name,my_conn\n"external_id","VW9UaGwYENBQ7cFp"',
        "info_name            info_value\n-------------------  ---------------\nname                 my_conn\n"
        "created_time         2024-05-29 17:03:25.123\nEXTERNALID           VW9UaGwYENBQ7cFp",
        "external_id  VW9UaGwYENBQ7cFp",
        "  external_id VW9UaGwYENBQ7cFp\n",
        "External ID: VW9UaGwYENBQ7cFp",
        "externalId='VW9UaGwYENBQ7cFp'",
        '[{"info_name": "name", "info_value": "my_conn"},'
        ' {"info_name": "externalId", "info_value": "VW9UaGwYENBQ7cFp"}]',
        '[{"NAME": "x", "VALUE": 1}, {"name": "ExternalId", "value": "VW9UaGwYENBQ7cFp"}]',
        '{"name": "my_conn", "enabled": true, "externalId": "VW9UaGwYENBQ7cFp", "comment": null}',
        '{"columns": ["info_name", "info_value"], "data": [["externalId", "VW9UaGwYENBQ7cFp"]]}',
        '[["name", "my_conn"], ["externalId", "VW9UaGwYENBQ7cFp"]]',
        "name\ttype\texternalId\nmy_conn\tCLOUD_FUNCTION\tVW9UaGwYENBQ7cFp",
    ],
)
def test_an_answer_is_read_however_it_was_printed(text: str) -> None:
    assert needed_external_id(read_pasted(text), "my_conn" if "my_conn" in text else "") == "VW9UaGwYENBQ7cFp"


def test_all_of_a_table_is_read() -> None:
    assert dict(read_pasted(_TABLE).info) == {
        "name": "my_conn",
        "role_arn": "acs:ram::1:role/a",
        "external_id": "VW9UaGwYENBQ7cFp",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no names and values"),
        ("hello", "no names and values"),
        ("{", "no names and values"),
        ("3", "no names and values"),
        ("[" * 100_000, "no names and values"),
        ("| a | b |\n" * 200_000, "too long"),
        ("externalId  abc12\nexternal_id  def34", "two external ids"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_pasted(text)


def test_an_answer_without_an_external_id_tells_what_was_looked_for() -> None:
    with pytest.raises(BadInputError, match="no external id") as raised:
        needed_external_id(read_pasted("name  my_conn\ntype  CLOUD_FUNCTION\nexternal id  \n"))
    assert raised.value.detail == "Looked for externalId or external_id, in any case, among: name, type."
    many = ConnectionDescription({f"key{number}": "" for number in range(20)})
    with pytest.raises(BadInputError) as raised:
        needed_external_id(many)
    assert raised.value.detail.endswith("key11 and 8 more.")


def test_an_answer_about_another_connection_or_with_a_broken_id_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"about ws\.my_conn, not about other"):
        needed_external_id(ConnectionDescription({"name": "ws.my_conn", "externalId": "abc12"}), "other")
    with pytest.raises(BadInputError, match="cannot be one"):
        needed_external_id(ConnectionDescription({"externalId": "abc 12"}))
    with pytest.raises(BadInputError, match="placeholder"):
        needed_external_id(ConnectionDescription({"externalId": "000000"}))


def test_a_name_may_be_qualified_on_one_side() -> None:
    assert same_name("ws.C", "c") and same_name("c", "c") and same_name("a.b.c", "b.c")
    assert not same_name("ws.c", "other.c") and not same_name("c", "ws.d")


_id = st.text("abcXYZ019+=,.@:/-_", min_size=6, max_size=20).filter(lambda each: each != "000000")


@given(_id, st.sampled_from(["externalId", "ExternalId", "external_id"]), st.sampled_from("|\t,J"))
def test_every_external_id_survives_every_format(external_id: str, key: str, separator: str) -> None:
    if separator == "J":
        text = json.dumps([{"info_name": key, "info_value": external_id}])
    elif separator == ",":
        written = io.StringIO()
        csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["name", "c"], [key, external_id]])
        text = written.getvalue()
    else:
        text = f"name {separator} c\n{key} {separator} {external_id}"
    assert needed_external_id(read_pasted(text), "") == external_id


@given(st.text(max_size=60))
def test_any_text_is_an_answer_or_refused(text: str) -> None:
    try:
        read_pasted(text)
    except BadInputError as error:
        assert error.message
