"""Leases: what one process at a time may do, such as using a refresh token that is good for one use."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from core.errors import HousekeysError, UnreachableError
from core.partner.storage.claims import Claim, Claims

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 180.0  # longer than the slowest exchange with a workspace; what a dead process leaves for others
PATIENCE_SECONDS: Final = 45.0  # how long one waits for another
_PAUSE_SECONDS: Final = 0.05, 0.5  # between two attempts: at first, and at most


class Leases:
    """Gives each thing to one holder at a time, across the processes on one ClickHouse."""

    def __init__(self, claims: Claims, *, seconds: float = LEASE_SECONDS, patience: float = PATIENCE_SECONDS) -> None:
        self._claims = claims
        self._seconds = seconds
        self._patience = patience

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold `name` meanwhile. Raises UnreachableError when another one does not give it back in time."""
        claim = await self._take(name)
        try:
            yield
        finally:
            await asyncio.shield(asyncio.ensure_future(self._give_back(claim)))

    async def _take(self, name: str) -> Claim:
        give_up = time.monotonic() + self._patience
        pause, longest = _PAUSE_SECONDS
        while (claim := await self._claims.take(name, self._seconds)) is None:
            if time.monotonic() >= give_up:
                raise UnreachableError(
                    "Another process of the service is at work on the same partner connection.",
                    advice="Try again in a few minutes.",
                    detail=name,
                )
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - apart from each other
            pause = min(pause * 2, longest)
        return claim

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._claims.give_back(claim)
        except HousekeysError as error:
            log.warning("%s is not given back and stays taken for a while: %s", claim.name, error)
