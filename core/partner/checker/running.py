"""Goes through cases one after the other, as Databricks calls, and tells how each ended."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from core.errors import BadInputError, UnreachableError
from core.partner.checker.calling import Caller, NoAnswerError
from core.partner.checker.case import Case, Steps
from core.partner.checker.conversation import Conversation
from core.partner.checker.exchanges import Exchange, shown_url
from core.partner.checker.judging import Demand, UnmetError, unmet
from core.partner.checker.subject import Subject

_PATIENCE = 3  # cases without an answer in time, each of which takes a minute; or without one when they clean up
_INTERRUPTED = "the check was interrupted"
_WITHOUT_END = Demand(
    "Answer sooner, and let the pages of connectors have an end.",
    "no document: a check waits no longer, as Databricks would not",
)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Outcome(StrEnum):
    """How a case ended. A warning is about what is wise, and nobody demands."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    MANUAL = "manual"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one case. `note` is why it was skipped, what to do by hand, or the warnings."""

    case: Case
    outcome: Outcome
    note: str = ""
    expected: str = ""
    came: str = ""
    advice: str = ""  # what to do
    basis: str = ""  # where what was expected is documented, if the case does not tell
    exchanges: tuple[Exchange, ...] = ()  # of one that failed or was warned of
    seconds: float = 0.0
    late: bool = False  # it failed for want of an answer in time
    left: tuple[str, ...] = ()  # partner connections that it made and could not delete
    unheard: bool = False  # to delete them was not answered, or not tried any more

    @property
    def by(self) -> str:
        """Where what the case expects is documented, or what it failed for."""
        return self.basis or self.case.basis


def subject_url(text: str, *, insecure_http: bool) -> str:
    """The base URL of a subject, without a slash at the end. Raises BadInputError."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise BadInputError("This is not the URL of a service.", advice="As https://partner.example.com/databricks.")
    if parts.query or parts.fragment:
        raise BadInputError("The URL has a ? or a # in it.", advice="The paths of the endpoints are put after it.")
    if parts.username is not None or parts.password is not None:
        raise BadInputError("The URL has a user in it.", advice="Give the user and the password as options.")
    if parts.scheme == "http" and parts.hostname not in _LOCAL and not insecure_http:
        raise BadInputError(
            f"Over http:// the credentials would reach {parts.hostname} unprotected.",
            advice="Use https://, or allow it by --insecure-http.",
        )
    return text.rstrip("/")


async def check(
    subject: Subject,
    cases: Sequence[Case],
    *,
    verify: ssl.SSLContext | bool = True,
    results: list[Result] | None = None,
) -> tuple[Result, ...]:
    """Go through the cases. Raises UnreachableError when nobody answers at all.

    `results` gets each as it ends: whoever interrupts the check has them there, and the rest as skipped.
    """
    results = [] if results is None else results
    try:
        async with Caller.opened(subject.limits, verify) as caller:
            if any(not case.why_not(subject) for case in cases if case.steps is not None):
                await _reach(subject, caller)
            for case in cases:
                await _go_through(subject, caller, case, results)
    except asyncio.CancelledError:
        results += [_untried(subject, case, _INTERRUPTED) for case in cases[len(results) :]]
        raise
    return tuple(results)


async def _go_through(subject: Subject, caller: Caller, case: Case, results: list[Result]) -> None:
    tried = [result for result in results if result.outcome not in (Outcome.MANUAL, Outcome.SKIPPED)]
    last = tried[-_PATIENCE:]
    if len(last) == _PATIENCE and all(result.late for result in last):
        reason = f"given up, for {_PATIENCE} cases in a row had no answer in time"
        results.append(_untried(subject, case, reason))
        return
    talk = Conversation(subject, caller)
    talk.unheard = len(last) == _PATIENCE and all(result.unheard for result in last)
    found = _untried(subject, case, _INTERRUPTED)
    try:
        found = await _result(talk, case)
        if not talk.unheard:
            await talk.clean()
    except BaseException:  # an interruption, of the cleaning too
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(subject.limits.goodbye):
                await talk.clean()
        raise
    finally:
        results.append(replace(found, left=talk.left, unheard=talk.unheard))


def _untried(subject: Subject, case: Case, reason: str) -> Result:
    """The result of a case that nobody tried, or that has no steps to try."""
    missing = case.why_not(subject)
    if case.steps is None or (missing and case.by_hand):
        return Result(case, Outcome.MANUAL, case.by_hand)
    return Result(case, Outcome.SKIPPED, missing or reason)


async def _reach(subject: Subject, caller: Caller) -> None:
    """Whether somebody is there: better said once than by every case."""
    url = subject.url("connect_path")
    try:
        await caller.call(
            "POST", url, {"User-Agent": "databricks", "Content-Type": "application/json"}, b"", whole=False
        )
    except NoAnswerError as error:
        if error.unreachable:
            message = f"{shown_url(url)} {error}."
            raise UnreachableError(message, advice="Check the URL, the network and the certificate.") from None


async def _steps(talk: Conversation, steps: Steps) -> None:
    """Go the steps of a case, in the time of a case. Raises UnmetError."""
    limit = talk.subject.limits.case
    try:
        async with asyncio.timeout(limit):
            await steps(talk)
    except TimeoutError:
        talk.late = True
        unmet(f"the end of a case within {limit:,.0f} s", f"{len(talk.exchanges)} calls, and no end", _WITHOUT_END)


async def _result(talk: Conversation, case: Case) -> Result:
    if case.steps is None or case.why_not(talk.subject):
        return _untried(talk.subject, case, "")
    began = time.monotonic()
    try:
        await _steps(talk, case.steps)
    except UnmetError as error:
        seconds = time.monotonic() - began
        exchanges = tuple(talk.exchanges)
        told = (error.expected, error.came, error.demand.advice or case.advice, error.demand.basis)
        return Result(case, Outcome.FAILED, "", *told, exchanges, seconds, talk.late)
    seconds = time.monotonic() - began
    if talk.warnings:
        return Result(case, Outcome.WARNING, ". ".join(talk.warnings), exchanges=tuple(talk.exchanges), seconds=seconds)
    return Result(case, Outcome.PASSED, seconds=seconds)
