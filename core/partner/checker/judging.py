"""What is right in an answer, whatever case asked for it. Pure: an answer in, what it says or what is wrong out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import NamedTuple, NoReturn, TypeVar
from urllib.parse import urlsplit

from core.display import one_line
from core.partner.checker.exchanges import Answer, shown_url
from core.partner.messages.json_fields import LONGEST, FieldProblem, Fields, JsonObject, read_object
from core.partner.messages.responses import (
    AccountStatus,
    Connection,
    ConnectionTestResult,
    Connector,
    ConnectorResponse,
    ConnectorType,
    DeleteConnectionResponse,
    ErrorReason,
    RedirectValue,
    ResourceStatus,
    TestResult,
    TestStatus,
    UserStatus,
)
from core.partner.security.hosts import HostRefusedError, check_redirect
from core.partner.security.redaction import redacted

ERROR_STATUSES = (400, 401, 404, 500)
_CODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_WITHOUT_BODY = ("delete_account_path", "expire_account_path")  # whatever stands there is not read
_ERROR_TEXTS = ("error_reason", "display_message", "debugging_message")

Body = TypeVar("Body")


class Demand(NamedTuple):
    """Why something is expected where it is not for the case's own sake, and what to do if no case can tell."""

    advice: str = ""
    basis: str = ""


_DECLARED = "the OpenAPI document: the responses of each path"
_HEADERS = "ApiSpecifications.md: Headers"
_REDIRECTED = Demand(
    "Databricks follows no redirect here: answer at once, or give the URL that it leads to.", _DECLARED
)
_UNDECLARED = Demand("Answer by a declared status: clients made from the document know no other.", _DECLARED)
_BY_STATUS = {
    **dict.fromkeys((301, 302, 303, 307, 308), _REDIRECTED),
    429: Demand(
        "Lift the limit of requests for the check, which makes some 400; or say 500 with Retry-After.", _DECLARED
    ),
    **dict.fromkeys(
        (502, 503, 504), Demand("A proxy has no answer of the service: see whether it runs, and both logs.", _DECLARED)
    ),
}
"""What to do about statuses that are not declared, where more can be said."""
_CODED = Demand("Code only what Accept-Encoding asks for.", _HEADERS)
_NOT_THERE = Demand("Check the URL, and the paths of endpoints in the PartnerConfig.", _HEADERS)
_JSON_ONLY = Demand("Send every body as JSON that says so, those of errors too.", _HEADERS)
_LINK = Demand(
    "Let each GET open a page by https, again and without cookies: Databricks looks at it before the user does.",
    "ApiSpecifications.md: redirect_uri of connect, which is opened to be validated",
)
_BODIES = {
    "connect_path": "Connection",
    "delete_connection_path": "DeleteConnectionResponse",
    "test_connection_path": "ConnectionTestResult",
    "get_connectors_path": "ConnectorResponse",
}
"""By the endpoint: what the OpenAPI document calls its answer."""
_ECHOED = Demand(
    "Leave out of answers what came with a request: they are logged on their way.",
    "OnboardingDoc.md: secrets are kept in a secure store",
)
_FAILED_PLAINLY = Demand("The service has failed: its log tells why. Send errors as JSON, too.", _HEADERS)
_BY_THE_CASE = Demand()
_FAILED = Demand("The service has failed: its log tells why.")
_NO_ENTRY = Demand("Check --user and --password-ref.")


class UnmetError(Exception):
    """Something was expected of the subject, and something else came. Neither text has a secret in it."""

    def __init__(self, expected: str, came: str, demand: Demand) -> None:
        super().__init__(f"expected {expected}, came: {came}")
        self.expected = expected
        self.came = came
        self.demand = demand


def unmet(expected: str, came: str, demand: Demand = _BY_THE_CASE) -> NoReturn:
    """Raise UnmetError; what came may be text of the subject."""
    raise UnmetError(expected, one_line(redacted(came), 500), demand)


def require(holds: bool, expected: str, came: str, demand: Demand = _BY_THE_CASE) -> None:
    """Raise UnmetError unless it `holds`."""
    if not holds:
        unmet(expected, came, demand)


def success_statuses(endpoint: str) -> tuple[int, ...]:
    """The statuses of success that are declared for an endpoint."""
    return (200, 201) if endpoint == "connect_path" else (200,)


def check_answer(answer: Answer, endpoint: str, tokens: Collection[str]) -> None:
    """What every answer must be: of a declared status, JSON that says so, without what is secret in the request."""
    declared = (*success_statuses(endpoint), *ERROR_STATUSES)
    require(
        answer.status in declared,
        f"one of the declared statuses, {', '.join(map(str, declared))}",
        status_of(answer),
        _BY_STATUS.get(answer.status, _UNDECLARED),
    )
    coding = answer.headers.get("content-encoding", "").strip().lower()
    require(coding in _CODINGS, "no content coding but gzip and deflate", f"Content-Encoding is {coding}", _CODED)
    if answer.content and not (answer.status == 200 and endpoint in _WITHOUT_BODY):
        kind = answer.headers.get("content-type")
        told = "no Content-Type" if kind is None else f"Content-Type is {kind!r}"
        came = f"{status_of(answer)}, and {told}"
        demand = {404: _NOT_THERE, 500: _FAILED_PLAINLY}.get(answer.status, _JSON_ONLY)
        require(answer.media_type == "application/json", "Content-Type: application/json", came, demand)
    places = [name for name, value in answer.headers.items() if any(token in value for token in tokens)]
    places += ["body"] if any(token.encode() in answer.content for token in tokens) else []
    came = f"the answer repeats one, in {', '.join(places)}"
    require(not places, "no secret of a request in an answer", came, _ECHOED)
    if answer.status in ERROR_STATUSES:
        error_reason(answer)


