"""Changes as values: previews, records and back, inverses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change_records import change_from_record, change_to_record, step_from_record, step_to_record
from core.changes import (
    Change,
    Danger,
    Event,
    FileStep,
    OnFailure,
    RecordStep,
    StatementStep,
    inverse,
    undo_steps,
)
from core.errors import BadInputError
from tests.unit.changes.strategies import changes, secret_files


@given(changes())
def test_a_change_survives_being_written_down(change: Change) -> None:
    assert change_from_record(json.loads(json.dumps(change_to_record(change)))) == change


@given(secret_files)
def test_the_content_of_a_secret_file_is_left_out(step: FileStep) -> None:
    back = step_from_record(json.loads(json.dumps(step_to_record(step))))
    assert isinstance(back, FileStep)
    assert (back.content, back.sha256, back.removes) == (None, step.sha256, False)
    assert "content not kept" in back.preview()


def test_neither_preview_nor_repr_shows_a_secret() -> None:
    hashed = StatementStep("user", "CREATE USER u IDENTIFIED BY 'hunter2'", masked="CREATE USER u IDENTIFIED BY '***'")
    key = FileStep("key", Path("/keys/1"), b"hunter2", secret=True)
    change = Change("both", (hashed, key))
    assert "hunter2" not in change.preview()
    assert "hunter2" not in repr(key)
    assert change.preview().splitlines() == [
        "CREATE USER u IDENTIFIED BY '***'",
        "write file /keys/1 (0600, 7 bytes of secret content)",
    ]


def test_a_file_step_of_an_older_version_is_read() -> None:
    """Write-ahead files outlive an upgrade."""
    record = {"kind": "file", "title": "f", "path": "/f", "secret": False, "sha256": "", "replace_existing": True}
    step = step_from_record(record)
    assert step == FileStep("f", Path("/f"), None, replace_existing=True)
    assert step_to_record(step) == record


def test_the_preview_of_a_file_shows_what_comes_and_goes() -> None:
    step = FileStep("f", Path("/f"), b"new\n", replace_existing=True, shown="-old\n+new")
    assert step.preview().splitlines() == ["write file /f (0600, 4 bytes of content):", "-old", "+new"]


def test_a_step_can_only_need_one_before_it() -> None:
    note = RecordStep("note", ())
    for needs in (0, 1, -1):
        with pytest.raises(ValueError, match="step 1 can only need a step before it"):
            Change("bad", (RecordStep("first", (), needs=needs), note))


@given(st.data())
def test_an_inverse_takes_back_what_was_done_last_first(data: st.DataObject) -> None:
    change = data.draw(changes())
    done = data.draw(st.sets(st.sampled_from(range(len(change.steps)))) if change.steps else st.just(set()))
    if any(change.steps[index].undo is None for index in done):
        with pytest.raises(ValueError, match="cannot be taken back"):
            inverse(change, done)
        return
    undo = inverse(change, done)
    order = sorted(done, reverse=True)
    taken_back = [index for index in order for _ in undo_steps(change.steps[index])]
    assert [step.title for step in undo.steps] == [u.title for index in order for u in undo_steps(change.steps[index])]
    assert undo.on_failure is change.on_failure
    assert undo.danger >= max(change.danger, Danger.DISRUPTIVE)
    for place, index in enumerate(taken_back):
        needs = undo.steps[place].needs
        if place and taken_back[place - 1] == index:
            assert needs == place - 1  # the parts of one inverse hang together
        elif needs is not None:  # what needed this step is taken back before it
            assert change.steps[taken_back[needs]].needs == index


def test_the_inverse_names_the_step_that_has_none() -> None:
    change = Change("x", (RecordStep("drop it", (), no_undo="the data is gone"),), on_failure=OnFailure.CONTINUE)
    assert not change.reversible
    with pytest.raises(ValueError, match=r"step 1 \(drop it\) cannot be taken back: the data is gone"):
        inverse(change, [0])


def test_an_inverse_whose_former_content_was_secret_is_lost_with_it() -> None:
    old = FileStep("restore", Path("/keys/1"), b"old key", secret=True)
    change = Change("change", (FileStep("write", Path("/keys/1"), b"new", undo=old, replace_existing=True),))
    assert inverse(change, [0]).steps[0] == old
    with pytest.raises(ValueError, match="former content was not kept"):
        inverse(change_from_record(change_to_record(change)), [0])


def test_the_preview_of_a_note_names_its_events() -> None:
    step = RecordStep("note", (Event("tenant", "acme", "describe", {"owner": "x"}),))
    assert step.preview() == "journal: tenant acme: describe"


@pytest.mark.parametrize("event", [("\udcff", "x"), ("x", "\ud800"), ("x", {"note": ["\udcff"]}), ("x", {"\udcff": 1})])
def test_a_fact_that_is_no_text_is_refused(event: tuple[str, Any]) -> None:
    subject, rest = event
    with pytest.raises(BadInputError, match="is not valid text"):
        Event("tenant", subject, rest) if isinstance(rest, str) else Event("tenant", subject, "x", rest)
