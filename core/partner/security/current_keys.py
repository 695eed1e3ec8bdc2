"""The sealing keys of now: what a running service seals, opens and signs with, taken up anew without a restart.

They are read again when the service is told to (SIGHUP), and when a sealed value or a link names a key that is not
here: so hosts behind a balancer take up a new key in any order. Anybody can forge a link that names some key, so that
such a look is one for all who want it, and not before some time after the last one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from core.errors import HousekeysError
from core.partner.security.sealing import Sealer, sealed_with
from core.partner.security.sealing_keys import SealingKeys
from core.partner.security.sign_in_links import LinkSigner, signed_with

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0  # between two looks for keys that somebody has named
_PATIENCE_SECONDS: Final = 5.0  # how long one who has named a key waits: a vault may be slow, and the link a forged one

ReadKeys = Callable[[SealingKeys], Awaitable[SealingKeys]]
"""Reads the keys as at the start, without a person; those given are open already. Raises HousekeysError."""


class CurrentKeys:
    """The keys, and what works with them. For one event loop. Without `read` they stay what they are."""

    def __init__(
        self, keys: SealingKeys, read: ReadKeys | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_keys = read
        self._clock = clock
        self._next_look = -float("inf")
        self._looking: asyncio.Task[None] | None = None
        self._renewing: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._taken_up = asyncio.Event()
        self._use(keys)

    @property
    def newest(self) -> str:
        """The id of the key that seals and signs."""
        return self._keys.newest.id

    @property
    def sealer(self) -> Sealer:
        """Seals with the newest key of now."""
        return self._sealer

    @property
    def signer(self) -> LinkSigner:
        """Signs with the newest key of now."""
        return self._signer

    async def sealer_for(self, sealed: str) -> Sealer:
        """The sealer that opens a value, after a look for its key where that is not here."""
        await self._look_for(sealed_with(sealed))
        return self._sealer

    async def signer_for(self, token: str) -> LinkSigner:
        """The signer that checks a token, after a look for its key where that is not here."""
        await self._look_for(signed_with(token))
        return self._signer

    def renew(self) -> asyncio.Future[None]:
        """Read the keys again; done when they are in use. Keys that cannot be read are logged: those before stay."""
        task = asyncio.create_task(self._renew())
        self._renewing.add(task)
        task.add_done_callback(self._renewing.discard)
        return task

    async def taken_up(self) -> None:
        """Wait until keys were taken up since this has last returned."""
        await self._taken_up.wait()
        self._taken_up.clear()

    async def close(self) -> None:
        """Stop reading. Idempotent."""
        tasks = self._renewing | ({self._looking} if self._looking else set())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _use(self, keys: SealingKeys) -> None:
        self._keys, self._sealer, self._signer = keys, Sealer(keys), LinkSigner(keys)

    async def _look_for(self, key_id: str | None) -> None:
        if key_id is None or self._keys.get(key_id) is not None or self._read_keys is None:
            return
        if self._looking is None or self._looking.done():
            if self._clock() < self._next_look:
                return
            self._looking = asyncio.create_task(self._look(key_id))
        await asyncio.wait({self._looking}, timeout=_PATIENCE_SECONDS)

    async def _look(self, key_id: str) -> None:
        before = self._keys.ids
        try:
            await self._read()
        finally:
            self._next_look = self._clock() + LOOK_SECONDS  # from its end: a vault that hangs is not asked all the time
        if self._keys.ids != before:
            self._tell()
        if self._keys.get(key_id) is None:
            log.info("a secret or a link names sealing key %s, which is not here", key_id)

    async def _renew(self) -> None:
        if await self._read():
            self._tell()

    def _tell(self) -> None:
        self._taken_up.set()
        log.info("%d sealing keys are in use, the newest is %s", len(self._keys.ids), self.newest)

    async def _read(self) -> bool:
        """Read the keys and use them; whether that went well. Behind a reading under way, which may be too early."""
        if self._read_keys is None:
            return False
        try:
            async with self._one_at_a_time:
                keys = await self._read_keys(self._keys)
        except HousekeysError as error:
            log.error("the sealing keys that were read before stay in use: %s %s", error, error.advice)
            return False
        except Exception:
            log.exception("the sealing keys that were read before stay in use")
            return False
        self._use(keys)
        return True
