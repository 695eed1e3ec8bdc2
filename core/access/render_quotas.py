"""Statements about quotas as SQL, in the form in which ClickHouse itself shows them."""

from __future__ import annotations

from core.access.quotas import SECONDS, AlterQuota, CreateQuota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.render_grants import identifier
from core.access.render_parts import alter_head, create_head, names, to, words

_ORDER = tuple(QuotaLimit)


def render_create_quota(statement: CreateQuota) -> str:
    """A CREATE QUOTA."""
    head = create_head("QUOTA", statement, names(statement.names))
    return words(head, _definition(statement), to(statement.to, created=True))


def render_alter_quota(statement: AlterQuota) -> str:
    """An ALTER QUOTA."""
    head = alter_head(
        "QUOTA",
        names(statement.names),
        if_exists=statement.if_exists,
        storage=statement.storage,
        cluster=statement.cluster,
    )
    renaming = f"RENAME TO {identifier(statement.rename_to)}" if statement.rename_to else ""
    return words(head, renaming, _definition(statement), to(statement.to))


def _definition(statement: CreateQuota | AlterQuota) -> str:
    return words(
        _key(statement.key),
        _bits("IPV4", statement.ipv4_prefix_bits),
        _bits("IPV6", statement.ipv6_prefix_bits),
        ", ".join(map(_interval, statement.intervals)),
    )


def _key(key: QuotaKey | None) -> str:
    if key is None:
        return ""
    return "NOT KEYED" if key is QuotaKey.NONE else f"KEYED BY {key}"


def _bits(protocol: str, bits: int | None) -> str:
    return "" if bits is None else f"{protocol}_PREFIX_BITS {bits}"


def _interval(interval: QuotaInterval) -> str:
    if interval.removed:
        limits = "NO LIMITS"
    elif not interval.limits:
        limits = "TRACKING ONLY"
    else:
        ordered = sorted(interval.limits, key=lambda limit: _ORDER.index(limit[0]))
        limits = f"MAX {', '.join(f'{name} = {_amount(amount)}' for name, amount in ordered)}"
    return words("FOR", "RANDOMIZED" if interval.randomized else "", f"INTERVAL {span(interval.seconds)}", limits)


def span(seconds: int) -> str:
    """The length of an interval in the largest unit that it is a whole number of: `1 quarter`, `30 day`."""
    unit, length = (
        next(
            (unit, length) for unit, length in reversed(SECONDS.items()) if seconds % length == 0 and seconds >= length
        )
        if seconds
        else ("second", 1)
    )
    return f"{seconds // length} {unit}"


def _amount(amount: int | float) -> str:
    """ClickHouse counts parts of a second in billionths and writes them as short as can be."""
    if isinstance(amount, int):
        return str(amount)
    text = f"{amount:.9f}".rstrip("0").removesuffix(".")
    return text if abs(amount) >= 1e-6 else f"{amount:g}".replace("e-0", "e-")
