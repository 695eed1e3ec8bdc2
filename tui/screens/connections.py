"""The screen of API connections: a Lakehouse's way to functions in a cloud, and what keeps each of them safe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.errors import HousekeysError
from tui.commands import Command
from tui.screens.connection_rows import COLUMNS, ConnectionRow, notice_lines, rows_of, summary_lines
from tui.screens.entity import EntityScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.lakehouse.api_connections import ApiConnections, Board
    from core.lakehouse.connections import ApiConnection, ExternalFunction, ListedConnection
    from core.lakehouse.provisioning.by_hand import Exhibit
    from core.lakehouse.state import ConnectionState
    from core.running.report import Report
    from core.session import Session
    from tui.screens.connection_forms import Planned

_ONE_AT_A_TIME = ("connections.go", "connections.edit", "connections.remove", "connections.functions",
                  "connections.copy")  # fmt: skip
_NOT_OF_OTHERS = ("connections.edit", "connections.remove", "connections.functions", "connections.copy",
                  "connections.verify")  # fmt: skip


class ConnectionsScreen(EntityScreen[ConnectionRow]):
    """The API connections: what the journal knows is shown at once, what the Lakehouse lists as soon as it answers."""

    SCREEN_ID = "connections"
    TITLE_WORDS = "API connections"
    NOUN = ("API connection", "API connections")
    TABS = ("Summary", "Documents", "SQL", "Used by", "History")
    SUBJECT_KIND = "api_connection"
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("connections.new", "new", "n", "new", "Define a connection, and do all that needs no hand.",
                modifies=True),
        Command("connections.go", "next step", "s", "go_on", "Do what is next for it, step by step, until it is ready.",
                modifies=True, needs_row=True),
        Command("connections.verify", "verify", "v", "verify",
                "Look at the marked ones, in the cloud and in the Lakehouse, and tell what is otherwise.",
                needs_session=True, needs_row=True),
        Command("connections.copy", "documents", "c", "copy_documents",
                "Its documents, commands and statements, to copy one by one.", needs_session=True, needs_row=True),
        Command("connections.edit", "edit", "e", "edit",
                "Give it another definition; there is no ALTER, so it is dropped and created anew.", modifies=True,
                needs_row=True),
        Command("connections.remove", "remove", "x", "remove_connection",
                "Drop it, with its role and policies unless they are kept, after its name is typed.", modifies=True,
                needs_row=True),
        Command("connections.import", "import", "i", "import_file", "Take definitions from an SQL file.",
                modifies=True),
        Command("connections.functions", "functions", "f", "change_functions",
                "Create or drop an external function that runs through it.", modifies=True, needs_row=True,
                footer=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._names: Collection[str] = ()  # what is known here
        self._others: Sequence[ListedConnection] = ()  # what only the Lakehouse has
        self._error: HousekeysError | None = None  # why it could not be asked
        self._asking = False

    @property
    def connections(self) -> ApiConnections:
        """Those of the session. Raises HousekeysError when there is none."""
        return self.open_session().connections

    # -- what is shown

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: ConnectionRow) -> str:
        return row.name

    async def load(self, session: Session) -> Sequence[ConnectionRow]:
        connections = await asyncio.to_thread(lambda: session.connections)  # the first time it imports much
        self._names = states = await connections.states()
        known = {name.lower() for name in states}
        others = [other for other in self._others if other.name.rpartition(".")[2].lower() not in known]
        return rows_of([states[name] for name in sorted(states)], others, connections.reach, self.now())

    def _loaded(self, source: object, rows: Sequence[ConnectionRow]) -> None:
        super()._loaded(source, rows)
        session = self.session
        if session is None or source is not session or session.connections.reach.lakehouse_settings is None:
            return
        self._asking = True
        self.show_crumb()
        self.work("lakehouse", session.connections.board, lambda board: self._answered(session, board), self._no_answer)

    def _answered(self, session: Session, board: Board) -> None:
        """The Lakehouse has told what it lists, or why it does not."""
        self._asking = False
        self._error = board.error
        if board.error is None:
            self._others = board.others
        if session is self._source:
            rows = rows_of(board.states, self._others, session.connections.reach, self.now())
            super()._loaded(session, rows)

    def _no_answer(self, error: HousekeysError) -> None:
        self._asking = False
        self._error = error
        self.show_frame()

    def connection_changed(self) -> None:
        if self.session is None:
            self._others, self._error, self._asking = (), None, False
        super().connection_changed()

    def show_frame(self) -> None:
        super().show_frame()
        if self.is_mounted:
            self.query_one(Notice).say(notice_lines(self._error if self.session is not None else None))

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return left, right or ([Piece("asking the Lakehouse …", "$muted")] if self._asking else [])

    def summary(self, row: ConnectionRow) -> Sequence[Line]:
        return summary_lines(row, self.now())

    async def tab(self, session: Session, row: ConnectionRow, name: str) -> Sequence[Line]:
        from tui.screens.connection_documents import document_lines, function_lines, statement_lines

        if name == "Used by":
            return function_lines(await session.connections.functions(row.name), row.name)
        if row.state is None:
            return [Line("Its definition is not known here. Press s to define it.", style="muted")]
        make = document_lines if name == "Documents" else statement_lines
        return await asyncio.to_thread(make, row.state)

    def empty(self) -> tuple[str, str]:
        return "No API connections yet.", (
            "An API connection lets a Lakehouse run functions in your cloud, under a role that only it can assume.\n\n"
            "Press n to define one, or i to take definitions from an SQL file. What Housekeys may not do itself is "
            "shown step by step, to be done by hand: the profile (press 6) names the Lakehouse and the clouds."
        )

    def on_entity_table_marked(self) -> None:
        self.show_frame()  # most commands take one connection only

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # what only the Lakehouse has cannot be changed here

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if reason:
            return reason
        if command.id in _ONE_AT_A_TIME and len(self.chosen) > 1:
            return "This is done for one connection at a time. Clear the marks first (esc)."
        if command.id in _NOT_OF_OTHERS and not self._known(self.chosen):
            return "Only the Lakehouse knows it. Press s to define it here first."
        if command.id == "connections.go" and not self.chosen[0].definable:
            return "It runs no functions of a cloud: Housekeys does not look after connections of its type."
        if command.id == "connections.functions" and self.connections.reach.lakehouse_settings is None:
            return "The profile names no Lakehouse. Run the statement there yourself."
        return ""

    @staticmethod
    def _known(rows: Sequence[ConnectionRow]) -> list[ConnectionState]:
        return [row.state for row in rows if row.state is not None]

    # -- commands

    def new(self) -> None:
        self._define(None)

    def _define(self, start: ApiConnection | None) -> None:
        from tui.screens.connection_forms import new_form

        self.ask(new_form(self.connections, self._names, start), self._carry_out_and_go_on)

    def _carry_out_and_go_on(self, planned: Planned) -> None:
        def done(report: Report) -> None:
            if report.succeeded:
                self._guide(planned.name, begin=False)

        self.carry_out(planned.change, done)

    def _guide(self, name: str, *, begin: bool = True) -> None:
        from tui.screens.connection_tasks import GuideScreen

        page = GuideScreen(self.connections, name, begin=begin)
        self.app.push_screen(page, lambda _done: self.refresh_rows())

    def go_on(self) -> None:
        row = self.current_choice
        if row is None:
            return
        if row.state is not None:
            self._guide(row.name)
            return
        connections = self.connections

        async def told() -> ApiConnection:
            from core.lakehouse.provisioning.adopting import told_definition

            lakehouse = await connections.reach.lakehouse()
            return told_definition(row.name, await lakehouse.description(row.name) if lakehouse is not None else None)

        self.work("plan", told, self._define)

    @property
    def current_choice(self) -> ConnectionRow | None:
        """The one row that a command is about."""
        return next(iter(self.chosen), None)

    def verify(self) -> None:
        from core.lakehouse.looking import Look
        from tui.screens.connection_looks import LooksScreen
        from tui.screens.connection_tasks import trust_form

        connections, states = self.connections, self._known(self.chosen)
        reach = connections.reach
        seen = reach.lakehouse_settings is not None or any(reach.provisions(s.connection.provider) for s in states)
        if len(states) > 1 or seen:
            self.app.push_screen(LooksScreen(connections, states), lambda _done: self.refresh_rows())
        elif states[0].external_id:
            self.ask(trust_form(Look(states[0])), self.carry_out)
        else:
            self.tell("Its external id is not known yet, so there is nothing to compare: press s to go on.", "warning")

    def copy_documents(self) -> None:
        from tui.screens.connection_documents import exhibits_of
        from tui.screens.exhibits import ExhibitsScreen

        row = self.current_choice
        state = row.state if row is not None else None
        if state is None:
            return
        name = state.name

        def made(exhibits: Sequence[Exhibit]) -> None:
            self.app.push_screen(ExhibitsScreen(name, exhibits))

        self.work("plan", lambda: asyncio.to_thread(exhibits_of, state), made)

    def edit(self) -> None:
        from tui.screens.connection_forms import edit_form

        self._with_fresh_state(lambda state: self.ask(edit_form(self.connections, state), self._carry_out_and_go_on))

    def remove_connection(self) -> None:
        from tui.screens.connection_forms import remove_form

        self._with_fresh_state(lambda state: self.ask(remove_form(self.connections, state), self.carry_out))

    def import_file(self) -> None:
        from tui.screens.connection_forms import import_form

        self.ask(import_form(self.connections), self.carry_out)

    def change_functions(self) -> None:
        from tui.screens.connection_functions import functions_form

        connections, row = self.connections, self.current_choice
        if row is None:
            return

        async def there() -> tuple[ExternalFunction, ...]:
            return await connections.functions(row.name) or ()

        def ask(found: Sequence[ExternalFunction]) -> None:
            self.ask(functions_form(connections, row.name, found), self.carry_out)

        self.work("plan", there, ask)

    def _with_fresh_state(self, then: Callable[[ConnectionState], None]) -> None:
        """Read the connection again; a form about it must not show what was."""
        row = self.current_choice
        if row is not None:
            self.work("plan", lambda: self.connections.state(row.name), then)
