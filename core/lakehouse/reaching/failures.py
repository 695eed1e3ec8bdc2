"""What goes wrong between here and the Lakehouse, in words an operator can act on.

The Lakehouse's own errors are told by its text: the codes of most are not documented. The detail keeps its code, the
whole text, and the ids of job and request that its support asks for.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass

from core.display import one_line
from core.error_causes import causes
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.lakehouse.connections import Provider
from core.lakehouse.reaching.server_errors import advice_for
from core.profiles.model import LakehouseSettings

_SAID_LIMIT = 300  # characters of the Lakehouse's own sentence that a message repeats
_BODY_LIMIT = 2000  # characters of a foreign answer that the detail keeps
_TOO_MANY = 429  # HTTP


class LakehouseError(HousekeysError):
    """The Lakehouse answered with an error. `code` is its own, as CZLH-60010; empty when it gave none."""

    def __init__(self, message: str, *, code: str = "", advice: str = "", detail: str = "") -> None:
        super().__init__(message, advice=advice, detail=detail)
        self.code = code


class LakehouseLoginError(LakehouseError, UnreachableError):
    """The Lakehouse does not accept the login, or no such instance is there."""


class LakehouseBusyError(LakehouseError, UnreachableError):
    """The Lakehouse did not take the statement now; later it may."""


class LakehouseTimeoutError(LakehouseError):
    """The statement ran longer than allowed, and was cancelled."""


class LakehouseCancelledError(LakehouseError):
    """The statement was cancelled by somebody else."""


class LakehouseStatementError(LakehouseError, BadInputError):
    """The Lakehouse does not understand the statement or refuses a value in it."""


class LakehouseNameError(LakehouseError, NotFoundError):
    """A connection, function or other thing named in the statement does not exist."""


class LakehouseNameTakenError(LakehouseError):
    """A thing of that name is already there."""


class LakehouseRightError(LakehouseError, RefusedError):
    """The user of the Lakehouse may not do that."""


class CloudSideError(LakehouseError, RefusedError):
    """The Lakehouse was refused by the cloud: a role, a policy, a bucket or a region there is not as it must be."""


class LakehouseLostError(UnreachableError):
    """The connection broke while a statement was under way: it may have been carried out or not."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    said: re.Pattern[str]
    kind: type[LakehouseError]
    message: str  # `{said}` is the Lakehouse's own sentence
    advice: str = ""


def _meaning(said: str, kind: type[LakehouseError], message: str, advice: str = "") -> _Meaning:
    return _Meaning(re.compile(said, re.IGNORECASE), kind, message, advice)


# The first that fits. The advice here is for what `core.lakehouse.reaching.server_errors` has none.
_MEANINGS = (
    _meaning(r"HTTP_GENERAL_ERROR", CloudSideError, "The cloud does not let the Lakehouse use the function: {said}"),
    _meaning(r"\b(?:ram|iam):PassRole", CloudSideError, "The cloud does not let the role be passed on: {said}"),
    _meaning(r"sts:AssumeRole", CloudSideError, "The cloud does not let the Lakehouse assume the role: {said}"),
    _meaning(r"\b(?:s3|oss|cos):\w+", CloudSideError, "The role may not use the code bucket: {said}"),
    _meaning(r"role arn (?:is|does) not exist", CloudSideError, "The cloud knows no such role: {said}"),
    _meaning(r"namespace is required", LakehouseStatementError, "Tencent Cloud needs a namespace: {said}"),
    _meaning(
        r"cold start|function.{0,40}time(?:d )?-?out", CloudSideError, "The function did not start in time: {said}"
    ),
    _meaning(
        r"\b403\b|AccessDenied",
        CloudSideError,
        "The cloud refused the Lakehouse: {said}",
        "Compare the policies of the role with the documents of this connection: one of them allows too little.",
    ),
    _meaning(
        r"NoPermission|permission denied|not authorized|no privilege",
        LakehouseRightError,
        "The user of the Lakehouse may not do that: {said}",
        "Ask an administrator of the workspace for the right.",
    ),
    # Not a LakehouseNameError: that says of a connection or function that it is not there.
    _meaning(
        r"\b(?:vcluster|virtual cluster|vc|workspace|schema|instance)\b(?:(?!connection|function).){0,80}"
        r"(?:not\s*found|not exist)",
        LakehouseError,
        "The Lakehouse does not find a place the profile names: {said}",
        "Check workspace, vcluster and schema in the lakehouse part of the profile.",
    ),
    _meaning(r"already\s*exists?", LakehouseNameTakenError, "{said}"),
    _meaning(r"not\s*found|not exists?|does not exist", LakehouseNameError, "{said}", "Check the name and the schema."),
    _meaning(
        r"syntax error|is required|unsupported|invalid",
        LakehouseStatementError,
        "The Lakehouse does not accept the statement: {said}",
    ),
)
_PROVIDER = re.compile(r"provider\W{1,6}(aliyun|tencent|aws)\b", re.IGNORECASE)
_TELLING = (  # words of an error that only one cloud says
    (re.compile(r"HTTP_GENERAL_ERROR|\bram:|\boss:|Forbidden\.RAM", re.IGNORECASE), Provider.ALIYUN),
    (re.compile(r"\bs3:|\biam:|\blambda\b|arn:aws", re.IGNORECASE), Provider.AWS),
    (re.compile(r"role\s*arn\s+is|namespace is|\bcos:|\bqcs:|\b403\b", re.IGNORECASE), Provider.TENCENT),
)
_NOT_OF_A_CLOUD = frozenset({LakehouseError, LakehouseRightError, LakehouseNameError})
_CODES = {
    "CZLH-60006": (LakehouseCancelledError, "The statement was cancelled: {said}", ""),
    "CZLH-60010": (
        LakehouseTimeoutError,
        "The statement ran longer than allowed: {said}",
        "Raise query_timeout of the lakehouse in the profile.",
    ),
    "CZLH-60015": (LakehouseBusyError, "The virtual cluster has no room for another statement: {said}", "Try again."),
    "CZLH-60023": (LakehouseBusyError, "The Lakehouse did not take the statement: {said}", "Try again."),
    "CZLH-57015": (LakehouseBusyError, "The Lakehouse wants the statement sent again: {said}", "Try again."),
}


