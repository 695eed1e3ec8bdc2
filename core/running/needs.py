"""What running a change needs of an engine and of a journal: less than either can do.

`core.clickhouse.engine.Engine` and `core.journal.journal.Journal` have it; so has what a change without a ClickHouse
is run with (`core.configuring`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.trying import Tried
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
