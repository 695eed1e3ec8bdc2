"""One row of the journal: an event and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

DONE: Final = "done"
FAILED: Final = "failed"
UNDONE: Final = "undone"
DISMISSED: Final = "dismissed"

UNREADABLE: Final = "unreadable"  # the one detail of a row whose details are not those of Housekeys
_SHOWN_UNREADABLE: Final = 200  # characters

CHANGE: Final = "change"  # the subject kind of the one row about a change itself


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Facts are folded from the rows whose outcome is "done".

    `outcome` is "done" or "failed" for an event of a step (`details["error"]` then says why), and for the row about a
    change itself (`subject_kind` "change", `subject` its id, action "run", `details` with title and counts of steps)
    "done" (every step), "failed" (some were not), "undone" or "dismissed" (it was left unfinished).
    """

    id: UUID  # UUIDv7 of the moment `at`
    at: datetime  # UTC, to the microsecond
    operator: str  # the user of the operating system
    host: str  # and the machine
    profile: str
    change: UUID
    subject_kind: str
    subject: str
    action: str
    outcome: str
    details: Mapping[str, Any]

    def to_values(self) -> tuple[Any, ...]:
        """The values of `COLUMNS`, as they are inserted."""
        details = json.dumps(self.details, ensure_ascii=False, separators=(",", ":"))
        return (
            self.id,
            self.at,
            self.operator,
            self.host,
            self.profile,
            self.change,
            self.subject_kind,
            self.subject,
            self.action,
            self.outcome,
            details,
        )

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Row:
        """The row whose `COLUMNS` a query gave."""
        identifier, at, operator, host, profile, change, subject_kind, subject, action, outcome, details = values
        return cls(
            identifier,
            at,
            operator,
            host,
            profile,
            change,
            subject_kind,
            subject,
            action,
            outcome,
            details=_read_details(details),
        )


def _read_details(text: str) -> dict[str, Any]:
    """The details of a row. Others can write to the table too: what is no JSON object is only shown."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {UNREADABLE: text[:_SHOWN_UNREADABLE]}


COLUMNS: Final = (
    "id",
    "at",
    "operator",
    "host",
    "profile",
    "change",
    "subject_kind",
    "subject",
    "action",
    "outcome",
    "details",
)
