"""The log of requests in ClickHouse: written by services in batches, read from any machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.tables import REQUESTS_TABLE

COLUMNS: Final = tuple(field.name for field in fields(AnsweredRequest))
ARRIVAL: Final = timedelta(seconds=15)  # how much later than its time a row may arrive and is met by the tail
FIRST_ERROR: Final = 400  # the first status that is one
_MOST_AT_ONCE: Final = 1_000  # rows in one read of the tail

_COLUMNS: Final = ", ".join(COLUMNS)
# The filters; empty texts let everything pass.
_WANTED: Final = (
    "({account:String} = '' OR account_id = {account:String})"
    " AND ({connection:String} = '' OR connection_id = {connection:String})"
)
_NEWEST: Final = f"""
SELECT {_COLUMNS}
FROM {{log}}
WHERE {_WANTED} AND at >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC') AND status >= {{status:UInt16}}
ORDER BY at DESC, toString(id) DESC
LIMIT 1 BY id
LIMIT {{limit:UInt64}}"""  # noqa: S608 - names of columns

# ClickHouse compares UUIDs by their second half first: their text is compared, as the journal does.
_SINCE: Final = f"""
SELECT {_COLUMNS}
FROM {{log}}
WHERE at >= fromUnixTimestamp64Micro({{at:Int64}}, 'UTC')
    AND (at, toString(id)) > (fromUnixTimestamp64Micro({{at:Int64}}, 'UTC'), {{id:String}})
    AND {_WANTED}
ORDER BY at, toString(id)
LIMIT 1 BY id
LIMIT {{limit:UInt64}}"""  # noqa: S608

_BY_DAY: Final = """
SELECT toDate(at, 'UTC') AS day, endpoint, status, word, count(), countIf(configured),
    countIf(seconds > 1), quantile(0.99)(seconds)
FROM {log}
WHERE at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
GROUP BY day, endpoint, status, word
ORDER BY day, endpoint, status, word"""

_LAST: Final = """
SELECT connection_id, max(at), argMax(endpoint, at), argMax(status, at)
FROM {log}
WHERE connection_id != '' AND ({connection:String} = '' OR connection_id = {connection:String})
GROUP BY connection_id"""


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many requests of one kind were answered on a day (UTC), and how quickly."""

    day: date
    endpoint: str
    status: int
    word: str  # the redirect value of a connect, or the reason of an error
    count: int
    configured: int  # of them have made a partner connection: a known user's leads to the sign-in page as well
    slow: int  # of them took longer than a second
    p99: float  # seconds; 99 of 100 were quicker


@dataclass(frozen=True, slots=True)
class LastRequest:
    """The newest request about a partner connection."""

    at: datetime
    endpoint: str
    status: int


class RequestLog:
    """The table `<database>.partner_requests`. Empty as long as it does not exist. Raises what the engine raises."""

    def __init__(self, engine: Engine, database: str) -> None:
        self._engine = engine
        self._database = database
        self._table = f"{quote_identifier(database)}.{REQUESTS_TABLE}"

    async def append(self, requests: Sequence[AnsweredRequest]) -> None:
        """Keep a batch. The same one again, after an answer that was lost, counts once."""
        rows = [tuple(getattr(request, name) for name in COLUMNS) for request in requests]
        await self._engine.insert(self._database, REQUESTS_TABLE, COLUMNS, rows)

    async def newest(
        self,
        limit: int = 100,
        *,
        account: str = "",
        connection: str = "",
        since: datetime | None = None,
        errors: bool = False,
    ) -> list[AnsweredRequest]:
        """The newest requests, the newest first; of one account or partner connection if it is named."""
        parameters = {"since": _microseconds(since) if since else 0, "status": FIRST_ERROR if errors else 0}
        wanted = {"account": account, "connection": connection, "limit": limit}
        return await self._requests(_NEWEST, {**wanted, **parameters})

    async def since(
        self,
        after_at: datetime,
        after_id: UUID = UUID(int=0),  # noqa: B008 - immutable
        limit: int = _MOST_AT_ONCE,
        *,
        account: str = "",
        connection: str = "",
    ) -> list[AnsweredRequest]:
        """The requests after the one of this time and id, oldest first. Others may still arrive: see `RequestTail`."""
        parameters = {"at": _microseconds(after_at), "id": str(after_id), "limit": limit}
        return await self._requests(_SINCE, {**parameters, "account": account, "connection": connection})

    async def by_day(self, days: int = 30, now: datetime | None = None) -> list[DayCount]:
        """What was answered on each of the last days, today included."""
        today = (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
        found = await self._query(_BY_DAY, {"since": _microseconds(today - timedelta(days=days - 1))})
        return [
            DayCount(day, str(endpoint), int(status), str(word), int(count), int(made), int(slow), float(p99))
            for day, endpoint, status, word, count, made, slow, p99 in found.rows
        ]

    async def last_requests(self, connection: str = "") -> dict[str, LastRequest]:
        """The newest request of each partner connection, or of the one that is named, by its id."""
        found = await self._query(_LAST, {"connection": connection})
        return {str(id): LastRequest(at, str(endpoint), int(status)) for id, at, endpoint, status in found.rows}

    async def _requests(self, sql: str, parameters: Mapping[str, Any]) -> list[AnsweredRequest]:
        found = await self._query(sql, parameters)
        return [AnsweredRequest(*row) for row in found.rows]

    async def _query(self, sql: str, parameters: Mapping[str, Any]) -> QueryResult:
        try:
            return await self._engine.query(sql.replace("{log}", self._table), parameters)
        except UnknownNameError:
            return QueryResult((), ())


class RequestTail:
    """The requests that are new since it was asked last. Those of another process, which arrive late, are not missed.

    `after` is the newest request that is known already.
    """

    def __init__(
        self, log: RequestLog, after: AnsweredRequest | None = None, *, account: str = "", connection: str = ""
    ) -> None:
        self._log = log
        self._account = account
        self._connection = connection
        self._newest = self._begin = after.at if after is not None else datetime.now(UTC)
        self._told: dict[UUID, datetime] | None = None  # None: it was not asked yet

    async def next(self) -> list[AnsweredRequest]:
        """What has arrived meanwhile, by its time. What is older than `after` must arrive after the first time."""
        read = await self._read(self._newest - ARRIVAL)
        told = self._told
        if told is None:
            told = {request.id: request.at for request in read if request.at <= self._begin}
        new = [request for request in read if request.id not in told]
        self._newest = max([self._newest, *(request.at for request in new)])
        told |= {request.id: request.at for request in new}
        self._told = {id: at for id, at in told.items() if at >= self._newest - ARRIVAL}
        return new

    async def _read(self, since: datetime) -> list[AnsweredRequest]:
        found: list[AnsweredRequest] = []
        at, identifier = since, UUID(int=0)
        while True:
            read = await self._log.since(at, identifier, account=self._account, connection=self._connection)
            found += read
            if len(read) < _MOST_AT_ONCE:
                return found
            at, identifier = read[-1].at, read[-1].id


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
