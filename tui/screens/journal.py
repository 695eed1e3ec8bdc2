"""The journal: what was done, by whom, with which outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.display import exact_time, relative_time
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.history import shown
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.journal.rows import Row
    from core.session import Session

LIMIT = 5_000  # rows that are read at once

_OUTCOMES = {"done": "", "failed": "error", "undone": "warning", "dismissed": "warning"}


def subject_of(row: Row) -> str:
    """What the row is about; of a change its title, for its id says nothing to anybody."""
    if row.subject_kind == "change" and isinstance(title := row.details.get("title"), str):
        return f"change: {title}"
    return f"{row.subject_kind} {row.subject}"


class JournalScreen(EntityScreen["Row"]):
    """The newest rows of the journal."""

    SCREEN_ID = "journal"
    TITLE_WORDS = "Journal"
    NOUN = ("row", "rows")
    COLUMNS = (
        Column("at", "WHEN", lambda row: exact_time(row.at)[:19], lambda row: row.at, width=19, letter="W",
               brief=lambda row: exact_time(row.at)[5:19]),
        Column("subject", "SUBJECT", lambda row: subject_of(row), flexible=True, letter="S"),
        Column("action", "ACTION", lambda row: row.action, letter="A"),
        Column("outcome", "OUTCOME", lambda row: row.outcome, minor=1,
               style=lambda row: _OUTCOMES.get(row.outcome, "")),
        Column("operator", "OPERATOR", lambda row: f"{row.operator}@{row.host}", minor=2, flexible=True,
               brief=lambda row: row.operator),
        Column("change", "CHANGE", lambda row: str(row.change)[-12:], minor=3, width=12),
    )  # fmt: skip
    ACTIONS = (
        Command("journal.subject", "same subject", "s", "same_subject", "Show only rows about this subject.",
                needs_row=True),
        Command("journal.change", "same change", "c", "same_change", "Show only rows of this change.", needs_row=True),
        Command("journal.unfinished", "unfinished", "u", "unfinished",
                "Continue, undo or dismiss a change that did not finish."),
    )  # fmt: skip

    def on_mount(self) -> None:
        self.table.sort_by(self.COLUMNS[0], descending=True)

    def key(self, row: Row) -> str:
        return str(row.id)

    async def load(self, session: Session) -> Sequence[Row]:
        return await session.journal.history(limit=LIMIT)

    def empty(self) -> tuple[str, str]:
        return (
            "The journal is empty.",
            "It is created with the first change, and every change is recorded in it from then on.",
        )

    def detail_title(self, row: Row) -> str:
        return f"{subject_of(row)}: {row.action}"

    def summary(self, row: Row) -> Sequence[Line]:
        lines = [
            fact("when", f"{exact_time(row.at)} ({relative_time(row.at, self.now())})"),
            fact("by", f"{row.operator}@{row.host}"),
            fact("profile", row.profile),
            fact("subject", f"{row.subject_kind} {row.subject}"),
            fact("action", row.action),
            fact("outcome", row.outcome, _OUTCOMES.get(row.outcome, "")),
            fact("change", str(row.change)),
            fact("row", str(row.id)),
        ]
        if row.details:
            lines.append(Line())
        return lines + [fact(name, shown(value)) for name, value in row.details.items()]

    def same_subject(self) -> None:
        row = self.current
        if row is not None:
            self.filter_by(subject_of(row))

    def same_change(self) -> None:
        row = self.current
        if row is not None:
            self.filter_by(str(row.change)[-12:])

    def unfinished(self) -> None:
        from tui.screens.unfinished import UnfinishedScreen

        if any(not item.running for item in self.console.unfinished):
            self.app.push_screen(UnfinishedScreen(), lambda _done: self.refresh_rows())
        else:
            self.tell("Every change has ended.")
