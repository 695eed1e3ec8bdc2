"""What is used of quotas, key by key, as the server that is asked counts it: `system.quotas_usage`.

Every server counts by itself, from its start on. A key is there once something was counted for it.
"""

# ruff: noqa: S608 - only names of columns that are spelled here go into the queries

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.access.quota_amounts import Amount
from core.access.quotas import QuotaLimit
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.engine import Engine
from core.clickhouse.errors import NoRightError
from core.errors import HousekeysError

EVERYONES, OWN = "quotas_usage", "quota_usage"
MOST_KEYS = 200  # intervals of keys that are read, those first that are the nearest to a limit
_ALWAYS = ("queries", "errors", "result_rows", "result_bytes", "read_rows", "read_bytes", "execution_time")


@dataclass(frozen=True, slots=True)
class Used:
    """What is used of one limit. `most` is None where the use is only counted."""

    limit: QuotaLimit
    used: Amount
    most: Amount | None

    @property
    def fraction(self) -> float:
        """How much of the limit is used; 1 and more is at it."""
        return self.used / self.most if self.most else 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one key has used in one interval. Without `seconds` the quota has no interval, and nothing is counted."""

    quota: str
    key: str
    start: datetime | None
    end: datetime | None
    seconds: int | None
    used: tuple[Used, ...]

    @property
    def full(self) -> tuple[Used, ...]:
        """The limits that are reached."""
        return tuple(each for each in self.used if each.fraction >= 1)


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """The usage of one quota. `own` says that only that of the connected user could be seen; `more` keys are left out.

    `denied` is why that of others is not there.
    """

    usages: tuple[Usage, ...]
    own: bool = False
    denied: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True)
class Fullness:
    """How near the keys of a quota are to its limits, in intervals that are not over."""

    keys: int
    full: int  # keys that are at a limit
    most: float  # the part that is used by the key that is nearest to one


def is_counted(engine: Engine) -> bool:
    """Whether there is anything to ask: in an embedded engine nobody works whom a quota limits."""
    return engine.home == "server"


def counted_limits(capabilities: Capabilities) -> tuple[QuotaLimit, ...]:
    """The limits that the connected server knows."""
    return _in(capabilities.tables.get(EVERYONES, frozenset()))


def _in(columns: Collection[str]) -> tuple[QuotaLimit, ...]:
    return tuple(limit for limit in QuotaLimit if (limit in columns if columns else limit in _ALWAYS))


async def read_quota_usage(engine: Engine, capabilities: Capabilities, quota: str) -> QuotaUsage:
    """The usage of a quota by every key, or where that may not be seen by the connected user."""
    limits = counted_limits(capabilities)
    try:
        usages = await _read(engine, EVERYONES, quota, limits)
    except NoRightError as error:
        return QuotaUsage(await _read(engine, OWN, quota, limits), own=True, denied=f"{error.message} {error.advice}")
    if len(usages) < MOST_KEYS:
        return QuotaUsage(usages)
    counted = f"SELECT count() FROM system.{EVERYONES} WHERE quota_name = {{quota:String}}"
    number = int((await engine.query(counted, {"quota": quota})).first_cell())
    return QuotaUsage(usages, more=max(number - len(usages), 0))


async def _read(engine: Engine, table: str, quota: str, limits: Sequence[QuotaLimit]) -> tuple[Usage, ...]:
    columns = ", ".join(f"{limit}, max_{limit}" for limit in limits)
    answer = await engine.query(
        "SELECT quota_name, quota_key, toUnixTimestamp(start_time) AS start, toUnixTimestamp(end_time) AS end, "
        f"duration, {columns} FROM system.{table} WHERE quota_name = {{quota:String}} "
        f"ORDER BY {_fullest(limits)} DESC, quota_key, duration LIMIT {MOST_KEYS}",
        {"quota": quota},
    )
    return tuple(_usage(row, limits) for row in answer.as_dicts())


def _usage(row: Mapping[str, Any], limits: Sequence[QuotaLimit]) -> Usage:
    seconds = row["duration"]
    used = [Used(limit, row[limit], row[f"max_{limit}"]) for limit in limits if row[limit] is not None]
    return Usage(
        str(row["quota_name"]),
        str(row["quota_key"]),
        _moment(row["start"]),
        _moment(row["end"]),
        None if seconds is None else int(seconds),
        tuple(used),
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if not seconds else datetime.fromtimestamp(int(seconds), UTC)


def _fullest(limits: Sequence[QuotaLimit]) -> str:
    """The part that is used of the limit that is the nearest, as an expression."""
    parts = (f"ifNull({limit} / nullIf(max_{limit}, 0), 0)" for limit in limits)
    return f"greatest({', '.join(parts)})"


async def read_fullness(engine: Engine, capabilities: Capabilities) -> Mapping[str, Fullness] | None:
    """How full every quota is, by its name; None where that cannot be told."""
    fullest = _fullest(counted_limits(capabilities))
    try:
        # Without a subquery: so ClickHouse answers it even to whom its own quota lets do nothing more.
        answer = await engine.query(
            f"WITH if(end_time > now(), {fullest}, 0) AS part "
            "SELECT quota_name, uniqExact(quota_key), uniqExactIf(quota_key, part >= 1), max(part) "
            f"FROM system.{EVERYONES} WHERE duration IS NOT NULL GROUP BY quota_name"
        )
    except HousekeysError:
        return None
    return {str(name): Fullness(int(keys), int(full), float(part or 0)) for name, keys, full, part in answer.rows}
