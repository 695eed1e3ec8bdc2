"""The listing screen: what DataLens asks about the product, edited here, and written as a pack to hand over."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.listing_rows import (
    COLUMNS,
    HOSTS,
    KEY,
    ListingRow,
    ListingSurvey,
    notice_lines,
    rows_of,
    summary_lines,
)
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.running.report import Report
    from core.session import Session

_ELSEWHERE = {HOSTS: "profiles", KEY: "keys"}
_EDIT = "Type the text, or take it from a file."


class ListingScreen(EntityScreen[ListingRow]):
    """The parts of the listing pack."""

    SCREEN_ID = "listing"
    TITLE_WORDS = "Listing"
    NOUN = ("part", "parts")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("listing.edit", "edit", "e", "edit", _EDIT, modifies=True, needs_row=True),
        Command("listing.enter", "edit", "enter", "edit", _EDIT, modifies=True, needs_row=True, footer=False),
        Command("listing.write", "write the pack", "W", "write", "Write everything to a folder to hand over.",
                modifies=True),
        Command("rows.open", "details", "d", "open_detail", "Show the whole text.", needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._survey: ListingSurvey | None = None

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    # -- what is shown

    def key(self, row: ListingRow) -> str:
        return row.key

    async def load(self, session: Session) -> Sequence[ListingRow]:
        self._survey = found = await survey(session)
        return found.rows

    def detail_title(self, row: ListingRow) -> str:
        return row.title

    def summary(self, row: ListingRow) -> Sequence[Line]:
        return summary_lines(row)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        rows = self.table.shown
        if rows and not self.table.filter_text:
            needed = [row for row in rows if row.needed]
            left[1:] = [Piece(f"{sum(row.there for row in needed)} of {len(needed)} parts", "$muted")]
        return left, right

    def show_frame(self) -> None:
        super().show_frame()
        if self.is_mounted:
            found = self._survey if self.session is not None else None
            self.query_one(Notice).say(notice_lines(found) if found is not None else [])

    def connection_changed(self) -> None:
        if self.session is None:
            self._survey = None
        super().connection_changed()

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if not reason and command.id == "listing.write" and self._survey is None:
            return "Nothing has been read yet."
        if not reason and command.id == "rows.mark_all":
            return "One part at a time."
        return reason

    # -- commands

    def mark(self) -> None:
        self.tell("One part at a time: e edits it.")

    def edit(self) -> None:
        from tui.screens import listing_forms

        row = self.current
        if row is None:
            return
        if row.key in _ELSEWHERE:
            self.console.go(_ELSEWHERE[row.key])
            return
        session = self.open_session()

        async def fresh() -> ListingSurvey:
            return await survey(session)

        self.work(
            "plan", fresh, lambda found: self.ask(listing_forms.edit_form(session, found, row.key), self.carry_out)
        )

    def write(self) -> None:
        from tui.screens import listing_forms

        session = self.open_session()

        def written(change: Change) -> None:
            def finished(report: Report) -> None:
                if report.succeeded:
                    self.tell(change.title.replace("Write the", "The", 1).replace(" to ", " is in ", 1))

            self.carry_out(change, finished)

        async def fresh() -> ListingSurvey:
            return await survey(session)

        self.work("plan", fresh, lambda found: self.ask(listing_forms.pack_form(session, found), written))


async def survey(session: Session) -> ListingSurvey:
    """Read the listing and what else belongs into a pack. For workers."""
    pack = await asyncio.to_thread(importlib.import_module, "core.datalens.pack")
    from core.datalens.listing import listing_file, read_listing
    from core.keys.versions import key_versions

    profile = session.profile
    path = listing_file(session.paths, profile.name)
    listing = await asyncio.to_thread(read_listing, path)
    key = pack.public_key(await key_versions(session.journal))
    hosts = tuple(profile.datalens.hosts)
    return ListingSurvey(
        rows_of(listing, hosts, key), listing, path, hosts, key, pack.missing_parts(listing, hosts, key)
    )
