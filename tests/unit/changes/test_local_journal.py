"""The journal of this machine: every row once, whatever was torn, doubted or written by two at once."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HousekeysError
from core.journal.ids import Generator, moment, new_ids
from core.journal.local_journal import LocalJournal
from core.journal.rows import Row
from tests.unit.changes.strategies import details, texts


def a_row(subject: str = "prod", *, change: UUID | None = None, outcome: str = "done", **other: Any) -> Row:
    identifier = new_ids.next()
    row = Row(
        identifier, moment(identifier), "op", "h", "", change or new_ids.next(), "profile", subject, "edit", outcome, {}
    )
    return replace(row, **other)


@pytest.fixture
def journal(tmp_path: Path) -> LocalJournal:
    return LocalJournal(tmp_path / "state" / "configuration.jsonl")


async def test_without_a_file_there_is_nothing(journal: LocalJournal) -> None:
    assert await journal.history() == []
    assert await journal.newest() is None
    assert await journal.later_events(new_ids.next()) == []
    await journal.append([])
    assert not journal.path.exists()


async def test_it_is_private_and_one_line_a_row(journal: LocalJournal) -> None:
    rows = [a_row("one\ntwo"), a_row("é")]
    await journal.append(rows)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700
    assert [json.loads(line)["subject"] for line in journal.path.read_text().splitlines()] == ["one\ntwo", "é"]
    assert await journal.history() == rows[::-1]


@given(st.lists(st.tuples(texts, texts, texts, details), min_size=1, max_size=4))
def test_a_row_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, made: list[Any]) -> None:
    journal = LocalJournal(tmp_path_factory.mktemp("journal") / "j.jsonl")
    rows = [a_row(subject, operator=name, action=action, details=more) for subject, name, action, more in made]
    asyncio.run(journal.append(rows))
    assert asyncio.run(journal.history()) == rows[::-1]


async def test_each_row_is_kept_once(journal: LocalJournal) -> None:
    rows = [a_row(), a_row(), a_row()]
    await journal.append(rows[:2])
    await journal.append(rows, in_doubt=True)
    await journal.append(rows[1:])
    assert await journal.history() == rows[::-1]


async def test_two_at_once_lose_nothing(journal: LocalJournal) -> None:
    rows = [a_row() for _ in range(40)]
    others = LocalJournal(journal.path)
    await asyncio.gather(*(keeper.append([row]) for row in rows for keeper in (journal, others)))
    assert len(journal.path.read_text().splitlines()) == 40
    assert await journal.history() == rows[::-1]


async def test_every_torn_end_is_cut_off_and_its_row_sent_anew(journal: LocalJournal) -> None:
    first, second = a_row(), a_row()
    await journal.append([first])
    length = journal.path.stat().st_size
    await journal.append([second])
    whole = journal.path.read_bytes()
    for end in range(length, len(whole)):
        journal.path.write_bytes(whole[:end])
        assert await journal.history() == [first]
        await journal.append([second], in_doubt=True)
        assert journal.path.read_bytes() == whole


@pytest.mark.parametrize("broken", [b"\0" * 40, b"{}", b"[1]", b'{"id": "x"}', b"\xff", b"null", b"9" * 5000])
async def test_a_line_that_is_no_row_is_passed_over_and_stays(journal: LocalJournal, broken: bytes) -> None:
    first, second = a_row(), a_row()
    await journal.append([first])
    with journal.path.open("ab") as file:
        file.write(broken + b"\n")
    await journal.append([second])
    assert await journal.history() == [second, first]
    assert broken in journal.path.read_bytes()


@pytest.mark.parametrize("field", ["at", "details", "subject", "id"])
async def test_a_row_with_a_wrong_field_is_passed_over(journal: LocalJournal, field: str) -> None:
    await journal.append([a_row()])
    record = json.loads(journal.path.read_bytes())
    for wrong in (7, None, "2026-01-01T00:00:00" if field == "at" else ["x"]):
        journal.path.write_text(json.dumps({**record, field: wrong}) + "\n")
        assert await journal.history() == []


async def test_history_is_of_one_subject_since_a_moment_and_limited(journal: LocalJournal) -> None:
    rows = [a_row("a"), a_row("b"), a_row("a"), a_row("a", subject_kind="preference"), a_row("a")]
    await journal.append(rows)
    assert await journal.history("profile", "a") == [rows[4], rows[2], rows[0]]
    assert await journal.history("profile", "a", limit=1) == [rows[4]]
    assert await journal.history(since=rows[3].at) == [rows[4], rows[3]]


async def test_the_newest_time_is_not_one_of_a_wrong_clock(journal: LocalJournal) -> None:
    ahead = Generator(lambda: int((datetime.now(UTC) + timedelta(days=400)).timestamp() * 1e9)).next()
    row = a_row()
    await journal.append([row, a_row(id=ahead, at=moment(ahead))])
    assert await journal.newest() == row.at


async def test_later_events_are_those_of_others_on_the_same_subjects(journal: LocalJournal) -> None:
    mine, theirs = new_ids.next(), new_ids.next()
    before = a_row("a", change=theirs)
    own = [a_row("a", change=mine), a_row("b", change=mine), a_row("c", change=mine, outcome="failed")]
    own.append(a_row(str(mine), change=mine, subject_kind="change"))
    after = [a_row("a"), a_row("x"), a_row("b", outcome="failed"), a_row("b", change=theirs), a_row("c")]
    after.append(a_row(str(mine), subject_kind="change"))
    await journal.append([before, *own, *after])
    assert await journal.later_events(mine) == [after[3], after[0]]
    assert await journal.later_events(mine, limit=1) == [after[3]]
    assert await journal.later_events(theirs) == [after[0], own[0]]


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = LocalJournal(tmp_path / "file" / "below" / "j.jsonl")
    with pytest.raises(HousekeysError, match="cannot be written"):
        await journal.append([a_row()])
    (tmp_path / "folder").mkdir()
    with pytest.raises(HousekeysError, match="cannot be read"):
        await LocalJournal(tmp_path / "folder").history()
