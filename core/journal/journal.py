"""The journal table: its creation, appending to it exactly once, and the questions asked of it.

Every row has an id from the moment it is first written ahead, so that after any doubt about an insert the ids that are
there already can be asked for. The reads take each id once as well, should a lost insert arrive late all the same.
All reads answer with nothing as long as the table does not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.changes import Change, Event, StatementStep
from core.clickhouse.doubt import leaves_doubt
from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier, quote_string
from core.display import one_line
from core.errors import HousekeysError, NotFoundError, RefusedError
from core.journal.rows import COLUMNS, Row

TABLE: Final = "journal"
_COLUMN_KINDS: Final = {"id": "UUID", "at": "DateTime64(6", "change": "UUID"}  # the others are text of some kind
BATCH_ROWS: Final = 10_000
BATCH_CHARACTERS: Final = 4_000_000  # of details in one insert
ROWS_AT_ONCE: Final = 1_000  # read where they are; more in a thread

# The questions; `{journal}` stands for the quoted name of the table.
# ClickHouse compares UUIDs by their second half first, so that only their text sorts by time.
_HISTORY: Final = """
SELECT id, at, operator, host, profile, change, subject_kind, subject, action, outcome, details
FROM {journal}
WHERE ({kind:String} = '' OR subject_kind = {kind:String})
    AND ({any_subject:Bool} OR subject = {subject:String})
    AND at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
ORDER BY at DESC, toString(id) DESC
LIMIT 1 BY id
LIMIT {limit:UInt64}"""

_EVENTS: Final = """
SELECT id, at, operator, host, profile, change, subject_kind, subject, action, outcome, details
FROM {journal}
WHERE subject_kind = {kind:String} AND outcome = 'done' AND ({any_action:Bool} OR action IN {actions:Array(String)})
ORDER BY at, toString(id)
LIMIT 1 BY id"""

# First the ids alone, in the order of the table's key, which ClickHouse then reads backwards instead of sorting: on a
# million rows many times as quick as argMax over whole rows.
_LATEST: Final = """
SELECT id, at, operator, host, profile, change, subject_kind, subject, action, outcome, details
FROM {journal}
WHERE subject_kind = {kind:String} AND id IN
(
    SELECT id
    FROM {journal}
    WHERE subject_kind = {kind:String}
        AND outcome = 'done' AND ({any_action:Bool} OR action IN {actions:Array(String)})
    ORDER BY subject DESC, at DESC, toString(id) DESC
    LIMIT 1 BY subject
)
LIMIT 1 BY id"""

_COUNTS: Final = """
SELECT subject, uniqExact(id)
FROM {journal}
WHERE subject_kind = {kind:String} AND outcome = 'done' AND ({any_action:Bool} OR action IN {actions:Array(String)})
GROUP BY subject"""

_COUNTS_BY: Final = """
SELECT JSONExtractString(details, {detail:String}) AS value, uniqExact(subject)
FROM {journal}
WHERE subject_kind = {kind:String} AND outcome = 'done' AND ({any_action:Bool} OR action IN {actions:Array(String)})
GROUP BY value"""

_LATER: Final = """
SELECT id, at, operator, host, profile, change, subject_kind, subject, action, outcome, details
FROM {journal}
INNER JOIN
(
    SELECT subject_kind, subject, min(at) AS touched
    FROM {journal}
    WHERE change = {change:UUID} AND outcome = 'done' AND subject_kind != 'change'
    GROUP BY subject_kind, subject
) AS own USING (subject_kind, subject)
WHERE outcome = 'done' AND at >= touched AND change != {change:UUID}
ORDER BY at DESC, toString(id) DESC
LIMIT 1 BY id
LIMIT {limit:UInt64}"""

_NEWEST: Final = """
SELECT maxOrNull(at)
FROM {journal}
WHERE at < now64(6, 'UTC') + toIntervalDay(1)"""

_PRESENT: Final = """
SELECT id
FROM {journal}
WHERE change IN {changes:Array(UUID)}
    AND at BETWEEN fromUnixTimestamp64Micro({first:Int64}, 'UTC') AND fromUnixTimestamp64Micro({last:Int64}, 'UTC')"""

# What those ask who follow the journal: they say how many rows of each second they have, and get the seconds with more.
_NEWS: Final = """
SELECT id, at, operator, host, profile, change, subject_kind, subject, action, outcome, details
FROM {journal}
WHERE subject_kind IN {kinds:Array(String)} AND outcome = 'done'
    AND at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND intDiv(toUnixTimestamp64Micro(at), 1000000) IN
    (
        SELECT intDiv(toUnixTimestamp64Micro(at), 1000000) AS second
        FROM {journal}
        WHERE subject_kind IN {kinds:Array(String)} AND outcome = 'done'
            AND at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
        GROUP BY second
        HAVING uniqExact(id) > transform(second, {seconds:Array(Int64)}, {numbers:Array(UInt64)}, 0)
    )
