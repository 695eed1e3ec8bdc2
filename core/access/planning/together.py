"""One plan of several: the same done to many entities."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.access.access_model import AccessModel
from core.access.difference import compare
from core.access.planning.plan import Plan


def in_turn(current: AccessModel, makes: Iterable[Callable[[AccessModel], Plan]]) -> Plan:
    """The plans that `makes` make, each from what the one before leaves, as one plan. Raises what they raise."""
    plans: list[Plan] = []
    target = current
    for make in makes:
        plans.append(make(target))
        target = plans[-1].target
    steps = tuple(step for plan in plans for step in plan.steps)
    refusals = tuple(refusal for plan in plans for refusal in plan.refusals)
    return Plan(current, target, compare(current, target), steps, refusals)
