"""Which rows of a list a change has made or renamed: the cursor goes to them when the list is read again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.changes import Change, Event

Subject = tuple[str, str]
"""The kind and the name by which the journal knows something."""


@dataclass(frozen=True, slots=True)
class NewRows:
    """The rows that were not there `before` a change (their keys), and are about what it did.

    Both count: a row that somebody else has made meanwhile is none of them.
    """

    before: Collection[str]
    subjects: Collection[Subject]

    @classmethod
    def of(cls, change: Change, before: Collection[str]) -> NewRows:
        """Those that `change` is to make, or to give another name."""
        events = (event for step in change.steps for event in step.events)
        return cls(before, frozenset(subject for event in events for subject in _subjects(event)))

    def has(self, key: str, subject: Subject) -> bool:
        """Whether a row is one of them."""
        return key not in self.before and subject in self.subjects


def _subjects(event: Event) -> Iterator[Subject]:
    """Whom an event is about; who gets another name by it goes by both."""
    yield event.subject_kind, event.subject
    new_name = event.details.get("new_name")
    if isinstance(new_name, str):
        yield event.subject_kind, new_name
