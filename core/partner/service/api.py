"""The six endpoints: from an HTTP request to the answer of whoever handles it, and nothing but declared statuses.

Whatever is wrong comes as one of the API's errors: 400, 401, 404 or 500, never 403, 405, 413, 422, 429 or 503. Who has
no valid credential learns nothing else, not even which paths there are.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from core.partner.handling.outcomes import Handled
from core.partner.messages import reading
from core.partner.messages.partner_config import METHODS, PartnerConfig
from core.partner.messages.requests import ConnectionInfo, ConnectRequest
from core.partner.messages.responses import Connection, ErrorAnswer, ErrorReason
from core.partner.messages.writing import write_answer
from core.partner.service.access_log import log_answer
from core.partner.service.bodies import BodyRefusedError, ClientDisconnect, drop_body, read_body
from core.partner.service.guarding import Buckets, Callers, FailedAttempts
from core.partner.service.metrics import Metrics
from core.partner.service.needs import ChecksCredentials, HandlesRequests, NotesRequests
from core.partner.storage.requests_seen import AnsweredRequest
from core.profiles.partner import ServicePolicy

log = logging.getLogger(__name__)

REQUEST_ID: Final = "X-Request-Id"
_FAILED: Final = "Something went wrong here. Please try again in a few minutes."
_ENDPOINTS: Final = {
    "connect_path": "connect",
    "delete_connection_path": "delete-connection",
    "test_connection_path": "test-connection",
    "delete_account_path": "delete-account",
    "expire_account_path": "expire-account",
    "get_connectors_path": "connectors",
}
Work = Callable[[Any, HandlesRequests], Awaitable[Handled[Any]]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How the body of a request is read, and who handles it. Without `read` the query is, and there is no body."""

    name: str
    read: Callable[[bytes], Any] | None
    work: Work


@dataclass(slots=True)
class Exchange:
    """One request on its way to an answer, and what the logs may say of it."""

    request: Request
    caller: str
    id: UUID = field(default_factory=uuid4)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    begun: float = field(default_factory=time.perf_counter)
    credential: str = ""
    endpoint: str = ""
    message: Any = None
    scenario: str = ""
    account_id: str = ""
    connection_id: str = ""


class ConnectApi:
    """Answers the requests of Databricks. Nothing is raised: every request has an answer, and every answer is noted."""

    def __init__(
        self,
        policy: ServicePolicy,
        config: PartnerConfig,
        handler: HandlesRequests,
        credentials: ChecksCredentials,
        requests: NotesRequests,
        metrics: Metrics,
        process: str,
    ) -> None:
        self._policy = policy
        self._handler = handler
        self._credentials = credentials
        self._requests = requests
        self._metrics = metrics
        self._process = process
        self._endpoints = endpoints(config)
        self._callers = Callers.of(policy.trusted_proxies)
        self._rates = Buckets(policy.requests_per_minute)
        self._attempts = FailedAttempts()

    async def __call__(self, request: Request) -> Response:
        """The answer to any request that is not for a page."""
        exchange = Exchange(request, self._callers.address(request))
        with self._metrics.in_flight.track_inprogress():
            response = await self._answered(exchange)
        response.headers[REQUEST_ID] = str(exchange.id)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _answered(self, exchange: Exchange) -> Response:
        headers: dict[str, str] = {}
        try:
            body = await self._handled(exchange, headers)
        except (BodyRefusedError, reading.BadRequestError) as refused:
            body = refused.answer
            if isinstance(refused, BodyRefusedError):
                self._metrics.refused("body")
                headers |= {"Connection": "close"} if refused.rest_unread else {}
        except ClientDisconnect:
            body = ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message="the caller went away")
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("request %s failed unexpectedly", exchange.id)
            why = f"unexpected {type(error).__name__}; see the log for {exchange.id}"
            body = ErrorAnswer(ErrorReason.GENERAL_ERROR, _FAILED, why)
        return self._noted(exchange, body, headers)

    async def _handled(self, exchange: Exchange, headers: dict[str, str]) -> Any:
        """The body of the answer. Raises BodyRefusedError, BadRequestError, ClientDisconnect."""
        request = exchange.request
        if (refusal := await self._refusal(exchange, headers)) is not None:
            await drop_body(request, self._policy.read_timeout)
            return refusal
        endpoint = self._endpoints.get((request.url.path, request.method))
        if endpoint is None:
            self._metrics.refused("path")
            headers["Connection"] = "close"  # of its body some may stay unread
            await drop_body(request, self._policy.read_timeout)
            return ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=self._why_no_endpoint(request.url.path))
        exchange.endpoint = endpoint.name
        if endpoint.read is None:
            exchange.message = reading.read_pagination_token(request.query_params.get("pagination_token"))
        else:
            content = await read_body(request, self._policy.max_body, self._policy.read_timeout)
            exchange.message = endpoint.read(content)
        handled = await endpoint.work(exchange.message, self._handler)
        exchange.scenario, exchange.account_id = handled.word, handled.account_id
        exchange.connection_id = handled.connection_id
        return handled.body

    def _why_no_endpoint(self, path: str) -> str:
        taken = sorted(method for known, method in self._endpoints if known == path)
        return f"this endpoint takes {' and '.join(taken)} only" if taken else "there is no such endpoint"

    async def _refusal(self, exchange: Exchange, headers: dict[str, str]) -> ErrorAnswer | None:
        """Why the request is not even read; None for one with a valid credential that does not come too often."""
        attempts, caller = self._attempts, exchange.caller
        authorization = exchange.request.headers.getlist("authorization")
        credential = await self._credentials.check(authorization, derive=not attempts.too_many(caller))
        if credential is None:
            self._metrics.refused("credential")
            if authorization:  # none at all is no guess: a browser, a probe
                attempts.failed(caller)
            headers |= {"WWW-Authenticate": 'Basic realm="Partner Connect", charset="UTF-8"', "Connection": "close"}
            return ErrorAnswer(ErrorReason.UNAUTHORIZED, debugging_message="no valid Basic credential was presented")
        exchange.credential = credential.id
        if wait := self._rates.take(credential.id):
            self._metrics.refused("rate")
            headers |= {"Retry-After": str(int(wait) + 1), "Connection": "close"}
            many = f"more than {self._policy.requests_per_minute} requests a minute"
            return ErrorAnswer(ErrorReason.GENERAL_ERROR, "Please try again in a minute.", many)
        return None

    def _noted(self, exchange: Exchange, body: Any, headers: Mapping[str, str]) -> Response:
        status = int(body.status) if isinstance(body, ErrorAnswer) else 200
        content = b"" if body is None else write_answer(body)
        noted = _noted_request(exchange, body, status, self._process)
        self._metrics.answered(exchange.endpoint, status, noted.word, noted.seconds)
        self._requests.note(noted)
        log_answer(noted)
        return Response(content, status, headers=dict(headers), media_type="application/json")


