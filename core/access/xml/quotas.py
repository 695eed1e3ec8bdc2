"""Quotas of a configuration. Source: ClickHouse's `UsersConfigParser.cpp` and `QuotaDefs.cpp`."""

from __future__ import annotations

import re

from core.access.model import NameSet
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.xml.configuration import PLAIN_DIGITS, Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown

# The first of these that is there decides.
KEY_ELEMENTS = {
    "keyed_by_ip": QuotaKey.IP_ADDRESS,
    "keyed_by_forwarded_ip": QuotaKey.FORWARDED_IP_ADDRESS,
    "keyed_by_normalized_query_hash": QuotaKey.NORMALIZED_QUERY_HASH,
    "keyed": QuotaKey.CLIENT_KEY_OR_USER_NAME,
}
BY_ADDRESS = frozenset({QuotaKey.IP_ADDRESS, QuotaKey.FORWARDED_IP_ADDRESS})
DURATIONS = range(-(2**31), 2**31)
_BITS = {"ipv4_prefix_bits": 32, "ipv6_prefix_bits": 128}
_KNOWN = frozenset({*KEY_ELEMENTS, *_BITS, "not_keyed", "interval"})
_KNOWN_IN_INTERVAL = frozenset({"duration", "randomize", *QuotaLimit})
_WHOLE = re.compile(r"\+?[0-9]{1,99}")
_FRACTION = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NANOSECONDS = 1_000_000_000
_COUNTED = 2**64


def read_quota(configuration: Configuration, name: str, node: Node, users: tuple[str, ...]) -> Quota:
    """A quota; `users` are those that are assigned to it."""
    key = next((found for element, found in KEY_ELEMENTS.items() if node.first(element)), QuotaKey.USER_NAME)
    if sum(node.first(element) is not None for element in KEY_ELEMENTS) > 1:
        message = f"The quota {shown(name)} has more than one key; ClickHouse counts by {key}."
        configuration.problems.warning(node.origin, message, "Keep one of the keyed elements.")
    bits = {element: _prefix_bits(configuration, node, element) for element in _BITS}
    if key not in BY_ADDRESS and any(number is not None for number in bits.values()):
        message = f"The quota {shown(name)} has prefix bits but does not count by address."
        configuration.problems.error(node.origin, message, "Add <keyed_by_ip/>, or take the bits out.")
    intervals = []
    for element in node.elements():
        if not element.name.startswith("interval"):
            if element.name not in _KNOWN:
                message = f"ClickHouse does not know <{element.name}> in a quota and ignores it."
                configuration.problems.warning(element.origin, message, "Limits stand in an <interval>.")
            continue
        if (interval := _interval(configuration, name, element)) is not None:
            intervals.append(interval)
    if len({interval.seconds for interval in intervals}) < len(intervals):
        message = f"The quota {shown(name)} has two intervals of the same length."
        configuration.problems.warning(node.origin, message, "Put their limits into one: SQL has one for each length.")
    return Quota(name, key, tuple(intervals), NameSet(users), bits["ipv4_prefix_bits"], bits["ipv6_prefix_bits"])


def _prefix_bits(configuration: Configuration, node: Node, element: str) -> int | None:
    if node.first(element) is None:
        return None
    found = configuration.integer(node, element, -1, range(_BITS[element] + 1))
    return None if found < 0 else found


def _interval(configuration: Configuration, name: str, node: Node) -> QuotaInterval | None:
    configuration.ignored(node, _KNOWN_IN_INTERVAL, "an interval")
    seconds = configuration.integer(node, "duration", 0, DURATIONS)
    if seconds <= 0:
        message = f"An interval of the quota {shown(name)} has no duration, so ClickHouse skips it."
        configuration.problems.warning(node.origin, message, "Give it a <duration> in seconds.")
        return None
    limits = []
    for limit in QuotaLimit:
        found = node.first(limit.value)
        text = configuration.text_in(node, limit.value)
        if found is None or text is None or text == "0":
            continue
        value = _fraction(text) if limit is QuotaLimit.EXECUTION_TIME else _whole(text)
        if value is None:
            wanted = "seconds" if limit is QuotaLimit.EXECUTION_TIME else "whole number"
            message = f"<{limit}> of the quota {shown(name)} is {shown(text)}, which is no {wanted}."
            configuration.problems.error(found.origin, message, PLAIN_DIGITS)
            continue
        if value == 0:
            message = f"<{limit}> of the quota {shown(name)} is {shown(text)}: ClickHouse allows nothing at all."
            configuration.problems.warning(found.origin, message, "Write 0 for no limit.")
        limits.append((limit, value))
    return QuotaInterval(seconds, tuple(limits), configuration.boolean(node, "randomize"))


def _whole(text: str) -> int | None:
    """A count as ClickHouse reads it: what is too large for its 64 bits begins again at 0."""
    return int(text) % _COUNTED if _WHOLE.fullmatch(text) else None


def _fraction(text: str) -> int | float | None:
    """Seconds as ClickHouse keeps them, in whole nanoseconds."""
    if not _FRACTION.fullmatch(text):
        return None
    nanoseconds = float(text) * _NANOSECONDS
    if not 0 <= nanoseconds < _COUNTED:
        return None
    kept = int(nanoseconds)
    return kept // _NANOSECONDS if kept % _NANOSECONDS == 0 else kept / _NANOSECONDS
