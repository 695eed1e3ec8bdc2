"""Sealed values in ClickHouse: the newest version of each counts, and what is removed is gone from the disk too.

Values travel in the body of an insert only, so that no log of queries keeps them. Those who write or remove at the
same time share an insert, or a deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier, quote_string
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.storage.tables import SECRETS_TABLE
from core.partner.storage.together import Together

_COLUMNS: Final = ("connection_id", "name", "version", "sealed")


class SealedTable:
    """The table `<database>.partner_secrets`: a `SealedStore`. To be used from one event loop.

    Nothing is there as long as the table is not; to write, it must be there. Raises what the engine raises.
    """

    def __init__(self, engine: Engine, database: str, *, replicated: bool = False) -> None:
        self._engine = engine
        self._database = database
        self._replicated = replicated
        self._table = f"{quote_identifier(database)}.{SECRETS_TABLE}"
        self._writes: Together[tuple[SealedPlace, str], None] = Together(self._write_all)
        self._removals: Together[str, None] = Together(self._remove_all)

    async def read(self, place: SealedPlace) -> str | None:
        """The value of a place; None when there is none."""
        found = await self._query(
            f"SELECT argMax(sealed, version) FROM {self._table}"  # noqa: S608 - the name is quoted
            " WHERE connection_id = {connection_id:String} AND name = {name:String} HAVING count() > 0",
            {"connection_id": place.connection_id, "name": place.name.value},
        )
        value = found.first_cell()
        return None if value is None else str(value)

    async def write(self, place: SealedPlace, sealed: str) -> None:
        """Keep a value, instead of the one that was there."""
        await self._writes.add((place, sealed))

    async def remove(self, place: SealedPlace) -> None:
        """Remove the value of a place and every one before it."""
        if place in await self.places(place.connection_id):
            name = quote_string(place.name.value)
            await self._removals.add(f"(connection_id = {quote_string(place.connection_id)} AND name = {name})")

    async def erase(self, connection_id: str) -> None:
        """Remove every value of a partner connection, whatever its name."""
        if await self.names(connection_id):
            await self._removals.add(f"(connection_id = {quote_string(connection_id)})")

    async def places(self, connection_id: str) -> list[SealedPlace]:
        """The places of a partner connection that have a value."""
        names = await self.names(connection_id)
        return [SealedPlace(connection_id, name) for name in SecretName if name.value in names]

    async def names(self, connection_id: str) -> list[str]:
        """The names of the values of a partner connection: one of a later version of Housekeys too."""
        found = await self._query(
            f"SELECT DISTINCT name FROM {self._table} WHERE connection_id = {{id:String}} ORDER BY name",  # noqa: S608
            {"id": connection_id},
        )
        return [str(name) for (name,) in found.rows]

    async def by_key(self) -> dict[str, set[str]]:
        """The partner connections with values, by the id of the sealing key that the newest value of a place needs."""
        found = await self._query(
            "SELECT splitByChar('.', newest)[2] AS key, groupUniqArray(connection_id) FROM ("  # noqa: S608
            f" SELECT connection_id, argMax(sealed, version) AS newest FROM {self._table} GROUP BY connection_id, name"
            ") GROUP BY key",
            {},
        )
        return {str(key): set(map(str, connections)) for key, connections in found.rows}

    async def _query(self, sql: str, parameters: dict[str, Any]) -> QueryResult:
        try:
            return await self._engine.query(sql, parameters)
        except UnknownNameError:
            return QueryResult((), ())

    async def _write_all(self, values: Sequence[tuple[SealedPlace, str]]) -> None:
        """Write values with the versions after those that are there: clocks of several machines would not do."""
        found = await self._engine.query(
            f"SELECT connection_id, name, max(version) FROM {self._table}"  # noqa: S608
            " WHERE connection_id IN {ids:Array(String)} GROUP BY connection_id, name",
            {"ids": sorted({place.connection_id for place, _ in values})},
        )
        versions = {(str(one), str(name)): int(version) for one, name, version in found.rows}
        rows: list[tuple[str, str, int, str]] = []
        for place, sealed in values:
            key = place.connection_id, place.name.value
            versions[key] = versions.get(key, 0) + 1
            rows.append((*key, versions[key], sealed))
        await self._engine.insert(self._database, SECRETS_TABLE, _COLUMNS, rows)

    async def _remove_all(self, conditions: Collection[str]) -> None:
        """Rewrite the parts that hold the values; then let go of the old ones, which would stay for a while.

        Dropping a partition that is not there does nothing else. Of a replicated table every host does so by itself,
        within half a minute.
        """
        where = " OR ".join(dict.fromkeys(conditions))
        await self._engine.command(f"ALTER TABLE {self._table} DELETE WHERE {where}", settings={"mutations_sync": 2})
        if not self._replicated:
            await self._engine.command(f"ALTER TABLE {self._table} DROP PARTITION ID 'none'")
