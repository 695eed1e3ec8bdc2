"""The access log: a line for each answer, in the log file of the program. Ids and words only, never a body."""

from __future__ import annotations

import logging

from core.display import one_line
from core.partner.storage.requests_seen import AnsweredRequest

log = logging.getLogger(__name__)

_LONGEST_PROBLEM = 300  # characters


def log_answer(answered: AnsweredRequest) -> None:
    """Log one answer: as information, or as a warning when it is an error of ours."""
    level = logging.WARNING if answered.status >= 500 else logging.INFO
    if not log.isEnabledFor(level):
        return
    workspace = f"{answered.cloud}:{answered.workspace_id}" if answered.cloud else "-"
    log.log(
        level,
        "%s %s %s %d %.0f ms %s caller=%s credential=%s workspace=%s account=%s connection=%s%s",
        answered.id,
        one_line(answered.method, 16),
        answered.endpoint or "-",
        answered.status,
        answered.seconds * 1000,
        answered.word or "-",
        answered.caller,
        answered.credential or "-",
        workspace,
        answered.account_id or "-",
        one_line(answered.connection_id, 80) or "-",
        f": {one_line(answered.problem, _LONGEST_PROBLEM)}" if answered.problem else "",
    )
