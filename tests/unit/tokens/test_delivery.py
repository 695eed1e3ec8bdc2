"""What is handed to a client: the note with the token as its last line, and the CSV of many."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokens.delivery import CSV_COLUMNS, Language, NewToken, delivery_note, tokens_csv

TOKEN = NewToken("acme", "1:1:AAAA:BBBB", "ab" * 32, 1, 1)


@pytest.mark.parametrize(("language", "word"), [("en", "Access token"), ("ru", "Токен доступа")])
def test_the_note_ends_in_the_token_on_a_line_of_its_own(language: Language, word: str) -> None:
    note = delivery_note(TOKEN, language)
    assert note.splitlines()[-1] == TOKEN.text
    assert word in note
    assert "acme" in note
    assert "abababab" in note


def test_a_hostile_name_breaks_no_line_of_the_note() -> None:
    hostile = NewToken("a\n\x1b[31m{text}", "1:1:AAAA:BBBB", "ab" * 32, 1, 1)
    note = delivery_note(hostile)
    assert "\x1b" not in note
    assert "{text}" in note
    assert len(note.splitlines()) == len(delivery_note(TOKEN).splitlines())


def test_repr_hides_the_token() -> None:
    assert TOKEN.text not in repr(TOKEN)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=5))
def test_names_come_back_from_the_csv_exactly(names: list[str]) -> None:
    content = tokens_csv(NewToken(name, "1:1:AAAA:BBBB", "ab" * 32, 1, 1) for name in names)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    assert [row["tenant"] for row in rows] == names
    assert all(row["token"] == TOKEN.text for row in rows)
    assert content.startswith(",".join(CSV_COLUMNS).encode() + b"\r\n")
