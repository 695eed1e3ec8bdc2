"""The calls that changes make to the sealed secrets: the service that they name "partner_secrets"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.changes import JsonValue
from core.errors import HousekeysError
from core.partner.security.sealed_store import NotErasedError
from core.partner.storage.sealed_table import SealedTable

SECRETS_SERVICE: Final = "partner_secrets"
ERASE: Final = "erase"


class SecretCalls:
    """Erases the sealed secrets of partner connections, for which no sealing key is needed."""

    def __init__(self, table: SealedTable) -> None:
        self._table = table

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Erase them and look whether they are gone. Raises NotErasedError."""
        if operation != ERASE:
            raise HousekeysError(f"The sealed secrets have no operation {operation} here.")
        connection_id = str(arguments["connection_id"])
        await self._table.erase(connection_id)
        if left := await self._table.places(connection_id):
            names = ", ".join(place.name for place in left)
            raise NotErasedError(
                f"Secrets of partner connection {connection_id!r} are still there: {names}.", advice="Erase them again."
            )
        return {}
