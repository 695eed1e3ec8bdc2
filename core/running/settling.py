"""What a crash left open: the steps that were begun and whose end nobody wrote down."""

from __future__ import annotations

from collections.abc import Mapping

from core.changes import CallStep, FileStep, MoveStep, PermissionsStep, StatementStep, Step, undo_steps
from core.errors import RefusedError
from core.running.changefile import ChangeFile
from core.running.files import in_place
from core.running.ledger import Ledger
from core.running.needs import RunEngine


async def settle(engine: RunEngine, file: ChangeFile, decisions: Mapping[int, bool]) -> None:
    """Settle every open step: it was done, or it was not and runs again.

    `decisions` is the operator's word on steps by index: whether they had run. A statement that says how to find out is
    asked about, a file is compared, what can be repeated runs again. Raises RefusedError when a step is left that only
    the operator can settle, before anything is settled.
    """
    _refuse_undecided(file.ledger, set(file.ledger.undecided()) - set(decisions))
    for index in sorted(file.ledger.open):
        step = file.ledger.change.steps[index]
        was_done = decisions[index] if index in decisions else await _was_done(engine, step)
        _write(file, index, was_done=bool(was_done))
    file.sync()


async def settle_for_undo(engine: RunEngine, file: ChangeFile, decisions: Mapping[int, bool]) -> list[int]:
    """Settle what can be settled without running anything; returns the indexes of the steps to take back.

    A step that may have run is taken back too, if taking it back does no harm when it had not.
    """
    ledger = file.ledger
    known: dict[int, bool | None] = {}
    for index in sorted(ledger.open):
        known[index] = decisions[index] if index in decisions else await _was_done(engine, ledger.change.steps[index])
    harmless = {index for index in known if _harmless(ledger.change.steps[index])}
    _refuse_undecided(ledger, {index for index, was_done in known.items() if was_done is None} - harmless)
    for index, was_done in known.items():
        if was_done is not None:
            _write(file, index, was_done=was_done)
    file.sync()
    return sorted({*ledger.done(), *ledger.open})


def _write(file: ChangeFile, index: int, *, was_done: bool) -> None:
    if was_done:
        file.mark_done(index)
    else:
        file.mark_not_run([index])


async def is_true(engine: RunEngine, query: str) -> bool:
    """Whether the first cell that `query` gives is 1."""
    return (await engine.query(query)).first_cell() in (1, True, "1")


async def _was_done(engine: RunEngine, step: Step) -> bool | None:
    """Whether `step` has taken effect; None when that cannot be found out."""
    if isinstance(step, FileStep | MoveStep | PermissionsStep):
        return in_place(step)
    if isinstance(step, StatementStep) and step.done_when is not None:
        return await is_true(engine, step.done_when)
    return None


def _harmless(step: Step) -> bool:
    undo = undo_steps(step)
    return bool(undo) and all(map(_can_be_repeated, undo))


def _can_be_repeated(step: Step) -> bool:
    return isinstance(step, CallStep) or (isinstance(step, StatementStep) and step.repeatable)


def _refuse_undecided(ledger: Ledger, undecided: set[int]) -> None:
    if not undecided:
        return
    steps = "; ".join(f"step {index + 1}: {ledger.change.steps[index].title}" for index in sorted(undecided))
    raise RefusedError(
        f"It is not known whether these steps had run when the change broke off: {steps}.",
        advice="Look at the server and say so for each: it had run, or it had not.",
    )
