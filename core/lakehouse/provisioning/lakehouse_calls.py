"""The calls of a change to the Lakehouse: CREATE, DESC and DROP of a connection, and of external functions.

Each looks first and does nothing when it is so already.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.changes import JsonValue
from core.errors import BadInputError, HousekeysError, RefusedError
from core.lakehouse.connections import ConnectionDescription
from core.lakehouse.reaching.lakehouse import Lakehouse


class LakehouseCalls:
    """Carries out the calls of a change to a Lakehouse. See `core.running.needs.Service`."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self._lakehouse = lakehouse

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Make it so. Raises what the Lakehouse raises, RefusedError where somebody else was quicker."""
        name = str(arguments.get("name", ""))
        match operation:
            case "create_connection":
                await self._create(name, str(arguments["sql"]), str(arguments["role_arn"]))
            case "describe_connection":
                return {"external_id": await self._external_id(name)}
            case "drop_connection":
                await self._drop(name, str(arguments["sql"]), str(arguments.get("external_id", "")))
            case "create_function" | "drop_function":
                await self._function(operation, name, str(arguments["sql"]))
            case _:
                raise BadInputError(f"The Lakehouse has no call {operation!r}.")
        return {}

    async def _create(self, name: str, sql: str, role_arn: str) -> None:
        description = await self._lakehouse.description(name)
        if description is None:
            await self._lakehouse.execute(sql)
        elif not _may_be_of(description, role_arn):
            raise RefusedError(
                f"A connection {name} is there since the plan was made, and it has another role.",
                advice="Plan again: it starts from what is there now.",
            )

    async def _external_id(self, name: str) -> str:
        description = await self._lakehouse.description(name)
        if description is None:
            raise RefusedError(f"The Lakehouse has no connection {name} any more.", advice="Plan again.")
        if not description.external_id:
            raise HousekeysError(
                f"DESC CONNECTION {name} tells no external id.",
                advice="Without one the role cannot be closed to others: ask the Lakehouse's support.",
                detail="\n".join(f"{key}: {value}" for key, value in description.info.items()),
            )
        return description.external_id

    async def _drop(self, name: str, sql: str, external_id: str) -> None:
        description = await self._lakehouse.description(name)
        if description is None:
            return
        if external_id and description.external_id != external_id:
            raise RefusedError(
                f"The connection {name} was created anew since the plan was made: it is another one now.",
                advice="Plan again if it is to go too; an unfinished change that is out of date is dismissed.",
            )
        if used := await self._lakehouse.functions_of(name):
            raise RefusedError(
                f"The connection {name} is in use by {', '.join(function.name for function in used[:5])}.",
                advice="Drop these functions first; they cannot run without it.",
            )
        await self._lakehouse.execute(sql)

    async def _function(self, operation: str, name: str, sql: str) -> None:
        there = any(function.name == name for function in await self._lakehouse.functions())
        if there is (operation == "drop_function"):
            await self._lakehouse.execute(sql)


def _may_be_of(description: ConnectionDescription, role_arn: str) -> bool:
    """Whether a connection can be the one with this role: it says so, or says nothing of its role."""
    told = [value for name, value in description.info.items() if name.lower().replace("_", "").endswith("rolearn")]
    return not told or role_arn.lower() in (value.lower() for value in told)
