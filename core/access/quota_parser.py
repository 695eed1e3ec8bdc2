"""Reads CREATE and ALTER of quotas. Source: https://clickhouse.com/docs/sql-reference/statements/create/quota."""

from __future__ import annotations

import math
import re
from typing import Final

from core.access.clauses import Clauses, create_options
from core.access.cursor import Cursor
from core.access.quotas import SECONDS, AlterQuota, CreateQuota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.tokenizer import Kind

_KEYS = {str(key).replace(", ", "_or_"): key for key in QuotaKey} | {"none": QuotaKey.NONE}
_LIMITS = {str(limit): limit for limit in QuotaLimit}
_KEYS_WITH_BITS: Final = (QuotaKey.IP_ADDRESS, QuotaKey.FORWARDED_IP_ADDRESS)
_SHORT_UNITS: Final = {
    "second": ("S", "SS"),
    "minute": ("N", "MI"),
    "hour": ("H", "HH"),
    "day": ("D", "DD"),
    "week": ("WW", "WK"),
    "month": ("M", "MM"),
    "quarter": ("Q", "QQ"),
    "year": ("YY", "YYYY"),
}
_UNITS = {
    word: length
    for unit, length in SECONDS.items()
    for word in (unit.upper(), f"{unit.upper()}S", f"SQL_TSI_{unit.upper()}", *_SHORT_UNITS[unit])
}
_SIZE = re.compile(r"([0-9]+)(?:([kKMGT])(i?))?")
_POWER = {"K": 1, "M": 2, "G": 3, "T": 4}
_MOST = 2**64
_LONGEST = 2**63  # seconds
_NANOSECONDS = 10**9  # ClickHouse counts execution time in these


def parse_create_quota(cursor: Cursor) -> CreateQuota:
    """The rest of a CREATE QUOTA."""
    clauses = Clauses(cursor, **create_options(cursor))
    clauses["names"] = _names(cursor)
    _read_clauses(cursor, clauses)
    return CreateQuota(**clauses)


def parse_alter_quota(cursor: Cursor) -> AlterQuota:
    """The rest of an ALTER QUOTA."""
    clauses = Clauses(cursor, if_exists=cursor.words("IF EXISTS"))
    clauses["names"] = _names(cursor)
    _read_clauses(cursor, clauses, alter=True)
    clauses.need_change()
    return AlterQuota(**clauses)


def _names(cursor: Cursor) -> tuple[str, ...]:
    return cursor.listed(lambda: cursor.name("the name of a quota"))


def _read_clauses(cursor: Cursor, clauses: Clauses, *, alter: bool = False) -> None:
    start = cursor.index
    while not clauses.to() and (
        clauses.place() or (alter and clauses.renaming()) or _key(cursor, clauses) or _limits(cursor, clauses)
    ):
        pass
    clauses.cluster_behind_to()
    bits = clauses.keys() & {"ipv4_prefix_bits", "ipv6_prefix_bits"}
    if bits and clauses.get("key", QuotaKey.IP_ADDRESS) not in _KEYS_WITH_BITS:
        cursor.index = start
        cursor.fail("KEYED BY ip_address or forwarded_ip_address, because there are prefix bits")


def _key(cursor: Cursor, clauses: Clauses) -> bool:
    if cursor.at_words("NOT KEYED"):
        clauses.need_new("key", "KEYED BY")
        cursor.need_words("NOT KEYED")
        clauses["key"] = QuotaKey.NONE
    elif cursor.at_words("KEYED BY") or cursor.at_words("KEY BY"):
        clauses.need_new("key", "KEYED BY")
        cursor.one_of("KEYED BY", "KEY BY")
        start = cursor.index
        words = "_or_".join(cursor.listed(lambda: cursor.name("what the quota is keyed by")))
        key = _KEYS.get(words.strip().replace(" ", "_").lower())
        if key is None:
            cursor.index = start
            cursor.fail(", ".join(f"'{found}'" for found in QuotaKey if found is not QuotaKey.NONE))
        clauses["key"] = key
    elif cursor.at_words("IPV4_PREFIX_BITS"):
        clauses.need_new("ipv4_prefix_bits", "IPV4_PREFIX_BITS")
        clauses["ipv4_prefix_bits"] = _bits(cursor, 32)
    elif cursor.at_words("IPV6_PREFIX_BITS"):
        clauses.need_new("ipv6_prefix_bits", "IPV6_PREFIX_BITS")
        clauses["ipv6_prefix_bits"] = _bits(cursor, 128)
    else:
        return False
    return True


