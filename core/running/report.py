"""What a run needs to know and what it tells: operator, read-only mode, progress, outcomes."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from core.changes import Change
from core.errors import HousekeysError

StepState = Literal["done", "failed", "skipped", "not run", "unknown"]


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs changes: the user of the operating system and the machine, as the journal records them."""

    name: str
    host: str

    @classmethod
    def current(cls) -> Operator:
        """The user this process runs as; environment variables have no say in it."""
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            name = f"uid {os.getuid()}"
        return cls(name, socket.gethostname())


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Whether changes are refused, and what made it so: a flag, the profile or the preferences."""

    active: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` counts every step that has ended, in whatever way."""

    done: int
    total: int
    failed: int
    title: str


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step. "unknown": it was begun and nobody has told how it ended."""

    index: int
    state: StepState
    error: HousekeysError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a change.

    `finished` is False when it can be resumed: it was cancelled, or `stopped` says what broke it off; or when it is
    left open to be taken back (`OnFailure.LEAVE_OPEN`). `unsent` counts the rows that are not in the journal yet,
    `journal_error` says why; they are kept and sent later.
    """

    change_id: UUID
    change: Change
    outcomes: tuple[StepOutcome, ...]
    finished: bool
    cancelled: bool = False
    stopped: HousekeysError | None = None
    unsent: int = 0
    journal_error: HousekeysError | None = None

    @property
    def succeeded(self) -> bool:
        """Whether every step was done."""
        return all(outcome.state == "done" for outcome in self.outcomes)

    @property
    def failed_outcomes(self) -> tuple[StepOutcome, ...]:
        """The steps that failed or whose end is not known, each with its error."""
        return tuple(outcome for outcome in self.outcomes if outcome.error is not None)

    def count(self, state: StepState) -> int:
        """How many steps are in `state`."""
        return sum(1 for outcome in self.outcomes if outcome.state == state)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A change that was begun and not brought to an end."""

    id: UUID
    change: Change
    operator: Operator
    started: datetime  # UTC
    outcomes: tuple[StepOutcome, ...]
    undecided: tuple[int, ...]  # "unknown" steps that only the operator can settle, see `Runner.resume`
    running: bool  # another run, of this process or another, is at work on it
    damaged: str = ""  # what is wrong with its write-ahead file, which then can only be dismissed

    def count(self, state: StepState) -> int:
        """How many steps are in `state`."""
        return sum(1 for outcome in self.outcomes if outcome.state == state)
