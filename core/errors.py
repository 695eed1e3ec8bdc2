"""The errors an operator meets: what went wrong, what to do about it, and the exit code of a script.

Every error that can reach an operator is a `HousekeysError`. Its message says what is wrong and where, its advice
what to do next, its detail keeps the original text (a server's answer, a parser's message) for the detail view and
the log file. None of the three may hold a secret.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the one-shot commands. They are stable: scripts rely on them."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    REFUSED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5


class HousekeysError(Exception):
    """Something failed (exit code 1). `message` is one line; `advice` may be empty; `detail` is verbatim text."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, advice: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.detail = detail

    def __str__(self) -> str:
        # What a server says has often no full stop, and would run together with the advice.
        stop = "." if self.advice and (self.message[-1:].isalnum() or self.message[-1:] in set(")]'\"`")) else ""
        return f"{self.message}{stop} {self.advice}".strip()


class BadInputError(HousekeysError):
    """What was typed, pasted or read from a file cannot be used; nothing was changed."""

    exit_code = ExitCode.BAD_INPUT


class RefusedError(HousekeysError):
    """It could be done but must not be: read-only, not confirmed, no right, or against a rule of safety."""

    exit_code = ExitCode.REFUSED


class NotFoundError(HousekeysError):
    """The named thing does not exist."""

    exit_code = ExitCode.NOT_FOUND


class UnreachableError(HousekeysError):
    """The engine cannot be reached, or another process holds the lock on it."""

    exit_code = ExitCode.UNREACHABLE
