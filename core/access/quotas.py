"""Quotas: how much may be used per span of time, counted per key.

Source: https://clickhouse.com/docs/sql-reference/statements/create/quota.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.access.entity_parts import NOBODY, NameSet


class QuotaKey(StrEnum):
    """What a quota counts apart, by the word it has in SQL."""

    NONE = "NOT KEYED"  # everybody together
    USER_NAME = "user_name"
    IP_ADDRESS = "ip_address"
    FORWARDED_IP_ADDRESS = "forwarded_ip_address"
    CLIENT_KEY = "client_key"
    CLIENT_KEY_OR_USER_NAME = "client_key, user_name"
    CLIENT_KEY_OR_IP_ADDRESS = "client_key, ip_address"
    NORMALIZED_QUERY_HASH = "normalized_query_hash"


class QuotaLimit(StrEnum):
    """What can be limited, by its name in SQL and in `users.xml`, in ClickHouse's order."""

    QUERIES = "queries"
    QUERY_SELECTS = "query_selects"
    QUERY_INSERTS = "query_inserts"
    ERRORS = "errors"
    RESULT_ROWS = "result_rows"
    RESULT_BYTES = "result_bytes"
    READ_ROWS = "read_rows"
    READ_BYTES = "read_bytes"
    EXECUTION_TIME = "execution_time"  # seconds, the only one that can have a fraction
    WRITTEN_BYTES = "written_bytes"
    FAILED_SEQUENTIAL_AUTHENTICATIONS = "failed_sequential_authentications"
    QUERIES_PER_NORMALIZED_HASH = "queries_per_normalized_hash"


# The units of an interval, from the shortest; months, quarters and years are of ClickHouse's average length.
SECONDS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "month": 2629746,
    "quarter": 7889238,
    "year": 31556952,
}


@dataclass(frozen=True, slots=True)
class QuotaInterval:
    """What may be used in `seconds`. Without limits the use is only counted (TRACKING ONLY).

    `limits` has pairs in the order of QuotaLimit. `removed` is `NO LIMITS`, which takes the interval of this length
    away in an ALTER.
    """

    seconds: int
    limits: tuple[tuple[QuotaLimit, int | float], ...] = ()
    randomized: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota as it is defined. `to` are the users and roles that it holds for; at most one interval per length."""

    name: str
    key: QuotaKey = QuotaKey.NONE
    intervals: tuple[QuotaInterval, ...] = ()
    to: NameSet = NOBODY
    ipv4_prefix_bits: int | None = None
    ipv6_prefix_bits: int | None = None


@dataclass(frozen=True, slots=True)
class CreateQuota:
    """`CREATE QUOTA`. What is None was not written."""

    names: tuple[str, ...]
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    key: QuotaKey | None = None
    intervals: tuple[QuotaInterval, ...] = ()
    to: NameSet | None = None
    ipv4_prefix_bits: int | None = None
    ipv6_prefix_bits: int | None = None


@dataclass(frozen=True, slots=True)
class AlterQuota:
    """`ALTER QUOTA`. What is None or empty stays as it is; an interval replaces the one of its length."""

    names: tuple[str, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""
    rename_to: str = ""
    key: QuotaKey | None = None
    intervals: tuple[QuotaInterval, ...] = ()
    to: NameSet | None = None
    ipv4_prefix_bits: int | None = None
    ipv6_prefix_bits: int | None = None
