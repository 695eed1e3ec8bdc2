"""Erasing while nobody uses a refresh token: the one that comes of its use would be stored behind the erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from core.partner.oauth.u2m import OneAtATime, lease_of
from core.partner.security.sealing import SecretName

_OF_A_USER = {SecretName.U2M_REFRESH_TOKEN.value, SecretName.U2M_AUTHORIZATION.value}


@asynccontextmanager
async def away_from_refreshes(
    connection_id: str, names: Collection[str], one_at_a_time: OneAtATime
) -> AsyncIterator[None]:
    """Keep all processes from using what a user has authorised meanwhile, if that is among `names` of what is kept.

    Raises UnreachableError when one is at it for too long.
    """
    if _OF_A_USER.isdisjoint(names):
        yield
    else:
        async with one_at_a_time(lease_of(connection_id)):
            yield
