"""The review board: what a reviewer of access has to look at, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey
from core.access_reports.review import Kind, ReviewItem
from core.display import count
from core.moments import read_moment
from tui.commands import Command
from tui.screens.access import AccessScreen, notice_lines
from tui.screens.form import Form
from tui.screens.grant_forms import wrong
from tui.screens.review_opening import open_entity
from tui.screens.review_rows import COLUMNS, summary_lines
from tui.widgets.chrome import Piece
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.reviewing import ReviewBoard
    from core.session import Session

DEFAULT_DAYS = 30


class ReviewScreen(AccessScreen[ReviewItem]):
    """What expires, who is dormant, who has too much, what changed."""

    SCREEN_ID = "review"
    TITLE_WORDS = "Review"
    NOUN = ("thing to look at", "things to look at")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("review.open", "open it", "enter", "open_entity", "Go to the user, role, quota … on its own screen.",
                needs_row=True),
        Command("rows.open", "details", "d", "open_detail", "Show why it is in the list and what to do.",
                needs_row=True),
        Command("review.open_too", "open the entity", "u", "open_entity",
                "The same, also while its details are shown.", needs_row=True, footer=False),
        Command("review.kind", "kind", "f", "next_kind", "Show the next kind only: expired, expiring, dormant …, all."),
        Command("review.since", "since", "c", "ask_since", "Choose since when changes are shown.",
                needs_session=True),
        Command("review.export", "to a file", "E", "export", "Write what is shown as CSV, JSON or HTML.",
                needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._since: datetime | None = None  # None: so many days before now
        self._board: ReviewBoard | None = None
        self._kind: Kind | None = None

    def on_mount(self) -> None:
        self.table.sort_by(self.COLUMNS[0], descending=False)

    # -- what is shown

    def key(self, row: ReviewItem) -> str:
        return row.key

    def entity(self, row: ReviewItem) -> EntityKey:
        return row.entity

    @property
    def since(self) -> datetime:
        """Since when changes are shown."""
        return self._since or self.now() - timedelta(days=DEFAULT_DAYS)

    async def load(self, session: Session) -> Sequence[ReviewItem]:
        from core.reviewing import read_board

        access = await self._shared_access(session)
        model = access.present.without_built_in()
        self._board = await read_board(session, model, self.now(), self.since, access.privileges)
        self._access = access
        return self._shown()

    def _shown(self) -> list[ReviewItem]:
        items = () if self._board is None else self._board.items
        return [item for item in items if self._kind in (None, item.kind)]

    def summary(self, row: ReviewItem) -> Sequence[Line]:
        return summary_lines(row, self.now())

    def detail_title(self, row: ReviewItem) -> str:
        return f"{row.kind.value}: {row.entity.kind.lower()} {row.entity.name}"

    def empty(self) -> tuple[str, str]:
        if self._kind is not None:
            return f"Nothing is {self._kind.value}.", "Press f for the next kind."
        return "There is nothing to look at.", (
            f"Nobody expires within 30 days, no right is too wide, and nothing has changed since "
            f"{self.since:%Y-%m-%d}. Press c to look further back."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        left.append(Piece(f"{self._kind.value} only" if self._kind else "every kind", "$accent"))
        left.append(Piece(f"changes since {self.since:%Y-%m-%d}", "$muted"))
        return left, right

    def show_frame(self) -> None:
        super().show_frame()
        if self.built and self.session is not None and self._board is not None and self._access is not None:
            notes = [Line(f"! {note}", style="warning") for note in self._board.notes]
            self.query_one(Notice).say([*notice_lines(self._access), *notes])

    def connection_changed(self) -> None:
        if self.session is None:
            self._board = None
        super().connection_changed()

    # -- commands

    def open_entity(self) -> None:
        row = self.current
        if row is not None:
            open_entity(self.console, row.entity)

    def next_kind(self) -> None:
        kinds: list[Kind | None] = [None, *Kind]
        self._kind = kinds[(kinds.index(self._kind) + 1) % len(kinds)]
        self.table.show(self._shown())
        self._show_state()
        self.show_frame()

    def ask_since(self) -> None:
        now = self.now()

        async def submit(values: Values) -> datetime:
            return read_moment(values["since"], now)

        field = Field(
            "since", "Since", f"{self.since:%Y-%m-%d}", required=True, hint="A date like 2026-11-03, or 7d, 12w ago.",
            check=lambda text: wrong(read_moment, text, now),
        )  # fmt: skip
        self.ask(Form("Changes since when?", (field,), submit, button="Show"), self._look_since)

    def _look_since(self, since: datetime) -> None:
        self._since = since
        self.refresh_rows(connect=False)

    def export(self) -> None:
        from core.access_reports.review import review_sheet
        from tui.screens.review_export import export_form

        session, board = self.open_session(), self._board
        if board is None:
            return
        rows = self.chosen if self.table.marks else list(self.table.shown)
        things = "1 thing" if len(rows) == 1 else f"{count(len(rows))} things"
        form = export_form(
            f"Write the review of {things}",
            "review",
            lambda: review_sheet(rows, session.profile.name, board.notes),
            self.now(),
        )
        self.ask(form, self.tell)
