"""Quotas as elements of a configuration."""

from __future__ import annotations

from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.xml.quotas import BY_ADDRESS, DURATIONS, KEY_ELEMENTS

_ELEMENTS = {key: f"<{element}/>" for element, key in KEY_ELEMENTS.items()} | {QuotaKey.USER_NAME: ""}
_WHOLE = range(2**64)
_MOST_SECONDS = 2**64 / 1_000_000_000


def quota_lines(quota: Quota) -> tuple[list[str], str]:
    """The lines in a quota's element, or why there are none."""
    if quota.key not in _ELEMENTS:
        return [], f"XML has no quota that is {'' if quota.key is QuotaKey.NONE else 'KEYED BY '}{quota.key}"
    bits = {"ipv4_prefix_bits": (quota.ipv4_prefix_bits, 32), "ipv6_prefix_bits": (quota.ipv6_prefix_bits, 128)}
    given = {element: number for element, (number, most) in bits.items() if number is not None}
    if given and quota.key not in BY_ADDRESS:
        return [], "prefix bits belong to a quota that counts by address"
    lines = [_ELEMENTS[quota.key]] if _ELEMENTS[quota.key] else []
    lines += [f"<{element}>{number}</{element}>" for element, number in given.items()]
    for interval in quota.intervals:
        if interval.removed:
            continue
        if not 0 < interval.seconds < DURATIONS.stop:
            return [], f"an interval of {interval.seconds} seconds has no place in XML"
        limits = [_limit(limit, value) for limit, value in interval.limits]
        if None in limits:
            return [], "a limit is larger than ClickHouse can count"
        lines += _interval(interval, [limit for limit in limits if limit is not None])
    return lines, ""


def _interval(interval: QuotaInterval, limits: list[str]) -> list[str]:
    parts = [f"<duration>{interval.seconds}</duration>"]
    parts += ["<randomize>1</randomize>"] if interval.randomized else []
    return ["<interval>", *(f"    {part}" for part in (*parts, *limits)), "</interval>"]


def _limit(limit: QuotaLimit, value: int | float) -> str | None:
    if value == 0:
        return f"<{limit}>00</{limit}>"  # nothing at all; 0 itself means no limit
    if limit is QuotaLimit.EXECUTION_TIME:
        if not 0 < value < _MOST_SECONDS:
            return None
        return f"<{limit}>{value if isinstance(value, int) else f'{value:.9f}'.rstrip('0')}</{limit}>"
    return f"<{limit}>{int(value)}</{limit}>" if value == int(value) and int(value) in _WHOLE else None
