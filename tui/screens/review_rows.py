"""What the review board shows of one thing to look at: its row, and its summary."""

from __future__ import annotations

from datetime import UTC, datetime

from core.access.lint.findings import Severity
from core.access.planning.plan import title
from core.access_reports.review import Kind, ReviewItem
from tui.screens import access_words as words
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_SEVERITIES = tuple(Severity)
_KINDS = tuple(Kind)
_MARKS = {Severity.ERROR: "!!", Severity.WARNING: "! ", Severity.NOTE: "  "}  # where there is no room for the word
_LISTED = 100  # changes of one entity


def _moment(item: ReviewItem) -> datetime:
    return item.until or item.since or datetime(1970, 1, 1, tzinfo=UTC)


COLUMNS: tuple[Column[ReviewItem], ...] = (
    Column("severity", "SEVERITY", lambda i: i.severity.value, letter="S", minor=2,
           sort=lambda i: (_SEVERITIES.index(i.severity), _KINDS.index(i.kind), title(i.entity).casefold()),
           style=lambda i: words.SEVERITY_STYLES[i.severity]),
    Column("what", "WHAT", lambda i: i.kind.value, sort=lambda i: (_KINDS.index(i.kind), _moment(i)), letter="T",
           brief=lambda i: f"{_MARKS[i.severity]} {i.kind.value}", style=lambda i: words.SEVERITY_STYLES[i.severity]),
    Column("who", "WHO", lambda i: title(i.entity), flexible=True, least=12, letter="W"),
    Column("why", "WHY", lambda i: i.why, flexible=True, least=26, letter="Y"),
    Column("when", "SINCE/UNTIL", lambda i: i.when, sort=_moment, minor=1, width=10, letter="D",
           style=lambda i: "" if i.since or i.until else "muted"),
)  # fmt: skip


def summary_lines(item: ReviewItem, now: datetime) -> list[Line]:
    """What it is, why it matters, and what to do."""
    lines = [
        fact("what", item.kind.value),
        fact("who", title(item.entity)),
        fact("why", item.why),
        fact("severity", item.severity.value, words.SEVERITY_STYLES[item.severity]),
    ]
    if item.since is not None:
        lines.append(fact("since", words.moment(item.since, now)))
    if item.until is not None:
        lines.append(fact("until", words.moment(item.until, now)))
    lines += [Line(), Line(item.explanation)]
    if item.advice:
        lines += [Line(), Line("What to do", style="heading"), Line(item.advice)]
    if item.more:
        more = len(item.more) - _LISTED
        lines += [Line(), Line("Changes", style="heading"), *map(Line, item.more[:_LISTED])]
        lines += [Line(f"and {more:,} more", style="muted")] * (more > 0)
    return lines
