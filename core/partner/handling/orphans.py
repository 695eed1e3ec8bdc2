"""Erases secrets that belong to no partner connection: of a machine that is lost for good, or written late."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, Protocol

from core.partner.accounts.decision import Removal
from core.partner.accounts.state import Known
from core.partner.handling.settling import Settling
from core.partner.handling.titles import SERVICE
from core.partner.provisioning.removal import plan_removal

UNKNOWN_SECONDS: Final = 900.0  # a connect whose facts are not recorded by then never will be


class ListsSealed(Protocol):
    """Tells for which partner connections there are secrets; `core.partner.storage.sealed_table` does."""

    async def by_key(self) -> Mapping[str, Collection[str]]:
        """The partner connections by the id of the sealing key."""
        ...


def deleted_or_unknown(known: Known, connections: Collection[str]) -> tuple[set[str], set[str]]:
    """Which of `connections` are deleted, and which nobody knows: of a connect that is under way, perhaps."""
    unknown = {one for one in connections if one not in known.connections}
    return {one for one in connections if one not in unknown and known.connections[one].deleted is not None}, unknown


async def erase_orphans(settling: Settling, sealed: ListsSealed, seconds: float = UNKNOWN_SECONDS) -> None:
    """Erase the secrets of deleted partner connections, and after a while those that nobody knows then as well.

    Raises what the engine raises.
    """
    deleted, unknown = await _look(settling, sealed)
    await _erase(settling, deleted)
    if unknown:
        await asyncio.sleep(seconds)
        _, later = await _look(settling, sealed)
        await _erase(settling, unknown & later)


async def _look(settling: Settling, sealed: ListsSealed) -> tuple[set[str], set[str]]:
    # First the secrets: what is recorded of them meanwhile is known then.
    connections = {one for found in (await sealed.by_key()).values() for one in found}
    await settling.state.catch_up()
    return deleted_or_unknown(settling.state.known, connections)


async def _erase(settling: Settling, connections: Collection[str]) -> None:
    if connections:
        title = f"{SERVICE}erase the secrets of {len(connections)} partner connections that are not there"
        await settling.run(plan_removal(title, Removal(tuple(sorted(connections)))))
