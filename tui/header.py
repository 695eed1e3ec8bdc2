"""The header: which ClickHouse is open, in what mode, and who sits here; and the line of what is unfinished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core.display import count, one_line
from tui.service import Connection
from tui.widgets.chrome import Piece

if TYPE_CHECKING:
    from core.running.report import Unfinished

BADGE_STYLES: Final[Mapping[str, str]] = {
    "PRODUCTION": "bold $danger-text on $danger",
    "embedded": "$muted",
}


def header_pieces(connection: Connection, operator: str) -> tuple[list[Piece], list[Piece]]:
    """Its left and its right end. Badges have no `minor`: they never give way."""
    profile = connection.profile
    left = [Piece("housekeys", "bold $accent", minor=1), Piece(one_line(connection.profile_name, 40), "bold")]
    right: list[Piece] = []
    if profile is not None:
        left.append(Piece(one_line(profile.address, 60), "$foreground", minor=3))
    session = connection.session
    if session is not None:
        left.append(Piece(one_line(session.capabilities.version, 20), "$muted", minor=4))
    elif connection.status != "closed":
        words, style = {"opening": ("connecting …", "$muted"), "failed": ("not connected", "$error")}.get(
            connection.status, ("", "")
        )
        left.append(Piece(words, style))
    if profile is not None:
        if profile.cluster:
            left.append(Piece(f"cluster {one_line(profile.cluster, 30)}", "$muted", minor=5))
        for badge in profile.badges:
            if badge != connection.profile_name:
                right.append(Piece(f" {badge} ", BADGE_STYLES.get(badge, "bold $warning")))
    if session is not None and session.read_only.active:
        right.append(Piece("READ-ONLY", "bold $warning"))
    right.append(Piece(one_line(operator, 40), "$muted", minor=6))
    return left, right


def unfinished_words(changes: Sequence[Unfinished], *, look_only: bool) -> str:
    """What is said of changes that were begun and do not run: nothing when there are none."""
    waiting = [unfinished for unfinished in changes if not unfinished.running]
    if not waiting:
        return ""
    first = waiting[0]
    more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    done, total = count(first.count("done")), count(len(first.change.steps))
    words = "Unfinished (read-only)" if look_only else "Unfinished, press U"
    return f"! {words}: {first.change.title} ({done} of {total} done){more}"
