"""The detail of a row: beside its table where there is room, else on a page over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from textual.events import ScreenSuspend
from textual.timer import Timer

from core.errors import HousekeysError
from tui.screens.base import WIDE, ConsoleScreen
from tui.screens.new_rows import Subject
from tui.widgets.columns import R
from tui.widgets.detail_pane import DetailPane
from tui.widgets.lines import Line
from tui.widgets.state import failure_lines, waiting_lines

if TYPE_CHECKING:
    from core.session import Session

DETAIL_DELAY = 0.15  # seconds the cursor rests before the detail beside the table is drawn


class DetailedScreen(ConsoleScreen[None], Generic[R]):
    """A screen with a current row of `R`, and tabs that tell about it."""

    TABS: ClassVar[tuple[str, ...]] = ("Summary",)
    SUBJECT_KIND: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._detail_timer: Timer | None = None

    # -- what a subclass says

    def key(self, row: R) -> str:
        """What the row is known by: unique, and the same after every refresh."""
        raise NotImplementedError

    def subject(self, row: R) -> Subject:
        """The kind and the name by which the journal knows the row."""
        return self.SUBJECT_KIND, self.key(row)

    @property
    def current(self) -> R | None:
        """The row that the detail is about."""
        raise NotImplementedError

    def summary(self, row: R) -> Sequence[Line]:
        """The first tab of the detail, from the row alone."""
        raise NotImplementedError

    async def tab(self, session: Session, row: R, name: str) -> Sequence[Line]:
        """Another tab of the detail. Runs in a worker."""
        raise NotImplementedError

    def detail_title(self, row: R) -> str:
        return self.key(row)

    def open_session(self) -> Session:
        """The open session. Raises HousekeysError when there is none."""
        session = self.session
        if session is None:
            raise HousekeysError("Not connected.", advice="Press r to connect.")
        return session

    # -- drawing

    @property
    def pane(self) -> DetailPane:
        return self.query_one("#detail", DetailPane)

    @property
    def is_wide(self) -> bool:
        return self.has_class(WIDE)

    def on_entity_table_moved(self) -> None:
        if self.is_wide:
            self._stop_detail_timer()
            self._detail_timer = self.set_timer(DETAIL_DELAY, self._follow_the_cursor)

    @property
    def detail_follows(self) -> bool:
        """Whether the detail beside the table is about to be that of another row."""
        return self._detail_timer is not None

    def _follow_the_cursor(self) -> None:
        self._detail_timer = None
        self._show_detail()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_detail, keep_place=True)

    def _stop_detail_timer(self) -> None:
        if self._detail_timer is not None:
            self._detail_timer.stop()
            self._detail_timer = None

    def on_detail_pane_tab_chosen(self) -> None:
        self._show_detail()

    def _show_detail(self, *, keep_place: bool = False) -> None:
        if not self.is_wide:
            return
        row, pane = self.current, self.pane
        pane.show_title("" if row is None else self.detail_title(row))
        if row is None:
            self.cancel_work("detail")
            pane.show_lines([])
        else:
            self.fill_detail(self, pane, row, keep_place=keep_place)

    def fill_detail(self, host: ConsoleScreen[Any], pane: DetailPane, row: R, *, keep_place: bool = False) -> None:
        """Bring the lines of the chosen tab into `pane`; `host` is the screen that waits for them."""
        name = pane.tab_name
        if name == self.TABS[0]:
            host.cancel_work("detail")
            pane.show_lines(self.summary(row), keep_place=keep_place)
            return

        def failed(error: HousekeysError) -> None:
            pane.show_lines(failure_lines(error, ""))

        if not keep_place:
            pane.show_lines(waiting_lines("Reading …"))
        host.work(
            "detail", lambda: self.read_tab(row, name), lambda lines: pane.show_lines(lines, keep_place=True), failed
        )

    async def read_tab(self, row: R, name: str) -> Sequence[Line]:
        """The lines of a tab other than the first. Runs in a worker."""
        session = self.open_session()
        if name == "History" and self.SUBJECT_KIND:
            from tui.screens.history import history_lines

            return history_lines(await session.journal.history(*self.subject(row)))
        return await self.tab(session, row, name)

    def open_detail(self) -> None:
        if self.current is not None:
            self.show_tab(self.pane.tab_name if self.is_wide else self.TABS[0])

    def show_tab(self, name: str) -> None:
        """Show a tab of the current row: beside the table, or over it when that is narrow."""
        row, index = self.current, self.TABS.index(name)
        if row is None:
            return
        if self.is_wide:
            self.pane.tab = index
            self._show_detail()
            self.pane.view.focus()
            return
        from tui.screens.detail import DetailScreen

        self.app.push_screen(DetailScreen(self, row, index), self._show_beside)

    def _show_beside(self, name: str | None) -> None:
        if name is not None:
            self.call_after_refresh(self.show_tab, name)

    def on_screen_suspend(self, _event: ScreenSuspend) -> None:
        self._stop_detail_timer()
