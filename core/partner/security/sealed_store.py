"""Where sealed values are kept, and what is asked of such a place; erased means that it is looked for and not found."""

from __future__ import annotations

from typing import Protocol

from core.errors import HousekeysError
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealing import SealedPlace
from core.secrets import Secret


class NotErasedError(HousekeysError):
    """Secrets of a partner connection are still there after they were erased: nobody may be told that they are gone."""


class SealedStore(Protocol):
    """A durable place for sealed values: what `write` and `remove` have returned from survives a crash.

    Not the journal, which forgets nothing. All of it raises HousekeysError when the place cannot be reached.
    """

    async def read(self, place: SealedPlace) -> str | None:
        """The value of a place; None when there is none."""

    async def write(self, place: SealedPlace, sealed: str) -> None:
        """Keep a value, instead of the one that was there, at once: a reader sees one of the two."""

    async def remove(self, place: SealedPlace) -> None:
        """Remove the value of a place; one that is gone already is no error."""

    async def places(self, connection_id: str) -> list[SealedPlace]:
        """The places of a partner connection that have a value."""


class SealedSecrets:
    """The secrets of partner connections: sealed on the way in, opened on the way out."""

    def __init__(self, keys: CurrentKeys, store: SealedStore) -> None:
        self._keys = keys
        self._store = store

    async def keep(self, place: SealedPlace, secret: Secret) -> None:
        """Seal and keep a secret, instead of the one that was there."""
        await self._store.write(place, self._keys.sealer.seal(secret, place))

    async def get(self, place: SealedPlace) -> Secret | None:
        """The secret of a place; None when there is none. Raises SealedValueError."""
        sealed = await self._store.read(place)
        return None if sealed is None else (await self._keys.sealer_for(sealed)).open(sealed, place)

    async def kept(self, connection_id: str) -> list[SealedPlace]:
        """The places of a partner connection that have a secret."""
        return await self._store.places(connection_id)

    async def remove(self, place: SealedPlace) -> None:
        """Remove the secret of one place."""
        await self._store.remove(place)

    async def erase(self, connection_id: str) -> None:
        """Remove every secret of a partner connection, and look whether they are gone.

        Raises NotErasedError. Idempotent.
        """
        for place in await self._store.places(connection_id):
            await self._store.remove(place)
        if left := await self._store.places(connection_id):
            names = ", ".join(sorted(place.name for place in left))
            raise NotErasedError(
                f"Secrets of partner connection {connection_id!r} are still there: {names}.", advice="Erase them again."
            )

    async def renew_seals(self, connection_id: str) -> int:
        """Seal what an older key has sealed with the newest one; how many were. Raises SealedValueError.

        Short-lived ones are left alone: a refresh token that was replaced meanwhile would be lost.
        """
        renewed = 0
        for place in await self._store.places(connection_id):
            sealed = None if place.name.short_lived else await self._store.read(place)
            if sealed is None:
                continue
            sealer = await self._keys.sealer_for(sealed)
            if sealer.outdated(sealed):
                await self._store.write(place, sealer.reseal(sealed, place))
                renewed += 1
        return renewed