def _bits(cursor: Cursor, most: int) -> int:
    cursor.take()
    token = cursor.token
    if token.kind is not Kind.NUMBER or not token.text.isdecimal() or int(token.text) > most:
        cursor.fail(f"a number of bits from 0 to {most}")
    return int(cursor.take().text)


def _limits(cursor: Cursor, clauses: Clauses) -> bool:
    if not cursor.at_words("FOR"):
        return False
    intervals = list(clauses.get("intervals", ()))
    while cursor.words("FOR"):
        intervals.append(_interval(cursor))
        if cursor.at_symbol(",") and _word_follows(cursor, "FOR"):
            cursor.take()
    clauses["intervals"] = tuple(intervals)
    return True


def _interval(cursor: Cursor) -> QuotaInterval:
    randomized = cursor.words("RANDOMIZED")
    cursor.words("INTERVAL")
    place = cursor.index
    number = _number(cursor)
    if cursor.token.kind is not Kind.WORD or cursor.token.text.upper() not in _UNITS:
        cursor.fail("a unit from SECOND to YEAR")
    seconds = int(number * _UNITS[cursor.take().text.upper()])
    if seconds >= _LONGEST:
        cursor.index = place
        cursor.fail("a shorter interval")
    if cursor.words("NO LIMITS"):
        return QuotaInterval(seconds, randomized=randomized, removed=True)
    if cursor.words("TRACKING ONLY"):
        return QuotaInterval(seconds, randomized=randomized)
    cursor.need_words("MAX")
    found = dict([_limit(cursor)])
    while cursor.at_symbol(",") and not _word_follows(cursor, "FOR"):
        cursor.take()
        cursor.words("MAX")
        found |= [_limit(cursor)]
    return QuotaInterval(seconds, tuple((name, found[name]) for name in QuotaLimit if name in found), randomized)


def _word_follows(cursor: Cursor, word: str) -> bool:
    following = cursor.peek()
    return following.kind is Kind.WORD and following.text.upper() == word


def _limit(cursor: Cursor) -> tuple[QuotaLimit, int | float]:
    limit = _limit_name(cursor)
    cursor.symbol("=")
    place = cursor.index
    amount: int | float
    if cursor.token.kind is Kind.STRING:
        size = _SIZE.fullmatch(cursor.token.text)
        if size is None:
            cursor.fail("a number such as 1000 or '10G'")
        amount = int(size[1]) * (1024 if size[3] else 1000) ** _POWER.get((size[2] or "").upper(), 0)
        cursor.take()
    else:
        amount = _number(cursor)
    if limit is not QuotaLimit.EXECUTION_TIME or amount == int(amount):
        amount = int(amount)
    else:
        amount = int(amount * _NANOSECONDS) / _NANOSECONDS
    if amount * (_NANOSECONDS if limit is QuotaLimit.EXECUTION_TIME else 1) >= _MOST:
        cursor.index = place
        cursor.fail("a smaller number")
    return limit, amount


def _limit_name(cursor: Cursor) -> QuotaLimit:
    """The name of a limit; ClickHouse takes its words apart as well (`execution time`)."""
    start = cursor.index
    bare = cursor.token.kind is Kind.WORD
    name = cursor.identifier("the name of a limit")
    if bare:
        name = name.lower()
        while name not in _LIMITS and cursor.token.kind is Kind.WORD:
            name += f"_{cursor.take().text.lower()}"
    if name not in _LIMITS:
        cursor.index = start
        cursor.fail(f"one of {', '.join(QuotaLimit)}")
    return _LIMITS[name]


def _number(cursor: Cursor) -> int | float:
    token = cursor.token
    if token.kind is not Kind.NUMBER:
        cursor.fail("a number")
    text = token.text.lower()
    number = int(text, 16) if text.startswith("0x") else int(text) if text.isdecimal() else float(text)
    if math.isinf(number):
        cursor.fail("a smaller number")
    cursor.take()
    return number
