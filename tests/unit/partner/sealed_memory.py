"""A place for sealed values in memory, with switches for what can go wrong in a real one."""

from __future__ import annotations

from core.errors import UnreachableError
from core.partner.security.sealing import SealedPlace


class SealedMemory:
    """Keeps sealed values as long as the test runs."""

    def __init__(self) -> None:
        self.values: dict[SealedPlace, str] = {}
        self.stuck = False  # removes nothing
        self.full = False  # keeps nothing

    async def read(self, place: SealedPlace) -> str | None:
        return self.values.get(place)

    async def write(self, place: SealedPlace, sealed: str) -> None:
        if self.full:
            raise UnreachableError("The engine cannot be reached.")
        self.values[place] = sealed

    async def remove(self, place: SealedPlace) -> None:
        if not self.stuck:
            self.values.pop(place, None)

    async def places(self, connection_id: str) -> list[SealedPlace]:
        return [place for place in self.values if place.connection_id == connection_id]
