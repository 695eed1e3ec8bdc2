"""A service from its start to its end: it listens, tells who has started it, and ends in order when it is asked to.

uvicorn speaks HTTP. Signals are heard here, because the end has an order: it says that it is not ready, goes on
answering while balancers turn away, takes nothing new, and finishes what is under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.partner.messages.partner_config import PartnerConfig
from core.partner.service.app import Serves, create_app
from core.partner.service.listening import Listener, cannot_listen
from core.partner.service.metrics import Metrics
from core.partner.service.needs import ChecksCredentials, HandlesRequests, NotesRequests
from core.partner.service.tls import ServerCertificate
from core.partner.service.wire import Wire, WireLimits
from core.partner.systemd import ServiceManager
from core.profiles.partner import PartnerPolicy

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 3.0  # in which a balancer that looks every second turns away
FINISH_SECONDS: Final = 30  # for requests under way; systemd gives 40 for all
_HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 2.0  # for the other side to end TLS


class Ending:
    """The wish that a service ends, heard from a signal or told by `ask`."""

    def __init__(self, drain: float = DRAIN_SECONDS) -> None:
        self._drain = drain
        self._asked = asyncio.Event()
        self._at_once = asyncio.Event()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self, *, at_once: bool = False) -> None:
        """End; `at_once`: without waiting for balancers. What is under way is finished in both cases."""
        self._asked.set()
        if at_once:
            self._at_once.set()

    async def wait(self) -> None:
        """Until it is asked for."""
        await self._asked.wait()

    async def drained(self) -> None:
        """Until balancers had their time to turn away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain):
                await self._at_once.wait()

    @contextlib.contextmanager
    def on_signals(self, renew: Callable[[], object]) -> Iterator[None]:
        """SIGTERM asks for it; SIGINT, and a second SIGTERM, at once. SIGHUP calls `renew`."""
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: lambda: self.ask(at_once=self.asked),
            signal.SIGINT: lambda: self.ask(at_once=True),
            signal.SIGHUP: renew,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)


class _UntilEnding:
    """The parts of a service that is ready no more once it is to end."""

    def __init__(self, parts: Serves, ending: Ending) -> None:
        self._parts = parts
        self._ending = ending

    @property
    def policy(self) -> PartnerPolicy:
        return self._parts.policy

    @property
    def config(self) -> PartnerConfig:
        return self._parts.config

    @property
    def handler(self) -> HandlesRequests:
        return self._parts.handler

    @property
    def credentials(self) -> ChecksCredentials:
        return self._parts.credentials

    @property
    def requests(self) -> NotesRequests:
        return self._parts.requests

    async def why_not_ready(self) -> str:
        return "The service is ending." if self._ending.asked else await self._parts.why_not_ready()

    def missing(self) -> Sequence[str]:
        return self._parts.missing()


def _ending_connections(app: ASGIApp, ending: Ending) -> ASGIApp:
    """Answers end their connections once the service is to end: a proxy's next request then goes to another one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if ending.asked and message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, send_on)

    return answer


class _Server(uvicorn.Server):
    """uvicorn on a socket that is bound already, with no signals of its own and limits for TLS."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        config = self.config
        make = cast(Callable[..., asyncio.Protocol], config.http_protocol_class)
        protocol = partial(make, config=config, server_state=self.server_state, app_state=self.lifespan.state)
        self.servers = [
            await asyncio.get_running_loop().create_server(
                protocol,
                sock=one,
                backlog=config.backlog,
                ssl=config.ssl,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if config.ssl else None,
                ssl_shutdown_timeout=_GOODBYE_SECONDS if config.ssl else None,
            )
            for one in sockets or []
        ]
        self.started = True
        self.listening.set()


async def serve(
    parts: Serves,
    listener: Listener,
    *,
    certificate: ServerCertificate | None = None,
    pages: Sequence[BaseRoute] = (),
    metrics: Metrics | None = None,
    ending: Ending | None = None,
    limits: WireLimits | None = None,
    manager: ServiceManager | None = None,
    tell: Callable[[str], None] = lambda url: None,
    renew: Callable[[], object] = lambda: None,
) -> None:
    """Answer requests until a signal or `ending` says that it is enough. `tell` is told where it listens.

    On SIGHUP the certificate is loaded anew, and `renew` is called.
    The parts must have been started; they are the caller's to close afterwards. Raises UnreachableError.
    """
    ending, manager = ending or Ending(), manager or ServiceManager()
    limits = limits or WireLimits(parts.policy.service.read_timeout)
    process = f"{socket.gethostname()}:{listener.address.rpartition(':')[2]}/{os.getpid()}"
    app = create_app(_UntilEnding(parts, ending), process, pages=pages, metrics=metrics)
    server = _Server(_config(_ending_connections(app, ending), certificate, limits))

    def renew_all() -> None:
        if certificate is not None:
            certificate.renew()
        renew()

    with ending.on_signals(renew_all):
        running = asyncio.create_task(server.serve([listener.socket]))
        try:
            await _listening(server, running, listener)
            url = listener.url(secure=certificate is not None)
            manager.ready(f"listens on {url}")
            tell(url)
            log.info("%s listens on %s", process, url)
            await ending.wait()
            manager.stopping()
            log.info("%s ends", process)
            await ending.drained()
        finally:
            server.should_exit = True
            await asyncio.wait({running})
            listener.close()
    running.result()


def _config(app: ASGIApp, certificate: ServerCertificate | None, limits: WireLimits) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        # What makes a connection: a class in all other uses of it.
        http=cast(Any, partial(Wire, limits)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # ours has no query, in which a sign-in link has its token
        proxy_headers=False,  # whose word is believed the application knows
        server_header=False,
        timeout_keep_alive=cast(int, limits.keep_alive),
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    config.load()
    config.ssl = certificate.context if certificate else None
    return config


async def _listening(server: _Server, running: asyncio.Task[None], listener: Listener) -> None:
    """Until it listens. Raises UnreachableError when another program was quicker."""
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if running.done() and isinstance(error := running.exception(), OSError):
        raise cannot_listen(listener.address, error) from error
