"""The screen of partner connections: what Databricks Partner Connect has made here, and the accounts behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.errors import HousekeysError, NotFoundError
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.partner_connection_rows import (
    COLUMNS,
    REQUESTS_SHOWN,
    PartnerRow,
    account_lines,
    empty_lines,
    notice_lines,
    request_lines,
    row_of,
    summary_lines,
)
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.partner.accounts.state import PartnerAccount
    from core.partner.partner_connections import PartnerConnections
    from core.partner.provisioning.prerequisites import Unmet
    from core.session import Session
    from tui.screens.form import Form

_log = logging.getLogger(__name__)
_AGAIN = ("partner.delete", "partner.delete_account")  # bring to its end what has failed in part
_ONE_AT_A_TIME = ("partner.expire", "partner.renew", "partner.purchase", "partner.invite", "partner.delete_account")


class PartnerConnectionsScreen(EntityScreen[PartnerRow]):
    """The partner connections. Those that are deleted are shown on demand."""

    SCREEN_ID = "partner"
    TITLE_WORDS = "Partner connections"
    NOUN = ("partner connection", "partner connections")
    TABS = ("Summary", "Requests", "Account", "History")
    SUBJECT_KIND = "partner_connection"
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("partner.test", "test", "t", "test", "Try it, or those marked, for real: secrets, user, workspace.",
                needs_session=True, needs_row=True),
        Command("partner.delete", "delete", "x", "delete",
                "Erase its secrets, or those of the marked ones; the account stays.", modifies=True, needs_row=True),
        Command("partner.requests", "requests", "l", "show_requests", "See what services answer, as it comes."),
        Command("partner.statistics", "by day", "s", "show_statistics", "See connects, sign-ins and errors by day."),
        Command("partner.credentials", "credentials", "c", "show_credentials",
                "The Basic credentials that Databricks calls with."),
        Command("partner.config", "PartnerConfig", "f", "show_config", "Edit a PartnerConfig file, or make one."),
        Command("partner.invite", "invite", "i", "invite", "Let somebody join its account.", modifies=True,
                needs_row=True, footer=False),
        Command("partner.expire", "end the trial", "e", "expire", "End the trial of its account, for all users.",
                modifies=True, needs_row=True, footer=False),
        Command("partner.renew", "renew", "n", "renew", "Give its account another trial.", modifies=True,
                needs_row=True, footer=False),
        Command("partner.purchase", "bought", "p", "purchase",
                "Note that its account has bought the product: no trial ends any more.", modifies=True, needs_row=True,
                footer=False),
        Command("partner.delete_account", "delete the account", "X", "delete_account",
                "Delete its account: users, their data, all of its partner connections.", modifies=True,
                needs_row=True, footer=False),
        Command("partner.deleted", "deleted ones", "v", "turn_deleted", "Show those that are deleted too, or not.",
                needs_session=True, footer=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._with_deleted = False
        self._unmet: Sequence[Unmet] = ()  # as of the last rows that were read

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    @property
    def connections(self) -> PartnerConnections:
        """Those of the session. Raises HousekeysError when there is none."""
        return self.open_session().partner_connections

    # -- what is shown

    def key(self, row: PartnerRow) -> str:
        return row.id

    def detail_title(self, row: PartnerRow) -> str:
        return f"{row.account}, {row.workspace.cloud_provider.value} {row.workspace.workspace_id}"

    async def load(self, session: Session) -> Sequence[PartnerRow]:
        connections = await asyncio.to_thread(lambda: session.partner_connections)  # the first time it imports much
        self._unmet, states = await asyncio.gather(_read_unmet(session), connections.states(deleted=self._with_deleted))
        now = self.now()
        return [row_of(state, now) for state in states]

    def summary(self, row: PartnerRow) -> Sequence[Line]:
        return summary_lines(row.state, self.now())

    async def tab(self, session: Session, row: PartnerRow, name: str) -> Sequence[Line]:
        connections = session.partner_connections
        if name == "Requests":
            return request_lines(await connections.requests(REQUESTS_SHOWN, connection=row.id))
        return account_lines(await connections.account(row.state.account.id), self.now())

    def empty(self) -> tuple[str, str]:
        session = self.session
        return empty_lines(named=session is not None and session.profile.partner is not None)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return [*left, *([Piece("deleted ones too", "$accent")] if self._with_deleted else [])], right

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            known = self.session is not None and self._rows_of is self.session
            self.query_one(Notice).say(notice_lines(self._unmet) if known else [])

    def on_entity_table_marked(self) -> None:
        self.show_frame()  # what is about an account takes one row only

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # a deleted one can only be looked at

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if reason or not command.needs_row or not command.id.startswith("partner."):
            return reason
        chosen = self.chosen
        if command.id in _ONE_AT_A_TIME:
            if len(chosen) > 1:
                return "This is done for one account at a time. Clear the marks first (esc)."
            if chosen[0].state.account.deleted is not None and command.id not in _AGAIN:
                return "Its account is deleted."
            if command.id == "partner.invite" and self.connections.policy is None:
                return "The profile says nothing of Partner Connect: who is invited would have no name in ClickHouse."
        elif command.id not in _AGAIN and any(row.state.connection.deleted is not None for row in chosen):
            return "It is deleted." if len(chosen) == 1 else "One of the marked is deleted."
        return ""

    # -- commands

    def turn_deleted(self) -> None:
        self._with_deleted = not self._with_deleted
        self.refresh_rows(connect=False)
        self.show_frame()

    def show_requests(self) -> None:
        self.console.go("partner-requests")

    def show_statistics(self) -> None:
        self.console.go("partner-statistics")

    def show_credentials(self) -> None:
        self.console.go("partner-credentials")

    def show_config(self) -> None:
        self.console.go("partner-config")

    def test(self) -> None:
        from tui.screens.partner_test import PartnerTestScreen

        page = PartnerTestScreen(self.open_session(), [row.state for row in self.chosen])
        self.app.push_screen(page, lambda _done: self.refresh_rows())

    def delete(self) -> None:
        connections = self.connections

        async def plan(_session: Session, rows: list[PartnerRow]) -> Change:
            return await connections.plan_delete(*(row.id for row in rows))

        self.propose(plan, self.chosen)

    def expire(self) -> None:
        self._of_account(self.connections.plan_expire_account)

    def purchase(self) -> None:
        self._of_account(self.connections.plan_purchase)

    def delete_account(self) -> None:
        self._of_account(self.connections.plan_delete_account)

    def _of_account(self, plan: Callable[[str], Awaitable[Change]]) -> None:
        """Take a change of the row's account, as it is now, down the one road."""

        async def planned(_session: Session, rows: list[PartnerRow]) -> Change:
            return await plan(rows[0].state.account.id)

        self.propose(planned, self.chosen)

    async def read_again(self, rows: Sequence[PartnerRow]) -> list[PartnerRow]:
        now = self.now()
        fresh = [row_of(await self.connections.state(row.id), now) for row in rows]
        gone = next((row for row in fresh if row.state.connection.deleted is not None), None)
        if gone is not None and not self._with_deleted:
            raise NotFoundError(f"{gone.id} was deleted meanwhile.", advice="The list has been read again.")
        return fresh

    def renew(self) -> None:
        from tui.screens.partner_account_forms import renew_form

        self._ask_about_account(renew_form)

    def invite(self) -> None:
        from tui.screens.partner_account_forms import invite_form

        self._ask_about_account(invite_form)

    def _ask_about_account(self, form: Callable[[PartnerConnections, PartnerAccount], Form[Change]]) -> None:
        """Read the account again: a form about it must not show what was."""
        connections, row = self.connections, next(iter(self.chosen), None)
        if row is None:
            return
        account = row.state.account.id

        async def read() -> PartnerAccount:
            return (await connections.account(account)).account

        self.work("plan", read, lambda fresh: self.ask(form(connections, fresh), self.carry_out), self._not_there)

    def _not_there(self, error: HousekeysError) -> None:
        self.show_error(error)
        self.refresh_rows()


async def _read_unmet(session: Session) -> Sequence[Unmet]:
    """What a service would not find of what the profile names; of the operator's own rights nothing follows for it.

    It is told beside the rows: where ClickHouse does not say it, they are shown all the same.
    """
    from core.partner.provisioning.prerequisites import read_unmet

    policy = session.profile.partner
    if policy is None:
        return ()
    try:
        return await read_unmet(session.engine, policy.resources, session.profile.name, rights=False)
    except HousekeysError as error:
        _log.warning("whether all that the profile names is there cannot be seen: %s %s", error, error.detail)
        return ()
