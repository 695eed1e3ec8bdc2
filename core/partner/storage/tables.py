"""The tables of Partner Connect beside the journal: sealed secrets, claims, and the log of requests.

They are in the journal's database. On a cluster every host is a replica of each, as with the journal. A process reads
what it has written when it talks to one host: a quorum would make every connect wait for the one before it
(`insert_quorum_parallel = 0`, without which `select_sequential_consistency` says nothing). So the processes behind a
balancer go to one host, and those who look elsewhere see everything a moment later.
https://clickhouse.com/docs/operations/settings/settings#select_sequential_consistency
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.changes import Change, Event, StatementStep
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier, quote_string
from core.display import one_line
from core.errors import RefusedError
from core.journal.journal import Journal

SECRETS_TABLE: Final = "partner_secrets"
CLAIMS_TABLE: Final = "partner_claims"
REQUESTS_TABLE: Final = "partner_requests"
REQUEST_DAYS: Final = 90  # the log of requests is kept


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: Mapping[str, str]
    engine: str  # without what a replicated one begins with
    arguments: str  # of the engine
    clauses: str
    settings: tuple[str, ...]
    settings_alone: tuple[str, ...] = ()  # of a table that is not replicated


_SECRETS = _Table(
    SECRETS_TABLE,
    {
        "connection_id": "String",
        "name": "LowCardinality(String)",
        "version": "UInt64",
        "sealed": "String CODEC(NONE)",  # what is sealed does not get shorter
    },
    "ReplacingMergeTree",
    "version",
    "ORDER BY (connection_id, name)",
    (
        # What is erased or replaced shall not stay on the disk as an old part, so the new one is synced to it first.
        "old_parts_lifetime = 0",
        "min_rows_to_fsync_after_merge = 1",
        "fsync_part_directory = 1",
        "min_age_to_force_merge_seconds = 3600",
        "min_age_to_force_merge_on_partition_only = 1",
    ),
)
_CLAIMS = _Table(
    CLAIMS_TABLE,
    {
        "name": "String",
        "turn": "UInt64",
        "owner": "String",
        "until": "DateTime64(6, 'UTC')",
        "forget": "DateTime('UTC')",
    },
    "ReplacingMergeTree",
    "turn",
    "ORDER BY name\nTTL forget",
    (),
    # The second claim of a turn is dropped as a repeated insert; a replicated table has that by itself.
    ("non_replicated_deduplication_window = 10000",),
)
_REQUESTS = _Table(
    REQUESTS_TABLE,
    {
        "id": "UUID",
        "at": "DateTime64(6, 'UTC')",
        "process": "LowCardinality(String)",
        "method": "LowCardinality(String)",
        "endpoint": "LowCardinality(String)",
        "status": "UInt16",
        "seconds": "Float32",
        "word": "LowCardinality(String)",
        "scenario": "LowCardinality(String)",
        "caller": "String",
        "credential": "LowCardinality(String)",
        "cloud": "LowCardinality(String)",
        "workspace_id": "Int64",
        "account_id": "String",
        "connection_id": "String",
        "problem": "String",
        "configured": "Bool",
    },
    "MergeTree",
    "",
    f"PARTITION BY toDate(at)\nORDER BY (at, id)\nTTL toDateTime(at) + toIntervalDay({REQUEST_DAYS})",
    ("ttl_only_drop_parts = 1",),
    ("non_replicated_deduplication_window = 100",),  # a batch that is sent again after a lost answer counts once
)
_TABLES: Final = (_SECRETS, _CLAIMS, _REQUESTS)


class PartnerTables:
    """The tables of one ClickHouse: whether they are there, and the change that makes them."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    async def missing(self) -> list[str]:
        """The names of the tables that are not there; the journal's first.

        Raises RefusedError when a table of one of the names is there that has other columns.
        """
        found = await self._engine.query(
            "SELECT table, name, type FROM system.columns"
            " WHERE database = {database:String} AND table IN {tables:Array(String)}",
            {"database": self._journal.database, "tables": [table.name for table in _TABLES]},
        )
        there: dict[str, dict[str, str]] = {}
        for name, column, kind in found.rows:
            there.setdefault(str(name), {})[str(column)] = str(kind)
        for table in _TABLES:
            if table.name in there:
                self._refuse_other(table, there[table.name])
        journal = [] if await self._journal.exists() else ["journal"]
        return journal + [table.name for table in _TABLES if table.name not in there]

    def _refuse_other(self, table: _Table, types: Mapping[str, str]) -> None:
        for column, declared in table.columns.items():
            kind = declared.partition(" CODEC")[0]
            if types.get(column) == kind:
                continue
            why = f"is {one_line(types[column])}, not {kind}" if column in types else "is missing"
            raise RefusedError(
                f"The table {self._journal.database}.{table.name} is not the one of Housekeys: its column {column}"
                f" {why}.",
                advice="Name another database in the profile (database = ...), or have the table renamed.",
            )

    async def creation(self) -> Change:
        """The change that makes what is missing, the journal too. No steps: nothing is."""
        missing = await self.missing()
        steps: list[StatementStep] = []
        if "journal" in missing:
            steps += [step for step in self._journal.creation().steps if isinstance(step, StatementStep)]
        steps += [self._creation_step(table) for table in _TABLES if table.name in missing]
        return Change(f"Create the tables of Partner Connect in {self._journal.database}", tuple(steps))

    def _creation_step(self, table: _Table) -> StatementStep:
        name = f"{self._journal.database}.{table.name}"
        return StatementStep(
            f"Create table {name}",
            self.creation_statement(table.name),
            no_undo="It may hold what others have written since.",
            repeatable=True,
            events=(Event("partner_table", name, "create", {"cluster": self._journal.cluster}),),
        )

    def creation_statement(self, name: str) -> str:
        """The statement that makes one of the tables."""
        table = next(table for table in _TABLES if table.name == name)
        journal = self._journal
        columns = ",\n".join(f"    {column} {kind}" for column, kind in table.columns.items())
        on_cluster = f" ON CLUSTER {quote_identifier(journal.cluster)}" if journal.cluster else ""
        settings = table.settings if journal.cluster else (*table.settings, *table.settings_alone)
        listed = f"\nSETTINGS {', '.join(settings)}" if settings else ""
        return (
            f"CREATE TABLE IF NOT EXISTS {quote_identifier(journal.database)}.{table.name}{on_cluster}\n"
            f"(\n{columns}\n)\nENGINE = {self._engine_of(table)}\n{table.clauses}{listed}"
        )

    def _engine_of(self, table: _Table) -> str:
        if not self._journal.cluster:
            return f"{table.engine}({table.arguments})"
        database = self._journal.database.replace("{", "(").replace("}", ")")
        path = quote_string(f"/clickhouse/housekeys/{database}/{table.name}")
        arguments = [path, "'{server_uuid}'", *filter(None, [table.arguments])]
        return f"Replicated{table.engine}({', '.join(arguments)})"
