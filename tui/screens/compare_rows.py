"""What the screen of comparisons shows of an entity: its row, in what it differs, both sides as SQL, and statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.model_changes import name_text
from core.access.render import render
from core.access_reports.comparing import Differing, Place, differing, entity_sql, making_alike
from core.access_reports.differing import granted_text
from core.display import one_line
from tui.screens.compare_sides import ReadSide
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact, text_lines

_WHERE = {Place.FIRST: "only left", Place.SECOND: "only right", Place.BOTH: "differs"}
_STYLES = {Place.FIRST: "error", Place.SECOND: "success", Place.BOTH: "warning"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides as they were read, and the users whose passwords could not be compared."""

    left: ReadSide
    right: ReadSide
    not_compared: tuple[EntityKey, ...] = ()


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One entity that differs."""

    found: Differing

    @property
    def key(self) -> EntityKey:
        return self.found.key

    @property
    def kind(self) -> str:
        return self.key.kind.lower()

    @property
    def name(self) -> str:
        return name_text(self.key.name)

    @property
    def where(self) -> str:
        return _WHERE[self.found.place]


def rows_of(comparison: Comparison) -> list[CompareRow]:
    """A row for each entity that differs."""
    return [CompareRow(found) for found in differing(comparison.left.model, comparison.right.model)]


COLUMNS: tuple[Column[CompareRow], ...] = (
    Column("kind", "KIND", lambda r: r.kind, sort=lambda r: (list(EntityKind).index(r.key.kind), r.name), letter="K",
           style=lambda r: "muted"),
    Column("name", "NAME", lambda r: r.name, flexible=True, least=18, letter="N"),
    Column("where", "WHERE", lambda r: r.where, letter="W", style=lambda r: _STYLES[r.found.place]),
    Column("what", "WHAT", lambda r: ", ".join(r.found.words) or "-", flexible=True, least=16, minor=1, letter="T"),
)  # fmt: skip


def summary_lines(row: CompareRow, comparison: Comparison) -> list[Line]:
    """In what it differs, field by field."""
    left, right = comparison.left.label, comparison.right.label
    found = row.found
    if found.place is not Place.BOTH:
        here, there = (left, right) if found.place is Place.FIRST else (right, left)
        return [Line(f"It is in {here}, and not in {there}.", style=_STYLES[found.place])]
    lines: list[Line] = []
    for field in found.fields:
        lines += [Line(field.field, style="heading"), *_both(field.before or "-", field.after or "-"), Line()]
    if found.rights:
        lines += [Line("Rights: what leads from left to right", style="heading")]
        lines += [Line(render(statement), style="accent") for statement in found.rights] + [Line()]
    if found.roles:
        lines += [Line("Roles", style="heading")]
        for role in found.roles:
            lines += [Line(role.role, style="accent"), *_both(granted_text(role.before), granted_text(role.after))]
    if row.key in comparison.not_compared:
        lines += [Line(), Line("Its password was not compared: one side does not tell it.", style="muted")]
    return lines


def _both(left: str, right: str) -> list[Line]:
    return [fact("left", left), fact("right", right)]


def sql_lines(row: CompareRow, comparison: Comparison) -> list[Line]:
    """Both sides' SQL, one below the other."""
    lines: list[Line] = []
    for words, side in (("Left", comparison.left), ("Right", comparison.right)):
        statements = entity_sql(side.model, row.key)
        lines += [Line(f"{words}: {side.label}", style="heading")]
        lines += [line for text in statements for line in text_lines(one_line(text), "accent")]
        lines += [Line()] if statements else [Line("It is not there.", style="muted"), Line()]
    return lines[:-1]


def statement_lines(row: CompareRow, comparison: Comparison) -> list[Line]:
    """The statements that would make each side like the other."""
    left, right = comparison.left, comparison.right
    return [
        Line(f"To make left ({left.label}) like right", style="heading"),
        *_making(row, left, right),
        Line(),
        Line(f"To make right ({right.label}) like left", style="heading"),
        *_making(row, right, left),
    ]


def _making(row: CompareRow, side: ReadSide, other: ReadSide) -> Sequence[Line]:
    statements, cannot = making_alike(side.model, other.model, [row.key])
    lines = [line for text in statements for line in text_lines(one_line(text), "accent")]
    lines += [Line(words, style="warning") for words in cannot]
    return lines or [Line("Nothing that SQL could do.", style="muted")]


def notice_lines(comparison: Comparison | None) -> list[Line]:
    """What has to be known before the list is believed."""
    if comparison is None:
        return []
    notes = [*comparison.left.notes, *comparison.right.notes]
    if comparison.not_compared:
        number = len(comparison.not_compared)
        whose = f"the password of {one_line(str(comparison.not_compared[0].name), 40)}" if number == 1 else (
            f"the passwords of {number:,} users"
        )  # fmt: skip
        notes.append(f"Not compared, because one side does not tell: {whose}.")
    return [Line(f"! {words}", style="warning") for words in dict.fromkeys(notes)]
