"""The checker is all green against what our service says over HTTP, and red where that is made faulty.

Behind it are the pure decisions; with a real ClickHouse behind it the service has tests of its own.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.partner.accounts.policy import PartnerPolicy
from core.partner.checker.catalogue import chosen
from core.partner.checker.running import Outcome, Result, check
from core.partner.checker.subject import Subject
from core.partner.messages.partner_config import PartnerConfig
from core.partner.security.basic_credentials import CredentialCheck, generate
from core.partner.service.app import create_app
from core.partner.storage.requests_seen import AnsweredRequest
from core.secrets import Secret
from tests.partner_rules import RULES
from tests.partner_server import PAGE, USER, Fault, MemoryHandler, MemoryPartner, asgi_handler, faulty, serving

POLICY = PartnerPolicy(
    "https://acme.example", hostnames=("acme.example", "127.0.0.1"), integration="write", test_hooks=True
)
FAULTS = ("owns_connections", "flat_errors", "no_secrets_in_answers", "get_safe_links", "forgets_without_failing")


@dataclass(slots=True)
class Parts:
    """What the service needs, in memory."""

    policy: PartnerPolicy
    config: PartnerConfig
    handler: MemoryHandler
    credentials: CredentialCheck
    noted: list[AnsweredRequest] = field(default_factory=list)

    @property
    def requests(self) -> Parts:
        return self

    def note(self, request: AnsweredRequest) -> None:
        self.noted.append(request)

    async def why_not_ready(self) -> str:
        return ""

    def missing(self) -> tuple[str, ...]:
        return ()


async def page(_: Request) -> Response:
    return PlainTextResponse("welcome")


class Service:
    """Our service, with the password of its credential."""

    def __init__(self) -> None:
        self.partner = MemoryPartner(POLICY)
        presented, credential = generate(USER, datetime.now(UTC))
        self.password: Secret = presented.password
        self.parts = Parts(POLICY, self.partner.config, MemoryHandler(self.partner), CredentialCheck([credential]))
        self.app = create_app(self.parts, "test", pages=[Route(PAGE, page)])
        self.handler = asgi_handler(self.app)

    async def checked(self, names: tuple[str, ...] = (), fault: Fault | None = None) -> tuple[Result, ...]:
        async with serving(self.handler if fault is None else faulty(self.handler, fault)) as url:
            self.partner.base_url = url
            return await check(Subject(url, self.partner.config, USER, self.password), chosen(names))


async def test_our_service_is_all_green() -> None:
    service = Service()
    results = await service.checked()
    wrong = (Outcome.FAILED, Outcome.WARNING)
    assert [(each.case.id, each.expected, each.came, each.note) for each in results if each.outcome in wrong] == []
    assert sum(each.outcome is Outcome.PASSED for each in results) >= 80
    assert {noted.status for noted in service.parts.noted} == {200, 400, 401, 404}


async def test_our_service_with_a_rule_off_is_found() -> None:
    service = Service()
    for rule in (rule for rule in RULES if rule.name in FAULTS):
        results = await service.checked(rule.found_by, rule.make())
        assert [each.outcome for each in results] == [Outcome.FAILED] * len(rule.found_by), rule.name


async def test_the_answer_to_a_large_body_arrives() -> None:
    """On a real socket: with the rest unread, closing the connection would take the answer with it."""
    service = Service()
    server = uvicorn.Server(uvicorn.Config(service.app, log_level="error", lifespan="off"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        serving_it = asyncio.create_task(server.serve(sockets=[listening]))
        subject = Subject(f"http://127.0.0.1:{listening.getsockname()[1]}", None, USER, service.password)
        listening.listen()
        (result,) = await check(subject, chosen(["H108"]))
        server.should_exit = True
        await serving_it
    assert (result.outcome, result.came) == (Outcome.PASSED, "")
