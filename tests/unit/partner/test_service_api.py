"""The six endpoints over HTTP: what is refused, how it is told, what is noted of it, and that no secret is."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.partner.accounts.policy import PartnerPolicy
from core.partner.messages.openapi import openapi_document
from core.partner.service.app import create_app
from core.profiles.partner import EndpointPaths, ServicePolicy
from tests.partner_handler import MemoryParts
from tests.partner_server import Asked, Handler, Reply, asgi_handler
from tests.unit.partner.bodies import CLIENT_SECRET, CONNECT, LARGEST, TOKEN, WAREHOUSE

POLICY = PartnerPolicy("https://acme.example", hostnames=("acme.example",), test_hooks=True)
BODY: dict[str, Any] = {**CONNECT, **WAREHOUSE}
JSON = "application/json"


class Service:
    """The application, and a caller with a valid credential."""

    def __init__(self, policy: PartnerPolicy = POLICY) -> None:
        self.parts = MemoryParts(policy)
        self.handler: Handler = asgi_handler(create_app(self.parts, "here:1/2"))

    async def ask(
        self,
        path: str = "/connect",
        body: Any = BODY,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """One request, with the headers that Databricks sends but for those that are given (None: left out)."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual: dict[str, str | None] = {
            "authorization": self.parts.credentials.authorization,
            "content-type": JSON,
            "content-length": str(len(content)),
            "user-agent": "databricks",
        }
        sent = {name: value for name, value in {**usual, **(headers or {})}.items() if value is not None}
        return await self.handler(Asked(method, path, sent, content))


async def test_connect_is_answered_noted_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    with caplog.at_level(logging.DEBUG):
        reply = await service.ask()
    assert (reply.status, reply.json["redirect_value"]) == (200, "create_trial")
    (noted,) = service.parts.requests.noted
    assert (noted.endpoint, noted.status, noted.word, noted.workspace_id) == (
        "connect",
        200,
        "create_trial",
        LARGEST - 1,
    )
    assert (noted.connection_id, noted.process) == (reply.json["connection_id"], "here:1/2")
    assert noted.configured
    assert noted.scenario == "new user, new account" and noted.credential == service.parts.credentials.credential.id
    headers = {name.lower(): value for name, value in reply.headers.items()}
    assert headers["x-request-id"] == str(noted.id)
    assert (headers["content-type"], headers["cache-control"]) == (JSON, "no-store")
    figures = (await service.ask("/metrics", b"", "GET", {"authorization": None})).body.decode()
    assert 'housekeys_partner_requests_total{endpoint="connect",status="200",word="create_trial"} 1.0' in figures
    assert str(noted.id) in caplog.text
    for hidden in (TOKEN, CLIENT_SECRET, BODY["user_info"]["email"], service.parts.credentials.authorization):
        assert hidden not in caplog.text + figures + repr(noted)


@pytest.mark.parametrize(
    ("path", "method", "authorized", "status", "reason"),
    [
        ("/connect", "POST", False, 401, "unauthorized"),
        ("/connect", "GET", False, 401, "unauthorized"),
        ("/nowhere", "GET", False, 401, "unauthorized"),
        ("/connect/", "POST", True, 400, "bad_request"),
        ("/connect", "GET", True, 400, "bad_request"),
        ("/connect", "OPTIONS", True, 400, "bad_request"),
        ("/connect", "PATCH", True, 400, "bad_request"),
        ("/expire-account", "POST", True, 400, "bad_request"),
        ("/delete-connection", "PUT", True, 400, "bad_request"),
        ("/nowhere", "POST", True, 400, "bad_request"),
    ],
)
async def test_no_undeclared_status(path: str, method: str, authorized: bool, status: int, reason: str) -> None:
    service = Service()
    reply = await service.ask(path, method=method, headers={} if authorized else {"authorization": None})
    assert (reply.status, reply.json["error_reason"]) == (status, reason)
    assert all(isinstance(value, str) for value in reply.json.values())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/connect", "this endpoint takes POST only"),
        ("/delete-connection", "this endpoint takes DELETE and POST only"),
        ("/nowhere", "there is no such endpoint"),
    ],
)
async def test_a_wrong_method_is_told_which_are_right(path: str, message: str) -> None:
    assert (await Service().ask(path, method="PUT")).json["debugging_message"] == message


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": 'Application/JSON;charset="UTF-8"'},
        {"user-agent": None, "accept-language": "en-us"},
    ],
)
async def test_headers_that_do_not_matter(headers: Mapping[str, str | None]) -> None:
    assert (await Service().ask(headers=headers)).status == 200


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"content-type": None}, "Content-Type"),
        ({"content-type": "text/plain"}, "Content-Type"),
        ({"content-type": "application/json; charset=latin-1"}, "Content-Type"),
        ({"content-encoding": "br"}, "gzip or deflate"),
        ({"content-encoding": "gzip"}, "cannot be decoded"),
        ({"content-length": "70000"}, "65,536 bytes"),
        ({"content-length": "-1"}, "65,536 bytes"),
        ({"content-length": "0" * 5000 + "2"}, "65,536 bytes"),
    ],
)
async def test_bodies_that_are_not_taken(headers: Mapping[str, str | None], why: str) -> None:
    service = Service()
    reply = await service.ask(headers=headers)
    assert (reply.status, reply.json["error_reason"]) == (400, "bad_request")
    assert why in reply.json["debugging_message"]
    assert service.parts.handler.partner.rows == []


