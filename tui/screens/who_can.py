"""Who can do something somewhere: every user and role, how much of it, by which way, and what limits it besides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey
from core.access.render_grants import identifier, render_rights
from core.display import one_line
from tui.commands import Command
from tui.screens.access import AccessScreen
from tui.screens.review_opening import open_entity
from tui.screens.who_can_rows import COLUMNS, AbleRow, rows_of, summary_lines, way_lines
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.access.model import Right
    from core.access_reports.objects import Objects
    from core.session import Session
    from tui.screens.access_reading import Access


class WhoCanScreen(AccessScreen[AbleRow]):
    """The answer to one question; before there is one, how to ask it."""

    SCREEN_ID = "who-can"
    TITLE_WORDS = "Who can"
    NOUN = ("user or role", "users and roles")
    TABS = ("Summary", "Ways")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("who_can.ask", "ask", "n", "ask_anew", "Ask who has a privilege on an object: choose both.",
                needs_session=True),
        Command("who_can.privilege", "privilege", "p", "ask_privilege", "Ask about another privilege.",
                needs_session=True),
        Command("who_can.object", "object", "b", "ask_object", "Ask about another object.", needs_session=True),
        Command("who_can.matrix", "matrix", "v", "show_matrix",
                "Show what every user may do in every database, in a letter or two.", needs_session=True),
        Command("who_can.open", "open it", "u", "open_holder", "Go to the user or role on its own screen.",
                needs_row=True),
        Command("who_can.export", "to a file", "E", "export", "Write the answer as CSV, JSON or HTML.",
                needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._asked: Right | None = None
        self._objects: Objects | None = None  # to choose from

    # -- what is shown

    def key(self, row: AbleRow) -> str:
        return f"{row.kind} {row.name}"

    def entity(self, row: AbleRow) -> EntityKey:
        return EntityKey(row.able.who.kind, row.name)

    def rows(self, access: Access, session: Session) -> Sequence[AbleRow]:
        from core.access_reports.who_can import able

        asked = self._asked
        return [] if asked is None else rows_of(able(access.index, asked, self.now()), access, asked)

    async def load(self, session: Session) -> Sequence[AbleRow]:
        from core.access_reports.objects import read_objects

        access = await self._shared_access(session)
        if access is not self._access or self._objects is None:
            self._objects = await read_objects(session.engine)
        self._access = access
        return await asyncio.to_thread(self.rows, access, session)

    def summary(self, row: AbleRow) -> Sequence[Line]:
        return summary_lines(row, self.access, self.now())

    async def tab(self, session: Session, row: AbleRow, name: str) -> Sequence[Line]:
        return await asyncio.to_thread(way_lines, row, self.access)

    def empty(self) -> tuple[str, str]:
        if self._asked is None:
            return "Who can do what, and where?", (
                "Press n to choose a privilege and an object, or v for the matrix of all users and databases."
            )
        return f"Nobody has {one_line(render_rights((self._asked,)), 120)}.", (
            "No user and no role has a part of it, not even after SET ROLE. Press b to ask about another object, p "
            "about another privilege."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        if self._asked is not None:
            left.insert(1, Piece(one_line(render_rights((self._asked,)), 60), "bold $accent"))
        elif len(left) > 1:
            del left[1]  # nothing was asked: no number of rows either
        return left, right

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if not reason and command.needs_session and self._access is None:
            return "Access has not been read yet."
        return reason

    # -- asking

    def ask_anew(self) -> None:
        self._choose_privilege(then_object=True)

    def ask_privilege(self) -> None:
        self._choose_privilege(then_object=self._asked is None)

    def _choose_privilege(self, *, then_object: bool) -> None:
        from core.access_reports.who_can import askable
        from tui.screens.who_can_choosing import PrivilegeChooser, takes_object

        privileges = self.access.index.privileges

        def chosen(privilege: str | None) -> None:
            if privilege is None:
                return
            if not takes_object(privilege, privileges):
                self._ask(askable(privilege, "*.*", privileges))
            elif then_object or not self._fits(privilege):
                self._choose_object(privilege)

        self.app.push_screen(PrivilegeChooser(privileges), chosen)

    def _fits(self, privilege: str) -> bool:
        """Ask about the same object as before, if the privilege can be on it; whether it can."""
        from core.access_reports.who_can import askable
        from core.errors import HousekeysError

        if self._asked is None or self._asked.parameter is not None:
            return False
        place = render_rights((self._asked._replace(columns=()),)).partition(" ON ")[2]
        columns = f"({', '.join(map(identifier, self._asked.columns))})" if self._asked.columns else ""
        try:
            self._ask(askable(f"{privilege}{columns}", place, self.access.index.privileges))
        except HousekeysError:
            return False
        return True

    def ask_object(self) -> None:
        if self._asked is None:
            self.ask_anew()
        else:
            self._choose_object(self._asked.privilege)

    def _choose_object(self, privilege: str) -> None:
        from core.access_reports.who_can import askable
        from tui.screens.chooser import Option
        from tui.screens.who_can_choosing import ObjectChooser, about_databases, object_options

        privileges, objects = self.access.index.privileges, self._objects
        options = [Option("*", "*")]
        if objects is not None and about_databases(privilege, privileges):
            options = object_options(objects)
            if objects.more:
                self.tell(f"There are more than the {len(objects.tables):,} tables listed: type db.table of any other.")

        def chosen(place: str | None) -> None:
            if place is not None:
                self._ask(askable(privilege, place, privileges))

        self.app.push_screen(ObjectChooser(privilege, privileges, options), chosen)

    def _ask(self, right: Right) -> None:
        self._asked = right
        self.refresh_rows(connect=False)

    # -- going on from it

    def show_matrix(self) -> None:
        from tui.screens.matrix import MatrixScreen

        self.app.push_screen(MatrixScreen(self))

    def open_holder(self) -> None:
        if self.current is not None:
            open_entity(self.console, self.entity(self.current))

    def export(self) -> None:
        from core.access_reports.who_can import who_can_sheet
        from tui.screens.review_export import export_form

        access, session = self.access, self.open_session()
        rows = self.chosen if self.table.marks else list(self.table.shown)
        asked = rows[0].right
        found = [row.able for row in rows]
        self.ask(
            export_form(
                f"Write who can {one_line(render_rights((asked,)), 60)}",
                "who-can",
                lambda: who_can_sheet(found, asked, access.index, session.profile.name),
                self.now(),
            ),
            self.tell,
        )
