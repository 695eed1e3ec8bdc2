"""A finding about a connection, a statement or a document: what is wrong, where, and what to do about it.

Used by the validation of connections, the lint of statements and the lint of documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: it will not work, it is risky or will probably not work, or it is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical correction of a text: `replacement` goes where the characters from `begin` to `end` stand."""

    begin: int
    end: int
    replacement: str = field(repr=False)  # has what the text has, which may be a secret


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `code` is stable, for scripts and for ignoring. Holds no secret.

    `line` and `column` count from 1; 0 where a finding is about no place in a text. `field` names the part of a
    connection that it is about (`region`, `role_arn`), for a form to show it there.
    """

    severity: Severity
    code: str
    message: str  # one sentence: what is wrong
    advice: str = ""  # one sentence: what to do about it
    line: int = 0
    column: int = 0
    field: str = ""
    fix: Fix | None = None


def at(finding: Finding, line: int, column: int = 1) -> Finding:
    """The finding, about a place in a text."""
    return replace(finding, line=line, column=column)
