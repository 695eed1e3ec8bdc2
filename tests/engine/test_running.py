"""Running changes on a real ClickHouse: order, failures, guards, files, what reaches the journal, refusals."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.changes import Change, Event, FileStep, Guard, OnFailure, RecordStep, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import AlreadyExistsError, UnknownNameError
from core.errors import BadInputError, NotFoundError, RefusedError
from core.journal.ids import Generator, moment, new_ids
from core.journal.rows import Row
from core.running.changefile import WriteAheadError
from core.running.runner import Progress, ReadOnly, Runner
from tests.engine.running_place import OPERATOR, Place, states

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> Place:
    return await Place(shared_engine, tmp_path).prepare()


async def test_steps_run_in_order_and_are_told(place: Place, tmp_path: Path) -> None:
    note = RecordStep("Note", (Event("note", "x", "write", {"text": "hello"}), Event("note", "y", "write")))
    file = FileStep("Write", tmp_path / "keys" / "1.key", b"content", secret=True, events=(Event("key", "1", "write"),))
    change = Change("All kinds", (place.create("a"), note, file, place.create("b", needs=0), note))
    report = await place.runner.run(change)
    assert report.succeeded
    assert report.finished
    assert (report.unsent, report.journal_error, report.stopped) == (0, None, None)
    assert place.engine.statements == [change.steps[0].preview(), change.steps[3].preview()]
    assert (tmp_path / "keys" / "1.key").read_bytes() == b"content"
    history = (await place.journal.history())[::-1][2:]  # after the creation of the journal
    assert [(row.subject_kind, row.subject, row.action) for row in history] == [
        ("table", "a", "create"),
        ("note", "x", "write"),
        ("note", "y", "write"),
        ("key", "1", "write"),
        ("table", "b", "create"),
        ("note", "x", "write"),
        ("note", "y", "write"),
        ("change", str(report.change_id), "run"),
    ]
    assert {(row.operator, row.host, row.profile, row.change) for row in history} == {
        ("op", "bastion", "prod", report.change_id)
    }
    assert history[0].details == {"by": "test"}
    assert history[-1].details == {"title": "All kinds", "steps": 5, "done": 5, "failed": 0, "skipped": 0}
    assert place.files() == [".done"]
    assert place.runner.unfinished() == []


async def test_a_failure_stops_what_comes_after(place: Place) -> None:
    change = Change("Stops", (place.create("a"), place.create("a"), place.create("b")))
    report = await place.runner.run(change)
    assert states(report) == ["done", "failed", "not run"]
    assert report.finished
    assert [type(outcome.error) for outcome in report.failed_outcomes] == [AlreadyExistsError]
    assert await place.told() == [("a", "create", "done"), ("a", "create", "failed")]
    assert "already exists" in (await place.journal.history("table"))[0].details["error"]
    assert [outcome for _, _, outcome in await place.told("change")][-1] == "failed"
    assert place.runner.unfinished() == []


async def test_or_only_what_needs_it(place: Place) -> None:
    steps = (
        place.create("a"),
        place.create("a"),
        place.create("b", needs=1),
        place.create("c", needs=2),
        place.create("d", needs=0),
        place.create("e"),
    )
    report = await place.runner.run(Change("Goes on", steps, on_failure=OnFailure.CONTINUE))
    assert states(report) == ["done", "failed", "skipped", "skipped", "done", "done"]
    assert await place.tables() == {"a", "d", "e"}
    (row,) = await place.journal.history("change", str(report.change_id))
    assert row.details == {"title": "Goes on", "steps": 6, "done": 3, "failed": 1, "skipped": 2}


async def test_a_guard_is_asked_right_before_its_step(place: Place) -> None:
    guard = Guard(place.exists("a"), "Table a is not there.")
    refused = replace(place.create("x"), guard=guard)
    allowed = replace(place.create("y"), guard=guard)
    broken = replace(place.create("z"), guard=Guard("SELECT 1 FROM no_such_table", ""))
    steps = (refused, place.create("a"), allowed, broken)
    report = await place.runner.run(Change("Guarded", steps, on_failure=OnFailure.CONTINUE))
    assert states(report) == ["failed", "done", "done", "failed"]
    assert isinstance(report.outcomes[0].error, RefusedError)
    assert isinstance(report.outcomes[3].error, UnknownNameError)
    assert await place.tables() == {"a", "y"}


async def test_files_are_not_overwritten_unasked(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"theirs")
    write = FileStep("Write", path, b"ours")
    assert isinstance((await place.runner.run(Change("x", (write,)))).outcomes[0].error, BadInputError)
    assert path.read_bytes() == b"theirs"
    assert (await place.runner.run(Change("x", (replace(write, replace_existing=True),)))).succeeded
    assert (await place.runner.run(Change("again", (write,)))).succeeded
    assert path.read_bytes() == b"ours"
    removal = FileStep("Remove", path, None)
    assert (await place.runner.run(Change("x", (removal, removal)))).succeeded
    assert not path.exists()
    in_the_way = FileStep("Write", path / "below", b"x")
    path.write_bytes(b"")
    report = await place.runner.run(Change("x", (in_the_way,)))
    assert "Not a directory" in str(report.outcomes[0].error)


async def test_progress_ends_at_the_end(place: Place) -> None:
    seen: list[Progress] = []
    steps = [place.create(f"t{number}", repeatable=True) for number in range(300)]
    report = await place.runner.run(Change("Many", (*steps, place.create("t0"))), seen.append)
    assert states(report)[-1] == "failed"
    assert seen[-1] == Progress(301, 301, 1, "Many")
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


async def test_read_only_refuses_before_anything_is_written(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path, read_only=True)
    change = Change("Harmless", (RecordStep("note", ()),))
    with pytest.raises(RefusedError, match=r"Read-only \(--read-only\): Harmless was not run"):
        await place.runner.run(change)
    for act in (place.runner.resume, place.runner.dismiss, place.runner.undo_unfinished):
        with pytest.raises(RefusedError, match="Read-only"):
            await act(new_ids.next())
    assert await place.runner.send_unsent() == 0
    assert not place.folder.exists()


async def test_without_a_place_for_the_write_ahead_nothing_runs(place: Place, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    runner = Runner(place.engine, place.journal, blocked / "changes", OPERATOR, "prod", ReadOnly(False))
    with pytest.raises(WriteAheadError, match="Nothing was changed"):
        await runner.run(Change("x", (place.create("a"),)))
    assert place.engine.statements == []


@pytest.mark.parametrize("writes_left", [0, 1, 2])
async def test_a_disk_that_fills_up_stops_the_change(
    place: Place, monkeypatch: pytest.MonkeyPatch, writes_left: int
) -> None:
    change = Change("x", (place.create("a"), replace(place.create("b"), done_when=None), place.create("c")))
    ledger_written = 0
    write = os.pwrite

    def fill(descriptor: int, data: bytes, offset: int) -> int:
        nonlocal ledger_written
        if offset > 0:
            if ledger_written >= writes_left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            ledger_written += 1
        return write(descriptor, data, offset)

    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", fill)
        report = await place.runner.run(change)
    assert not report.finished
    assert isinstance(report.stopped, WriteAheadError)
    assert len(place.engine.statements) == writes_left // 2 + writes_left % 2
    (unfinished,) = place.runner.unfinished()
    assert (await place.runner.resume(unfinished.id)).succeeded
    assert await place.tables() == {"a", "b", "c"}
    assert await place.told() == [("a", "create", "done"), ("b", "create", "done"), ("c", "create", "done")]


async def test_rows_wait_for_the_journal_to_exist(shared_engine: EmbeddedEngine, tmp_path: Path) -> None:
    place = Place(shared_engine, tmp_path)
    await shared_engine.command(f"CREATE DATABASE {place.database}")
    report = await place.runner.run(Change("Early", (place.create("a"),)))
    assert report.succeeded
    assert report.unsent == 2
    assert isinstance(report.journal_error, NotFoundError)
    assert place.runner.unfinished() == []
    with pytest.raises(NotFoundError):
        await place.runner.send_unsent()
    await place.runner.run(place.journal.creation())
    assert await place.runner.send_unsent() == 2
    assert await place.runner.send_unsent() == 0
    assert await place.told() == [("a", "create", "done")]


async def test_two_changes_at_once_do_not_get_in_each_others_way(place: Place) -> None:
    def numbered(prefix: str) -> Sequence[StatementStep]:
        return [place.create(f"{prefix}{number}") for number in range(100)]

    first, second = await asyncio.gather(
        place.runner.run(Change("First", tuple(numbered("a")))),
        place.runner.run(Change("Second", tuple(numbered("b")))),
    )
    assert first.succeeded
    assert second.succeeded
    assert len(await place.told()) == 200
    assert place.files() == [".done"]


async def test_a_long_change_sends_its_rows_on_the_way(place: Place) -> None:
    notes = tuple(RecordStep("note", (Event("note", str(number), "write"),)) for number in range(6_000))
    place.engine.inserts_left = 1  # the second batch does not arrive
    report = await place.runner.run(Change("Long", notes))
    assert report.succeeded
    assert 0 < report.unsent < 6_001
    place.engine.repair()
    assert await place.runner.send_unsent() == report.unsent
    assert await place.journal.counts("note", "write") == {str(number): 1 for number in range(6_000)}
    stored = await place.engine.query(f"SELECT count() FROM {place.journal.database}.journal WHERE action = 'write'")
    assert stored.first_cell() == 6_000


async def test_nothing_to_do_leaves_no_trace(place: Place) -> None:
    report = await place.runner.run(Change("Nothing", ()))
    assert report.succeeded
    assert report.finished
    assert await place.journal.history("change", str(report.change_id)) == []


async def test_what_comes_later_is_recorded_later_though_another_clock_is_ahead(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_ids, "_ticks", 0)  # put back at the end: other tests go by the real time
    ahead = Generator(lambda: time.time_ns() + 600 * 10**9).next()
    first = Row(ahead, moment(ahead), "op", "h", "p", ahead, "tenant", "acme", "suspend", "done", {})
    await place.journal.append([first])
    event = Event("tenant", "acme", "resume", {})
    assert (await place.runner.run(Change("Resume acme", (RecordStep("Resume acme", (event,)),)))).succeeded
    assert (await place.journal.latest("tenant"))["acme"].action == "resume"
