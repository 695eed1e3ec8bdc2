"""Erasing the sealed secrets of partner connections, as changes say it: no sealing key is needed for that."""

from __future__ import annotations

from collections.abc import Mapping

from core.changes import JsonValue
from core.display import one_line
from core.errors import RefusedError
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.security.sealed_store import NotErasedError
from core.partner.storage.sealed_table import SealedTable


class SecretCalls:
    """The service `SECRETS` of changes where no secret is opened or kept: in the console and in commands."""

    def __init__(self, table: SealedTable) -> None:
        self._table = table

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
        await self._table.erase(connection_id)
        if left := await self._table.names(connection_id):
            names = ", ".join(map(one_line, left))
            raise NotErasedError(
                f"Secrets of partner connection {connection_id!r} are still there: {names}.", advice="Erase them again."
            )
        return {}
