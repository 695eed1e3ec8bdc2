"""The application: the API, the pages for people, and for operators health, metrics and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from core.partner.messages.openapi import write_openapi_document
from core.partner.messages.partner_config import PartnerConfig
from core.partner.service.api import ConnectApi
from core.partner.service.metrics import CONTENT_TYPE, Metrics
from core.partner.service.needs import ChecksCredentials, HandlesRequests, NotesRequests, TellsReadiness
from core.profiles.partner import PartnerPolicy

NO_STORE = {"Cache-Control": "no-store"}


class Serves(TellsReadiness, Protocol):
    """All that a service answers with; `core.partner.serving_parts.ServingParts` has it."""

    @property
    def policy(self) -> PartnerPolicy: ...
    @property
    def config(self) -> PartnerConfig: ...
    @property
    def handler(self) -> HandlesRequests: ...
    @property
    def credentials(self) -> ChecksCredentials: ...
    @property
    def requests(self) -> NotesRequests: ...


class _Everything:
    """Takes whatever no other route has taken: all that is left is the API's."""

    def __init__(self, api: ConnectApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._api(Request(scope, receive))
        await response(scope, receive, send)


def create_app(
    parts: Serves, process: str, *, pages: Sequence[BaseRoute] = (), metrics: Metrics | None = None
) -> Starlette:
    """The application of one service. `process` names it in the log of requests: host:port/pid."""
    policy = parts.policy.service
    metrics = metrics or Metrics()
    api = ConnectApi(policy, parts.config, parts.handler, parts.credentials, parts.requests, metrics, process)
    app = Starlette(routes=[*_operations(parts, metrics), *pages])
    app.router.default = _Everything(api)
    app.router.redirect_slashes = False
    return app


def _operations(parts: Serves, metrics: Metrics) -> list[BaseRoute]:
    document = write_openapi_document(parts.config)

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"}, headers=NO_STORE)

    async def ready(_: Request) -> Response:
        why_not = await parts.why_not_ready()
        state: dict[str, Any] = {"status": "not ready", "reason": why_not} if why_not else {"status": "ready"}
        if missing := parts.missing():
            state["missing"] = list(missing)
        return JSONResponse(state, 503 if why_not else 200, headers=NO_STORE)

    async def openapi(_: Request) -> Response:
        return Response(document, media_type="application/json")

    async def figures(_: Request) -> Response:
        return PlainTextResponse(metrics.to_text(), headers={**NO_STORE, "Content-Type": CONTENT_TYPE})

    routes: list[BaseRoute] = [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        Route("/openapi.json", openapi, methods=["GET"]),
    ]
    return [*routes, Route("/metrics", figures, methods=["GET"])] if parts.policy.service.metrics else routes
