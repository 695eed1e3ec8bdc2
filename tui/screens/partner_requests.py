"""The requests that running services answer, as they come: those of all processes, from any machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.display import count
from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.partner_page import PartnerPage
from tui.screens.partner_request_rows import COLUMNS, FIRST_ERROR, RequestRow, summary_lines
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.partner.storage.request_log import RequestTail
    from core.partner.storage.requests_seen import AnsweredRequest
    from core.session import Session

POLL_SECONDS: Final = 1.0
MOST: Final = 1_000  # requests that are held; older ones go


@dataclass(slots=True)
class _Held:
    """What was read of one session's log, and what goes on reading it. No tail: nothing is in it yet."""

    requests: list[AnsweredRequest]  # the newest first
    tail: RequestTail | None
    table_there: bool
    domains: dict[str, str] = field(default_factory=dict)  # by the id of the account


class PartnerRequestsScreen(PartnerPage[RequestRow]):
    """The newest requests; it looks for more each second while it is shown and not paused."""

    SCREEN_ID = "partner-requests"
    TITLE_WORDS = "Partner requests"
    NOUN = ("request", "requests")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("partner_requests.pause", "pause", "p", "pause", "Hold still, or go on with what has come meanwhile."),
        Command("partner_requests.errors", "errors", "e", "turn_errors", "Show only errors, or everything again."),
    )

    def __init__(self) -> None:
        super().__init__()
        self._held = _Held([], None, table_there=True)
        self._paused = False
        self._errors_only = False
        self._asking = False

    def on_mount(self) -> None:
        self.table.sort_by(COLUMNS[0], descending=True)
        self.set_interval(POLL_SECONDS, self._poll)

    # -- what is shown

    def key(self, row: RequestRow) -> str:
        return row.id

    def detail_title(self, row: RequestRow) -> str:
        return f"{row.request.endpoint or row.request.method} {row.request.status}"

    async def load(self, session: Session) -> Sequence[RequestRow]:
        connections = await asyncio.to_thread(lambda: session.partner_connections)  # the first time it imports much
        newest = await connections.requests(MOST)
        there = bool(newest) or "partner_requests" not in await connections.tables.missing()
        known = await connections.known()
        domains = {account.id: account.domain for account in known.accounts.values()}
        self._held = _Held(newest, connections.requests_tail(newest[0]) if newest else None, there, domains)
        return self._rows()

    def _rows(self) -> list[RequestRow]:
        held = self._held
        shown = [one for one in held.requests if one.status >= FIRST_ERROR or not self._errors_only]
        return [RequestRow(one, held.domains.get(one.account_id, "")) for one in shown]

    def summary(self, row: RequestRow) -> Sequence[Line]:
        return summary_lines(row)

    def empty(self) -> tuple[str, str]:
        if not self._held.table_there:
            return "There is no log of requests yet.", (
                "The first service makes its table partner_requests when it starts: housekeys partner serve."
            )
        if self._errors_only and self._held.requests:
            return "No error among them.", "Press e to see everything again."
        return "No request has come yet.", (
            "It is looked for each second, in what all services write. Databricks calls them when a customer connects; "
            "housekeys partner check URL does so as well."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        if self._errors_only:
            left.append(Piece("errors only", "$accent"))
        if len(self._held.requests) >= MOST:
            left.append(Piece(f"the newest {count(MOST)}", "$muted"))
        state = Piece("paused (p)", "$warning") if self._paused else Piece("live", "$success")
        return left, right or ([state] if self._rows_of is not None else [])

    # -- what comes

    def _poll(self) -> None:
        """Ask for what is new; never twice at the same time."""
        session = self.session
        if self._paused or self._asking or self._reading or not self.is_current or session is None:
            return
        if self._rows_of is not session:
            return
        self._asking = True
        self.work(
            "tail",
            lambda: self._next(session),
            lambda new: self._arrived(session, new),
            lambda error: self._unanswered(session, error),
        )

    async def _next(self, session: Session) -> list[AnsweredRequest]:
        """What is new, by its time."""
        held, connections = self._held, session.partner_connections
        new = await held.tail.next() if held.tail is not None else (await connections.requests(MOST))[::-1]
        if any(one.account_id and one.account_id not in held.domains for one in new):
            held.domains |= {one.id: one.domain for one in (await connections.known()).accounts.values()}
        return new

    def _arrived(self, session: Session, new: Sequence[AnsweredRequest]) -> None:
        self._asking = False
        if session is not self._rows_of:
            return
        held = self._held
        recovered, self._failure = self._failure is not None, None
        if new:
            held.tail = held.tail or session.partner_connections.requests_tail(new[-1])
            held.table_there = True
            together = {one.id: one for one in (*new, *held.requests)}  # a refresh meanwhile may have brought some
            held.requests = sorted(together.values(), key=lambda one: (one.at, str(one.id)), reverse=True)[:MOST]
            self._show_held()
        elif recovered:
            self.show_crumb()

    def _unanswered(self, session: Session, error: HousekeysError) -> None:
        self._asking = False
        if session is self._rows_of:
            self._failure = error
            self._show_state()

    def _show_held(self) -> None:
        """Show what is held; a cursor on the newest request stays on the newest."""
        table = self.table
        at_top = bool(table.shown) and table.current is table.shown[0]
        table.show(self._rows())
        if at_top:
            table.action_end(False)
        self._show_state()
        self.show_frame()

    # -- commands

    def pause(self) -> None:
        self._paused = not self._paused
        self.show_crumb()
        self._poll()

    def turn_errors(self) -> None:
        self._errors_only = not self._errors_only
        if self._rows_of is not None:
            self._show_held()
