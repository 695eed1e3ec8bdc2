"""What the changes of the service are called: by it a service knows its own, or a killed one's, to settle them."""

from __future__ import annotations

from typing import Final

from core.changes import CallStep, Change, RecordStep
from core.partner.accounts import facts
from core.partner.provisioning.removal import CONNECTION_ID, SECRETS

SERVICE: Final = "Partner Connect: "
TAKE_BACK: Final = f"{SERVICE}take back partner connection "
SET_PASSWORD: Final = f"{SERVICE}set the password of "
_UNDO = "Undo: "  # how `core.changes.inverse` begins a title
_MAKING = ((facts.PARTNER_CONNECTION, facts.CONFIGURE), (facts.PARTNER_USER, facts.ADD))


def of_service(change: Change) -> bool:
    """Whether a service has planned this change, by itself, for a request: no operator has to be asked about it."""
    return change.title.removeprefix(_UNDO).startswith(SERVICE)


def makes(change: Change) -> bool:
    """Whether the change makes a user or a partner connection: broken off, it is taken back and never continued."""
    events = (event for step in change.steps if isinstance(step, RecordStep) for event in step.events)
    return any((event.subject_kind, event.action) in _MAKING for event in events)


def connections_in(change: Change) -> tuple[str, ...]:
    """The partner connections whose secrets the change keeps or erases."""
    calls = (step for step in change.steps if isinstance(step, CallStep) and step.service == SECRETS)
    return tuple(dict.fromkeys(str(step.arguments[CONNECTION_ID]) for step in calls))


def configured_in(change: Change) -> tuple[str, ...]:
    """The partner connections that the change makes."""
    events = (event for step in change.steps if isinstance(step, RecordStep) for event in step.events)
    return tuple(event.subject for event in events if (event.subject_kind, event.action) == _MAKING[0])
