"""The whole service on an embedded engine, listening on this machine: for browsers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.files import write_private
from core.partner.messages.responses import Connection
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.service.listening import Listener
from core.partner.service.pages import page_routes
from core.partner.service.serving import Ending, serve
from core.partner.serving_parts import ServingParts
from core.paths import Paths
from core.profiles import load
from core.session import Session
from tests.unit.partner.account_examples import asked

PROFILE = """
[profiles.pages]
engine = "embedded"

[profiles.pages.partner]
base_url = "{url}"
hostnames = ["127.0.0.1"]

[profiles.pages.partner.clickhouse]
host = "ch.acme.example"
port = 8443
secure = true
"""


class ServedPages:
    """A service that listens at `url`."""

    def __init__(self, url: str, parts: ServingParts, session: Session) -> None:
        self.url = url
        self.session = session
        self._parts = parts
        self._numbers = itertools.count(1)

    async def connect(self, email: str = "ann@acme.com") -> str:
        """Connect as Databricks does, from a new workspace; where it leads to."""
        request = asked(email, next(self._numbers), jdbc_url=None)
        handled = await self._parts.handler.connect(request)
        assert isinstance(handled.body, Connection), handled
        return handled.body.redirect_uri


@asynccontextmanager
async def serving_pages(folder: Path) -> AsyncIterator[ServedPages]:
    """Serve until the end of the block."""
    listener = Listener.tcp("127.0.0.1:0")
    url = listener.url(secure=False)
    paths = Paths.locate({"HOUSEKEYS_HOME": str(folder)})
    write_private(paths.config_file, PROFILE.format(url=url).encode("ascii"))
    session = await Session.open(load(paths.config_file), "pages", paths)
    await session.runner.run(await session.partner_connections.plan_tables())
    parts = await ServingParts.open(session.partner_ground, SealingKeys([new_sealing_key()]))
    await parts.start()
    ending, listening = Ending(), asyncio.Event()
    pages = page_routes(parts.policy, parts.reception, "Acme Data")
    running = asyncio.create_task(serve(parts, listener, pages=pages, ending=ending, tell=lambda _: listening.set()))
    await listening.wait()
    try:
        yield ServedPages(url, parts, session)
    finally:
        ending.ask(at_once=True)
        await running
        await parts.aclose()
        await session.close()
