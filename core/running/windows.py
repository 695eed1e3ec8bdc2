"""Which steps run next, together. Pure: decided from the change and from what became of its earlier steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.changes import Change, OnFailure, RecordStep, StatementStep, Step
from core.journal.rows import DONE
from core.running.ledger import can_be_settled


@dataclass(frozen=True, slots=True)
class Window:
    """The next steps to run, all of one kind; the steps to skip on the way there; where to look after them."""

    indexes: tuple[int, ...]
    skipped: tuple[int, ...]
    end: int


def next_window(change: Change, states: Mapping[int, str], start: int, limit: int) -> Window:
    """The first steps from `start` on without a state, at most `limit`. No indexes: none is left to run.

    A step is skipped when the one it needs was not done. Statements share a window when each could be settled after a
    crash; when the change goes on after failures, a step does not share one with the step it needs.
    """
    indexes: list[int] = []
    skipped: list[int] = []
    members: set[int] = set()
    index = start
    while index < len(change.steps) and len(indexes) < limit:
        step = change.steps[index]
        if index not in states:
            if step.needs in members:
                if change.on_failure is OnFailure.CONTINUE:
                    break
            elif step.needs is not None and states.get(step.needs) != DONE:
                skipped.append(index)
                index += 1
                continue
            if indexes and not _fit_together(change.steps[indexes[0]], step):
                break
            indexes.append(index)
            members.add(index)
        index += 1
    return Window(tuple(indexes), tuple(skipped), index)


def _fit_together(first: Step, step: Step) -> bool:
    if isinstance(first, RecordStep):
        return isinstance(step, RecordStep)
    return _joins(first) and _joins(step)


def _joins(step: Step) -> bool:
    return isinstance(step, StatementStep) and step.guard is None and not step.as_user and can_be_settled(step)
