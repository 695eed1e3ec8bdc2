"""What running a change needs of an engine and of a journal: less than either can do.

`core.clickhouse.engine.Engine` and `core.journal.journal.Journal` have it; so has what a change without a ClickHouse
is run with (`core.configuring`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from core.changes import JsonValue
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.trying import Tried
from core.errors import RefusedError
from core.journal.rows import Row


class RunEngine(Protocol):
    """Asks and runs statements; see `core.clickhouse.engine.Engine`."""

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        """Run a statement that reads."""
        ...

    async def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        *,
        stop_on_error: bool,
    ) -> None:
        """Run statements in order; `done(index, error)` for each that has ended."""
        ...


@runtime_checkable
class TriesAs(Protocol):
    """Runs statements by the rights of another user, as the embedded engine does."""

    async def try_as(self, user: str, sql: str, really: bool = False) -> Tried:
        """What comes of it."""
        ...


class Service(Protocol):
    """Carries out the calls of a change to a service other than ClickHouse."""

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Make it so, and nothing when it is so already. Returns what is known now, for the journal: no secret."""
        ...


OpenService = Callable[[str], Awaitable[Service]]  # by the name that a step says; raises what opening it raises


async def no_service(name: str) -> Service:
    """Stands where services would: a change of what has none makes no calls."""
    raise RefusedError(f"No call to {name} can be made from here.")


class RunJournal(Protocol):
    """Keeps the rows of changes, each exactly once, and tells who has worked on the same subjects since."""

    async def append(self, rows: Sequence[Row], *, in_doubt: bool = False) -> None:
        """Keep `rows` durably; `in_doubt` says that some may be there already."""
        ...

    async def newest(self) -> datetime | None:
        """The time of the newest row, by whichever clock."""
        ...

    async def later_events(self, change: UUID, limit: int = 10) -> list[Row]:
        """Done events of other changes on the subjects of `change`, from when it touched each; newest first."""
        ...