def explain(code: str, text: str, sql: str, ids: str) -> LakehouseError:
    """The error for the Lakehouse's own code and text, said of the statement `sql`; `ids` names job and request."""
    said = one_line(text.strip(), _SAID_LIMIT) or (f"error {code}" if code else "it gave no reason")
    detail = "\n".join(part for part in (f"{code}: {text}" if code else text, ids) if part)
    if code in _CODES:
        kind, message, advice = _CODES[code]
        return kind(message.format(said=said), code=code, advice=advice, detail=detail)
    for meaning in _MEANINGS:
        if meaning.said.search(text):
            known = "" if meaning.kind in _NOT_OF_A_CLOUD else advice_for(text, _provider(text, sql))
            message, advice = meaning.message.format(said=said), known or meaning.advice
            return meaning.kind(message, code=code, advice=advice, detail=detail)
    label = f"error {code}" if code else "an error"
    return LakehouseError(f"The Lakehouse answered with {label}: {said}", code=code, detail=detail)


def _provider(text: str, sql: str) -> Provider:
    """The cloud that an error is probably about: the one its statement names, or else by its words."""
    if match := _PROVIDER.search(sql):
        return Provider(match[1].lower())
    return next((provider for pattern, provider in _TELLING if pattern.search(text)), Provider.AWS)


def login_refused(code: str, text: str, settings: LakehouseSettings) -> LakehouseLoginError:
    """The error for a login that the Lakehouse does not accept."""
    said = one_line(text.strip(), _SAID_LIMIT) or "it gave no reason"
    detail = f"{code}: {text}" if code else text
    if "No such element" in text or "没有这样的元素" in text:  # the gateway's words for an instance it does not know
        return LakehouseLoginError(
            f"{settings.service} has no instance {one_line(settings.instance)}.",
            code=code,
            advice="Check instance in the lakehouse part of the profile.",
            detail=detail,
        )
    return LakehouseLoginError(
        f"The Lakehouse refused the login of {one_line(settings.username)}: {said}",
        code=code,
        advice="Check username, password reference and instance in the lakehouse part of the profile.",
        detail=detail,
    )


def too_slow(settings: LakehouseSettings, ids: str) -> LakehouseTimeoutError:
    """The error for a statement that was cancelled because it took longer than the profile allows."""
    return LakehouseTimeoutError(
        f"No answer from the Lakehouse within {settings.query_timeout:g} s; the statement was cancelled.",
        advice="Raise query_timeout of the lakehouse in the profile. A statement that changes something may have been "
        "carried out.",
        detail=ids,
    )


def foreign_answer(status: int, body: str, settings: LakehouseSettings) -> HousekeysError:
    """The error for an answer that is not the Lakehouse's."""
    detail = f"HTTP {status}\n{body[:_BODY_LIMIT]}"
    if status == _TOO_MANY or status >= 500:
        return LakehouseLostError(
            f"{settings.service} answered HTTP {status}: the Lakehouse behind it does not answer.",
            advice="Try again in a moment.",
            detail=detail,
        )
    return UnreachableError(
        f"{settings.service} answered HTTP {status}, and not as a Lakehouse does.",
        advice="Check service in the lakehouse part of the profile.",
        detail=detail,
    )


def explain_network(error: BaseException, settings: LakehouseSettings) -> HousekeysError:
    """The error for what the HTTP client, the socket or TLS raised. It holds nothing of the request."""
    place = settings.service
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"The certificate of {place} is not trusted: {one_line(cause.verify_message.rstrip('.'))}.",
                advice=_trusting(settings),
                detail=str(cause),
            )
        if isinstance(cause, socket.gaierror) or type(cause).__name__ == "ClientConnectorDNSError":
            return UnreachableError(
                f"The name {place.partition('/')[0]} cannot be resolved.",
                advice="Check service in the lakehouse part of the profile, and the name servers of this computer.",
                detail=str(cause),
            )
        if isinstance(cause, ConnectionRefusedError):
            return UnreachableError(
                f"Nothing listens on {place}: the connection was refused.",
                advice="Check service in the lakehouse part of the profile.",
                detail=str(cause),
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return UnreachableError(
                f"{place} does not speak TLS.",
                advice="Check the port of service, or set secure = false where the network is trusted.",
                detail=str(cause),
            )
    if type(error).__name__ in ("ConnectionTimeoutError", "ServerTimeoutError", "SocketTimeoutError"):
        return UnreachableError(
            f"{place} did not answer in time.",
            advice="Check service in the profile, the network, and connect_timeout of the lakehouse.",
            detail=type(error).__name__,
        )
    return LakehouseLostError(
        f"The connection to {place} broke.",
        advice="Try again. If it stays, look at proxies on the way.",
        detail=f"{type(error).__name__}: {error}"[:_BODY_LIMIT],
    )


def _trusting(settings: LakehouseSettings) -> str:
    if settings.ca_file is not None:
        who = f"{settings.ca_file} does not hold the CA that signed it"
    else:
        who = "Where a company's own CA signed it"
    return f"Check service in the profile. {who}; set ca_file in the lakehouse part of the profile."
