"""Changes that were broken off: by a lost server, by the operator, by doubt; resumed, undone or dismissed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.changes import Change, Event, FileStep, OnFailure, RecordStep, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import AuthenticationError, QueryTimeoutError
from core.errors import BadInputError, NotFoundError, RefusedError, UnreachableError
from core.journal.ids import new_ids
from core.running.changefile import ChangeFile, find
from core.running.ledger import Ledger, before
from core.running.runner import Operator, ReadOnly, Runner
from tests.engine.running_place import OPERATOR, Place, states

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> Place:
    return await Place(shared_engine, tmp_path).prepare()


def cannot_tell(step: StatementStep) -> StatementStep:
    """The same step, with nothing that could tell whether it has run."""
    return replace(step, done_when=None)


# -- a lost server


@pytest.mark.parametrize("on_failure", list(OnFailure))
@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("after", [0, 1, 5])
async def test_a_lost_server_leaves_a_change_that_can_be_resumed(
    place: Place, arrives: bool, after: int, on_failure: OnFailure
) -> None:
    names = [f"t{number}" for number in range(6)]
    change = Change("Many", tuple(place.create(name) for name in names), on_failure=on_failure)
    place.engine.statements_left, place.engine.arrives = after, arrives
    report = await place.runner.run(change)
    assert not report.finished
    assert isinstance(report.stopped, UnreachableError)
    assert states(report)[:after] == ["done"] * after
    assert states(report)[after] == "unknown"
    assert report.outcomes[after].error is report.stopped
    (unfinished,) = place.runner.unfinished()
    assert (unfinished.change, unfinished.operator, unfinished.running) == (change, OPERATOR, False)
    assert [outcome.state for outcome in unfinished.outcomes] == states(report)
    assert unfinished.undecided == ()
    with pytest.raises(UnreachableError):  # still lost
        await place.runner.resume(unfinished.id)
    place.engine.repair()
    resumed = await place.runner.resume(unfinished.id)
    assert resumed.succeeded
    assert sorted(place.engine.statements) == sorted(step.preview() for step in change.steps)
    assert await place.told() == [(name, "create", "done") for name in names]
    assert place.runner.unfinished() == []


async def test_a_server_that_answers_no_has_not_run_it(place: Place) -> None:
    place.engine.statements_left = 1
    place.engine.fault = AuthenticationError("The password was changed.", code=516)
    change = Change("Many", (place.create("a"), cannot_tell(place.create("b")), place.create("c")))
    report = await place.runner.run(change)
    assert states(report) == ["done", "not run", "not run"]
    assert report.outcomes[1].error is place.engine.fault
    place.engine.repair()
    assert (await place.runner.resume(report.change_id)).succeeded


@pytest.mark.parametrize("arrives", [True, False])
async def test_what_a_server_cannot_say_is_asked_about(place: Place, arrives: bool) -> None:
    place.engine.statements_left, place.engine.arrives = 0, arrives
    place.engine.fault = QueryTimeoutError("It took too long.", code=159)
    report = await place.runner.run(Change("Slow", (place.create("a"), place.create("b"))))
    assert states(report) == (["done", "done"] if arrives else ["failed", "not run"])
    assert report.finished


async def test_what_nobody_can_say_is_for_the_operator_to_decide(place: Place) -> None:
    place.engine.statements_left, place.engine.arrives = 1, True
    place.engine.fault = QueryTimeoutError("It took too long.", code=159)
    steps = (place.create("a"), cannot_tell(place.create("b")), place.create("c"))
    report = await place.runner.run(Change("Slow", steps))
    assert states(report) == ["done", "unknown", "not run"]
    assert not report.finished
    (unfinished,) = place.runner.unfinished()
    assert unfinished.undecided == (1,)
    with pytest.raises(RefusedError, match="step 2: Create b"):
        await place.runner.resume(unfinished.id)
    assert (await place.runner.resume(unfinished.id, settle_steps={1: True})).succeeded
    assert await place.tables() == {"a", "b", "c"}
    assert len(place.engine.statements) == 3


async def test_or_that_it_had_not_run(place: Place) -> None:
    place.engine.statements_left = 0
    report = await place.runner.run(Change("Lost", (cannot_tell(place.create("a")),)))
    place.engine.repair()
    assert (await place.runner.resume(report.change_id, settle_steps={0: False})).succeeded
    assert await place.tables() == {"a"}


async def test_a_repeatable_step_runs_again_and_is_told_once(place: Place) -> None:
    step = cannot_tell(place.create("a", repeatable=True))
    place.engine.statements_left, place.engine.arrives = 0, True
    report = await place.runner.run(Change("Lost", (step,)))
    place.engine.repair()
    assert (await place.runner.resume(report.change_id)).succeeded
    assert place.engine.statements == [step.sql, step.sql]
    assert await place.told() == [("a", "create", "done")]


@pytest.mark.parametrize("arrives", [True, False])
async def test_rows_lost_on_the_way_are_sent_once(place: Place, arrives: bool) -> None:
    place.engine.inserts_left, place.engine.arrives = 0, arrives
    report = await place.runner.run(Change("x", (place.create("a"), place.create("b"))))
    assert report.succeeded
    assert report.unsent == 3
    place.engine.repair()
    assert await place.runner.send_unsent() == 3
    assert await place.runner.send_unsent() == 0
    stored = await place.engine.query(f"SELECT subject FROM {place.journal.database}.journal WHERE action = 'create'")
    assert sorted(subject for (subject,) in stored.rows if subject in "ab") == ["a", "b"]


# -- the operator


async def test_cancelling_stops_the_statement_in_flight(place: Place) -> None:
    place.engine.statements_left, place.engine.hangs = 2, True
    steps = tuple(place.create(name) for name in "abcd")
    running = asyncio.create_task(place.runner.run(Change("Cancelled", steps)))
    await place.engine.hanging.wait()
    (seen,) = place.runner.unfinished()
    assert seen.running
    with pytest.raises(UnreachableError, match="being run already"):
        await place.runner.resume(seen.id)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (unfinished,) = place.runner.unfinished()
    assert [outcome.state for outcome in unfinished.outcomes] == ["done", "done", "unknown", "unknown"]
    assert not unfinished.running
    place.engine.repair()
    assert (await place.runner.resume(unfinished.id)).succeeded
    assert await place.tables() == set("abcd")


async def test_stopping_waits_for_the_end_of_a_window(place: Place) -> None:
    stop = asyncio.Event()
    steps = tuple(cannot_tell(place.create(name)) for name in "abc")
    report = await place.runner.run(Change("Stopped", steps), lambda _: stop.set(), stop=stop)
    assert states(report) == ["done", "not run", "not run"]
    assert report.cancelled
    assert not report.finished
    assert (await place.runner.resume(report.change_id)).succeeded


async def test_another_operator_resumes_under_their_own_name(place: Place) -> None:
    place.engine.statements_left = 1
    report = await place.runner.run(Change("Handed over", (place.create("a"), place.create("b"))))
    place.engine.repair()
    second = Runner(place.engine, place.journal, place.folder, Operator("second", "bastion"), "prod", ReadOnly(False))
    await second.resume(report.change_id)
    assert [(row.subject, row.operator) for row in await place.journal.history("table")] == [
        ("b", "second"),
        ("a", "op"),
    ]


async def test_dismissing_leaves_things_as_they_are(place: Place) -> None:
    place.engine.statements_left = 1
    report = await place.runner.run(Change("Given up", (place.create("a"), place.create("b"))))
    place.engine.repair()
    await place.runner.dismiss(report.change_id)
    assert place.runner.unfinished() == []
    assert await place.tables() == {"a"}
    (row,) = await place.journal.history("change", str(report.change_id))
    assert (row.action, row.outcome, row.details["done"]) == ("run", "dismissed", 1)
    with pytest.raises(RefusedError, match="has ended"):
        await place.runner.resume(report.change_id)
    with pytest.raises(NotFoundError):
        await place.runner.dismiss(new_ids.next())


async def test_a_damaged_file_is_shown_and_can_only_be_dismissed(place: Place) -> None:
    place.engine.statements_left = 1
    report = await place.runner.run(Change("x", (place.create("a"), cannot_tell(place.create("b")))))
    place.engine.repair()
    path = find(place.folder, report.change_id)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged in (whole.replace(b'"before"', b'"b3fore"', 1), b"".join([b"x\n", *lines[1:]]), b""):
        path.write_bytes(damaged)
        (unfinished,) = place.runner.unfinished()
        assert unfinished.damaged
    await place.runner.dismiss(report.change_id)
    assert place.runner.unfinished() == []
    assert place.files() == [".damaged", ".done"]


# -- files after a crash


def crashed(place: Place, change: Change, begun: list[int], done: list[int]) -> Ledger:
    """Leave the write-ahead file that a process killed in the middle of `change` leaves."""
    with ChangeFile.create(place.folder, Ledger(new_ids.next(), change, OPERATOR, "prod")) as file:
        for index in sorted({*begun, *done}):
            file.write(before([index]))
            if index in done:
                file.mark_done(index)
        return file.ledger


async def test_files_are_compared_after_a_crash(place: Place, tmp_path: Path) -> None:
    event = (Event("file", "x", "write"),)
    written, unwritten = tmp_path / "written", tmp_path / "unwritten"
    removed, kept = tmp_path / "removed", tmp_path / "kept"
    written.write_bytes(b"new")
    kept.write_bytes(b"old")
    steps = (
        FileStep("1", written, b"new", secret=True, events=event),
        FileStep("2", unwritten, b"new", events=event),
        FileStep("3", removed, None, events=event),
        FileStep("4", kept, None, events=event),
    )
    ledger = crashed(place, Change("Files", steps), begun=[0, 1, 2, 3], done=[])
    report = await place.runner.resume(ledger.id)
    assert report.succeeded
    assert (unwritten.read_bytes(), kept.exists()) == (b"new", False)
    assert len(await place.told("file")) == 4


async def test_a_secret_that_was_not_written_before_a_crash_is_gone(place: Place, tmp_path: Path) -> None:
    undo = FileStep("Remove", tmp_path / "first", None)
    steps = (FileStep("1", tmp_path / "first", b"a", undo=undo), FileStep("2", tmp_path / "key", b"k", secret=True))
    (tmp_path / "first").write_bytes(b"a")
    ledger = crashed(place, Change("Key", steps), begun=[1], done=[0])
    report = await place.runner.resume(ledger.id)
    assert states(report) == ["done", "failed"]
    assert isinstance(report.outcomes[1].error, BadInputError)
    assert "was not kept" in str(report.outcomes[1].error)
    assert (await place.runner.run(await place.runner.last_undoable())).succeeded
    assert not (tmp_path / "first").exists()


async def test_a_crash_after_the_last_step_only_leaves_the_end_to_be_written(place: Place) -> None:
    change = Change("Nearly", (RecordStep("note", (Event("note", "x", "write"),)),))
    ledger = crashed(place, change, begun=[], done=[0])
    (unfinished,) = place.runner.unfinished()
    assert (unfinished.count("done"), unfinished.count("not run")) == (1, 0)
    assert (await place.runner.resume(ledger.id)).succeeded
    assert await place.told("note") == [("x", "write", "done")]


async def test_rows_of_an_unfinished_change_are_sent_without_waiting_for_it(place: Place) -> None:
    change = Change("Half", (RecordStep("note", (Event("note", "x", "write"),)), place.create("a")))
    ledger = crashed(place, change, begun=[], done=[0])
    assert await place.runner.send_unsent() == 1
    assert await place.told("note") == [("x", "write", "done")]
    assert (await place.runner.resume(ledger.id)).succeeded
    assert await place.told("note") == [("x", "write", "done")]
