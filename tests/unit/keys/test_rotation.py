"""What is to be done next with the keys, from nothing to the end of a rotation."""

from __future__ import annotations

from core.changes import Event
from core.keys.rotation import Action, NextStep, next_steps
from core.keys.versions import KeyVersion, Side, fold
from tests.unit.keys.sample_keys import rows_of

PARTNER, DATALENS = Side.PARTNER, Side.DATALENS


def stated(side: Side, version: int, state: str, mark: str = "") -> Event:
    """A version comes to a state; the first event of a version introduces it."""
    details = {"state": state, "fingerprint": mark or f"{side}-{version}", "public_pem": "PEM"}
    return Event(side.subject_kind, str(version), "import" if side is DATALENS else "generate", details)


def versions(*events: Event) -> list[KeyVersion]:
    return fold(rows_of(*events))


def first(*events: Event, pending: dict[tuple[Side, int], int] | None = None) -> NextStep | None:
    steps = next_steps(versions(*events), pending or {})
    return steps[0] if steps else None


def test_a_beginning_leads_from_step_to_step() -> None:
    made = stated(PARTNER, 1, "generated")
    sent = stated(PARTNER, 1, "submitted")
    active = stated(PARTNER, 1, "active")
    theirs = stated(DATALENS, 1, "active")
    assert next_steps([], {}) == [NextStep(Action.GENERATE, PARTNER), NextStep(Action.IMPORT_DATALENS, DATALENS)]
    assert first(made) == NextStep(Action.SUBMIT, PARTNER, 1)
    assert first(made, sent) == NextStep(Action.ACTIVATE, PARTNER, 1)
    assert first(made, sent, active) == NextStep(Action.IMPORT_DATALENS, DATALENS)
    assert first(made, sent, active, theirs) is None


def test_a_rotation_overlaps_until_nothing_waits() -> None:
    before = [stated(PARTNER, 1, "generated"), stated(PARTNER, 1, "active"), stated(DATALENS, 1, "active")]
    rotated = [*before, stated(PARTNER, 2, "generated"), stated(PARTNER, 2, "submitted")]
    assert first(*rotated) == NextStep(Action.ACTIVATE, PARTNER, 2)
    rotated.append(stated(PARTNER, 2, "active"))
    assert first(*rotated, pending={(PARTNER, 1): 3}) == NextStep(Action.REISSUE, PARTNER, 1, 3)
    assert first(*rotated) == NextStep(Action.RETIRE, PARTNER, 1)
    assert first(*rotated, stated(PARTNER, 1, "retired")) is None


def test_the_former_key_of_datalens_is_retired_once_its_tokens_are_used() -> None:
    events = [
        stated(PARTNER, 1, "generated"),
        stated(PARTNER, 1, "active"),
        stated(DATALENS, 1, "active"),
        stated(DATALENS, 2, "active"),
    ]
    assert first(*events, pending={(DATALENS, 1): 1}) == NextStep(Action.REISSUE, DATALENS, 1, 1)
    assert first(*events) == NextStep(Action.RETIRE, DATALENS, 1)


def test_a_version_left_behind_below_the_active_one_asks_for_nothing() -> None:
    events = [
        stated(PARTNER, 1, "generated"),
        stated(PARTNER, 2, "generated"),
        stated(PARTNER, 2, "active"),
        stated(DATALENS, 1, "active"),
    ]
    assert first(*events) is None


def test_two_keys_under_one_number_come_before_everything() -> None:
    events = [stated(PARTNER, 1, "generated"), stated(PARTNER, 1, "generated", "another")]
    assert first(*events) == NextStep(Action.REPLACE, PARTNER, 1)
