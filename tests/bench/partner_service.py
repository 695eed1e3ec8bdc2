"""A service to be loaded, in a process of its own: `python -m tests.bench.partner_service bare|housekeys FOLDER`.

`bare` is a Starlette handler that reads the same body by the same rules and answers the same fields, and does nothing.
One line of JSON tells the port and the Authorization header. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.files import write_private
from core.partner.messages.reading import read_connect_request
from core.partner.messages.responses import AccountStatus, Connection, RedirectValue, UserStatus
from core.partner.messages.writing import write_answer
from core.partner.partner_configs import partner_config
from core.partner.security.basic_credentials import header_value
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.service.app import create_app
from core.partner.serving_parts import ServingParts
from core.paths import Paths
from core.profiles.file import load
from core.profiles.partner import PartnerPolicy
from core.session import Session

URL = "https://partner.example"
PROFILE = f"""
[profiles.bench]
engine = "embedded"

[profiles.bench.partner]
base_url = "{URL}"
hostnames = ["partner.example"]
service = {{ requests_per_minute = 1000000 }}
"""
POLICY = PartnerPolicy(URL, hostnames=("partner.example",))


def bare_app() -> Starlette:
    """Reads a connect request, and answers the same whatever it says."""
    config = partner_config(POLICY)
    answer = Connection(f"{URL}/welcome", RedirectValue.SIGN_IN, UserStatus.EXISTING, AccountStatus.ACTIVE, True, "pc1")

    async def connect(request: Request) -> Response:
        read_connect_request(await request.body(), config)
        return Response(write_answer(answer), media_type="application/json")

    return Starlette(routes=[Route("/connect", connect, methods=["POST"])])


@asynccontextmanager
async def housekeys_app(folder: Path) -> AsyncIterator[tuple[Starlette, str]]:
    """The whole service on an embedded engine, and the header of a valid credential."""
    paths = Paths.locate({"HOUSEKEYS_HOME": str(folder)})
    write_private(paths.config_file, PROFILE.encode("utf-8"))
    session = await Session.open(load(paths.config_file), "bench", paths, read_only=False)
    try:
        connections = session.partner_connections
        presented, credential = connections.plan_add_credential("databricks")
        for change in (await connections.plan_tables(), credential):
            await session.runner.run(change)
        parts = await ServingParts.open(session.partner_ground, SealingKeys([new_sealing_key()]))
        await parts.start()
        yield create_app(parts, "bench"), header_value(presented).reveal()
        await parts.aclose()
    finally:
        await session.close()


async def serve(app: Any, authorization: str) -> None:
    """Serve until the standard input ends."""
    # Of protocol TCP by name: only then asyncio sends small parts at once, and no answer waits 40 ms for the client.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(256)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", access_log=False))
    serving = asyncio.create_task(server.serve([listening]))
    print(json.dumps({"port": listening.getsockname()[1], "authorization": authorization}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


async def main(kind: str, folder: Path) -> None:
    if kind == "bare":
        await serve(bare_app(), "Basic bm9ib2R5Om5vdGhpbmc=")
        return
    async with housekeys_app(folder) as (app, authorization):
        await serve(app, authorization)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
