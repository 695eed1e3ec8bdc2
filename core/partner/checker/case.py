"""One case: what is shown by it, what it needs, and its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from core.partner.checker.conversation import Conversation
from core.partner.checker.subject import CREDENTIALS, Need, Subject

Steps = Callable[[Conversation], Awaitable[None]]


class Origin(StrEnum):
    """Where a case comes from."""

    SUITE = "suite"  # of Databricks' certification suite
    REMOVED = "removed"  # from the suite in 2024, and still in its documentation
    MANUAL = "manual"  # documented, and done by hand in a real workspace
    HOUSEKEYS = "housekeys"  # what the suite never tested


@dataclass(frozen=True, slots=True)
class Case:
    """A case. Without steps, or where they cannot be gone, `by_hand` says what a person does instead."""

    id: str
    title: str
    origin: Origin
    steps: Steps | None
    needs: tuple[Need, ...] = ()
    by_hand: str = ""
    anonymous: bool = False  # needs no credentials

    @property
    def all_needs(self) -> tuple[Need, ...]:
        """What the steps need, the credentials first."""
        credentials = () if self.anonymous or self.steps is None else (CREDENTIALS,)
        return (*credentials, *self.needs)

    def why_not(self, subject: Subject) -> str:
        """Why the steps cannot be gone with a subject; empty when they can."""
        return next((reason for need in self.all_needs if (reason := need.why_not(subject))), "")

    def is_named(self, name: str) -> bool:
        """Whether a name means this case: its id or the beginning of it, in any case."""
        return bool(name) and self.id.lower().startswith(name.lower())
