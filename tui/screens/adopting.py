"""The databases that are no tenants, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.display import byte_size, count
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.session import Session
    from core.tenants.model import Tenant


class AdoptScreen(EntityScreen["Tenant"]):
    """`names` is what was chosen when it closes; empty when it was left."""

    TITLE_WORDS = "Adopt: which databases?"
    NOUN = ("database", "databases")
    COLUMNS = (
        Column("name", "DATABASE", lambda t: t.name, flexible=True, least=24),
        Column("engine", "ENGINE", lambda t: t.engine, minor=2),
        Column("tables", "TABLES", lambda t: count(t.tables), sort=lambda t: t.tables or 0, numeric=True),
        Column("rows", "ROWS", lambda t: count(t.rows), sort=lambda t: t.rows or 0, numeric=True, minor=1),
        Column("size", "SIZE", lambda t: byte_size(t.bytes), sort=lambda t: t.bytes or 0, numeric=True),
    )
    ACTIONS = (
        Command("rows.open", "adopt", "enter", "go_on", "Adopt the marked databases, or this one.", modifies=True,
                needs_row=True),
        Command("rows.mark", "mark", "space", "mark", "Mark the database, to adopt several.", needs_row=True),
        Command("rows.mark_all", "mark all", "asterisk", "mark_all", "Mark every database shown, or none.",
                needs_row=True),
        Command("rows.filter", "filter", "slash", "start_filter", "Show only the rows that hold what you type."),
        Command("rows.back", "back", "escape", "step_back", "Clear the filter, clear the marks, go back."),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def key(self, row: Tenant) -> str:
        return row.name

    async def load(self, session: Session) -> Sequence[Tenant]:
        from tui.screens.tenants import survey

        return (await survey(session)).others

    def summary(self, row: Tenant) -> Sequence[Line]:
        return [
            fact("engine", row.engine),
            fact("tables", count(row.tables)),
            fact("rows", count(row.rows)),
            fact("size", byte_size(row.bytes)),
            Line(),
            Line("Adopted, all of it becomes readable by the DataLens user.", style="muted"),
        ]

    def empty(self) -> tuple[str, str]:
        return "There is no database to adopt.", "Every one that you can see is a tenant already, or ClickHouse's own."

    def go_on(self) -> None:
        self.names = [row.name for row in self.chosen]
        self.dismiss(None)

    def open_detail(self) -> None:  # a double click
        self.go_on()

    def step_back(self) -> None:
        if self.table.filter_text or self.table.marks:
            super().step_back()
        else:
            self.dismiss(None)
