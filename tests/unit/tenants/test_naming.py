"""Names and texts are taken exactly or refused."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.tenants.naming import (
    LONGEST_ENCODED,
    LONGEST_TEXT,
    LONGEST_TOKEN_PLAINTEXT,
    check_name,
    check_text,
    encoded_length,
    field_problem,
    keeper_path,
    name_problem,
    name_warnings,
    shortest_plaintext,
    shown,
)

GOOD = [
    "acme_prod",
    "a",
    "client-1",
    "my.db",
    "it's",
    'say "hi"',
    "back\\slash",
    "back`tick",
    "[bold]x[/bold]",
    "<b>",
    "two words",
    "клиент",
    "客户",
    "😀",
    "a/b",
    "..",
    "*",
    "x" * LONGEST_ENCODED,
]
BAD = {
    "": "empty",
    "a\0b": "control",
    "a\nb": "control",
    "a\tb": "control",
    "a\x1b[31m": "control",
    "a\x7f": "control",
    "a\x85b": "control",
    "a\u2028b": "control",
    " a": "space",
    "a\u00a0": "space",
    "\ud800": "UTF-8",
    "a\ufffe": "no character",
    "system": "ClickHouse",
    "INFORMATION_SCHEMA": "ClickHouse",
    "default": "shared",
    "housekeys": "journal",
    "x" * (LONGEST_ENCODED + 1): "no table",
    "x" * 300: "no table",
    "😀" * 18: "no table",
}


@pytest.mark.parametrize("name", GOOD)
def test_good_names_are_taken(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(("name", "reason"), BAD.items())
def test_bad_names_are_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(BadInputError) as caught:
        check_name(name)
    assert reason in caught.value.message
    assert caught.value.message.isprintable()


def test_the_journals_database_is_refused_by_its_own_name() -> None:
    assert name_problem("audit", journal_database="audit")
    assert not name_problem("housekeys", journal_database="audit")


@given(st.text())
def test_every_text_is_judged(name: str) -> None:
    problem = name_problem(name)
    assert shown(name).isprintable()
    assert problem.isprintable() or not problem
    if not problem:
        assert all(warning.isprintable() for warning in name_warnings(name))
        assert len(shortest_plaintext(name)) <= LONGEST_TOKEN_PLAINTEXT
        assert json.loads(shortest_plaintext(name)) == {"db_name": name}


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_length_counts_percent_encoding(name: str) -> None:
    # urllib keeps `-`, `.` and `~` as well, which ClickHouse encodes.
    expected = quote(name, safe="").replace("-", "%2D").replace(".", "%2E").replace("~", "%7E")
    assert encoded_length(name) == len(expected)


def test_a_managed_clickhouse_would_take_a_plain_name_only() -> None:
    assert not name_warnings("acme_prod-2")
    assert "Managed" in name_warnings("1acme")[0]
    assert "Managed" in name_warnings("клиент")[0]
    assert any("cannot be seen" in warning for warning in name_warnings("a\u202eb"))
    assert any("100 bytes" in warning or "names of" in warning for warning in name_warnings("x" * 200))


def test_texts() -> None:
    check_text("note", "two\nlines\twith a tab")
    for text in ("two\nlines", "\ud800", "\x00"):
        with pytest.raises(BadInputError):
            check_text("owner", text)
    assert field_problem("note", "x" * (LONGEST_TEXT + 1))
    assert not field_problem("owner", "D'Arc Жанна \"<b>\\` 😀")


def test_keeper_path_has_no_macro_and_no_further_folder() -> None:
    assert keeper_path("a{shard}/b") == "/clickhouse/databases/a%7Bshard%7D%2Fb"
