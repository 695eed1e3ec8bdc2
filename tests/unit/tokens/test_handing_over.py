"""Files about tokens: one for a client, and the list that holds none."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change_records import change_to_record
from core.changes import FileStep
from core.errors import BadInputError
from core.tokens.delivery import NewToken
from core.tokens.handing_over import LIST_COLUMNS, list_csv, plan_export_list, plan_write_token
from core.tokens.ledger import IssuedToken, TokenState

TOKEN = NewToken("acme", "1:1:AAAA:BBBB", "ab" * 32, 1, 1)
WHEN = datetime(2026, 11, 3, 12, tzinfo=UTC)


def issued(tenant: str, note: str = "") -> IssuedToken:
    return IssuedToken("cd" * 32, tenant, 2, 3, WHEN, "anna", note, TokenState.USED, WHEN)


def test_the_file_of_a_token_is_secret_and_holds_the_token_alone_or_in_its_note(tmp_path: Path) -> None:
    bare = plan_write_token(TOKEN, tmp_path / "a.txt", None)
    noted = plan_write_token(TOKEN, tmp_path / "b.txt", "ru")
    for change, content in ((bare, b"1:1:AAAA:BBBB\n"), (noted, "Токен доступа".encode())):
        (step,) = change.steps
        assert isinstance(step, FileStep)
        assert step.secret
        assert content in (step.content or b"")
        assert "AAAA" not in change.preview() + str(change_to_record(change)) + repr(change)
        assert change.reversible


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(BadInputError, match="exists already"):
        plan_write_token(TOKEN, tmp_path / "a.txt", None)
    with pytest.raises(BadInputError, match="exists already"):
        plan_export_list([issued("acme")], tmp_path / "a.txt")


@given(st.lists(st.tuples(*[st.text(st.characters(codec="utf-8"))] * 2), max_size=4))
def test_names_and_notes_come_back_from_the_list_exactly(pairs: list[tuple[str, str]]) -> None:
    content = list_csv(issued(tenant, note) for tenant, note in pairs).decode("utf-8")
    header, *rows = list(csv.reader(io.StringIO(content, newline="")))
    assert tuple(header) == LIST_COLUMNS
    assert [(row[0], row[-1]) for row in rows] == pairs
    assert all(row[2:5] == ["used", "2026-11-03T12:00:00+00:00", "2026-11-03T12:00:00+00:00"] for row in rows)