ORDER BY at, toString(id)
LIMIT 1 BY id"""

_COUNT: Final = """
SELECT uniqExact(id)
FROM {journal}
WHERE subject_kind IN {kinds:Array(String)} AND outcome = 'done'
    AND at < fromUnixTimestamp64Micro({before:Int64}, 'UTC')"""

_CREATE_TABLE = """CREATE TABLE IF NOT EXISTS {table}{on_cluster}
(
    id UUID,
    at DateTime64(6, 'UTC'),
    operator LowCardinality(String),
    host LowCardinality(String),
    profile LowCardinality(String),
    change UUID,
    subject_kind LowCardinality(String),
    subject String,
    action LowCardinality(String),
    outcome LowCardinality(String),
    details String
)
ENGINE = {engine}
ORDER BY (subject_kind, subject, at, id){settings}"""


class Journal:
    """The table `<database>.journal` of one ClickHouse. Raises what the engine raises."""

    def __init__(self, engine: Engine, database: str, cluster: str | None = None) -> None:
        self._engine = engine
        self.database = database
        self.cluster = cluster
        self._table = f"{quote_identifier(database)}.{TABLE}"
        self._exists = False

    # -- creation

    async def exists(self) -> bool:
        """Whether the table is there and visible to the connected user.

        Raises RefusedError when a table of that name is there that is no journal.
        """
        if not self._exists:
            found = await self._engine.query(
                "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}",
                {"database": self.database, "table": TABLE},
            )
            if found.rows:
                self._refuse_other_table(dict(found.rows))
            self._exists = bool(found.rows)
        return self._exists

    def _refuse_other_table(self, types: Mapping[str, str]) -> None:
        """Raise when a column is missing or cannot hold what belongs there. More columns do no harm."""
        wrong = [f"it has no column {name}" for name in COLUMNS if name not in types]
        for name, kind in _COLUMN_KINDS.items():
            if name in types and not types[name].startswith(kind):
                wrong.append(f"its column {name} is {types[name]}, not {kind}")
        if wrong:
            raise RefusedError(
                f"The table {self.database}.{TABLE} is not the journal of Housekeys: {one_line(wrong[0])}.",
                advice="Name another database in the profile (database = ...), or have the table renamed.",
                detail="\n".join(wrong),
            )

    def creation_statements(self) -> tuple[str, str]:
        """The two statements that create database and table, as they can be handed to an administrator.

        On a cluster every host is a replica of the one table, whatever its shard: each then holds every row. The
        replica's name is the server's own UUID, for the macro `{replica}` may repeat between shards.
        https://clickhouse.com/docs/engines/table-engines/mergetree-family/replication
        """
        database = quote_identifier(self.database)
        on_cluster = f" ON CLUSTER {quote_identifier(self.cluster)}" if self.cluster else ""
        if self.cluster:
            path = f"/clickhouse/housekeys/{self.database.replace('{', '(').replace('}', ')')}/{TABLE}"
            engine = f"ReplicatedMergeTree({quote_string(path)}, '{{server_uuid}}')"
            settings = ""  # replicated tables drop a repeated insert by themselves
        else:
            engine, settings = "MergeTree", "\nSETTINGS non_replicated_deduplication_window = 1000"
        table = _CREATE_TABLE.format(table=self._table, on_cluster=on_cluster, engine=engine, settings=settings)
        return f"CREATE DATABASE IF NOT EXISTS {database}{on_cluster}", table

    def creation(self) -> Change:
        """The change that creates the table, and its database if need be. Never undone: the journal is kept."""
        database_sql, table_sql = self.creation_statements()
        kept = "The journal is the record of what was done; it is never removed by Housekeys."
        created = Event("journal", f"{self.database}.{TABLE}", "create", {"cluster": self.cluster})
        return Change(
            f"Create the journal {self.database}.{TABLE}",
            (
                StatementStep(f"Create database {self.database}", database_sql, no_undo=kept, repeatable=True),
                StatementStep(
                    f"Create table {self.database}.{TABLE}",
                    table_sql,
                    no_undo=kept,
                    repeatable=True,
                    needs=0,
                    events=(created,),
                ),
            ),
        )

    # -- appending

    async def append(self, rows: Sequence[Row], *, in_doubt: bool = False) -> None:
        """Insert `rows` in bounded batches, each row exactly once.

        `in_doubt` says that an earlier attempt may have inserted some of them: what is there is asked for first. When
        an insert fails without a clear answer from the server, the same is done once; then the error is raised.
        Raises NotFoundError when the table does not exist.
        """
        if not rows:
            return
        if not await self.exists():
            raise NotFoundError(
                f"The journal {self.database}.{TABLE} does not exist, or the connected user cannot see it.",
                advice="It is created before the first change; rows are kept until then.",
            )
        for batch in _batches(rows):
            await self._append_batch(batch, in_doubt)

    async def _append_batch(self, batch: Sequence[Row], in_doubt: bool) -> None:
        missing = await self._missing(batch) if in_doubt else batch
        try:
            await self._insert(missing)
        except HousekeysError as error:
            if not leaves_doubt(error):
                self._exists = self._exists and not isinstance(error, UnknownNameError)
                raise
            try:
                missing = await self._missing(batch)
            except HousekeysError:
                raise error from None
            await self._insert(missing)

    async def _insert(self, rows: Sequence[Row]) -> None:
        if rows:
            await self._engine.insert(self.database, TABLE, COLUMNS, [row.to_values() for row in rows])

    async def _missing(self, rows: Sequence[Row]) -> list[Row]:
        moments = [_microseconds(row.at) for row in rows]
        found = await self._query(
            _PRESENT,
            {"changes": sorted({str(row.change) for row in rows}), "first": min(moments), "last": max(moments)},
        )
        present = {str(values[0]) for values in found.rows}
        return [row for row in rows if str(row.id) not in present]

    # -- reading

    async def history(
        self,
        subject_kind: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Row]:
        """Rows of any outcome, newest first, at most `limit`, since a moment if one is given."""
        return await self._rows(
            _HISTORY,
            {
                "kind": subject_kind or "",
                "any_subject": subject is None,
                "subject": subject or "",
                "since": 0 if since is None else max(_microseconds(since), 0),
                "limit": limit,
            },
        )

    async def events(self, subject_kind: str, actions: Collection[str] | None = None) -> list[Row]:
        """Every done event of one kind of subject, of some actions or of all, oldest first."""
        return await self._rows(_EVENTS, _done(subject_kind, actions))

    async def latest(self, subject_kind: str, actions: Collection[str] | None = None) -> dict[str, Row]:
        """Of each subject of one kind its newest done event, of some actions or of all."""
        rows = await self._rows(_LATEST, _done(subject_kind, actions))
        return {row.subject: row for row in rows}

    async def counts(self, subject_kind: str, action: str) -> dict[str, int]:
        """How many done events of an action each subject of one kind has."""
        found = await self._query(_COUNTS, _done(subject_kind, [action]))
        return {subject: int(number) for subject, number in found.rows}

    async def counts_by(self, subject_kind: str, action: str, detail: str) -> dict[str, int]:
        """How many subjects have a done event of an action, by the text that its details hold under `detail`."""
        found = await self._query(_COUNTS_BY, {**_done(subject_kind, [action]), "detail": detail})
        return {value: int(number) for value, number in found.rows}

    async def news(self, subject_kinds: Collection[str], since: datetime, known: Mapping[int, int]) -> list[Row]:
        """The done events of some kinds of subject in seconds that have more of them than `known` says, oldest first.

        `known` is by the second since 1970; those before `since`, a whole second, are passed over. Reading many rows
        does not keep the event loop from its work.
        """
        counts = known or {0: 0}
        parameters = {
            "kinds": list(subject_kinds),
            "since": _microseconds(since),
            "seconds": list(counts),
            "numbers": list(counts.values()),
        }
        found = await self._query(_NEWS, parameters)
        if len(found.rows) <= ROWS_AT_ONCE:
            return [Row.from_values(values) for values in found.rows]
        return await asyncio.to_thread(lambda: [Row.from_values(values) for values in found.rows])

    async def count_of_kinds(self, subject_kinds: Collection[str], before: datetime) -> int:
        """How many done events of some kinds of subject there are from before a moment."""
        found = await self._query(_COUNT, {"kinds": list(subject_kinds), "before": _microseconds(before)})
        return int(found.first_cell() or 0)

    async def newest(self) -> datetime | None:
        """The time of the newest row, by whichever clock; one more than a day ahead is left out as a mistake."""
        found: datetime | None = (await self._query(_NEWEST, {})).first_cell()
        return found

    async def later_events(self, change: UUID, limit: int = 10) -> list[Row]:
        """Done events of other changes on the subjects of `change`, from when it touched each; newest first."""
        return await self._rows(_LATER, {"change": str(change), "limit": limit})

    async def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        found = await self._query(sql, parameters)
        return [Row.from_values(values) for values in found.rows]

    async def _query(self, sql: str, parameters: Mapping[str, Any]) -> QueryResult:
        if not await self.exists():
            return QueryResult((), ())
        try:
            return await self._engine.query(sql.replace("{journal}", self._table), parameters)
        except UnknownNameError:
            self._exists = False  # dropped since it was last seen?
            if await self.exists():
                raise
            return QueryResult((), ())


def _done(subject_kind: str, actions: Collection[str] | None) -> dict[str, Any]:
    """The parameters of the questions about done events of one kind of subject."""
    return {"kind": subject_kind, "any_action": actions is None, "actions": list(actions or ())}


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """`rows` in runs of at most BATCH_ROWS and, but for a single long one, BATCH_CHARACTERS."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        length = sum(len(str(value)) for value in row.details.values()) + len(row.subject)
        if batch and (len(batch) >= BATCH_ROWS or size + length > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch
