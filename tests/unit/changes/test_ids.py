"""UUIDv7s: their layout by RFC 9562, their order, their time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from core.journal.ids import Generator, following, moment, new_ids

LATEST = 4_102_444_800_000_000_000  # the year 2100, in nanoseconds


@given(st.integers(0, LATEST))
def test_layout_and_time(now: int) -> None:
    made = Generator(lambda: now).next()
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == now // 1_000_000
    exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now // 1000)
    assert timedelta(0) <= exact - moment(made) <= timedelta(microseconds=1)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 100)), min_size=1, max_size=50))
def test_ids_grow_even_when_the_clock_goes_back(calls: list[tuple[int, int]]) -> None:
    times = iter([now for now, _ in calls])
    generator = Generator(lambda: next(times))
    made: list[UUID] = []
    for _, count in calls:
        first = generator.next(count)
        made += [following(first, number) for number in range(count)]
    assert all(a < b and str(a) < str(b) for a, b in pairwise(made))
    assert all(identifier.version == 7 and identifier.variant == RFC_4122 for identifier in made)
    assert all(moment(a) <= moment(b) for a, b in pairwise(made))


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_ids.next(), range(5000)))
    assert len(set(made)) == len(made)


def test_an_exhausted_counter_moves_the_time_on() -> None:
    generator = Generator(lambda: 1_000_000)
    first = generator.next(1 << 61)
    second = generator.next(1 << 61)
    third = generator.next(1 << 61)
    assert first < second < third
    assert third.variant == RFC_4122


def test_ids_pass_by_a_moment_that_another_clock_has_seen() -> None:
    clock = 1_700_000_000_000_000_000
    generator, twin = Generator(lambda: clock), Generator(lambda: clock)
    ahead = moment(Generator(lambda: clock + 10**12).next())
    generator.pass_by(ahead)
    twin.pass_by(ahead)
    first = generator.next()
    assert ahead < moment(first) <= ahead + timedelta(microseconds=2)
    assert first != twin.next()
    generator.pass_by(ahead - timedelta(hours=1))
    assert generator.next() > first