def check_entry(answer: Answer, *, own: bool) -> None:
    """Whoever comes with the subject's `own` credentials is not taken for a stranger."""
    stranger = own and answer.status == HTTPStatus.UNAUTHORIZED
    require(not stranger, "an answer to the user and the password that were given", status_of(answer), _NO_ENTRY)


def error_reason(answer: Answer) -> ErrorReason:
    """Why a request failed, by the body of its error: a flat map of texts, whose reason goes with the status."""
    wanted = "an error body that is a flat map of texts, without null"
    reasons = [each for each in ErrorReason if each.status == answer.status]
    demand = _error_body(reasons)
    values = read_object(answer.content, "the body")
    if isinstance(values, FieldProblem):
        unmet(wanted, f"{status_of(answer)}, and {values}", demand)
    for name, value in values.items():
        require(isinstance(value, str), wanted, f"{name} is {_kind(value)}", demand)
    for name in _ERROR_TEXTS:
        require(name not in values.repeated, wanted, f"{name} is there more than once", demand)
    told = values.get("error_reason", "")
    require(
        told in [each.value for each in reasons],
        f"error_reason {' or '.join(each.value for each in reasons)} with status {answer.status}",
        f"error_reason is {told!r}",
        demand,
    )
    return ErrorReason(told)


def _error_body(reasons: Collection[ErrorReason]) -> Demand:
    examples = " or ".join(f'"{each.value}"' for each in reasons)
    advice = f'As {{"error_reason": {examples}, "debugging_message": "..."}}; leave out what is not there.'
    return Demand(advice, "ApiSpecifications.md: Failure Response")


def check_refusal(answer: Answer, *reasons: ErrorReason, of: str = "", demand: Demand = _BY_THE_CASE) -> ErrorReason:
    """An error for one of these reasons, which all belong to one status; `of` what, if the case tries several."""
    wanted = f"{reasons[0].status.value} {' or '.join(each.value for each in reasons)}{of and f' {of}'}"
    require(answer.status == reasons[0].status, wanted, status_of(answer), demand)
    found = error_reason(answer)
    require(found in reasons, wanted, f"error_reason is {found.value}", demand)
    return found


def check_bad_request(answer: Answer, of: str, *, needed: bool = True) -> bool:
    """Whether it was carried out all the same, as may be where what is wrong is not `needed` by every partner."""
    if not needed and answer.status in (200, 201, 404):
        return True
    check_refusal(answer, ErrorReason.BAD_REQUEST, of=of)
    return False


def read_connection(answer: Answer) -> Connection:
    """What connect answers. A null counts as absent."""
    return _read(
        answer,
        "connect_path",
        lambda fields: Connection(
            fields.text("redirect_uri", longest=LONGEST),
            fields.choice("redirect_value", RedirectValue),
            fields.choice("user_status", UserStatus),
            fields.choice("account_status", AccountStatus),
            fields.flag("configured_resources"),
            _text_or_absent(fields, "connection_id"),
            _text_or_absent(fields, "oauth_redirect_uri"),
        ),
    )


def check_link(url: str, hostnames: Collection[str] | None, *, insecure_http: bool) -> None:
    """A link leads by https to one of `hostnames` or below it; to any host where they are not known.

    A host that is named exactly may be an address too, or a name without a dot: a partner is tried out in a laboratory.
    """
    wanted = "a redirect_uri by https to one of hostnames, or below it"
    judged = f"https{url[4:]}" if insecure_http and url.startswith("http:") else url
    try:
        parts = urlsplit(judged)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        unmet(wanted, f"{one_line(url, 200)} is no URL", _LINK)
    came = f"{one_line(url, 200)} is no URL of a page"
    require(parts.scheme in ("http", "https") and bool(host), wanted, came, _LINK)
    names = [str(host)] if hostnames is None else [name.lower() for name in hostnames]
    plain = judged.isascii() and judged.isprintable() and not any(sign in judged for sign in " \\@")
    if plain and host in names and parts.scheme == "https":
        return
    try:
        check_redirect(judged, names)
    except HostRefusedError as error:
        unmet(wanted, error.message, Demand(error.advice or _LINK.advice, _LINK.basis))


def check_opened(status: int) -> None:
    """A link was opened, and a page, or the way to one, was there."""
    require(200 <= status < 400, "2xx or 3xx for redirect_uri", f"status {status}", _LINK)


