"""UUIDv7: identifiers that carry their time and, within a process, always grow.

RFC 9562, section 5.7, with the 12 bits of `rand_a` used for the fraction of a millisecond (section 6.2, method 3) and
`rand_b` as a randomly seeded counter (method 2): 48 bits of Unix milliseconds, 4 of version, 12 of fraction, 2 of
variant, 62 of counter.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTER_BITS = 62
_SEED_BITS = 60  # leaves room to count without running into the next fraction
_VERSION = 7 << 76
_VARIANT = 0b10 << _COUNTER_BITS


class Generator:
    """Gives UUIDv7s, each greater than every one before it, from any thread, even when the clock goes back."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock  # nanoseconds since 1970
        self._lock = threading.Lock()
        self._ticks = 0  # 1/4096 ms since 1970
        self._counter = 0  # the next one free at that tick

    def next(self, count: int = 1) -> UUID:
        """The first of `count` consecutive ids (see `following`), all of the same moment."""
        now = self._clock() * 4096 // 1_000_000
        with self._lock:
            if now <= self._ticks and self._counter + count < 1 << _COUNTER_BITS:
                first = self._counter
            else:
                self._ticks = max(now, self._ticks + 1)
                first = secrets.randbits(_SEED_BITS)
            self._counter = first + count
            ticks = self._ticks
        return UUID(int=((ticks >> 12) << 80) | _VERSION | ((ticks & 0xFFF) << 64) | _VARIANT | first)

    def pass_by(self, at: datetime) -> None:
        """Make every id from now on later than `at`, a moment that another clock has seen."""
        next_microsecond = (at - _EPOCH) // timedelta(microseconds=1) + 1
        ticks = -(-next_microsecond * 4096 // 1000)  # rounded up
        with self._lock:
            if ticks > self._ticks:
                self._ticks, self._counter = ticks, secrets.randbits(_SEED_BITS)


def following(first: UUID, number: int) -> UUID:
    """The id `number` after `first` in a block given by `Generator.next`."""
    return UUID(int=first.int + number)


def moment(identifier: UUID) -> datetime:
    """The time that a UUIDv7 of `Generator` carries: UTC, to the microsecond."""
    milliseconds = identifier.int >> 80
    fraction = (identifier.int >> 64) & 0xFFF
    return _EPOCH + timedelta(microseconds=milliseconds * 1000 + fraction * 1000 // 4096)


new_ids = Generator()
