"""Erasing the sealed secrets of partner connections, as changes say it: no sealing key is needed for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.changes import JsonValue
from core.display import one_line
from core.errors import RefusedError
from core.partner.oauth.erasing import away_from_refreshes
from core.partner.oauth.u2m import OneAtATime
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.security.sealed_store import NotErasedError


class ErasesSealed(Protocol):
    """Has sealed values; `core.partner.storage.sealed_table` does."""

    async def names(self, connection_id: str) -> list[str]:
        """The names of those of a partner connection."""
        ...

    async def erase(self, connection_id: str) -> None:
        """Remove all of a partner connection."""
        ...


class SecretCalls:
    """The service `SECRETS` of changes where no secret is opened or kept: in the console and in commands.

    `one_at_a_time` waits for a service that is using a refresh token.
    """

    def __init__(self, table: ErasesSealed, one_at_a_time: OneAtATime) -> None:
        self._table = table
        self._one_at_a_time = one_at_a_time

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Erase those of one partner connection, and look whether they are gone. Idempotent.

        Raises NotErasedError; RefusedError for what only the service can do.
        """
        if operation != ERASE:
            raise RefusedError(
                "Secrets that Databricks has sent are kept by the process that got them.",
                advice="Undo this change; Databricks sends them again when it connects anew.",
            )
        connection_id = str(arguments[CONNECTION_ID])
        async with away_from_refreshes(connection_id, await self._table.names(connection_id), self._one_at_a_time):
            await self._table.erase(connection_id)
        if left := await self._table.names(connection_id):
            names = ", ".join(map(one_line, left))
            raise NotErasedError(
                f"Secrets of partner connection {connection_id!r} are still there: {names}.", advice="Erase them again."
            )
        return {}
