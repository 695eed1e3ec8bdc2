"""All that is wrong with an access file, as a list over its screen: explained, and with the fix where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.access.lint.findings import Finding
from core.access.planning.plan import title
from core.access.xml.problems import Problem
from core.display import one_line
from tui.commands import Command
from tui.screens.access_file_rows import OpenFile
from tui.screens.access_words import SEVERITY_STYLES
from tui.screens.entity import EntityScreen
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_STYLES = {str(severity): style for severity, style in SEVERITY_STYLES.items()}
_ORDER = tuple(_STYLES)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of lint, or a problem of the file itself."""

    number: int
    severity: str
    about: str
    what: str
    place: str
    explanation: str
    advice: str
    finding: Finding | None


def rows_of(file: OpenFile) -> list[FindingRow]:
    """The problems of the file first, then what lint finds, the most severe first."""
    rows = [_problem(number, problem) for number, problem in enumerate(file.problems)]
    return rows + [_finding(len(rows) + number, found) for number, found in enumerate(file.findings)]


def _problem(number: int, problem: Problem) -> FindingRow:
    place = f"{Path(problem.file).name}:{problem.line}" if problem.line else Path(problem.file).name
    return FindingRow(number, str(problem.severity), "the file", problem.message, place, "", problem.advice, None)


def _finding(number: int, found: Finding) -> FindingRow:
    origin = found.origin
    place = f"{Path(origin.file).name}:{origin.line}" if origin is not None else "-"
    return FindingRow(number, str(found.severity), title(found.entity), found.title, place, found.explanation,
                      found.advice, found)  # fmt: skip


def _has_fix(row: FindingRow) -> str:
    return "f" if row.finding is not None and row.finding.fix is not None else "-"


class FindingsScreen(EntityScreen[FindingRow]):
    """The list. `fix` takes the finding that is to be fixed to the change of the file."""

    TITLE_WORDS = "Lint"
    NOUN = ("finding", "findings")
    NEEDS_SESSION = False
    TABS = ("Finding",)
    COLUMNS = (
        Column("severity", "SEVERITY", lambda r: r.severity, sort=lambda r: (_ORDER.index(r.severity), r.number),
               letter="S", style=lambda r: _STYLES[r.severity]),
        Column("what", "WHAT", lambda r: r.what, flexible=True, least=24, letter="W"),
        Column("about", "ABOUT", lambda r: r.about, flexible=True, least=14, letter="A"),
        Column("place", "ORIGIN", lambda r: r.place, flexible=True, least=12, minor=2, letter="I"),
        Column("fix", "FIX", _has_fix, minor=1, style=lambda r: "accent" if _has_fix(r) == "f" else "muted"),
    )  # fmt: skip
    ACTIONS = (
        Command("finding.back", "back", "escape,l", "close", "Clear the filter, or go back."),
        Command("finding.fix", "fix", "f", "fix", "Write the fix into the file, after a preview.", modifies=True,
                needs_row=True),
    )  # fmt: skip

    def __init__(self, file: OpenFile, why_not_fixed: str, fix: Callable[[Finding], object]) -> None:
        super().__init__()
        self._file, self._why_not_fixed, self._fix = file, why_not_fixed, fix

    def key(self, row: FindingRow) -> str:
        return str(row.number)

    def detail_title(self, row: FindingRow) -> str:
        return row.about

    async def fetch(self) -> Sequence[FindingRow]:
        return rows_of(self._file)

    def summary(self, row: FindingRow) -> Sequence[Line]:
        lines = [Line(row.what, style=_STYLES[row.severity])]
        lines += [Line(row.explanation)] if row.explanation else []
        fix = row.finding.fix if row.finding is not None else None
        if row.advice:
            lines += [Line(), Line(f"-> {row.advice}")]
        if fix is not None:
            lines += [Line(), Line("Fix", style="heading"), Line(fix.title), Line("f shows it as an edit of the file.",
                                                                                 style="muted")]  # fmt: skip
        if row.finding is not None:
            lines += [Line(), fact("finding", row.finding.id)]
        return [*lines, fact("origin", row.place)]

    def empty(self) -> tuple[str, str]:
        return "Nothing is wrong with this file.", "Press esc to go back."

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return [Piece(one_line(self._file.path.name, 60), "$muted"), Piece("/", "$muted"), *left], right

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # what can be done depends on the row

    def why_not(self, command: Command) -> str:
        if command.id != "finding.fix":
            return super().why_not(command)
        row = self.current
        if row is None:
            return "There is no row to do it with."
        if row.finding is None or row.finding.fix is None:
            return "There is no single fix for this: see what is advised."
        return self._why_not_fixed

    def copy_names(self) -> None:
        row = self.current
        if row is not None and not self.pane.has_focus_within:
            self.console.copy(f"{row.severity}: {row.about}: {row.what}", "the finding")
            return
        super().copy_names()

    def close(self) -> None:
        """Clear what narrows the list, else go back."""
        if self.pane.has_focus_within or self.table.filter_text or self.table.marks:
            self.step_back()
        else:
            self.dismiss(None)

    def fix(self) -> None:
        row = self.current
        if row is not None and row.finding is not None:
            self.dismiss(None)
            self._fix(row.finding)
