"""How often who may call: a bucket of tokens for each caller, a limit for failed attempts, and who a caller is."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

MOST_REMEMBERED: Final = 10_000  # callers; who is forgotten begins anew
FAILURES_PER_MINUTE: Final = 30

Clock = Callable[[], float]


class Buckets:
    """For each key a bucket that holds so many tokens and fills evenly within a minute."""

    def __init__(self, per_minute: int, clock: Clock = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def take(self, key: str) -> float:
        """Take one token: 0 when there was one, else in how many seconds there will be."""
        now = self._clock()
        left = self._left(key, now)
        taken = left >= 1
        self._buckets[key] = (left - taken, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) * 60 / self._per_minute

    def empty(self, key: str) -> bool:
        """Whether there is no token now."""
        return self._left(key, self._clock()) < 1

    def _left(self, key: str, now: float) -> float:
        tokens, counted = self._buckets.get(key, (float(self._per_minute), now))
        return min(tokens + (now - counted) * self._per_minute / 60, float(self._per_minute))


class FailedAttempts:
    """Which addresses fail too often: for theirs no password that a person chose is derived, so guesses cost nothing.

    A generated password is 256 random bits and cheap to check: it is never kept out, whoever else fails from there.
    """

    def __init__(self, per_minute: int = FAILURES_PER_MINUTE, clock: Clock = time.monotonic) -> None:
        self._failures = Buckets(per_minute, clock)

    def too_many(self, address: str) -> bool:
        """Whether this address has failed too often just now."""
        return self._failures.empty(address)

    def failed(self, address: str) -> None:
        """An attempt from this address has failed."""
        self._failures.take(address)


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells the address that a request comes from: the peer's, or what proxies that are trusted say of theirs."""

    trusted: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def of(cls, trusted_proxies: Iterable[str]) -> Callers:
        """With the addresses and networks of the policy, which were checked when it was read."""
        return cls(tuple(ipaddress.ip_network(one, strict=False) for one in trusted_proxies))

    def address(self, request: Request) -> str:
        """The address. Of X-Forwarded-For the last that is not a proxy of ours: what stands before may be invented."""
        address = request.client.host if request.client else ""  # none: a socket of this machine, so a proxy of ours
        told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed([hop.strip() for hop in told if hop.strip()]):
            if address and not self._is_trusted(address):
                break
            if (plain := _plain(hop)) is None:
                break
            address = plain
        return address or "local"

    def _is_trusted(self, address: str) -> bool:
        plain = _plain(address)
        if plain is None:
            return False
        one = ipaddress.ip_address(plain)
        return any(one.version == network.version and one in network for network in self.trusted)


def _plain(text: str) -> str | None:
    """An address as text, IPv4 in IPv6 as IPv4, without a scope, which may be any text; None when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
