"""Steps that call a service: what they find goes on to later steps and to the journal, and a crash loses nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.change_records import change_from_record, change_to_record
from core.changes import CallStep, Change, Event, Found, JsonValue, RecordStep, left_of
from core.configuring import NoEngine
from core.errors import HousekeysError, RefusedError, UnreachableError
from core.journal.local_journal import LocalJournal
from core.running.needs import OpenService, Service
from core.running.runner import Operator, ReadOnly, Runner


class Lakehouse:
    """A service with one connection, that counts what it is asked and can fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, JsonValue]]] = []
        self.fails: dict[str, Exception] = {}

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        self.calls.append((operation, dict(arguments)))
        if operation in self.fails:
            raise self.fails[operation]
        return {"external_id": "VW9UaGwY"} if operation == "describe" else {}

    async def open(self, name: str) -> Service:
        assert name == "lakehouse"
        return self

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]


def created() -> Change:
    """Create a connection, read its external id, and hand that to the trust policy."""
    drop = CallStep("Drop c", "lakehouse", "drop", {"name": "c"}, "DROP CONNECTION c")
    create = CallStep("Create c", "lakehouse", "create", {"name": "c"}, "CREATE API CONNECTION c", undo=drop)
    event = Event("api_connection", "c", "describe", {"by": "call"})
    describe = CallStep("Ask", "lakehouse", "describe", {"name": "c"}, "DESC CONNECTION c", needs=0, events=(event,))
    tighten = CallStep(
        "Tighten",
        "lakehouse",
        "tighten",
        {"role": "r"},
        "update the trust",
        takes={"external_id": Found(1, "external_id")},
        needs=1,
    )
    return Change("Provision c", (create, describe, tighten))


def runner(folder: Path, open_service: OpenService | None = None) -> Runner:
    journal = LocalJournal(folder / "journal.jsonl")
    more: tuple[Any, ...] = () if open_service is None else (open_service,)
    return Runner(NoEngine(), journal, folder / "changes", Operator("op", "h"), "prod", ReadOnly(False), *more)


def test_a_change_with_calls_comes_back_from_its_record() -> None:
    change = created()
    assert change_from_record(json.loads(json.dumps(change_to_record(change)))) == change
    assert change.preview() == "CREATE API CONNECTION c\nDESC CONNECTION c\nupdate the trust"


@pytest.mark.parametrize("step", [0, 1, 5])
def test_a_call_takes_only_from_calls_before_it(step: int) -> None:
    record = RecordStep("Note", (Event("journal", "note", "write"),))
    late = CallStep("Late", "lakehouse", "tighten", {}, "", takes={"external_id": Found(step, "external_id")})
    with pytest.raises(ValueError, match="step 2 can only take what a call before it has found"):
        Change("Wrong", (record, late))


async def test_what_a_call_finds_goes_to_later_calls_and_to_the_journal(tmp_path: Path) -> None:
    lakehouse = Lakehouse()
    report = await runner(tmp_path, lakehouse.open).run(created())
    assert report.succeeded
    assert lakehouse.calls[-1] == ("tighten", {"role": "r", "external_id": "VW9UaGwY"})
    rows = await LocalJournal(tmp_path / "journal.jsonl").history()
    [described] = [row for row in rows if row.action == "describe"]
    assert (described.subject, described.details) == ("c", {"by": "call", "external_id": "VW9UaGwY"})


async def test_a_lost_service_leaves_the_change_to_be_resumed_with_what_was_found(tmp_path: Path) -> None:
    lakehouse = Lakehouse()
    lakehouse.fails["tighten"] = UnreachableError("The cloud does not answer.")
    report = await runner(tmp_path, lakehouse.open).run(created())
    assert not report.finished
    assert isinstance(report.stopped, UnreachableError)
    [left] = runner(tmp_path).unfinished()
    assert left.undecided == ()  # a call makes it so whatever has happened: nobody need be asked
    lakehouse.fails.clear()
    lakehouse.calls.clear()
    report = await runner(tmp_path, lakehouse.open).resume(left.id)
    assert report.succeeded
    assert lakehouse.calls == [("tighten", {"role": "r", "external_id": "VW9UaGwY"})]


async def test_a_call_that_fails_skips_what_needs_it_and_can_be_taken_back(tmp_path: Path) -> None:
    lakehouse = Lakehouse()
    lakehouse.fails["describe"] = HousekeysError("No such connection.")
    again = runner(tmp_path, lakehouse.open)
    report = await again.run(created())
    assert [outcome.state for outcome in report.outcomes] == ["done", "failed", "not run"]
    assert (await again.run(await again.last_undoable())).succeeded
    assert lakehouse.operations() == ["create", "describe", "drop"]


async def test_a_step_is_not_run_without_what_it_takes(tmp_path: Path) -> None:
    steps = created().steps
    assert isinstance(steps[2], CallStep)
    nameless = CallStep("Tighten", "lakehouse", "tighten", {}, "", takes={"external_id": Found(0, "external_id")})
    lakehouse = Lakehouse()
    report = await runner(tmp_path, lakehouse.open).run(Change("Wrong", (steps[0], nameless)))
    [failed] = report.failed_outcomes
    assert failed.error is not None
    assert failed.error.message == "No call before it has told its external_id."
    assert lakehouse.operations() == ["create"]


async def test_without_services_a_call_is_refused(tmp_path: Path) -> None:
    report = await runner(tmp_path).run(created())
    assert isinstance(report.outcomes[0].error, RefusedError)


def test_what_is_left_is_shown_without_the_step_that_found_what_it_takes() -> None:
    asks = CallStep("Ask", "lakehouse", "describe", {}, "DESC CONNECTION c")
    takes = CallStep("Use", "aws", "update", {}, "iam Update", takes={"id": Found(0, "id")}, needs=0)
    change = Change("Two calls", (asks, takes))
    assert left_of(change, {0}).preview() == "iam Update"
    assert left_of(change, set()).preview() == change.preview()
