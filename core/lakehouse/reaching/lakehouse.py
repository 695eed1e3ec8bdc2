"""The Lakehouse as Housekeys uses it: its connections and external functions, by statements over any client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.errors import NotFoundError
from core.lakehouse.connections import ConnectionDescription, ExternalFunction, ListedConnection
from core.lakehouse.sql.answers import read_description, read_functions, read_listing
from core.lakehouse.sql.statement_rendering import render
from core.lakehouse.sql.statements import DescribeConnection, ShowConnections, ShowExternalFunctions


class LakehouseSql(Protocol):
    """Runs statements in a Lakehouse; `core.lakehouse.reaching.client` has it."""

    async def query(self, sql: str) -> tuple[Sequence[str], Sequence[Sequence[str]]]: ...

    async def execute(self, sql: str) -> None: ...


class Lakehouse:
    """What is asked of a Lakehouse. Raises what its client raises."""

    def __init__(self, client: LakehouseSql) -> None:
        self._client = client

    async def connections(self) -> tuple[ListedConnection, ...]:
        """Every connection of the workspace, of any category."""
        return read_listing(*await self._client.query(render(ShowConnections())))

    async def description(self, name: str) -> ConnectionDescription | None:
        """What DESC CONNECTION tells; None when there is no such connection."""
        try:
            return read_description(*await self._client.query(render(DescribeConnection(name))))
        except NotFoundError:
            return None

    async def functions(self) -> tuple[ExternalFunction, ...]:
        """The external functions; the connection of each is empty where the Lakehouse does not tell it."""
        return read_functions(*await self._client.query(render(ShowExternalFunctions())))

    async def functions_of(self, name: str) -> tuple[ExternalFunction, ...]:
        """The external functions that use a connection, as far as the Lakehouse tells."""
        return tuple(function for function in await self.functions() if uses(function, name))

    async def execute(self, sql: str) -> None:
        """Run a statement that returns nothing."""
        await self._client.execute(sql)


def uses(function: ExternalFunction, connection: str) -> bool:
    """Whether a function runs through a connection; the Lakehouse may write `workspace.connection`."""
    told = function.connection.lower()
    return told == connection.lower() or told.endswith(f".{connection.lower()}")
