"""Who a caller is behind proxies, and buckets of tokens."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from core.partner.service.guarding import MOST_REMEMBERED, Buckets, Callers, FailedAttempts


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ("fe80::1%\x1b[2J",), "fe80::1"),  # a scope may be any text, and goes to the log
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # a stranger's word is not believed
        ("10.0.0.5", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6, 198.51.100.1, 10.0.0.7",), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.5", ("nonsense",), "10.0.0.5"),
        ("10.0.0.5", ("198.51.100.1, nonsense",), "10.0.0.5"),
        ("::ffff:10.0.0.5", ("2001:db8::1",), "2001:db8::1"),
        (None, ("198.51.100.1",), "198.51.100.1"),  # a socket of this machine
        (None, (), "local"),
    ],
)
def test_the_address_of_a_caller(peer: str | None, forwarded: tuple[str, ...], address: str) -> None:
    assert Callers.of(["10.0.0.0/8"]).address(request(peer, *forwarded)) == address


def test_a_bucket_fills_evenly() -> None:
    now = [0.0]
    buckets = Buckets(60, lambda: now[0])
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now[0] = 1.0
    assert (buckets.take("a"), buckets.empty("a")) == (0.0, True)
    now[0] = 1000.0
    assert [buckets.take("a") for _ in range(61)].count(0.0) == 60


def test_memory_is_bounded() -> None:
    buckets = Buckets(1)
    for number in range(MOST_REMEMBERED + 10):
        buckets.take(str(number))
    assert len(buckets._buckets) == MOST_REMEMBERED
    assert buckets.empty(str(MOST_REMEMBERED)) and not buckets.empty("0")


def test_an_address_has_failed_too_often_for_a_while() -> None:
    now = [0.0]
    attempts = FailedAttempts(2, lambda: now[0])
    for _ in range(2):
        assert not attempts.too_many("a")
        attempts.failed("a")
    assert attempts.too_many("a") and not attempts.too_many("b")
    now[0] = 31.0
    assert not attempts.too_many("a")
