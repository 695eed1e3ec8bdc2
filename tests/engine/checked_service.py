"""The whole service on an embedded engine of its own, to be checked from outside as any partner's is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from core.files import write_private
from core.partner.accounts.policy import PartnerPolicy
from core.partner.checker.subject import Subject
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.service.app import create_app
from core.partner.service.listening import Listener
from core.partner.service.pages import page_routes
from core.partner.service.serving import Ending, serve
from core.partner.serving_parts import ServingParts
from core.paths import Paths
from core.profiles import load
from core.profiles.partner import OfferedConnector, ServicePolicy
from core.secrets import Secret
from core.session import Session
from tests.partner_server import OAUTH_REDIRECT, PASSWORD, USER, Asked, Fault, Handler, Reply, asgi_handler, faulty
from tests.partner_server import serving as serving_handler

NOWHERE = "http://127.0.0.1:1"  # the workspaces of a check are made up: nobody is called
CONNECTORS = tuple(OfferedConnector(f"c{number}", f"Connector {number}") for number in range(120))  # two pages


class FaultyService:
    """The real application, which can be made wrong. `subject` is how a check reaches it."""

    def __init__(self) -> None:
        self.subject = Subject("")
        self._right: Handler | None = None
        self._now: Handler | None = None

    async def __call__(self, asked: Asked) -> Reply:
        assert self._now is not None
        return await self._now(asked)

    def begin(self, right: Handler, subject: Subject) -> None:
        """Answer by a handler from now on."""
        self._right = self._now = right
        self.subject = subject

    def have(self, fault: Fault) -> None:
        """Have this fault from now on, in place of the one before."""
        assert self._right is not None
        self._now = faulty(self._right, fault)


@asynccontextmanager
async def listening_service(folder: Path, policy: PartnerPolicy) -> AsyncIterator[Subject]:
    """A service that listens, as `partner serve` has it listen."""
    listener = Listener.tcp("127.0.0.1:0")
    ending, listening = Ending(), asyncio.Event()
    async with _parts(folder, policy, listener.url(secure=False)) as parts:
        pages = page_routes(parts.policy, parts.reception, "Acme Data")
        running = asyncio.create_task(
            serve(parts, listener, pages=pages, ending=ending, tell=lambda _: listening.set())
        )
        await listening.wait()
        try:
            yield _subject(parts)
        finally:
            ending.ask(at_once=True)
            await running


@asynccontextmanager
async def faulty_service(folder: Path, policy: PartnerPolicy) -> AsyncIterator[FaultyService]:
    """A service whose application can be made wrong."""
    service = FaultyService()
    async with serving_handler(service) as url, _parts(folder, policy, url) as parts:
        pages = page_routes(parts.policy, parts.reception, "Acme Data")
        service.begin(asgi_handler(create_app(parts, "here:1/2", pages=pages)), _subject(parts))
        yield service


def _subject(parts: ServingParts) -> Subject:
    return Subject(parts.policy.base_url, parts.config, USER, Secret(PASSWORD))


@asynccontextmanager
async def _parts(folder: Path, policy: PartnerPolicy, url: str) -> AsyncIterator[ServingParts]:
    """The parts of a service that is reached at `url`, begun, with one credential."""
    own_app = "AUTH_OAUTH_U2M" in policy.auth_options and not policy.is_published_app
    policy = replace(
        policy,
        base_url=url,
        connectors=CONNECTORS,
        oauth_redirect_uri=OAUTH_REDIRECT if own_app else None,
        service=ServicePolicy(requests_per_minute=1_000_000),
    )
    paths = Paths.locate({"HOUSEKEYS_HOME": str(folder)})
    write_private(paths.config_file, b'[profiles.checked]\nengine = "embedded"\n')
    session = await Session.open(load(paths.config_file), "checked", paths)
    try:
        connections = session.partner_connections
        for change in (
            await connections.plan_tables(),
            await connections.plan_choose_credential(USER, Secret(PASSWORD)),
        ):
            assert (await session.runner.run(change)).succeeded
        ground = replace(session.partner_ground, profile=replace(session.profile, partner=policy))
        keys = SealingKeys([new_sealing_key()])
        parts = await ServingParts.open(ground, keys, address=lambda host: NOWHERE)
        await parts.start()
        try:
            yield parts
        finally:
            await parts.aclose()
    finally:
        await session.close()
