"""The plot of numbers by day: what is drawn for which numbers, without a console."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tui.widgets.day_plot import Bars, Series, bar_rows, date_axis, plot_lines

DAYS = [date(2026, 10, 24) + timedelta(days=number) for number in range(30)]


def drawn(values: list[int], width: int, rows: int = 2, days: list[date] = DAYS) -> list[str]:
    series = [Series("connects", values, "$accent"), Series("errors", [0] * len(values), "$error")]
    return [line.plain for line in plot_lines(days, series, rows, width)]


def test_the_largest_number_is_the_highest_bar_and_the_least_is_seen() -> None:
    assert bar_rows([0, 1, 50, 100], 2, 1) == ["   █", " ▁██"]
    assert bar_rows([3, 0], 1, 3) == ["███   "]
    assert bar_rows([0, 0], 2, 1) == ["  ", "  "]
    assert bar_rows([1, 100_000], 3, 1)[2] == "▁█"


@pytest.mark.parametrize(
    ("days", "cells", "bars"),
    [(30, 70, Bars(1, 2)), (90, 70, Bars(2, 1)), (7, 70, Bars(1, 3)), (90, 20, Bars(5, 1)), (30, 0, Bars(30, 1))],
)
def test_all_days_fit(days: int, cells: int, bars: Bars) -> None:
    assert Bars.of(days, cells) == bars
    drawn_bars = len(bars.heights([1] * days))
    assert cells == 0 or drawn_bars * bars.width <= cells


def test_the_last_bar_is_that_of_the_last_days_and_no_number_is_lost() -> None:
    assert Bars(2, 1).heights([1, 10, 100, 1000, 10_000]) == [1, 110, 11_000]
    assert Bars(1, 2).heights([4, 5]) == [4, 5]
    assert Bars(3, 1).heights([]) == []


def test_panels_have_titles_scales_and_dates() -> None:
    values = [0] * 29 + [1200]
    values[3] = 300
    lines = drawn(values, 76)
    assert lines[0] == "connects  1,500 in 30 days, most on 22 Nov: 1,200"
    assert lines[1].startswith(" 1,200│") and lines[1].endswith("██")
    assert lines[2].startswith("     0│") and lines[2][13:15] == "▄▄"
    assert lines[3:6] == ["errors  0 in 30 days", "      │" + " " * 60, "     0│" + " " * 60]
    assert lines[6].lstrip().startswith("24 Oct") and lines[6].endswith("22 Nov")


@pytest.mark.parametrize("width", [8, 11, 20, 40, 80, 200])
@pytest.mark.parametrize("days", [1, 2, 30])
def test_nothing_is_wider_than_the_screen(width: int, days: int) -> None:
    lines = drawn(list(range(days)), width, days=DAYS[:days])
    bars = [line for line in lines if "│" in line]
    assert all(len(line) <= width for line in bars)
    assert bars


def test_dates_do_not_run_into_one_another() -> None:
    for cells in range(6, 90):
        axis = date_axis(DAYS, Bars.of(len(DAYS), cells), cells)
        words = axis.split()
        assert len(axis) <= max(cells, 6)
        assert len(words) % 2 == 0 and all(len(word) in (2, 3) for word in words), axis


def test_nothing_is_drawn_of_nothing() -> None:
    assert plot_lines([], [], 3, 80) == []
