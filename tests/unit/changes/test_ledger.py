"""The records of a write-ahead file: what is torn is as if never written, what is damaged is noticed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.changes import Change, Event, RecordStep, StatementStep
from core.clickhouse.errors import ServerError
from core.journal.ids import new_ids
from core.running.ledger import (
    Ledger,
    Record,
    after,
    before,
    decode,
    decode_all,
    encode,
    end,
    final_state,
    kept_message,
    resume,
    rows_of_step,
    sent,
)
from core.running.report import Operator
from tests.unit.changes.strategies import changes

OPERATOR = Operator("op", "bastion")


def new_ledger(change: Change) -> Ledger:
    return Ledger(new_ids.next(), change, OPERATOR, "prod")


@st.composite
def histories(draw: st.DrawFn) -> tuple[Ledger, list[Record]]:
    """A change and the records of some run of it, in an order that a run could have written."""
    ledger = new_ledger(draw(changes()))
    records: list[Record] = [ledger.intent()]
    for index, step in enumerate(ledger.change.steps):
        records.append(before([index]))
        if draw(st.booleans()):
            state = draw(st.sampled_from(["done", "failed", "skipped", "not run"]))
            identifier = new_ids.next(max(rows_of_step(step, state), 1))
            records.append(after(index, state, identifier, draw(st.text(max_size=5))))  # type: ignore[arg-type]
        if draw(st.integers(0, 9)) == 0:
            records.append(resume(Operator(draw(st.text(max_size=5)), "h")))
    if draw(st.booleans()):
        records.append(end("failed", new_ids.next()))
    return ledger, records


@given(histories(), st.data())
def test_the_file_of_any_history(history: tuple[Ledger, list[Record]], data: st.DataObject) -> None:
    """One history for all that is to hold: to draw it takes longer than to look at it."""
    check_it_is_read_as_it_was_written(*history)
    check_what_is_torn_never_happened(history[1], data)
    check_a_changed_byte_is_noticed(history[1], data)
    check_rows_are_the_same_wherever_sending_broke_off(history[1], data)


def check_it_is_read_as_it_was_written(ledger: Ledger, records: list[Record]) -> None:
    content = decode_all(b"".join(map(encode, records)))
    assert not content.damaged
    assert json.loads(json.dumps(records)) == list(content.records)
    for record in records[1:]:
        ledger.apply(record)
    replayed = Ledger.replay(content.records)
    assert (replayed.states, replayed.open, replayed.ended) == (ledger.states, ledger.open, ledger.ended)
    assert replayed.outcomes() == ledger.outcomes() or ledger.failed  # errors compare by identity
    assert replayed.unsent_rows() == ledger.unsent_rows()


def check_what_is_torn_never_happened(records: list[Record], data: st.DataObject) -> None:
    lines = [encode(record) for record in records]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    content = decode_all(whole[:cut])
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    assert content.length == max(place for place in ends if place <= cut)
    assert len(content.records) == ends.index(content.length)
    assert not content.damaged


def check_a_changed_byte_is_noticed(records: list[Record], data: st.DataObject) -> None:
    line = bytearray(encode(data.draw(st.sampled_from(records))))
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    assert decode(bytes(line)) is None


def check_rows_are_the_same_wherever_sending_broke_off(records: list[Record], data: st.DataObject) -> None:
    ledger = Ledger.replay(records)
    rows = ledger.unsent_rows()
    assert len(rows) == ledger.row_count == len({row.id for row in rows})
    number = data.draw(st.integers(0, len(rows)))
    ledger.apply(sent(number))
    assert ledger.unsent_rows() == rows[number:]
    assert ledger.unsent == len(rows) - number


@given(st.binary(max_size=200))
def test_anything_at_all_can_be_read(data: bytes) -> None:
    decode_all(data)


def test_a_hole_before_a_durable_record_is_damage_and_one_at_the_end_is_not() -> None:
    ledger = new_ledger(Change("x", (RecordStep("a", ()), RecordStep("b", ()))))
    first, begun = encode(ledger.intent()), encode(before([0]))
    done = encode(after(0, "done", new_ids.next()))
    hole = b"\0" * 10 + b"\n"
    assert decode_all(first + begun + hole + done).damaged is False
    assert decode_all(first + hole + begun).damaged is True
    assert len(decode_all(first + begun + hole + done).records) == 2


def test_the_rows_of_a_change() -> None:
    event = Event("tenant", "acme", "create", {"owner": "o"})
    steps = (
        StatementStep("one", "x", events=(event, Event("tenant", "b", "create"))),
        StatementStep("two", "y", events=(event,)),
        StatementStep("three", "z"),
    )
    ledger = new_ledger(Change("many", steps, undoes="earlier"))
    ledger.apply(before([0, 1, 2]))
    ledger.apply(after(0, "done", new_ids.next(2)))
    ledger.apply(after(1, "failed", new_ids.next(), "no room"))
    ledger.apply(resume(Operator("second", "elsewhere")))
    ledger.apply(after(2, "failed", new_ids.next(), "no right"))
    ledger.apply(end(final_state(ledger), new_ids.next()))
    told = [(r.operator, r.subject_kind, r.action, r.outcome, r.details) for r in ledger.unsent_rows()]
    assert told == [
        ("op", "tenant", "create", "done", {"owner": "o"}),
        ("op", "tenant", "create", "done", {}),
        ("op", "tenant", "create", "failed", {"owner": "o", "error": "no room"}),
        ("second", "change", "step", "failed", {"title": "many", "step": "three", "error": "no right"}),
        (
            "second",
            "change",
            "run",
            "failed",
            {"title": "many", "steps": 3, "done": 1, "failed": 2, "skipped": 0, "undoes": "earlier"},
        ),
    ]
    assert not ledger.complete
    ledger.apply(sent(5))
    assert ledger.complete


def test_records_of_something_else_are_refused() -> None:
    others: list[list[Record]] = [[], [{"r": "before", "i": [0]}], [{"r": "intent", "version": 99}], [{}]]
    for records in others:
        with pytest.raises(ValueError, match=r"it does not|its records"):
            Ledger.replay(records)


def test_the_answer_to_a_statement_with_a_secret_is_not_kept() -> None:
    error = ServerError("Syntax error near 'hunter2'", code=62)
    assert kept_message(StatementStep("x", "BY 'hunter2'"), error) == error.message
    assert "hunter2" not in kept_message(StatementStep("x", "BY 'hunter2'", masked="BY ***"), error)
