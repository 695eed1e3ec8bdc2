"""Bodies of requests as JSON: what is none, what is unknown, twice there or too long, and anything at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.partner.messages.json_fields import DEEPEST, LONGEST
from core.partner.messages.reading import (
    BadRequestError,
    read_connect_request,
    read_delete_connection_request,
)
from tests.unit.partner.bodies import (
    CONNECT,
    DELETE_CONNECTION,
    EXPIRE_ACCOUNT,
    WAREHOUSE,
    encoded,
)
from tests.unit.partner.request_readers import READERS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"12", "not a JSON object"),
        (b"{", "not JSON, at line 1, column 2"),
        (b'{"port": 443,}', "not JSON, at line 1"),
        (b'\xef\xbb\xbf{"port": 443}', "not JSON"),
        (b'{"port": "\xff"}', "not UTF-8, at byte 11"),
        ('{"port": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"later": NaN}', "NaN is not a number"),
        (b'{"later": -Infinity}', "-Infinity is not a number"),
        (b'{"a":' * 100_000 + b"1", "longer than"),
        (b"[" * 50_000, f"nested more than {DEEPEST} deep"),
        (b'{"a":' * DEEPEST + b"[]" + b"}" * DEEPEST, f"nested more than {DEEPEST} deep"),
        (b'"' + b'\\"' * 100_000, "not JSON"),
        (b'"' * 200_000 + b"\\", "not JSON"),
    ],
    ids=lambda value: None if isinstance(value, str) else ascii(value[:20]),
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, words: str) -> None:
    for read, _ in READERS:
        with pytest.raises(BadRequestError, match=words):
            read(body)


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    unknown = b'"later": [{"a": [1e999, -0.5, 1' + b"0" * 5000 + b', "[[[[\\"{{{", "\\ud800"]}], "later": 2, "later": 2'
    body = encoded(DELETE_CONNECTION)[:-1] + b", " + unknown + b"}"
    assert read_delete_connection_request(body).connection_id == "pc_1"
    deep = b'{"x": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b", " + encoded(DELETE_CONNECTION)[1:]
    assert read_delete_connection_request(deep).connection_id == "pc_1"


def test_a_known_field_must_not_be_there_twice() -> None:
    body = encoded(DELETE_CONNECTION)[:-1] + b', "connection_id": "pc_1"}'
    with pytest.raises(BadRequestError, match="connection_id is there more than once") as caught:
        read_delete_connection_request(body)
    assert len(caught.value.problems) == 1
    inner = encoded(CONNECT).replace(b'"first_name"', b'"databricks_user_id": 1, "first_name"')
    with pytest.raises(BadRequestError, match=r"user_info\.databricks_user_id is there more than once"):
        read_connect_request(inner)


def test_a_body_at_the_limit_is_read_and_one_beyond_is_not() -> None:
    body = encoded(DELETE_CONNECTION)
    assert read_delete_connection_request(body.ljust(LONGEST)).connection_id == "pc_1"
    with pytest.raises(BadRequestError, match="longer than 256 KiB"):
        read_delete_connection_request(body.ljust(LONGEST + 1))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["aws", "gcp", "", "a@b.c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KNOWN_NAMES = st.sampled_from(sorted({*CONNECT, *CONNECT["user_info"], *WAREHOUSE, *EXPIRE_ACCOUNT, "connection_id"}))
LIKELY = st.dictionaries(KNOWN_NAMES, ANY_JSON, max_size=8) | ANY_JSON


@given(LIKELY, st.sampled_from(READERS), st.booleans())
def test_nothing_in_json_raises_anything_but_a_bad_request(value: Any, reader: Any, merged: bool) -> None:
    read, body = reader
    try:
        read(encoded({**body, **value} if merged and isinstance(value, dict) else value))
    except BadRequestError as error:
        assert error.problems
        assert "\n" not in error.message


@given(st.binary() | st.text().map(str.encode), st.integers(0, 400))
def test_no_bytes_raise_anything_but_a_bad_request(junk: bytes, place: int) -> None:
    body = encoded(CONNECT)
    for wrong in (junk, body[:place] + junk + body[place:]):
        try:
            read_connect_request(wrong)
        except BadRequestError as error:
            assert error.problems
