"""The onboarding checklist: what is checked, what is ticked, and the fix of each line a key away."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import one_line
from tui.commands import Command
from tui.screens.checklist_rows import COLUMNS, ELSEWHERE, CheckRow, next_row, notice_lines, summary_lines
from tui.screens.entity import EntityScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.running.report import Report
    from core.session import Session
    from tui.screens.setup_form import Setup

_FIX = "Set the item right: by a change that is shown first, or on the screen where it is done."


class ChecklistScreen(EntityScreen[CheckRow]):
    """Everything that must be so before DataLens can be used."""

    SCREEN_ID = "checklist"
    TITLE_WORDS = "Checklist"
    NOUN = ("item", "items")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("checklist.fix", "fix", "f", "fix", _FIX, needs_row=True, needs_session=True),
        Command("checklist.enter", "fix", "enter", "fix", _FIX, needs_row=True, needs_session=True, footer=False),
        Command("rows.mark", "tick", "space", "tick", "Say that an item which cannot be checked is done, or not.",
                modifies=True, needs_row=True),
        Command("checklist.next", "next step", "n", "go_to_next", "Put the cursor on the next thing to do."),
        Command("rows.open", "details", "d", "open_detail", "Show everything about the item.", needs_row=True),
        Command("rows.refresh", "check again", "r", "refresh_rows", "Check everything again."),
        Command("checklist.listing", "listing", "w", "open_listing", "Edit the listing and write its pack."),
        Command("rows.filter", "filter", "slash", "start_filter", "Show only the rows that hold what you type.",
                footer=False),
    )  # fmt: skip

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    # -- what is shown

    def key(self, row: CheckRow) -> str:
        return row.item.id

    async def load(self, session: Session) -> Sequence[CheckRow]:
        return await check(session, session.profile.datalens.hosts)

    async def read_again(self, rows: Sequence[CheckRow]) -> list[CheckRow]:
        # Without the hosts, which take seconds to stay silent, and are not set right by a change.
        fresh = {row.item.id: row for row in await check(self.open_session(), ())}
        return [fresh[row.item.id] for row in rows]

    def detail_title(self, row: CheckRow) -> str:
        return row.item.title

    def summary(self, row: CheckRow) -> Sequence[Line]:
        return summary_lines(row)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        rows = self.table.shown
        if rows and not self.table.filter_text:
            left[1:] = [Piece(f"{sum(row.done for row in rows)} of {len(rows)} done", "$muted")]
        return left, right

    def show_frame(self) -> None:
        super().show_frame()
        if self.is_mounted:
            known = self.session is not None and not self.table.filter_text
            self.query_one(Notice).say(notice_lines(self.table.shown) if known else [])

    def on_entity_table_moved(self) -> None:
        super().on_entity_table_moved()
        self.show_frame()  # what can be done depends on the item

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        row = self.current
        if reason or row is None:
            return reason
        if command.id == "rows.mark_all":
            return "One item at a time."
        if command.id == "rows.mark" and not row.item.manual:
            return "That is checked, not ticked. Press r to check again."
        if command.id in ("checklist.fix", "checklist.enter"):
            return self._why_no_fix(row)
        return ""

    def _why_no_fix(self, row: CheckRow) -> str:
        item = row.item
        if item.manual:
            return "Nobody can check that from here. Press space when it is done."
        if row.done:
            return "There is nothing to fix."
        if not row.remedy:
            return item.advice or item.explanation or "Nothing here can fix it."
        if item.asks_password or item.fix is not None:
            return self.console.why_not(Command("", "", "", "", "", modifies=True))
        return ""

    # -- commands

    def fix(self) -> None:
        row = self.current
        if row is None:
            return
        if row.item.asks_password:
            self._set_up()
        elif row.item.fix is not None:
            self.propose(_its_fix, [row])
        else:
            self.console.go(ELSEWHERE[row.item.id][0])

    def _set_up(self) -> None:
        from tui.screens.setup_form import setup_form

        session = self.open_session()
        self.ask(setup_form(session, exists=self._user_exists), self._run_setup)

    @property
    def _user_exists(self) -> bool:
        return any(row.item.id == "user" and row.done for row in self.table.shown)

    def _run_setup(self, setup: Setup) -> None:
        user, password = self.open_session().profile.datalens.user, setup.to_show

        def finished(report: Report) -> None:
            if password is not None and any(outcome.state == "done" for outcome in report.outcomes):
                from tui.screens.reveal import password_page

                named = f"the name {one_line(user, 60)}"
                words = f"DataLens's manager needs it, together with {named}, the hosts and your public key."
                self.app.push_screen(password_page(password, user, words))

        self.carry_out(setup.change, finished)

    def go_to_next(self) -> None:
        row = next_row(self.table.shown)
        if row is None:
            self.tell("Everything is done.")
        else:
            self.table.move_to(row.item.id)

    def tick(self) -> None:
        row = self.current

        async def plan(_session: Session, rows: list[CheckRow]) -> Change:
            from core.datalens.checklist import plan_tick

            return plan_tick(rows[0].item.id, ticked=not rows[0].done)

        if row is not None:
            self.propose(plan, [row])

    def open_listing(self) -> None:
        self.console.go("listing")


async def _its_fix(_session: Session, rows: list[CheckRow]) -> Change:
    """The fix of the item as it is now."""
    from core.changes import Change

    fix = rows[0].item.fix
    return fix if fix is not None else Change("It has been set right meanwhile", ())


async def check(session: Session, hosts: Sequence[str]) -> list[CheckRow]:
    """Go through the list. For workers: the first call imports what the checks need."""
    from core.datalens.listing import listing_file, read_listing

    checklist = await asyncio.to_thread(importlib.import_module, "core.datalens.checklist")
    profile = session.profile
    listing = await asyncio.to_thread(read_listing, listing_file(session.paths, profile.name))
    items = await checklist.run_checklist(
        session.engine,
        session.journal,
        datalens_user=profile.datalens.user,
        hosts=hosts,
        listing=listing,
        cluster=profile.cluster,
    )
    return [CheckRow(place, item) for place, item in enumerate(items)]
