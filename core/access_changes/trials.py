"""A statement that changes something, run by the rights of another user: to see what it really does."""

from __future__ import annotations

from core.changes import Change, Danger, Event, StatementStep
from core.clickhouse.errors import redact
from core.display import one_line


def trial(user: str, sql: str) -> Change:
    """The change that runs `sql` as `user` of an embedded engine. What it does cannot be taken back."""
    shown = redact(sql)
    name = one_line(user, 60)
    step = StatementStep(
        f"Run as user {name}",
        sql,
        masked=None if shown == sql else shown,
        no_undo="What the statement has changed is not known here.",
        as_user=user,
        events=(Event("user", user, "try", {"statement": shown}),),
    )
    return Change(
        f"Run a statement as user {name}",
        (step,),
        Danger.DESTRUCTIVE,
        consequences=("It is carried out on the real data, not only checked.",),
        confirm_name=user,
    )
