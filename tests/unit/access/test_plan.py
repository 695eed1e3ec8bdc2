"""Plans: applied to what there is they give what is desired, and their inverse gives it back."""

from __future__ import annotations

from hypothesis import given, settings

from core.access.access_model import AccessModel
from core.access.difference import compare
from core.access.model import Drop
from core.access.planning.plan import stale
from core.access.planning.planner import plan
from core.access.policies import DropPolicy
from tests.examples import examples
from tests.unit.access.plan_models import applied, models, rebuilt, whole_models


@settings(max_examples=examples(20))
@given(models(), models())
def test_a_plan_makes_what_is_desired_and_its_inverse_what_was(current: AccessModel, desired: AccessModel) -> None:
    made = plan(current, desired, exact=True)
    assert made.refusals == ()
    after = applied(current, (step.statement for step in made.steps))
    assert compare(after, desired).nothing
    back = applied(after, (statement for step in reversed(made.steps) for statement in step.inverse))
    assert compare(back, current).nothing
    assert (made.steps == ()) == made.differences.nothing


@settings(max_examples=examples(20))
@given(models())
def test_what_is_as_desired_needs_no_plan(model: AccessModel) -> None:
    for exact in (True, False):
        made = plan(model, model, exact=exact)
        assert (made.steps, made.refusals, made.differences.nothing) == ((), (), True)
    assert stale(plan(model, model, exact=True), AccessModel()) == ()


@settings(max_examples=examples(20))
@given(models(), models())
def test_every_step_can_be_taken_back_alone(current: AccessModel, desired: AccessModel) -> None:
    now = current
    for step in plan(current, desired, exact=True).steps:
        then = applied(now, (step.statement,))
        assert compare(applied(then, step.inverse), now).nothing
        now = then


@settings(max_examples=examples(15))
@given(whole_models(), whole_models())
def test_entities_of_every_kind_are_planned(current: AccessModel, desired: AccessModel) -> None:
    made = plan(current, desired, exact=True)
    statements = [step.statement for step in made.steps]
    after = rebuilt(current, statements)
    assert compare(after, desired).nothing
    back = [statement for step in reversed(made.steps) for statement in step.inverse]
    assert compare(rebuilt(current, [*statements, *back]), current).nothing
    assert plan(current, current, exact=True).steps == ()


@settings(max_examples=examples(20))
@given(whole_models(), whole_models())
def test_what_is_not_exact_takes_nothing_away(current: AccessModel, desired: AccessModel) -> None:
    made = plan(current, desired, exact=False)
    after = rebuilt(current, [step.statement for step in made.steps])
    assert compare(after, made.target).nothing
    assert compare(current, after).removed == ()
    assert all(not difference.removed for difference in (compare(current, after), compare(desired, after)))
    assert plan(after, desired, exact=False).steps == ()
    assert not any(isinstance(step.statement, Drop | DropPolicy) for step in made.steps)
    for roles in (current.granted_roles, desired.granted_roles):
        for holder, granted in roles.items():
            assert set(granted) <= set(after.granted_roles.get(holder, {}))
