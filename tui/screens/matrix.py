"""The matrix over the screen of who can do something: every user by every database, and what a cell comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.access.access_model import EntityKey, Holder
from core.access.model import EntityKind
from core.access_reports.matrix import LEGEND, NOTHING, Matrix, MatrixRow, cell_rights, cell_words, matrix, matrix_sheet
from core.access_reports.objects import read_objects
from core.display import count, one_line
from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.access_tabs import origin_lines
from tui.screens.base import ConsoleScreen
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.review_opening import open_entity
from tui.widgets.chrome import Piece
from tui.widgets.filter_line import FilterLine
from tui.widgets.grid import Grid
from tui.widgets.lines import Line, LinesView
from tui.widgets.notice import FittingLines
from tui.widgets.state import StateView, failure_lines, waiting_lines

if TYPE_CHECKING:
    from tui.screens.access_reading import Access
    from tui.screens.who_can import WhoCanScreen

_IN_A_LINE = 5  # signs of the legend


@dataclass(frozen=True, slots=True)
class _Found:
    """A matrix, and what it was made of."""

    access: Access
    matrix: Matrix
    widest: int


class MatrixScreen(ConsoleScreen[None]):
    """Users by databases. `owner` is the screen it lies over, from which access comes."""

    TITLE_WORDS = "Matrix"
    ACTIONS = (
        Command("matrix.back", "back", "escape,v", "step_back", "Clear the filter, or go back."),
        Command("matrix.path", "path", "enter,d", "show_cell", "Show by which way the user may do it there.",
                needs_row=True),
        Command("matrix.filter", "filter", "slash", "start_filter", "Show only the users that hold what you type."),
        Command("matrix.database", "database", "b", "go_to_database", "Go to a database by typing its name.",
                needs_row=True),
        Command("matrix.tenants", "tenants", "t", "turn_tenants", "Show only the databases of clients, or all again.",
                needs_session=True),
        Command("matrix.open", "open the user", "u", "open_user", "Go to the user on its own screen.",
                needs_row=True),
        Command("matrix.export", "to a file", "E", "export", "Write the matrix as CSV, JSON or HTML.",
                needs_row=True),
        Command("matrix.refresh", "refresh", "r", "read_anew", "Read access and the databases again.", footer=False),
    )  # fmt: skip

    def __init__(self, owner: WhoCanScreen) -> None:
        super().__init__()
        self._owner = owner
        self._of = owner.session
        self._found: _Found | None = None
        self._part = Matrix((), ())  # what is shown of it
        self._filter = ""
        self._tenants: frozenset[str] | None = None  # only these databases

    def content(self) -> ComposeResult:
        signs = [f"{sign} {words}" for sign, words in LEGEND]
        legend = ["  ".join(signs[:_IN_A_LINE]), "  ".join(signs[_IN_A_LINE:])]
        yield FittingLines([*(Line(text, style="muted") for text in legend), Line()], id="legend", left=3)
        yield StateView(id="state", left=3)
        yield Grid(quiet=NOTHING, id="grid")
        yield FilterLine(id="filter")
        yield FittingLines(id="cell", left=3)

    @property
    def grid(self) -> Grid:
        return self.query_one(Grid)

    def on_mount(self) -> None:
        self._load(anew=False)

    def connection_changed(self) -> None:
        if self.session is not self._of and self.is_current:
            self.dismiss(None)  # what it shows is of another server
        else:
            super().connection_changed()

    # -- reading

    def read_anew(self) -> None:
        self._load(anew=True)

    def _load(self, *, anew: bool) -> None:
        session = self._owner.open_session()

        async def read() -> _Found:
            access = await self._owner.read_anew(session) if anew else self._owner.access
            objects = await read_objects(session.engine)
            return await asyncio.to_thread(_made, access, objects.of_clients)

        if self._found is None:
            self._show_state(waiting_lines("Working out what everybody may do …"))
        self.work("matrix", read, self._loaded, self._not_loaded)

    def _loaded(self, found: _Found) -> None:
        self._found = found
        self._show_state(self._empty())
        self._arrange()
        self.grid.focus()

    def _not_loaded(self, error: HousekeysError) -> None:
        if self._found is None:
            self._show_state(failure_lines(error, "Press r to try again."))
        else:
            self.show_error(error)

    def _empty(self) -> Sequence[Line]:
        if self._found is None or (self._found.matrix.databases and self._found.matrix.rows):
            return ()
        if not self._found.matrix.rows:
            return [Line("No user can be seen.", style="heading"), Line("Create one on the screen Users (8).")]
        return [
            Line("No database can be seen but ClickHouse's own.", style="heading"),
            Line("Create a tenant on the screen Tenants (2), and press r."),
        ]

    def _show_state(self, lines: Sequence[Line]) -> None:
        state = self.query_one("#state", StateView)
        state.display = bool(lines)
        self.grid.display = not lines
        self.query_one("#legend").display = not lines
        if lines:
            state.show(lines)
        self.show_frame()

    def _arrange(self) -> None:
        if self._found is None:
            return
        words = self._filter.casefold().split()
        whole, only = self._found.matrix, self._tenants
        columns = [number for number, name in enumerate(whole.databases) if only is None or name in only]
        rows = [row for row in whole.rows if all(word in row.user.casefold() for word in words)]
        if only is not None:
            rows = [MatrixRow(row.user, tuple(row.cells[number] for number in columns)) for row in rows]
        self._part = Matrix(tuple(whole.databases[number] for number in columns), tuple(rows))
        names, cells = [row.user for row in rows], [row.cells for row in rows]
        self.grid.show(names, self._part.databases, cells, self._found.widest)
        self.show_frame()

    # -- what is shown

    def has_row(self) -> bool:
        return bool(self._part.rows and self._part.databases)

    @property
    def _place(self) -> tuple[MatrixRow, str]:
        """The row under the cursor, and the database."""
        return self._part.rows[self.grid.row], self._part.databases[self.grid.column]

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left = [Piece(self._owner.TITLE_WORDS, "$muted"), Piece("/", "$muted"), Piece(self.TITLE_WORDS, "bold")]
        if self._found is not None:
            users, databases = len(self._part.rows), len(self._part.databases)
            total = len(self._found.matrix.rows)
            many = count(users) if users == total else f"{count(users)} of {count(total)}"
            left.append(Piece(f"{many} {'user' if total == 1 else 'users'}", "$muted"))
            what = "database" if self._tenants is None else "tenant"
            left.append(Piece(f"{count(databases)} {what}{'' if databases == 1 else 's'}", "$muted"))
        if self._filter:
            left.append(Piece(f"/ {one_line(self._filter, 40)}", "$accent"))
        seen = self.grid.columns_in_sight
        if self.has_row() and len(seen) < len(self._part.databases):
            return left, [Piece(f"databases {seen.start + 1:,} to {seen.stop:,}  < >", "$accent")]
        return left, []

    def on_grid_moved(self) -> None:
        self.show_crumb()
        lines = []
        if self.has_row():
            row, database = self._place
            words = cell_words(row.cells[self.grid.column])
            lines = [Line(), Line(f"{one_line(row.user, 60)} on {one_line(database, 60)}: {words}")]
        elif self._filter:
            lines = [Line(), Line("No user holds what you typed.", style="muted")]
        self.query_one("#cell", FittingLines).say(lines)

    def on_grid_opened(self) -> None:
        self.show_cell()

    # -- commands

    def step_back(self) -> None:
        if self._filter:
            self.query_one("#filter", FilterLine).clear()
        else:
            self.dismiss(None)

    def start_filter(self) -> None:
        self.query_one("#filter", FilterLine).open(self._filter)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self._filter = message.text
        self._arrange()

    def on_filter_line_closed(self) -> None:
        self.grid.focus()

    def go_to_database(self) -> None:
        def chosen(database: str | None) -> None:
            if database is not None:
                self.grid.move_to_column(database)

        options = [Option(name, name) for name in self._part.databases]
        self.app.push_screen(ChooserScreen("/", "type the name of a database", options), chosen)

    def turn_tenants(self) -> None:
        from core.reviewing import tenant_names

        if self._tenants is None:
            session = self._owner.open_session()
            self.work("tenants", lambda: tenant_names(session), self._show_tenants)
        else:
            self._show_tenants(None)

    def _show_tenants(self, tenants: frozenset[str] | None) -> None:
        if tenants is not None and not tenants:
            self.tell("No database is given to a client, as far as can be seen.", "warning")
            return
        self._tenants = tenants
        self._arrange()

    def show_cell(self) -> None:
        if self._found is not None and self.has_row():
            row, database = self._place
            words = cell_words(row.cells[self.grid.column])
            self.app.push_screen(CellScreen(self._found.access, row.user, database, words))

    def open_user(self) -> None:
        console, user = self.console, self._place[0].user
        open_entity(console, EntityKey(EntityKind.USER, user))

    def export(self) -> None:
        from tui.screens.review_export import export_form

        if self._found is None:
            return
        session = self._owner.open_session()
        part = self._part
        title = f"Write the matrix of {count(len(self._part.rows))} {'user' if len(self._part.rows) == 1 else 'users'}"
        form = export_form(title, "matrix", lambda: matrix_sheet(part, session.profile.name), self._owner.now())
        self.console.ask(form, self.tell)


def _made(access: Access, databases: Sequence[str]) -> _Found:
    found = matrix(access.index, databases)
    distinct: set[str] = set()
    for row in found.rows:
        distinct.update(row.cells)
    return _Found(access, found, max(map(len, distinct), default=1))


class CellScreen(ConsoleScreen[None]):
    """By which ways a user may do what it may in one database."""

    ACTIONS = (
        Command("cell.back", "back", "escape,backspace", "close_page", "Back to the matrix."),
        Command("cell.copy", "copy", "y", "copy_lines", "Copy what is shown."),
    )

    def __init__(self, access: Access, user: str, database: str, words: str) -> None:
        super().__init__()
        self._access, self._user, self._database, self._words = access, user, database, words

    def content(self) -> ComposeResult:
        yield LinesView(id="ways", left=3)

    def on_mount(self) -> None:
        view = self.query_one(LinesView)
        view.focus()
        view.show([Line(), *waiting_lines("Reading …")])

        async def read() -> list[Line]:
            return await asyncio.to_thread(self._lines)

        self.work("ways", read, view.show)

    def _lines(self) -> list[Line]:
        effective = self._access.effective(Holder(EntityKind.USER, self._user))
        rights = cell_rights(effective, self._database)
        at_login = [right for right in rights if any(via.active for via in right.origins)]
        chosen = [right for right in rights if not any(via.active for via in right.origins)]
        lines = [Line(), Line(self._words, style="heading"), Line()]
        lines += [Line("Rights at login", style="heading"), *origin_lines(at_login)]
        if chosen:
            lines += [Line(), Line("Only after SET ROLE", style="heading"), *origin_lines(chosen)]
        return lines

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        where = f"{one_line(self._user, 60)} on {one_line(self._database, 60)}"
        return [Piece("Matrix", "$muted"), Piece("/", "$muted"), Piece(where, "bold")], []

    def close_page(self) -> None:
        self.dismiss(None)

    def copy_lines(self) -> None:
        self.console.copy(self.query_one(LinesView).plain, "the ways")
