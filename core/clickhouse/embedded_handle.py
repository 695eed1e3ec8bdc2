"""One connection to chDB: the driver's calls, its errors and its quirks. Used from one thread at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clickhouse.driver import import_chdb, leave_data_frames_out
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import explain
from core.clickhouse.quoting import quote_string
from core.display import one_line
from core.errors import HousekeysError, UnreachableError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# How chDB ends an access statement that is valid, since it has no storage that SQL can change.
NOWHERE_TO_KEEP = frozenset({495, 514})
_SETTINGS: Mapping[str, SettingValue] = {
    "session_timezone": "UTC",  # which literals without a zone mean here, whatever the zone of this process is
    # To compile what was asked three times takes up to 55 ms, and again after each opening: our tables are small.
    "compile_aggregate_expressions": False,
    "compile_expressions": False,
    "compile_sort_description": False,
}
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class HandleOptions:
    """How a handle is opened: where the data is, and what holds for every statement on it."""

    data: Path
    config: Path
    settings: Mapping[str, SettingValue]
    comment: str  # the log_comment of every statement, by which it can be killed
    read_only: bool = False


class Handle:
    """A chDB connection. Every error is a HousekeysError."""

    def __init__(self, options: HandleOptions) -> None:
        self._client = _connect(options)
        try:
            settings = {**_SETTINGS, **options.settings, "log_comment": options.comment}
            self.command(f"SET {', '.join(setting(name, value) for name, value in settings.items())}")
            if options.read_only:
                self.command("SET readonly = 2")
        except BaseException:
            self.close()
            raise

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        """Run a statement that reads. Instants come back as datetimes in UTC."""
        with self._explained():
            result = self._client.query(
                _without_semicolon(sql),
                parameters=dict(parameters) if parameters else None,
                settings=dict(settings) if settings else None,
                query_tz="UTC",
            )
        return QueryResult(tuple(result.column_names), [tuple(row) for row in result.result_rows])

    def command(self, sql: str, settings: Mapping[str, SettingValue] | None = None) -> None:
        """Run a statement for its effect."""
        with self._explained():
            self._client.command(_without_semicolon(sql), settings=dict(settings) if settings else None)

    def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in one batch."""
        with self._explained():
            self._client.insert(table, rows, column_names=list(columns), database=database)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            yield
        except ClickHouseError as error:
            code = getattr(error, "code", None)
            if code not in NOWHERE_TO_KEEP:
                # chDB puts what a failed statement had already answered before the answer of the next one.
                self._client.raw_query("SELECT 1")
            raise explain(code, str(error)) from error
        except HousekeysError:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            # The driver could not turn a value into the column's type, or a name into text.
            raise explain(36, f"Code: 36. DB::Exception: {error}") from error

    def close(self) -> None:
        """Let go of the engine; with its last handle chDB ends and forgets what it read from users.xml."""
        self._client.close()


def setting(name: str, value: SettingValue) -> str:
    """`name = value` for SET. Raises ValueError for a name that no setting can have."""
    if not _SETTING_NAME.fullmatch(name):
        raise ValueError(f"no setting can be called {name!r}")
    return f"{name} = {quote_string(str(int(value) if isinstance(value, bool) else value))}"


def _connect(options: HandleOptions) -> Client:
    try:
        import_chdb()  # as the driver does, but here its absence is told apart
    except ImportError as error:
        raise UnreachableError(
            "The embedded engine is not installed.",
            advice="Install it with: pip install 'housekeys[embedded]', or use a profile of a server.",
            detail=str(error),
        ) from error
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    leave_data_frames_out()
    try:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(options.data),
            chdb_options={"config-file": str(options.config)},
            tz_mode="aware",
        )
    except ClickHouseError as error:
        said = next(iter(str(error).splitlines()), "")
        raise UnreachableError(
            f"The embedded engine does not start: {one_line(said, 300)}",
            advice="One process can have one data folder open at a time. If this is the only one, its data is damaged.",
            detail=str(error),
        ) from error


def _without_semicolon(sql: str) -> str:
    return sql.rstrip().rstrip(";")
