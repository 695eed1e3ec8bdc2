"""Journal rows as lines, for the History tab of any detail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.display import exact_time
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.journal.rows import Row


def history_lines(rows: Sequence[Row]) -> list[Line]:
    """Newest first: when, what, by whom, and the details that were recorded."""
    if not rows:
        return [Line("Nothing about it is in the journal.", style="muted")]
    lines: list[Line] = []
    for row in rows:
        outcome = "" if row.outcome == "done" else f" ({row.outcome})"
        lines.append(Line(f"{exact_time(row.at)}  {row.action}{outcome}", style="" if not outcome else "warning"))
        lines.append(Line(f"  by {row.operator}@{row.host}", style="muted"))
        told = {name: value for name, value in row.details.items() if value not in ("", None)}
        lines += [Line(f"  {name}: {shown(value)}", style="muted") for name, value in told.items()]
        lines.append(Line())
    return lines[:-1]


def shown(value: object) -> str:
    """A recorded value as text: words as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
