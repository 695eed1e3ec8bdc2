"""ClickHouse's lexical rules."""

from __future__ import annotations

import pytest
from hypothesis import given

from core.access.tokenizer import AccessSyntaxError, Kind, tokenize
from core.clickhouse.quoting import quote_identifier, quote_string
from tests.unit.access.strategies import texts


@given(texts)
def test_quoted_text_is_read_back_exactly(text: str) -> None:
    identifier, string, end = tokenize(f"{quote_identifier(text)}{quote_string(text)}")
    assert (identifier.kind, identifier.text) == (Kind.QUOTED, text)
    assert (string.kind, string.text) == (Kind.STRING, text)
    assert end.kind is Kind.END


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        (r"'a\x41\n\0'", "aA\n\0"),
        (r"'\xD1\x8F'", "я"),
        (r"'50\%'", r"50\%"),
        (r"'a\Nb'", "ab"),
        ("'it''s'", "it's"),
        ("`a``b`", "a`b"),
        ('"a""b"', 'a"b'),
        ("\u2018x\u2019", "x"),
        ("\u201cx y\u201d", "x y"),
        ("$tag$it's $ `raw`$tag$", "it's $ `raw`"),
    ],
)
def test_escapes_and_other_quotes(sql: str, text: str) -> None:
    assert tokenize(sql)[0].text == text


def test_comments_and_blanks_are_skipped() -> None:
    sql = "/* a /* nested */ */ GRANT -- rest\n# more\n#! more\n// more\n\u00a0x ;;"
    assert [token.text for token in tokenize(sql)] == ["GRANT", "x", ""]


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("GRANT 'x", 1, 7),
        ("GRANT\n  `x", 2, 3),
        ("/* x", 1, 1),
        ("a; b", 1, 2),
        ("GRANT ы", 1, 7),
        (r"'\x4'", 1, 2),
        (r"'\xff'", 1, 1),
        ("\u201cx", 1, 1),
    ],
)
def test_errors_say_where(sql: str, line: int, column: int) -> None:
    with pytest.raises(AccessSyntaxError) as caught:
        tokenize(sql)
    assert (caught.value.line, caught.value.column) == (line, column)
