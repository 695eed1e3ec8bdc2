"""Faults that the front commits on request: what networks, proxies and dying servers do to an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

FaultKind = Literal[
    "reset before",  # the connection is reset, the statement is not run
    "reset after",  # the statement is run, the connection is reset without an answer
    "reset in answer",  # the statement is run, the connection is reset in the middle of the answer
    "truncate",  # the answer ends too early, in peace
    "hang",  # the statement is not run and nothing is ever answered
    "status",  # another HTTP status and body, as a proxy gives them
    "garbage",  # 200 with bytes that are no answer
    "stream",  # the answer is sent while it is made, although the client asked to wait
]


@dataclass(slots=True)
class Fault:
    """One fault, for the next `times` requests whose statement `match` (a regular expression) is found in."""

    kind: FaultKind
    match: str = ""
    times: int = 1
    status: int = 502
    body: str = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"


class Faults:
    """The faults still to be committed, in order."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def replace(self, faults: list[dict[str, Any]]) -> None:
        """Forget what is waiting; wait for these."""
        self._waiting = [Fault(**fault) for fault in faults]

    def take(self, sql: str) -> Fault | None:
        """The fault for a request with this statement, counted down."""
        for fault in self._waiting:
            if fault.times > 0 and re.search(fault.match, sql, re.IGNORECASE):
                fault.times -= 1
                return fault
        return None
