"""What the screen of who can do something shows of a user or role: its row, its summary, and its ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.access.effective.limits import limits_of
from core.access.effective.questions import Extent, Verdict, can
from core.access.model import EntityKind, Right
from core.access.render_grants import render_rights
from core.access_reports.who_can import Able, extent_text, limit_texts, rows_on, way_statements, ways_text
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.access_tabs import limit_lines, path_text
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_EXTENTS = {Extent.ALL: "all of it", Extent.PART: "a part of it", Extent.NONE: "no"}
_OPTIONS = {Extent.ALL: "all", Extent.PART: "a part", Extent.NONE: "-"}  # that may be passed on
_RANKS = tuple(Verdict)
_STYLES = {Verdict.YES: "", Verdict.AFTER_SET_ROLE: "muted"}
_GRAVE = ("disabled", "expired")


@dataclass(frozen=True, slots=True)
class AbleRow:
    """One that can, with everything its columns say."""

    able: Able
    right: Right  # that was asked about
    has: str
    by: str
    limits: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.able.who.kind.lower()

    @property
    def name(self) -> str:
        return self.able.who.name


def rows_of(found: Sequence[Able], access: Access, right: Right) -> list[AbleRow]:
    """A row for each."""
    return [
        AbleRow(each, right, extent_text(each), ways_text(each), limit_texts(each, right, access.index))
        for each in found
    ]


def _limit_style(row: AbleRow) -> str:
    return "error" if any(text in _GRAVE for text in row.limits) else "muted" if not row.limits else "warning"


COLUMNS: tuple[Column[AbleRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    Column("kind", "KIND", lambda r: r.kind, letter="K", style=lambda r: "muted"),
    Column("has", "HAS", lambda r: r.has, sort=lambda r: (_RANKS.index(r.able.verdict), r.has),
           flexible=True, least=14, letter="H", style=lambda r: _STYLES.get(r.able.verdict, "warning")),
    Column("by", "BY", lambda r: r.by, flexible=True, least=14, minor=1, letter="B"),
    Column("option", "OPTION", lambda r: _OPTIONS[r.able.grant_option], sort=lambda r: -r.able.grant_option, minor=3,
           letter="P", style=lambda r: "warning" if r.able.grant_option else "muted"),
    Column("limits", "LIMITS", lambda r: ", ".join(r.limits) or "-", flexible=True, least=20, minor=2, letter="M",
           style=_limit_style),
)  # fmt: skip


def summary_lines(row: AbleRow, access: Access, now: datetime) -> list[Line]:
    """How much of it, by how many ways, and what limits it besides."""
    each, right = row.able, row.right
    lines = [
        fact("asked", render_rights((right,))),
        fact("has", row.has, _STYLES.get(each.verdict, "warning")),
    ]
    lines += [
        fact("ways" if number == 0 else words.BELOW, f"{path_text(way.via)}: {_EXTENTS[way.extent]}",
             "" if way.via.active else "muted")
        for number, way in enumerate(each.ways)
    ]  # fmt: skip
    lines.append(fact("may pass on", _EXTENTS[each.grant_option], "warning" if each.grant_option else ""))
    user = access.model.users.get(each.who.name) if each.who.kind is EntityKind.USER else None
    if user is not None:
        lines += [Line(), *words.method_lines(user, now), words.hosts_line(user.hosts)]
    blocking = each.limits.blocking(right, access.index.privileges)
    if blocking:
        names = ", ".join(f"{setting.name} = {setting.value or 0}" for setting in blocking)
        lines += [Line(), Line(f"It has the right and cannot use all of it: {names}.", style="warning")]
    hidden = [f"{rows.database}.{'*' if rows.table is None else rows.table}" for rows in rows_on(each, right)]
    if hidden:
        lines += [Line(), Line(f"It does not see every row of {words.shown_names(hidden)}.", style="warning")]
    return [*lines, Line(), *limit_lines(limits_of(access.effective(each.who), now), each.who)]


def way_lines(row: AbleRow, access: Access) -> list[Line]:
    """Every way with the statements that made it, and what was taken back on it."""
    each, right = row.able, row.right
    lines: list[Line] = []
    answer = can(access.effective(each.who), right)
    for way in each.ways:
        option = "" if not way.grant_option else f", may pass on {_EXTENTS[way.grant_option]}"
        lines += [
            Line(f"{path_text(way.via)}: {_EXTENTS[way.extent]}{option}", style="heading"),
            *(Line(f"  {text}", style="accent") for text in way_statements(access.index, each.who, way.via, right)),
            *(
                Line(f"  taken back: {render_rights((taken.right,))}", style="warning")
                for taken in answer.taken
                if taken.via == way.via
            ),
            Line(),
        ]
    if answer.implicit:
        lines.append(Line("At login it has all of it: the rest follows from other rights that it has.", style="muted"))
    elif answer.set_roles:
        lines.append(Line(f"More by: SET ROLE {words.identifiers(answer.set_roles)}", style="muted"))
    return lines
