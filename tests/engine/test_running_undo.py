"""Undo on a real ClickHouse: of the last change, of an unfinished one, and the refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.changes import Change, Danger, Event, FileStep, OnFailure, RecordStep, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import NotFoundError, RefusedError
from core.running.runner import Operator, ReadOnly, Runner
from tests.engine.running_place import Place, states

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> Place:
    return await Place(shared_engine, tmp_path).prepare()


def colleague(place: Place, folder: Path) -> Runner:
    """Somebody else, on another machine, with the same server and journal."""
    return Runner(place.engine, place.journal, folder, Operator("ann", "laptop"), "prod", ReadOnly(False))


def note(subject: str, action: str = "describe") -> RecordStep:
    return RecordStep("note", (Event("table", subject, action),))


async def test_the_last_change_is_taken_back(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    restore = FileStep("Restore", path, b"old", replace_existing=True)
    steps = (
        place.create("a"),
        place.create("b", needs=0),
        FileStep("Write", path, b"new", replace_existing=True, undo=restore),
    )
    report = await place.runner.run(Change("Three", steps))
    undo = await place.runner.last_undoable()
    assert (undo.title, undo.danger, undo.undoes) == ("Undo: Three", Danger.DISRUPTIVE, str(report.change_id))
    assert [step.title for step in undo.steps] == ["Restore", "Drop b", "Drop a"]
    assert (await place.runner.run(undo)).succeeded
    assert await place.tables() == set()
    assert path.read_bytes() == b"old"
    assert (await place.told())[2:] == [("b", "drop", "done"), ("a", "drop", "done")]
    (row,) = await place.journal.history("change", limit=1)
    assert row.details["undoes"] == str(report.change_id)
    assert place.files() == [".done"]
    with pytest.raises(RefusedError, match="itself an undo"):
        await place.runner.last_undoable()
    with pytest.raises(NotFoundError):
        await place.runner.run(undo)


async def test_only_what_was_done_is_taken_back(place: Place) -> None:
    steps = (place.create("a"), place.create("a"), place.create("b"))
    report = await place.runner.run(Change("Half", steps, on_failure=OnFailure.CONTINUE))
    assert states(report) == ["done", "failed", "done"]
    undo = await place.runner.last_undoable()
    assert [step.title for step in undo.steps] == ["Drop b", "Drop a"]
    assert (await place.runner.run(undo)).succeeded


async def test_what_cannot_be_taken_back_is_said(place: Place) -> None:
    with pytest.raises(RefusedError, match="journal is the record"):
        await place.runner.last_undoable()  # the last change is the creation of the journal
    drop = StatementStep("Drop a", f"DROP TABLE {place.database}.a", no_undo="The data is gone.")
    await place.runner.run(Change("Create and drop", (place.create("a"), drop)))
    with pytest.raises(RefusedError, match=r"step 2 \(Drop a\) cannot be taken back: The data is gone"):
        await place.runner.last_undoable()
    await place.runner.run(Change("Nothing", (replace(drop, undo=place.create("a")),)))
    with pytest.raises(RefusedError, match="nothing to undo: no step was done of: Nothing\\."):
        await place.runner.last_undoable()
    with pytest.raises(RefusedError, match="none was run from here"):
        await colleague(place, place.folder / "elsewhere").last_undoable()


async def test_nobody_elses_work_is_undone(place: Place, tmp_path: Path) -> None:
    await place.runner.run(Change("Mine", (place.create("a"), place.create("b"))))
    ann = colleague(place, tmp_path / "ann")
    await ann.run(Change("Hers", (note("c"),)))
    undo = await place.runner.last_undoable()  # other subjects do not matter
    await ann.run(Change("Hers", (note("b"),)))
    for act in (place.runner.last_undoable(), place.runner.run(undo)):
        with pytest.raises(RefusedError, match="ann@laptop has done describe on table b since"):
            await act
    assert await place.tables() == {"a", "b"}
    assert place.files() == [".done"]


async def test_an_unfinished_change_comes_first(place: Place) -> None:
    await place.runner.run(Change("First", (place.create("a"),)))
    place.engine.statements_left = 0
    await place.runner.run(Change("Second", (place.create("b"),)))
    place.engine.repair()
    with pytest.raises(RefusedError, match="later change is unfinished"):
        await place.runner.last_undoable()


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_unfinished_change_is_taken_back(place: Place, arrives: bool) -> None:
    place.engine.statements_left, place.engine.arrives = 1, arrives
    steps = (place.create("a"), place.create("b"), place.create("c"))
    report = await place.runner.run(Change("Broken", steps))
    place.engine.repair()
    undo = await place.runner.undo_unfinished(report.change_id)
    assert [step.title for step in undo.steps] == (["Drop b", "Drop a"] if arrives else ["Drop a"])
    assert (await place.runner.run(undo)).succeeded
    assert await place.tables() == set()
    assert place.runner.unfinished() == []
    (row,) = await place.journal.history("change", str(report.change_id))
    assert row.outcome == "undone"
    assert place.files() == [".done"]


async def test_a_change_that_failed_is_left_open_until_it_is_taken_back(place: Place) -> None:
    """Killed right after the failure, whoever comes next finds it: nothing that was done is forgotten."""
    steps = (place.create("a"), place.create("a"), place.create("b"))
    change = Change("Fails", steps, on_failure=OnFailure.LEAVE_OPEN)
    report = await place.runner.run(change)
    assert (report.finished, report.stopped, states(report)) == (False, None, ["done", "failed", "not run"])
    (unfinished,) = place.runner.unfinished()
    assert unfinished.id == report.change_id
    assert (await place.runner.run(await place.runner.undo_unfinished(report.change_id))).succeeded
    assert (await place.tables(), place.runner.unfinished()) == (set(), [])


async def test_a_change_that_did_nothing_is_not_left_open(place: Place) -> None:
    await place.runner.run(Change("First", (place.create("a"),)))
    failed = await place.runner.run(Change("Fails", (place.create("a"),), on_failure=OnFailure.LEAVE_OPEN))
    assert failed.finished and not failed.succeeded


async def test_a_change_that_was_left_open_may_be_ended_as_it_is(place: Place) -> None:
    steps = (place.create("a"), place.create("a"), place.create("b"))
    report = await place.runner.run(Change("Fails", steps, on_failure=OnFailure.LEAVE_OPEN))
    resumed = await place.runner.resume(report.change_id)
    assert (resumed.finished, states(resumed)) == (True, ["done", "failed", "not run"])
    assert (await place.tables(), place.runner.unfinished()) == ({"a"}, [])


async def test_an_undo_that_breaks_off_is_what_is_resumed(place: Place) -> None:
    place.engine.statements_left = 2
    report = await place.runner.run(Change("Broken", tuple(place.create(name) for name in "abc")))
    place.engine.repair()
    undo = await place.runner.undo_unfinished(report.change_id)
    place.engine.statements_left = 1
    broken = await place.runner.run(undo)
    assert not broken.finished
    place.engine.repair()
    (unfinished,) = place.runner.unfinished()
    assert unfinished.id == broken.change_id
    with pytest.raises((RefusedError, NotFoundError)):
        await place.runner.resume(report.change_id)
    # The one step of the undo that is in doubt has no question to settle it: DROP TABLE without IF EXISTS.
    assert unfinished.undecided == (1,)
    assert (await place.runner.resume(unfinished.id, settle_steps={1: False})).succeeded
    assert await place.tables() == set()


async def test_a_step_in_doubt_is_taken_back_when_that_does_no_harm(place: Place) -> None:
    step = place.create("a", repeatable=True)
    drop = StatementStep("Drop a", f"DROP TABLE IF EXISTS {place.database}.a", repeatable=True)
    unsure = replace(step, done_when=None, undo=drop)
    for arrives in (True, False):
        place.engine.statements_left, place.engine.arrives = 0, arrives
        report = await place.runner.run(Change("Broken", (unsure,)))
        place.engine.repair()
        assert (await place.runner.run(await place.runner.undo_unfinished(report.change_id))).succeeded
        assert await place.tables() == set()


async def test_else_the_operator_says_whether_it_had_run(place: Place) -> None:
    place.engine.statements_left, place.engine.arrives = 1, True
    report = await place.runner.run(Change("Broken", (place.create("a"), replace(place.create("b"), done_when=None))))
    place.engine.repair()
    with pytest.raises(RefusedError, match="step 2: Create b"):
        await place.runner.undo_unfinished(report.change_id)
    undo = await place.runner.undo_unfinished(report.change_id, settle_steps={1: True})
    assert [step.title for step in undo.steps] == ["Drop b", "Drop a"]


async def test_nothing_done_leaves_nothing_to_undo(place: Place) -> None:
    place.engine.statements_left = 0
    report = await place.runner.run(Change("Broken", (place.create("a"),)))
    place.engine.repair()
    with pytest.raises(RefusedError, match="no step was done of: Broken"):
        await place.runner.undo_unfinished(report.change_id)
    await place.runner.dismiss(report.change_id)