def endpoints(config: PartnerConfig) -> Mapping[tuple[str, str], Endpoint]:
    """The endpoints by path and method."""

    def connect(content: bytes) -> ConnectRequest:
        return reading.read_connect_request(content, config)

    kinds: Mapping[str, tuple[Callable[[bytes], Any] | None, Work]] = {
        "connect_path": (connect, lambda message, handler: handler.connect(message)),
        "delete_connection_path": (
            reading.read_delete_connection_request,
            lambda message, handler: handler.delete_connection(message),
        ),
        "test_connection_path": (
            reading.read_connection_info,
            lambda message, handler: handler.test_connection(message),
        ),
        "delete_account_path": (
            reading.read_account_info,
            lambda message, handler: handler.delete_account(message),
        ),
        "expire_account_path": (
            reading.read_account_user_info,
            lambda message, handler: handler.expire_account(message),
        ),
        "get_connectors_path": (None, lambda message, handler: handler.connectors(message)),
    }
    return {
        (path, method): Endpoint(_ENDPOINTS[name], *kinds[name])
        for name, methods in METHODS.items()
        if (path := getattr(config.endpoints, name)) is not None
        for method in methods
    }


def _noted_request(exchange: Exchange, body: Any, status: int, process: str) -> AnsweredRequest:
    message = exchange.message
    noted = AnsweredRequest(
        exchange.id,
        exchange.at,
        process,
        exchange.request.method,
        exchange.endpoint,
        status,
        time.perf_counter() - exchange.begun,
        scenario=exchange.scenario,
        caller=exchange.caller,
        credential=exchange.credential,
        account_id=exchange.account_id,
        connection_id=exchange.connection_id,
    )
    if isinstance(body, ErrorAnswer):
        noted = replace(noted, word=body.error_reason.value, problem=body.debugging_message or "")
    elif isinstance(body, Connection):
        noted = replace(noted, word=body.redirect_value.value, configured=body.configured_resources)
    if not hasattr(message, "workspace_key") or (workspace := message.workspace_key) is None:
        return noted
    asked = message.connection_id if isinstance(message, ConnectRequest | ConnectionInfo) else None
    return replace(
        noted,
        cloud=workspace.cloud_provider.value,
        workspace_id=workspace.workspace_id,
        connection_id=noted.connection_id or asked or "",
    )
