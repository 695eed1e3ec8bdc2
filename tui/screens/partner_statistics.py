"""How much the services have answered, by day: connects, sign-ins and errors as a plot, with the numbers below."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from core.display import count
from tui.commands import Command
from tui.screens.partner_page import PartnerPage
from tui.screens.partner_request_rows import FIRST_ERROR, milliseconds, status_style
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.day_plot import DayPlot, Series
from tui.widgets.detail_pane import DetailPane
from tui.widgets.entity_table import EntityTable
from tui.widgets.filter_line import FilterLine
from tui.widgets.lines import Line, fact
from tui.widgets.state import StateView

if TYPE_CHECKING:
    from core.partner.storage.request_log import DayCount
    from core.session import Session

SPANS: Final = (30, 90)  # days; the log goes no further back
ROWS_FOR_NUMBERS: Final = 8  # of the screen, below the plot
_LINES_BESIDE_BARS: Final = 2  # the title of a panel, and its share of the axis


@dataclass(frozen=True, slots=True)
class Day:
    """What was answered on a day (UTC)."""

    day: date
    counts: tuple[DayCount, ...]

    @property
    def connects(self) -> int:
        """Connects that were answered, but for sign-ins."""
        return self.requests - self.sign_ins - self.errors - self.others

    @property
    def sign_ins(self) -> int:
        """Connects that have led to the sign-in page and made no partner connection."""
        return sum(
            one.count - one.configured for one in self._good if one.endpoint == "connect" and one.word == "sign_in"
        )

    @property
    def errors(self) -> int:
        return sum(one.count for one in self.counts if one.status >= FIRST_ERROR)

    @property
    def others(self) -> int:
        """Answers of the other endpoints."""
        return sum(one.count for one in self._good if one.endpoint != "connect")

    @property
    def requests(self) -> int:
        return sum(one.count for one in self.counts)

    @property
    def slow(self) -> int:
        """Requests that took longer than a second."""
        return sum(one.slow for one in self.counts)

    @property
    def _good(self) -> Iterable[DayCount]:
        return (one for one in self.counts if one.status < FIRST_ERROR)


COLUMNS: tuple[Column[Day], ...] = (
    Column("day", "DAY (UTC)", lambda d: f"{d.day:%Y-%m-%d}", width=10, letter="D"),
    Column("connects", "CONNECTS", lambda d: count(d.connects), sort=lambda d: d.connects, numeric=True, letter="C"),
    Column("sign_ins", "SIGN-INS", lambda d: count(d.sign_ins), sort=lambda d: d.sign_ins, numeric=True, letter="S"),
    Column("errors", "ERRORS", lambda d: count(d.errors), sort=lambda d: d.errors, numeric=True, letter="E",
           style=lambda d: "warning" if d.errors else ""),
    Column("others", "OTHERS", lambda d: count(d.others), sort=lambda d: d.others, numeric=True, letter="T", minor=2),
    Column("slow", "OVER 1 s", lambda d: count(d.slow), sort=lambda d: d.slow, numeric=True, letter="W", minor=1,
           style=lambda d: "warning" if d.slow else ""),
)  # fmt: skip


class PartnerStatisticsScreen(PartnerPage[Day]):
    """Each of the last days."""

    SCREEN_ID = "partner-statistics"
    TITLE_WORDS = "Partner statistics"
    NOUN = ("day", "days")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("partner_statistics.span", "30 or 90 days", "v", "turn_span", "Look further back, or less far.",
                needs_session=True),
    )  # fmt: skip
    CSS = "#plot { display: none; margin: 0 0 1 0; }"

    def __init__(self) -> None:
        super().__init__()
        self._span = SPANS[0]
        self._days: Sequence[Day] = ()  # oldest first

    def content(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="list"):
                yield DayPlot(id="plot")
                yield EntityTable(self.COLUMNS, self.key, id="table")
                yield StateView(id="state", left=3)
                yield FilterLine(id="filter")
            yield DetailPane(self.TABS, id="detail")

    def on_mount(self) -> None:
        self.table.sort_by(COLUMNS[0], descending=True)

    def on_resize(self) -> None:
        self._show_plot()

    # -- what is shown

    def key(self, row: Day) -> str:
        return row.day.isoformat()

    async def load(self, session: Session) -> Sequence[Day]:
        connections = await asyncio.to_thread(lambda: session.partner_connections)  # the first time it imports much
        now, span = self.now(), self._span
        return days_of(await connections.by_day(span, now), span, now)

    def _loaded(self, source: object, rows: Sequence[Day]) -> None:
        self._days = rows
        super()._loaded(source, rows)

    def _show_state(self) -> None:
        super()._show_state()
        self._show_plot()

    def _show_plot(self) -> None:
        """Draw it where there is something to see; its height is what the numbers leave."""
        plot = self.query_one(DayPlot)
        plot.display = self.table.display and bool(self._days)
        if not plot.display:
            return
        room = self.query_one("#list").size.height - ROWS_FOR_NUMBERS
        numbers = {
            "connects": ("$accent", [day.connects for day in self._days]),
            "sign-ins": ("$success", [day.sign_ins for day in self._days]),
            "errors": ("$error", [day.errors for day in self._days]),
        }
        series = [Series(name, tuple(values), style) for name, (style, values) in numbers.items()]
        plot.show([day.day for day in self._days], series, room // len(series) - _LINES_BESIDE_BARS + 1)

    def summary(self, row: Day) -> Sequence[Line]:
        return day_lines(row)

    def empty(self) -> tuple[str, str]:
        return f"No request was answered in the last {self._span} days.", (
            "Running services note each request they answer; what they noted is kept for 90 days. "
            "Start one: housekeys partner serve."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return [left[0], Piece(f"the last {self._span} days", "$muted"), *left[2:]], right

    def turn_span(self) -> None:
        self._span = SPANS[(SPANS.index(self._span) + 1) % len(SPANS)]
        self.refresh_rows(connect=False)
        self.show_crumb()


def days_of(counts: Sequence[DayCount], span: int, now: datetime) -> list[Day]:
    """Each of the last `span` days, the oldest first; none at all when nothing was answered."""
    if not counts:
        return []
    by_day: dict[date, list[DayCount]] = {}
    for one in counts:
        by_day.setdefault(one.day, []).append(one)
    begin = now.date() - timedelta(days=span - 1)
    return [Day(day, tuple(by_day.get(day, ()))) for day in (begin + timedelta(days=number) for number in range(span))]


def day_lines(row: Day) -> list[Line]:
    """What was answered on a day, by endpoint and answer."""
    if not row.counts:
        return [Line("Nothing was answered on this day.", style="muted")]
    lines = [fact("requests", count(row.requests)), fact("over 1 s", count(row.slow)), Line()]
    for one in sorted(row.counts, key=lambda one: (-one.count, one.endpoint, one.status)):
        word = f"  {one.word}" if one.word else ""
        lines.append(Line(f"{one.endpoint or '-'}  {one.status}{word}", style=status_style(one.status)))
        lines.append(Line(f"  {count(one.count)}, 99 of 100 within {milliseconds(one.p99)} ms", style="muted"))
    return lines
