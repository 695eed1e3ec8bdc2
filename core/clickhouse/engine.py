"""The engine protocol: the one way in which everything above talks to ClickHouse.

Two homes implement it: `core.clickhouse.server` (HTTP(S)) and `core.clickhouse.embedded` (chDB in this process).
Both raise only `core.errors.HousekeysError` and its subclasses (see `core.clickhouse.errors`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

SettingValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to a query: column names and rows of Python values, in the order the engine gave them."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    def first_cell(self) -> Any:
        """The first column of the first row, or None when there is no row."""
        return self.rows[0][0] if self.rows else None

    def as_dicts(self) -> list[dict[str, Any]]:
        """One dict per row, keyed by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Engine(Protocol):
    """A connected ClickHouse. All methods are safe to call concurrently from one event loop.

    Cancelling a call cancels the statement in the engine too (query id and KILL QUERY). Only `query` is ever retried.
    """

    @property
    def home(self) -> Literal["server", "embedded"]: ...

    @property
    def address(self) -> str:
        """Where it is, for the header: `ch-1.example:8443`, or the data folder of an embedded engine."""
        ...

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        """Run a statement that reads. `parameters` bind server-side: `{name:String}` in the text."""
        ...

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        """Run a statement that writes or changes something. Never retried."""
        ...

    async def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        *,
        stop_on_error: bool,
    ) -> None:
        """Run statements in order, as quickly as the home can; none is ever retried.

        `done(index, error)` is called once for each statement that has ended, durably, with `error` None on success
        (else a HousekeysError). It may be called from another thread. With `stop_on_error` the statements after the
        first error are not run and get no call. An embedded engine may judge a run of grants together.
        """
        ...

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in one batch. Never retried."""
        ...

    async def close(self) -> None:
        """Release the connection. Idempotent."""
        ...
