"""A screen with a table of entities and the detail of one of them. How to use it: `tui.screens`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from core.display import count, one_line
from core.errors import HousekeysError, NotFoundError
from tui.commands import Command
from tui.screens.detailed import DetailedScreen
from tui.screens.new_rows import NewRows
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column, R
from tui.widgets.detail_pane import DetailPane
from tui.widgets.entity_table import EntityTable
from tui.widgets.filter_line import FilterLine
from tui.widgets.lines import Line
from tui.widgets.state import StateView, failure_lines, waiting_lines

if TYPE_CHECKING:
    from core.changes import Change
    from core.running.report import Report
    from core.session import Session
    from tui.screens.form import Form

T = TypeVar("T")

SORTS = "sort."

COMMON: tuple[Command, ...] = (
    Command("rows.open", "details", "enter,d", "open_detail", "Show everything about the row.", needs_row=True),
    Command("rows.filter", "filter", "slash", "start_filter", "Show only the rows that hold what you type."),
    Command("rows.mark", "mark", "space", "mark", "Mark the row for a bulk action.", needs_row=True, footer=False),
    Command("rows.mark_all", "mark all", "asterisk", "mark_all", "Mark every row shown, or none.", needs_row=True,
            footer=False),
    Command("rows.copy", "copy", "y", "copy_names", "Copy the name of the row, or of those marked.", needs_row=True,
            footer=False),
    Command("rows.refresh", "refresh", "r", "refresh_rows", "Read everything again.", footer=False),
    Command("rows.sort", "sort", "o", "sort_next", "Sort by the next column.", footer=False),
    Command("rows.turn", "turn the order", "O", "sort_turn", "Turn the order round.", footer=False),
    Command("rows.back", "back", "escape", "step_back", "Leave the detail, clear the filter, clear the marks.",
            footer=False),
)  # fmt: skip


class EntityScreen(DetailedScreen[R]):
    """Rows of `R`."""

    ACTIONS = COMMON
    COLUMNS: ClassVar[tuple[Column[Any], ...]] = ()
    NOUN: ClassVar[tuple[str, str]] = ("row", "rows")
    NEEDS_SESSION: ClassVar[bool] = True

    def __init_subclass__(cls, **arguments: Any) -> None:
        if "COLUMNS" in cls.__dict__:
            sorts = tuple(
                Command(f"{SORTS}{column.id}", f"sort by {column.title}", column.letter, "sort_next",
                        f"Sort by {column.title}; again turns the order round.", footer=False)
                for column in cls.COLUMNS if column.letter
            )  # fmt: skip
            cls.ACTIONS = (*cls.__dict__.get("ACTIONS", ()), *sorts)
        super().__init_subclass__(**arguments)

    def __init__(self) -> None:
        super().__init__()
        self._rows_of: object | None = None  # the session the rows came from
        self._failure: HousekeysError | None = None
        self._reading = False
        self._changes_seen = 0  # changes run before the rows were read
        self._sought = ""  # the row to go to as soon as there are rows
        self._new: NewRows | None = None  # those to go to when the rows are read again

    # -- what a subclass says

    async def load(self, session: Session) -> Sequence[R]:
        """Every row. Runs in a worker."""
        raise NotImplementedError

    def empty(self) -> tuple[str, str]:
        """What an empty list says, and what to do about it."""
        return f"No {self.NOUN[1]}.", ""

    def missing(self, session: Session) -> str:
        """Why the list cannot be read by the connected user, with the grant to ask for; empty when it can."""
        return ""

    async def fetch(self) -> Sequence[R]:
        """Every row, by whatever means. Runs in a worker."""
        return await self.load(self.open_session())

    async def read_again(self, rows: Sequence[R]) -> list[R]:
        """The same rows as they are now. Raises NotFoundError when one is gone."""
        fresh = {self.key(row): row for row in await self.fetch()}
        gone = [self.key(row) for row in rows if self.key(row) not in fresh]
        if gone:
            raise NotFoundError(f"{one_line(gone[0])} is not there any more.", advice="The list has been read again.")
        return [fresh[self.key(row)] for row in rows]

    # -- composition

    def content(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="list"):
                yield EntityTable(self.COLUMNS, self.key, id="table")
                yield StateView(id="state", left=3)
                yield FilterLine(id="filter")
            yield DetailPane(self.TABS, id="detail")

    @property
    def table(self) -> EntityTable[R]:
        return self.query_one("#table", EntityTable)

    @property
    def current(self) -> R | None:
        return self.table.current

    @property
    def chosen(self) -> list[R]:
        """The marked rows, or the one under the cursor."""
        return self.table.chosen

    def now(self) -> datetime:
        """The time that relative times are counted from (UTC)."""
        return self.console.start.now()

    def has_row(self) -> bool:
        return bool(self.table.shown)

    def on_mount(self) -> None:
        self.table.focus()
        self._show_state()

    def on_screen_resume(self) -> None:
        self._forget_rows_of_another()  # it was not told while another screen was shown
        outdated = self._rows_of is not self._source or self._changes_seen != self.console.changes_run
        if outdated or self._failure is not None or self._rows_of is None:
            self.refresh_rows(connect=False)

    # -- reading

    @property
    def _source(self) -> object | None:
        """What the rows belong to: rows of another source are not shown."""
        return self.session if self.NEEDS_SESSION else self.console

    def connection_changed(self) -> None:
        if not self.built:
            return  # it reads when it is
        self._forget_rows_of_another()
        super().connection_changed()
        if self.is_current:
            self.refresh_rows(connect=False)

    def _forget_rows_of_another(self) -> None:
        """Neither rows nor marks of one server may be taken for those of another."""
        if self._rows_of is not None and self._rows_of is not self._source:
            self._rows_of = None
            self._failure = self._new = None
            self.table.marks.clear()
            self.table.show([])

    def keys_locked(self) -> None:
        if self._rows_of is not None and self.is_current:
            self.refresh_rows(connect=False)

    def refresh_rows(self, *, connect: bool = True) -> None:
        """Read the rows again; what is shown stays until they are there. Connects first when that failed."""
        if self.NEEDS_SESSION and self.session is None:
            if connect and self.console.connection.status != "opening":
                self.console.connect()
            self._show_state()
            return
        source = self._source
        self._changes_seen = self.console.changes_run
        self._reading = True
        self._show_state()
        self.work("rows", self.fetch, lambda rows: self._loaded(source, rows), self._not_loaded)

    def _loaded(self, source: object, rows: Sequence[R]) -> None:
        self._reading = False
        self._failure = None
        if source is self._source:
            self._rows_of = source
            self.table.show(rows)
            self._go_to_new(rows)
        self._show_state()
        self.show_frame()
        self._show_detail(keep_place=True)
        if self._sought and self._rows_of is not None:
            self._go_to_sought()

    def seek(self, key: str) -> None:
        """Put the cursor on a row, now or when the rows are there: for a screen that opens this one on something."""
        self._sought = key
        if self._rows_of is not None and self._rows_of is self._source and not self._reading:
            self._go_to_sought()

    def key_named(self, name: str) -> str:
        """The key of the row that another screen calls `name`."""
        return name

    def _go_to_sought(self) -> None:
        key, self._sought = self._sought, ""
        if self.table.filter_text:
            self.query_one("#filter", FilterLine).clear()
            self.table.set_filter("")
        if not self.table.move_to(self.key_named(key)):
            self.tell(f"There is no {self.NOUN[0]} {one_line(key, 60)} any more.", "warning")

    def seek_new(self, new: NewRows) -> None:
        """Put the cursor on the first of these when the rows are read again."""
        self._new = new

    def _go_to_new(self, rows: Sequence[R]) -> None:
        """Put the cursor on the first row that is new; where a filter hides all that are, say so."""
        new, self._new = self._new, None
        if new is None:
            return
        keys = {key: row for row in rows if new.has(key := self.key(row), self.subject(row))}
        first = next((key for key in map(self.key, self.table.shown) if key in keys), None)
        if first is not None:
            self.table.move_to(first)
        elif keys:
            what = f"{count(len(keys))} new {self.NOUN[1]}" if len(keys) > 1 else self.detail_title(*keys.values())
            self.tell(f"In the list now, but hidden by the filter (esc clears it): {one_line(what, 60)}.")

    def _not_loaded(self, error: HousekeysError) -> None:
        self._reading = False
        self._failure = error
        self._show_state()

    def _show_state(self) -> None:
        lines = self._state_lines()
        view, table = self.query_one("#state", StateView), self.table
        view.display, table.display = bool(lines), not lines
        if lines:
            view.show(lines)
        self.show_crumb()

    def _state_lines(self) -> Sequence[Line]:
        connection = self.console.connection
        if self._rows_of is not None and self._rows_of is self._source:
            if self.table.total:
                return ()
            if self._failure is None:
                heading, advice = self.empty()
                return [Line(heading, style="heading"), Line(advice)]
        if self.NEEDS_SESSION and self.session is None:
            if connection.status == "failed" and connection.error is not None:
                return failure_lines(connection.error, "Press r to try again, or : to choose another profile.")
            return waiting_lines("Connecting …" if connection.status == "opening" else "Not connected.")
        if self._failure is not None:
            missing = self.missing(self.session) if self.session is not None else ""
            return failure_lines(self._failure, "Press r to try again.", missing)
        return waiting_lines("Reading …")

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        table = self.table
        left = [Piece(self.TITLE_WORDS, "bold")]
        if self._rows_of is not None:
            shown, total = len(table.shown), table.total
            left.append(Piece(count(total) if shown == total else f"{count(shown)} of {count(total)}", "$muted"))
        if table.filter_text:
            left.append(Piece(f"/ {one_line(table.filter_text, 40)}", "$accent"))
        if table.marks:
            left.append(Piece(f"{count(len(table.marks))} marked", "$accent"))
        right = []
        if self._rows_of is not None and self._failure is not None:
            right.append(Piece("stale: could not be read again (r)", "$warning"))
        elif self._reading and self._rows_of is not None:
            right.append(Piece("reading …", "$muted"))
        return left, right

    def on_entity_table_marked(self) -> None:
        self.show_crumb()

    def on_entity_table_opened(self) -> None:
        self.open_detail()

    # -- commands

    def run_command(self, command: Command) -> None:
        if command.id.startswith(SORTS) and not self.why_not(command):
            self.table.sort_by(next(c for c in self.COLUMNS if f"{SORTS}{c.id}" == command.id))
            return
        super().run_command(command)

    def filter_by(self, text: str) -> None:
        """Filter as if `text` had been typed."""
        self.query_one("#filter", FilterLine).fill(text)

    def start_filter(self) -> None:
        self.query_one("#filter", FilterLine).open(self.table.filter_text)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.table.set_filter(message.text)
        self.show_crumb()

    def on_filter_line_closed(self) -> None:
        self.table.focus()
        self.show_frame()

    def mark(self) -> None:
        self.table.toggle_mark()

    def mark_all(self) -> None:
        self.table.mark_shown()

    def copy_names(self) -> None:
        if self.pane.has_focus_within:
            self.console.copy(self.pane.view.plain, "the detail")
            return
        rows = self.chosen
        what = one_line(self.key(rows[0]), 60) if len(rows) == 1 else f"{count(len(rows))} names"
        self.console.copy("\n".join(self.key(row) for row in rows), what)

    def sort_next(self) -> None:
        columns = self.table.columns
        self.table.sort_by(columns[(columns.index(self.table.sort_column) + 1) % len(columns)], descending=False)

    def sort_turn(self) -> None:
        self.table.sort_by(self.table.sort_column)

    def step_back(self) -> None:
        if self.pane.has_focus_within:
            self.table.focus()
        elif self.table.filter_text:
            self.query_one("#filter", FilterLine).clear()
        elif self.table.marks:
            self.table.marks.clear()
            self.table.refresh()
            self.show_crumb()

    # -- changes

    def ask(self, form: Form[T], then: Callable[[T], object]) -> None:
        """Open a form; `then` gets what its `submit` returned."""
        self.console.ask(form, then)

    def propose(
        self,
        plan: Callable[[Session, list[R]], Awaitable[Change]],
        rows: Sequence[R] = (),
        then: Callable[[Report], object] | None = None,
    ) -> None:
        """Read `rows` again, plan the change for them, and take it down the one road; see `tui.screens`."""
        session = self.open_session()

        async def make() -> Change:
            fresh = await self.read_again(rows) if rows else []
            return await plan(session, fresh)

        def failed(error: HousekeysError) -> None:
            self.show_error(error)
            self.refresh_rows()

        self.work("plan", make, lambda change: self.carry_out(change, then), failed)

    def carry_out(self, change: Change, then: Callable[[Report], object] | None = None) -> None:
        """Preview `change`, run it when confirmed, read the rows again, and go to what is new."""
        before = self.table.keys

        def finished(report: Report) -> None:
            self.table.marks.clear()
            self.seek_new(NewRows.of(change, before))
            if self.session is not None:
                self.refresh_rows()
            if then is not None:
                then(report)

        self.console.carry_out(change, finished)
