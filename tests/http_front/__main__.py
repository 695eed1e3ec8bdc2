"""Run the front: options as JSON in the first argument, the ports as one line of JSON on stdout, until stdin ends."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import chdb
from aiohttp import web

from core.clickhouse.embedded import EmbeddedEngine
from tests.http_front.app import FrontState, make_app
from tests.http_front.chdb_statements import ChdbStatements

_CONFIG = "<clickhouse><users_config>{users}</users_config></clickhouse>"
_USERS = """<clickhouse><profiles><default>{settings}</default></profiles><quotas><default/></quotas><users><default>
<no_password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>{rights}
</default></users></clickhouse>"""


@dataclass(frozen=True, slots=True)
class Options:
    """How the front is started. `grants` limits the user `default` to these rights, for real."""

    folder: str
    users: dict[str, str]
    certificates: dict[str, str] = field(default_factory=dict)
    server_certificate: str = ""
    client_ca: str = ""
    grants: list[str] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    setup: list[str] = field(default_factory=list)


async def serve(options: Options) -> None:
    """Serve until stdin ends."""
    folder = Path(options.folder)
    engine: EmbeddedEngine | None = None
    handle: Any = None
    if options.grants is None:
        engine = await EmbeddedEngine.open(folder, settings=options.settings)
        for sql in options.setup:
            await engine.command(sql)
    else:
        handle = _limited(folder, options, options.grants)
    statements = ChdbStatements(folder / "data", folder / "config.xml", storage=engine is not None)
    state = FrontState(statements, engine, options.users, options.certificates)
    runner = web.AppRunner(make_app(state), auto_decompress=False, max_line_size=1 << 20, shutdown_timeout=0.1)
    await runner.setup()
    try:
        print(json.dumps(await _listen(runner, options)), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await runner.cleanup()
        if handle is not None:
            handle.close()


def _limited(folder: Path, options: Options, grants: list[str]) -> Any:
    """chDB whose only user has only `grants`; `setup` is run before it is limited."""
    folder.mkdir(exist_ok=True)
    users, config = folder / "users.xml", folder / "config.xml"
    config.write_text(_CONFIG.format(users=escape(str(users))))
    address = f"{(folder / 'data').resolve()}?config-file={config}"
    users.write_text(_USERS.format(settings="", rights=""))
    handle = chdb.connect(address)
    for sql in options.setup:
        handle.query(sql)
    handle.close()
    settings = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in options.settings.items())
    rights = "".join(f"<query>{escape(grant)}</query>" for grant in grants)
    users.write_text(_USERS.format(settings=settings, rights=f"<grants>{rights}</grants>"))
    return chdb.connect(address)


async def _listen(runner: web.AppRunner, options: Options) -> dict[str, int]:
    """Listen without TLS, with TLS, and with TLS that wants a client certificate, each on a free port."""
    contexts: dict[str, ssl.SSLContext | None] = {"plain": None}
    if options.server_certificate:
        for name in ("tls", "mutual"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.server_certificate)
            if name == "mutual":
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(options.client_ca)
            contexts[name] = context
    ports = {}
    for name, chosen in contexts.items():
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=chosen)
        await site.start()
        assert site._server is not None
        ports[name] = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # aiohttp tells no port
    return ports


if __name__ == "__main__":
    asyncio.run(serve(Options(**json.loads(sys.argv[1]))))
