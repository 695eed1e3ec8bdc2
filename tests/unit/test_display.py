"""Nothing a stranger names can move the cursor, hide, or fall out of its column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.display import byte_size, cell_width, count, exact_time, one_line, plain_lines, relative_time

NOW = datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC)
ANY = st.text(st.characters(), max_size=30)  # half characters too


@given(ANY)
def test_one_line_is_printable_and_leaves_printable_text_alone(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert one_line(shown) == shown
    if text.isprintable():
        assert shown == text


@given(ANY, st.integers(1, 20))
def test_a_cut_text_fits_its_cells(text: str, limit: int) -> None:
    shown = one_line(text, limit)
    assert cell_width(shown) <= limit
    if cell_width(one_line(text)) <= limit:
        assert shown == one_line(text)
    else:
        assert shown.endswith("…")
        assert one_line(text).startswith(shown[:-1])
        assert cell_width(shown) >= limit - 1  # a wide character may not fit into the last cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[2J\x07\x9b", r"\x1b[2J\x07\x9b"),
        ("user\u202etxt\u200b\u2066", r"user\u202etxt\u200b\u2066"),
        ("a\u2028b\u00a0c\ufeff", r"a\u2028b\xa0c\ufeff"),
        ("\ud83d\ue000\U000e0001", r"\ud83d\ue000\U000e0001"),
        ("[bold]x[/] \\n", "[bold]x[/] \\n"),
        ("имя 名前 😀", "имя 名前 😀"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(ANY)
def test_plain_lines_keep_line_breaks_and_nothing_else(text: str) -> None:
    shown = plain_lines(text)
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert shown.count("\n") == text.count("\n")


# The characters that names are made of; the tables of two libraries differ in the far corners of Unicode.
SCRIPTS = st.characters(max_codepoint=0x2FF) | st.sampled_from(
    "имя名前漢字한글ｱｶＡＢ😀🔑e\u0301a\u0308\u0915\u093e\u1100\u1161…—"
)


@given(st.text(SCRIPTS.filter(str.isprintable)))
def test_widths_agree_with_those_of_the_screen(text: str) -> None:
    assert cell_width(text) == sum(map(cell_len, text))


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (10 * 1024 - 1, "10.0 KiB"),
        (12 * 2**20, "12.0 MiB"),
        (int(99.96 * 2**20), "100 MiB"),
        (2**20 - 1, "1.00 MiB"),
        (4_402_341_478, "4.10 GiB"),
        (2**50, "1.00 PiB"),
        (2**61, "2048 PiB"),
    ],
)
def test_sizes(size: int | None, shown: str) -> None:
    assert byte_size(size) == shown


@given(st.integers(0, 2**60 - 2**50))
def test_a_size_fits_its_column_and_grows_with_its_number(size: int) -> None:
    number, unit = byte_size(size).split(" ")
    assert len(number) <= 4
    factor = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB", "PiB").index(unit)
    assert abs(float(number) * factor - size) <= max(size * 0.005, 0.5 * (factor > 1))


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59.9), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29, hours=23), "29 days ago"),
        (timedelta(days=30), "04 Oct 2026"),
        (timedelta(minutes=-2), "in 2 min"),
        (timedelta(days=-1), "in 1 day"),
        (timedelta(days=-40), "13 Dec 2026"),
    ],
)
def test_times_are_relative(ago: timedelta, shown: str) -> None:
    assert relative_time(NOW - ago, NOW) == shown


@given(st.timedeltas(timedelta(days=-300_000), timedelta(days=300_000)))
def test_a_relative_time_fits_its_column(ago: timedelta) -> None:
    assert len(relative_time(NOW - ago, NOW)) <= 11


def test_exact_times_are_utc() -> None:
    moscow = timezone(timedelta(hours=3))
    assert exact_time(NOW.astimezone(moscow)) == "2026-11-03 14:05:09 UTC"
    assert (exact_time(None), relative_time(None, NOW)) == ("never", "never")
    assert relative_time(NOW.astimezone(moscow), NOW) == "just now"


def test_counts() -> None:
    assert (count(None), count(0), count(1_234_567)) == ("-", "0", "1,234,567")
