"""Compare: two servers, files or snapshots side by side, and what would make the connected server like the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import one_line
from core.errors import HousekeysError, RefusedError
from tui.commands import Command
from tui.screens.access_file_changes import FileChanges
from tui.screens.compare_rows import COLUMNS, CompareRow, Comparison, notice_lines, rows_of, summary_lines
from tui.screens.compare_sides import SHARED_SIDES, ReadSide, Sides, other_than_connected, read_sides
from tui.screens.entity import EntityScreen
from tui.widgets.chrome import Piece
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.access.access_model import EntityKey
    from core.access_changes.present import PresentAccess
    from core.access_reports.node_access import ClusterNode
    from core.changes import Change
    from core.session import Session
    from tui.screens.access_file_forms import Writing
    from tui.screens.access_reading import Proposal
    from tui.screens.compare_forms import Picked

_NOTHING_PICKED = "Nothing is compared yet: press p to pick two sides."
_NEED_SIDES = frozenset({"compare.swap", "compare.snapshot", "compare.make", "compare.make_all"})


class CompareScreen(EntityScreen[CompareRow]):
    """The entities that differ between two sides."""

    SCREEN_ID = "compare"
    TITLE_WORDS = "Compare"
    NOUN = ("entity", "entities")
    TABS = ("Summary", "SQL", "Statements")
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("compare.pick", "pick sides", "p", "pick", "Choose what is compared: servers, files, snapshots, nodes.",
                needs_session=True),
        Command("compare.swap", "swap", "w", "swap", "Left becomes right."),
        Command("compare.make", "make alike", "a", "make_alike",
                "Make the connected server like the other side, for the row or those marked.", modifies=True,
                needs_row=True),
        Command("compare.make_all", "make all alike", "A", "make_all_alike",
                "Make the connected server exactly what the other side is.", modifies=True, needs_row=True),
        Command("compare.snapshot", "snapshot", "s", "snapshot", "Save a side as a file of SQL.", modifies=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._sides: Sides | None = None
        self._found: Comparison | None = None
        self._picked: Picked | None = None  # was read a moment ago: a password is not asked for twice
        self._files = FileChanges(self)

    # -- what is shown

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: CompareRow) -> str:
        return f"{row.kind} {row.name}"

    async def load(self, session: Session) -> Sequence[CompareRow]:
        self._sides = self.console.shared.get(SHARED_SIDES)
        if self._sides is None:
            self._found = None
            return []
        picked, self._picked = self._picked, None
        if picked is not None and picked.sides == self._sides:
            return await self._compared(picked.left, picked.right)
        return await self._compared(*await read_sides(self.console, session, self._sides))

    async def _compared(self, left: ReadSide, right: ReadSide) -> list[CompareRow]:
        from core.access.difference import compare

        def make() -> tuple[Comparison, list[CompareRow]]:
            comparison = Comparison(left, right, compare(left.model, right.model).not_compared)
            return comparison, rows_of(comparison)

        self._found, rows = await asyncio.to_thread(make)
        return rows

    @property
    def found(self) -> Comparison:
        """What was compared. Raises RefusedError before there is anything."""
        if self._found is None:
            raise RefusedError(_NOTHING_PICKED)
        return self._found

    def summary(self, row: CompareRow) -> Sequence[Line]:
        return summary_lines(row, self.found)

    async def tab(self, session: Session, row: CompareRow, name: str) -> Sequence[Line]:
        from tui.screens.compare_rows import sql_lines, statement_lines

        make = sql_lines if name == "SQL" else statement_lines
        return await asyncio.to_thread(make, row, self.found)

    def empty(self) -> tuple[str, str]:
        if self._found is None:
            return "Nothing is compared yet.", (
                "Press p to pick two sides: the connected server, another profile, a file or snapshot, or a node."
            )
        left, right = self._found.left.label, self._found.right.label
        return "Nothing differs.", f"{left} and {right} have the same access. Press p to pick other sides."

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        if self._sides is None:
            return left[:1], right
        sides = [one_line(side.label(self.session), 40) for side in self._sides]
        pieces = [Piece(sides[0], "bold $accent"), Piece("and", "$muted"), Piece(sides[1], "bold $accent")]
        return [left[0], *pieces, *left[1:]], right

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            self.query_one(Notice).say(notice_lines(self._found if self.session is not None else None))

    def on_screen_resume(self) -> None:
        if self._rows_of is not None and self.console.shared.get(SHARED_SIDES) != self._sides:
            self.refresh_rows(connect=False)  # another screen has asked for other sides

    def connection_changed(self) -> None:
        self._picked = None
        if self.session is None:
            self._found = None
        super().connection_changed()

    def why_not(self, command: Command) -> str:
        if command.id in _NEED_SIDES and self._found is None:
            return _NOTHING_PICKED
        if command.id == "compare.snapshot":
            return self._files.why_not()
        reason = super().why_not(command)
        if not reason and command.id in ("compare.make", "compare.make_all"):
            try:
                self._other()
            except HousekeysError as error:
                return str(error)
        return reason

    # -- picking

    def pick(self) -> None:
        from tui.screens.compare_forms import Picked, pick_form

        session = self.open_session()

        async def read(sides: Sides) -> Picked:
            return Picked(sides, *await read_sides(self.console, session, sides))

        def picked(found: Picked) -> None:
            self._picked = found
            self.console.shared[SHARED_SIDES] = found.sides
            self.table.marks.clear()
            self.refresh_rows()

        cluster = session.profile.cluster or ""

        async def nodes() -> Sequence[ClusterNode]:
            from core.access_reports.node_access import cluster_nodes

            return await cluster_nodes(session.engine, cluster)

        names = [name for name in self.console.connection.profile_file.names if name != session.profile.name]
        self.ask(pick_form(self._sides, names, cluster, read, nodes), picked)

    def swap(self) -> None:
        if self._sides is not None:
            self.console.shared[SHARED_SIDES] = (self._sides[1], self._sides[0])
            self.refresh_rows()

    # -- a snapshot

    def snapshot(self) -> None:
        """Save a side; which of the two is asked, unless one of them is a file already."""
        from tui.screens.access_file_forms import snapshot_form
        from tui.screens.chooser import ChooserScreen, Option
        from tui.screens.compare_sides import SideKind

        found = self.found
        sides = {"left": found.left, "right": found.right}
        offered = {where: each for where, each in sides.items() if each.side.kind is not SideKind.FILE} or sides

        def save(where: str | None) -> None:
            if where is None:
                return
            side = offered[where]
            name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in side.label)
            path = Path.cwd() / f"{name}-{self.now():%Y-%m-%d}.sql"
            self.ask(snapshot_form(side.model, side.label, path), self._write)

        if len(offered) == 1:
            save(next(iter(offered)))
            return
        options = [Option(where, f"{where}: {one_line(each.label)}") for where, each in offered.items()]
        self.app.push_screen(ChooserScreen("snapshot of ", "left or right", options), save)

    def _write(self, writing: Writing) -> None:
        async def make() -> Change:
            return writing.change

        self._files.carry_out(make, lambda _report: None)

    # -- making the server alike

    def _other(self) -> ReadSide:
        found = self.found
        return other_than_connected((found.left, found.right), self.open_session())

    def make_alike(self) -> None:
        self._make([row.key for row in self.chosen])

    def make_all_alike(self) -> None:
        self._make(None)

    def _make(self, keys: list[EntityKey] | None) -> None:
        """Read the server again, plan, and take the change down the one road."""
        from tui.screens.access_reading import read_present, tell_surprise

        session, other = self.open_session(), self._other()

        async def make() -> Proposal:
            present = await read_present(session)
            return await asyncio.to_thread(_proposal, present, other, keys, session.capabilities.user)

        def run(proposal: Proposal) -> None:
            # The list itself is read again as after every change.
            self.carry_out(proposal.change, lambda report: tell_surprise(self, session, proposal, report))

        self.work("plan", make, run)


def _proposal(present: PresentAccess, other: ReadSide, keys: list[EntityKey] | None, own_user: str) -> Proposal:
    from core.access_changes.applying import plan_alike, plan_for
    from tui.screens.access_reading import proposed

    if keys is None:
        return proposed(present, lambda now: plan_for(now, other.model, exact=True, own_user=own_user))
    return proposed(present, lambda now: plan_alike(now, other.model, keys, own_user))
