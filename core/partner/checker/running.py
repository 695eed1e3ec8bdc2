"""Goes through cases one after the other, as Databricks calls, and tells how each ended."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from core.errors import BadInputError, UnreachableError
from core.partner.checker.calling import Caller, NoAnswerError
from core.partner.checker.case import Case
from core.partner.checker.conversation import Conversation
from core.partner.checker.exchanges import Exchange, shown_url
from core.partner.checker.judging import UnmetError
from core.partner.checker.subject import Subject

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
    exchanges: tuple[Exchange, ...] = ()  # of one that failed or was warned of
    seconds: float = 0.0


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


async def check(subject: Subject, cases: Sequence[Case], *, verify: ssl.SSLContext | bool = True) -> tuple[Result, ...]:
    """Go through the cases. Raises UnreachableError when nobody answers at all."""
    caller = await Caller.open(subject.limits, verify)
    try:
        if any(not case.why_not(subject) for case in cases if case.steps is not None):
            await _reach(subject, caller)
        return tuple([await _result(subject, caller, case) for case in cases])
    finally:
        await caller.close()


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


async def _result(subject: Subject, caller: Caller, case: Case) -> Result:
    missing = case.why_not(subject)
    if case.steps is None or (missing and case.by_hand):
        return Result(case, Outcome.MANUAL, case.by_hand)
    if missing:
        return Result(case, Outcome.SKIPPED, missing)
    talk = Conversation(subject, caller)
    began = time.monotonic()
    try:
        await case.steps(talk)
    except UnmetError as error:
        seconds = time.monotonic() - began
        exchanges = tuple(talk.exchanges)
        return Result(case, Outcome.FAILED, "", error.expected, error.came, exchanges, seconds)
    finally:
        await talk.clean()
    seconds = time.monotonic() - began
    if talk.warnings:
        return Result(case, Outcome.WARNING, ". ".join(talk.warnings), exchanges=tuple(talk.exchanges), seconds=seconds)
    return Result(case, Outcome.PASSED, seconds=seconds)
