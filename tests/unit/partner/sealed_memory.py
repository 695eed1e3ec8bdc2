"""A place for sealed values in memory, with switches for what can go wrong in a real one."""

from __future__ import annotations

import asyncio

from core.errors import UnreachableError
from core.partner.security.sealing import SealedPlace


class SealedMemory:
    """Keeps sealed values as long as the test runs."""

    def __init__(self) -> None:
        self.values: dict[SealedPlace, str] = {}
        self.stuck = False  # removes nothing
        self.full = False  # keeps nothing
        self.asked = asyncio.Event()  # somebody has asked what there is

    async def read(self, place: SealedPlace) -> str | None:
        return self.values.get(place)

    async def write(self, place: SealedPlace, sealed: str) -> None:
        if self.full:
            raise UnreachableError("The engine cannot be reached.")
        self.values[place] = sealed

    async def remove(self, place: SealedPlace) -> None:
        if not self.stuck:
            self.values.pop(place, None)

    async def names(self, connection_id: str) -> list[str]:
        return [place.name.value for place in await self.places(connection_id)]

    async def erase(self, connection_id: str) -> None:
        for place in await self.places(connection_id):
            await self.remove(place)

    async def places(self, connection_id: str) -> list[SealedPlace]:
        self.asked.set()
        return [place for place in self.values if place.connection_id == connection_id]
