"""What the checklist shows: a row for each item, what to do about it, and the next step in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.display import one_line
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact, text_lines

if TYPE_CHECKING:
    from core.datalens.checklist import CheckItem

# The word says it; sign and colour only help the eye.
_SIGNS = {"ok": "✓", "ticked": "✓", "failed": "✗", "unknown": "?", "to do": "-"}
_STYLES = {"ok": "success", "ticked": "success", "failed": "error", "unknown": "warning", "to do": "warning"}

# Where the items are set right that more has to be known for: the screen, and what is done there.
ELSEWHERE = {
    "partner-key": ("keys", "f opens Keys"),
    "datalens-key": ("keys", "f opens Keys"),
    "hosts": ("profiles", "f opens Profiles"),
    "listing": ("listing", "f opens Listing"),
}


@dataclass(frozen=True, slots=True)
class CheckRow:
    """An item, and its place in the list."""

    place: int
    item: CheckItem

    @property
    def state(self) -> str:
        return self.item.state.value

    @property
    def done(self) -> bool:
        return self.item.state.done

    @property
    def remedy(self) -> str:
        """What is done about it here, in a few words with the key; empty when nothing is."""
        item = self.item
        if item.manual:
            return "space unticks it" if self.done else "space ticks it"
        if self.done:
            return ""
        if item.asks_password:
            return "f sets another" if item.id == "password" else "f creates it"
        if item.fix is not None:
            return "f sets it right"
        return ELSEWHERE[item.id][1] if item.id in ELSEWHERE else ""


COLUMNS: tuple[Column[CheckRow], ...] = (
    Column("place", "#", lambda r: str(r.place + 1), sort=lambda r: r.place, numeric=True, width=2),
    Column("state", "STATE", lambda r: f"{_SIGNS[r.state]} {r.state}", sort=lambda r: r.place, width=9,
           style=lambda r: _STYLES[r.state]),
    Column("what", "WHAT", lambda r: r.item.title, sort=lambda r: r.place, flexible=True, least=30),
    Column("remedy", "WHAT TO DO", lambda r: r.remedy, sort=lambda r: r.place, minor=1,
           style=lambda r: "muted" if r.done else "accent"),
)  # fmt: skip


def summary_lines(row: CheckRow) -> list[Line]:
    """How the item stands, why it matters, and what sets it right."""
    item = row.item
    lines = [fact("state", f"{_SIGNS[row.state]} {row.state}", _STYLES[row.state])]
    if item.explanation:
        lines.append(fact("why" if not row.done else "seen", item.explanation))
    if row.remedy:
        lines.append(fact("here", row.remedy, "accent"))
    if item.advice and not row.done:
        lines.append(fact("otherwise" if row.remedy else "do", item.advice, "muted"))
    if item.fix is not None:
        lines += [Line(), Line("f would run, after a preview:", style="muted")]
        lines += text_lines(item.fix.preview(), "accent")
    return lines


def next_row(rows: Sequence[CheckRow]) -> CheckRow | None:
    """The first item that is not done and that something here helps with, else the first that is not done."""
    left = [row for row in rows if not row.done]
    return next((row for row in left if row.remedy), left[0] if left else None)


def notice_lines(rows: Sequence[CheckRow]) -> list[Line]:
    """The next step in words."""
    row = next_row(rows)
    if row is None:
        words = "Everything is done: DataLens can be used. Tenants are on 2, tokens on 4."
        return [Line(words, style="success")] if rows else []
    how = _NEXT.get(row.item.id, f"{one_line(row.item.title)}: when it is so, tick it (space).")
    return [Line(f"Next, line {row.place + 1}: {how}", style="accent")]


_NEXT = {
    "user": "create the user that DataLens reads with (f).",
    "readonly": "let the user send settings and change nothing (f).",
    "password": "give the user a password that ClickHouse keeps as a hash (f).",
    "grants": "take away what the user may read besides tenants (f).",
    "partner-key": "have a key of your own to sign tokens with (f).",
    "datalens-key": "import the public key that DataLens sent you (f).",
    "hosts": "list the hosts in the profile, or make them answer (f).",
    "listing": "complete the listing pack (f).",
}