async def test_bodies_are_decoded_and_bounded_before_and_after() -> None:
    service = Service()
    plain = json.dumps(BODY).encode()
    for coding, content in (
        ("gzip", gzip.compress(plain)),
        ("deflate", zlib.compress(plain)),
        ("deflate", zlib.compress(plain, wbits=-15)),
    ):
        assert (await service.ask(body=content, headers={"content-encoding": coding})).status == 200
    bomb = gzip.compress(b" " * 10_000_000)
    assert (
        "larger than" in (await service.ask(body=bomb, headers={"content-encoding": "gzip"})).json["debugging_message"]
    )
    cut = gzip.compress(plain)[:-12]
    assert (await service.ask(body=cut, headers={"content-encoding": "gzip"})).status == 400
    long = b" " * 70_000
    assert "larger than" in (await service.ask(body=long, headers={"content-length": None})).json["debugging_message"]


async def test_too_many_requests_are_an_error_that_is_declared() -> None:
    service = Service(replace(POLICY, service=ServicePolicy(requests_per_minute=2)))
    assert [(await service.ask()).status for _ in range(3)] == [200, 200, 500]
    reply = await service.ask()
    assert reply.json["error_reason"] == "general_error"
    assert int({name.lower(): value for name, value in reply.headers.items()}["retry-after"]) > 0


async def test_guesses_cost_no_derivation_after_some_and_keep_out_nobody() -> None:
    service = Service()
    guess = {"authorization": "Basic ZGF0YWJyaWNrczpndWVzcw=="}
    for _ in range(40):
        assert (await service.ask(headers=guess)).status == 401
    assert service.parts.credentials.derived == 30
    assert (await service.ask()).status == 200


async def test_an_unexpected_failure_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    service.parts.handler.failure = RuntimeError("the vault key is kaputt")
    reply = await service.ask()
    assert (reply.status, reply.json["error_reason"]) == (500, "general_error")
    assert "kaputt" not in reply.body.decode()
    assert "kaputt" in caplog.text


async def test_paths_are_those_of_the_policy_and_two_may_share_one() -> None:
    paths = EndpointPaths("/p/v1/connect", "/p/v1/connection", "/p/v1/test", "/p/v1/account", "/p/v1/useraccount")
    service = Service(replace(POLICY, endpoints=paths))
    made = (await service.ask("/p/v1/connect")).json["connection_id"]
    ending = {"connection_id": made, "cloud_provider": "aws", "databricks_organization_id": LARGEST - 1}
    for method, status in (("DELETE", 200), ("POST", 404)):
        assert (await service.ask("/p/v1/connection", ending, method)).status == status
    served = (await service.ask("/openapi.json", b"", "GET", {"authorization": None})).json
    assert served == json.loads(json.dumps(openapi_document(service.parts.config)))
    assert set(paths.connect_path.split()) <= set(served["paths"])


async def test_health() -> None:
    service = Service()
    nobody = {"authorization": None}
    reply = await service.ask("/health/ready", b"", "GET", nobody)
    assert (reply.status, reply.json) == (200, {"status": "ready"})
    service.parts.lacking = ["There is no quota partners."]  # has gone: those who have an account need it not
    reply = await service.ask("/health/ready", b"", "GET", nobody)
    assert (reply.status, reply.json) == (200, {"status": "ready", "missing": ["There is no quota partners."]})
    service.parts.not_ready = "ClickHouse cannot be asked."
    reply = await service.ask("/health/ready", b"", "GET", nobody)
    told = {"status": "not ready", "reason": "ClickHouse cannot be asked.", "missing": service.parts.lacking}
    assert (reply.status, reply.json) == (503, told)
    assert (await service.ask("/health/live", b"", "GET", nobody)).status == 200
