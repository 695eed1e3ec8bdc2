"""A session with fixed answers, for the states of a screen that a real engine does not show on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from core.changes import Change, Event, StatementStep
from core.clickhouse.abilities import abilities
from core.clickhouse.capabilities import Capabilities
from core.errors import HousekeysError
from core.journal.rows import Row
from core.paths import Paths
from core.profiles import Preferences, Profile
from core.running.report import Operator, Progress, ReadOnly, Report, StepOutcome, Unfinished

BEGIN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def identifier(number: int) -> UUID:
    return UUID(int=(0x01A2_0000_0000 << 80) | (7 << 76) | (2 << 62) | number)


def row(number: int, subject: str, *, action: str = "create", outcome: str = "done", kind: str = "tenant") -> Row:
    return Row(
        identifier(number),
        BEGIN + timedelta(minutes=number),
        "op",
        "bastion",
        "prod",
        identifier(1000 + number // 3),
        kind,
        subject,
        action,
        outcome,
        {"owner": "data@acme.example", "ticket": "OPS-17"},
    )


def creation(name: str, steps: int = 1) -> Change:
    """A change that creates one tenant, or several numbered ones."""
    names = [name] if steps == 1 else [f"{name}_{number:03}" for number in range(steps)]
    return Change(
        f"Create tenant {name}" if steps == 1 else f"Create {steps} tenants",
        tuple(
            StatementStep(
                f"Create database {one}",
                f"CREATE DATABASE `{one}`",
                undo=StatementStep(f"Drop database {one}", f"DROP DATABASE `{one}`"),
                done_when=f"SELECT count() FROM system.databases WHERE name = '{one}'",
                events=(Event("tenant", one, "create"),),
            )
            for one in names
        ),
    )


def unfinished(done: int = 2, total: int = 5, *, in_doubt: bool = False) -> Unfinished:
    change = creation("acme", total)
    outcomes = [StepOutcome(index, "done" if index < done else "not run") for index in range(total)]
    if in_doubt:
        outcomes[done] = StepOutcome(done, "unknown")
    return Unfinished(
        identifier(77),
        change,
        Operator("op", "bastion"),
        BEGIN,
        tuple(outcomes),
        undecided=(done,) if in_doubt else (),
        running=False,
    )


@dataclass
class FixedJournal:
    """Answers with `rows`, or raises `error`."""

    rows: Sequence[Row] = ()
    error: HousekeysError | None = None
    there: bool = True

    async def history(
        self, subject_kind: str | None = None, subject: str | None = None, limit: int = 1000
    ) -> Sequence[Row]:
        if self.error is not None:
            raise self.error
        wanted = [r for r in self.rows if subject is None or (r.subject_kind, r.subject) == (subject_kind, subject)]
        return sorted(wanted, key=lambda r: r.at, reverse=True)[:limit]

    async def exists(self) -> bool:
        return self.there

    def creation(self) -> Change:
        return Change("Create the journal housekeys.journal", (StatementStep("Create it", "CREATE TABLE journal"),))


@dataclass
class FixedRunner:
    """Reports every step as done."""

    waiting: Sequence[Unfinished] = ()
    ran: list[Change] = field(default_factory=list)

    def unfinished(self) -> Sequence[Unfinished]:
        return self.waiting

    async def run(self, change: Change, progress: Any = None, *, stop: Any = None) -> Report:
        self.ran.append(change)
        if progress is not None:
            progress(Progress(len(change.steps), len(change.steps), 0, change.title))
        outcomes = tuple(StepOutcome(index, "done") for index in range(len(change.steps)))
        return Report(identifier(5), change, outcomes, finished=True)


PROFILE = Profile("prod", host="ch-1.example", user="operator")
CAPABILITIES = Capabilities(
    "26.9.2.1",
    (26, 9, 2, 1),
    "operator",
    "server",
    0.012,
    may=frozenset(ability.name for ability in abilities("housekeys")),
)
WRITE = ReadOnly(False)
LOOK = ReadOnly(True, "--read-only")
PREFERENCES = Preferences()
OPERATOR = Operator("op", "bastion")
PATHS = Paths(Path("/home/op/config.toml"), Path("/home/op/data"), Path("/home/op/state"))


@dataclass
class FixedSession:
    """What screens use of a session."""

    profile: Profile = PROFILE
    read_only: ReadOnly = WRITE
    journal: FixedJournal = field(default_factory=FixedJournal)
    runner: FixedRunner = field(default_factory=FixedRunner)
    preferences: Preferences = PREFERENCES
    operator: Operator = OPERATOR
    paths: Paths = PATHS
    capabilities: Capabilities = CAPABILITIES
    closed: bool = False

    def lock_keys(self, *, only_when_idle: bool = False) -> bool:
        return not only_when_idle

    async def close(self) -> None:
        self.closed = True


ROWS = (
    *(row(number, f"acme_{number:02}") for number in range(1, 31)),
    row(31, "acme_07", action="suspend"),
    row(32, "globex", outcome="failed"),
    row(33, "2", kind="partner_key", action="activate"),
)
