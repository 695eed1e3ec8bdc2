"""Windows: every step runs once or is skipped, none before its turn, none together with what it must wait for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.changes import Change, FileStep, OnFailure, RecordStep, StatementStep
from core.running.ledger import can_be_settled
from core.running.windows import next_window
from tests.unit.changes.strategies import changes


@given(changes(max_steps=12), st.integers(1, 5), st.data())
def test_a_run_by_windows(change: Change, limit: int, data: st.DataObject) -> None:
    states: dict[int, str] = {}
    position = 0
    order: list[int] = []
    while True:
        window = next_window(change, states, position, limit)
        for index in window.skipped:
            needs = change.steps[index].needs
            assert needs is not None
            assert states.get(needs) != "done"
            states[index] = "skipped"
        if not window.indexes:
            break
        assert len(window.indexes) <= limit
        check_company(change, window.indexes)
        for index in window.indexes:
            needs = change.steps[index].needs
            assert needs is None or states.get(needs) == "done" or change.on_failure is not OnFailure.CONTINUE
        for index in window.indexes:
            order.append(index)
            states[index] = (
                "done" if change.on_failure is not OnFailure.CONTINUE or data.draw(st.booleans()) else "failed"
            )
        position = window.end
    assert sorted(states) == list(range(len(change.steps)))
    assert order == sorted(order)


def check_company(change: Change, indexes: tuple[int, ...]) -> None:
    steps = [change.steps[index] for index in indexes]
    if len(steps) == 1:
        return
    assert not any(isinstance(step, FileStep) for step in steps)
    assert len({type(step) for step in steps}) == 1
    if not isinstance(steps[0], RecordStep):
        assert all(isinstance(step, StatementStep) and step.guard is None and can_be_settled(step) for step in steps)


def test_steps_that_have_an_outcome_are_passed_over() -> None:
    change = Change("x", tuple(StatementStep(str(i), "", repeatable=True) for i in range(6)))
    window = next_window(change, {0: "done", 1: "done", 3: "done"}, 0, 3)
    assert (window.indexes, window.end) == ((2, 4, 5), 6)
