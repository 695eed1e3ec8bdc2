"""The amounts of quota limits as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.quota_amounts import (
    UNITS,
    Unit,
    brief_amount,
    read_amount,
    read_span,
    with_plain_amounts,
    written_amount,
)
from core.access.quotas import SECONDS, QuotaLimit
from core.errors import BadInputError

QUERIES, BYTES, TIME = QuotaLimit.QUERIES, QuotaLimit.READ_BYTES, QuotaLimit.EXECUTION_TIME


@pytest.mark.parametrize(
    ("limit", "text", "amount"),
    [
        (QUERIES, "100", 100),
        (QUERIES, "1k", 1_000),
        (QUERIES, " 5M ", 5_000_000),
        (QUERIES, "2g", 2_000_000_000),
        (QUERIES, "1.5k", 1_500),
        (QUERIES, "1,000", 1_000),
        (QUERIES, "1_000_000", 1_000_000),
        (QUERIES, "10Ki", 10_240),
        (BYTES, "512", 512),
        (BYTES, "512 B", 512),
        (BYTES, "10 GiB", 10 << 30),
        (BYTES, "10GB", 10**10),
        (BYTES, "10G", 10**10),
        (BYTES, "1.5 GiB", 3 << 29),
        (TIME, "30", 30),
        (TIME, "30 s", 30),
        (TIME, "5 min", 300),
        (TIME, "1.5 hours", 5_400),
        (TIME, "250 ms", 0.25),
        (TIME, "1 day", 86_400),
    ],
)
def test_amounts_are_read_with_their_units(limit: QuotaLimit, text: str, amount: float) -> None:
    assert read_amount(limit, text) == amount


@pytest.mark.parametrize(
    ("limit", "text", "words"),
    [
        (QUERIES, "many", "many is no amount"),
        (QUERIES, "-5", "-5 is no amount"),
        (QUERIES, "10 GiB", "GiB is no unit of count"),
        (QUERIES, "1.5", "1.5 is not a whole number"),
        (QUERIES, "0", "To ClickHouse 0 means no limit"),
        (QUERIES, "99999999T", "more than ClickHouse can count"),
        (BYTES, "5 min", "min is no unit of bytes"),
        (BYTES, "0.1 B", "0.1 B is not a whole number"),
        (TIME, "5 GiB", "GiB is no unit of time"),
        (TIME, "0.0000000001", "billionths of a second"),
        (TIME, "1000000 days", "more than ClickHouse can count"),
        (QUERIES, "\x1b[31m", "no amount"),
    ],
)
def test_what_is_no_amount_says_why(limit: QuotaLimit, text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words.replace(".", r"\.")):
        read_amount(limit, text)


@pytest.mark.parametrize(
    ("limit", "amount", "full", "brief"),
    [
        (QUERIES, 100, "100", "100"),
        (QUERIES, 1_500, "1.5k", "1.5k"),
        (QUERIES, 1_234_567, "1,234,567", "1.2M"),
        (QUERIES, 0, "0", "0"),
        (BYTES, 10 << 30, "10 GiB", "10 GiB"),
        (BYTES, 500_000_000, "500 MB", "500 MB"),
        (BYTES, 123_456_789, "123,456,789 B", "118 MiB"),
        (TIME, 300, "5 min", "5 min"),
        (TIME, 86_400, "1 day", "1 day"),
        (TIME, 0.25, "250 ms", "250 ms"),
        (TIME, 10.5, "10.5 s", "10.5 s"),
        (TIME, 0.123456789, "0.123456789 s", "123 ms"),
    ],
)
def test_amounts_are_written_short(limit: QuotaLimit, amount: float, full: str, brief: str) -> None:
    assert (written_amount(limit, amount), brief_amount(limit, amount)) == (full, brief)


@given(st.sampled_from(QuotaLimit), st.integers(1, 2**64 - 1))
def test_what_is_written_is_read_again(limit: QuotaLimit, number: int) -> None:
    seconds = UNITS[limit] is Unit.SECONDS
    amount = number % 10**15 / 10**9 if seconds else number
    if amount:
        assert read_amount(limit, written_amount(limit, amount)) == amount


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 hour", 3_600), ("hour", 3_600), ("30 min", 1_800), ("90 s", 90), ("0.5 day", 43_200), ("2 weeks", 1_209_600),
     ("1 Month", SECONDS["month"]), ("1 quarter", SECONDS["quarter"])],
)  # fmt: skip
def test_the_length_of_an_interval(text: str, seconds: int) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "0 hours", "1.5 s", "1 parsec", "9999999999999 years"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(BadInputError):
        read_span(text)


@pytest.mark.parametrize(
    ("clause", "plain"),
    [
        ("1 hour MAX queries = 5k, read_bytes=10 GiB", "1 hour MAX queries = 5000, read_bytes = 10737418240"),
        ("1 day MAX execution_time = 250 ms", "1 day MAX execution_time = 0.25"),
        ("1 day MAX EXECUTION_TIME = 5 min", "1 day MAX EXECUTION_TIME = 300"),
        ("1 day MAX queries = 16T", "1 day MAX queries = 16000000000000"),
        *[(same, same) for same in ("1 day TRACKING ONLY", "1 day MAX queries = 100, errors = '10G'",
                                    "1 day MAX queries = 1e3, errors = 0x10", "1 day MAX nothing = 5k")],
    ],
)  # fmt: skip
def test_units_in_the_limits_of_a_clause(clause: str, plain: str) -> None:
    assert with_plain_amounts(clause) == plain


def test_a_wrong_unit_in_a_clause_is_refused() -> None:
    with pytest.raises(BadInputError, match="GiB is no unit of count"):
        with_plain_amounts("1 hour MAX queries = 10 GiB")
