"""Leases: what one process at a time may do, such as using a refresh token that is good for one use."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from core.errors import HousekeysError, UnreachableError
from core.partner.storage.claims import Claim, Claims

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 180.0  # longer than the slowest exchange with a workspace; what a dead process leaves for others
MARGIN_SECONDS: Final = 20.0  # before its end in which a holder stops: what it has under way may still arrive
PATIENCE_SECONDS: Final = 45.0  # how long one waits for another
_PAUSE_SECONDS: Final = 0.05, 0.5  # between two attempts: at first, and at most


class Leases:
    """Gives each thing to one holder at a time, across the processes on one ClickHouse."""

    def __init__(
        self,
        claims: Claims,
        *,
        seconds: float = LEASE_SECONDS,
        margin: float = MARGIN_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._claims = claims
        self._seconds = seconds
        self._margin = margin
        self._patience = patience

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold `name` meanwhile. Nothing is done under a lease that is over: before that it is cancelled.

        Raises UnreachableError then, and when another one does not give it back in time.
        """
        claim, until = await self._take(name)
        try:
            async with asyncio.timeout_at(until) as time_there_is:
                yield
        except TimeoutError:
            if not time_there_is.expired():
                raise
            raise UnreachableError(
                "What one process at a time may do has taken too long, and was given up.",
                advice="Try again in a few minutes.",
                detail=name,
            ) from None
        finally:
            await asyncio.shield(asyncio.ensure_future(self._give_back(claim)))

    async def _take(self, name: str) -> tuple[Claim, float]:
        """The claim, and until when something may be done by it, on the clock of the event loop."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._patience
        pause, longest = _PAUSE_SECONDS
        while True:
            until = clock() + self._seconds - self._margin
            if (claim := await self._claim(name)) is not None:
                return claim, until
            if clock() >= give_up:
                raise UnreachableError(
                    "Another process of the service is at work on the same partner connection.",
                    advice="Try again in a few minutes.",
                    detail=name,
                )
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - apart from each other
            pause = min(pause * 2, longest)

    async def _claim(self, name: str) -> Claim | None:
        """A claim, if it can be had now. Who is cancelled meanwhile gives it back: others would wait for its end."""
        taking = asyncio.ensure_future(self._claims.take(name, self._seconds))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            with contextlib.suppress(HousekeysError):
                if (claim := await taking) is not None:
                    await self._give_back(claim)
            raise

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._claims.give_back(claim)
        except HousekeysError as error:
            log.warning("%s is not given back and stays taken for a while: %s", claim.name, error)