def check_new_connection(connection: Connection, redirects: Collection[RedirectValue]) -> None:
    """A partner connection was made, and the user is led to one of these pages."""
    wanted = "a new connection: configured_resources true, and a connection_id"
    require(connection.configured_resources, wanted, "configured_resources is false")
    require(connection.connection_id is not None, wanted, "connection_id is absent")
    check_redirect_value(connection, redirects)


def check_sign_in(answer: Answer, connection: Connection, redirects: Collection[RedirectValue]) -> None:
    """No partner connection was made, for there is one, and the user is led to one of these pages."""
    wanted = "a sign-in: status 200, configured_resources false, no connection_id"
    require(answer.status == 200, wanted, status_of(answer))
    require(not connection.configured_resources, wanted, "configured_resources is true")
    require(connection.connection_id is None, wanted, "connection_id is there")
    check_redirect_value(connection, redirects)


def check_redirect_value(connection: Connection, redirects: Collection[RedirectValue]) -> None:
    """The page that the user is led to is one of these."""
    require(
        connection.redirect_value in redirects,
        f"redirect_value {' or '.join(sorted(redirects))}",
        f"redirect_value is {connection.redirect_value.value}",
    )


def read_deletion(answer: Answer, *, user_named: bool) -> ResourceStatus:
    """What delete-connection answers. Databricks knows `user_unauthorized` only where it named a user."""
    found = _read(
        answer,
        "delete_connection_path",
        lambda fields: DeleteConnectionResponse(fields.choice("resource_status", ResourceStatus)),
    ).resource_status
    require(
        user_named or found is not ResourceStatus.USER_UNAUTHORIZED,
        "user_unauthorized only where the request has user_info",
        "resource_status is user_unauthorized",
        Demand("Say what became of the resources.", f"the OpenAPI document: {_BODIES['delete_connection_path']}"),
    )
    return found


def _text_or_absent(fields: Fields, name: str) -> str | None:
    """A text that must not be empty, which clients take for one that is there."""
    if fields.values.get(name) == "":
        fields.note(name, "must not be empty", "leave it out")
    return fields.optional_text(name)


def _words(fields: Fields, name: str) -> str | None:
    """Text for people, of any length and with line breaks, or None."""
    return None if fields.values.get(name) is None else fields.free_text(name, longest=LONGEST)


def read_test_results(answer: Answer) -> ConnectionTestResult:
    """What test-connection answers."""

    def result(fields: Fields) -> TestResult:
        return TestResult(fields.text("test_name"), fields.choice("status", TestStatus), _words(fields, "message"))

    return _read(
        answer, "test_connection_path", lambda fields: ConnectionTestResult(_members(fields, "test_results", result))
    )


def read_connectors(answer: Answer) -> ConnectorResponse:
    """What connectors answers: one page."""

    def connector(fields: Fields) -> Connector:
        return Connector(
            fields.text("identifier"),
            fields.text("name"),
            fields.choice("type", ConnectorType),
            _words(fields, "description"),
        )

    return _read(
        answer,
        "get_connectors_path",
        lambda fields: ConnectorResponse(
            _members(fields, "connectors", connector), fields.optional_text("pagination_token")
        ),
    )


def check_success(answer: Answer, endpoint: str) -> None:
    """The status says that it was done."""
    statuses = success_statuses(endpoint)
    demand = _FAILED if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR else _BY_THE_CASE
    require(answer.status in statuses, " or ".join(map(str, statuses)), status_of(answer), demand)


def _read(answer: Answer, endpoint: str, take: Callable[[Fields], Body]) -> Body:
    check_success(answer, endpoint)
    wanted = f"the body that is documented for {endpoint.removesuffix('_path').replace('_', '-')}"
    demand = Demand("Send each field as it is documented.", f"the OpenAPI document: {_BODIES[endpoint]}")
    values = read_object(answer.content, "the body")
    if isinstance(values, FieldProblem):
        unmet(wanted, str(values), demand)
    problems: list[FieldProblem] = []
    body = take(Fields(values, problems))
    require(not problems, wanted, ". ".join(map(str, problems)), demand)
    return body


def _members(fields: Fields, name: str, take: Callable[[Fields], Body]) -> tuple[Body, ...]:
    members = fields.optional_members(name)
    if members is None:
        fields.note_missing(name, "it is a list")
        return ()
    return tuple(take(members.inner(each)) for each in members.values)


def status_of(answer: Answer) -> str:
    """The status in words, with what is said of it."""
    try:
        named = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    except ValueError:
        named = str(answer.status)
    if 300 <= answer.status < 400 and "location" in answer.headers:
        return f"{named}, to {shown_url(answer.headers['location'])}"
    if answer.status not in ERROR_STATUSES:
        return named
    values = read_object(answer.content, "the body")
    told = values.get("debugging_message") or values.get("error_reason") if isinstance(values, JsonObject) else None
    return f"{named} ({told})" if isinstance(told, str) else named


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict() | list():
            return "nested"
        case bool():
            return "true or false"
        case _:
            return "a number"
