"""The list of tenants: a handful of queries, whatever their number, folded into one row each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier
from core.errors import ExitCode, HousekeysError, NotFoundError
from core.journal.journal import Journal
from core.journal.rows import Row
from core.tenants.model import (
    ADOPT,
    BEGINNINGS,
    CREATE,
    DESCRIBING,
    LIFECYCLE,
    REMOVE,
    RESUME,
    SUBJECT_KIND,
    SUSPEND,
    Tenant,
    TenantState,
    texts_of,
)
from core.tenants.naming import SHARED_DATABASES, shown
from core.tenants.reading import Reading, read_rights

if TYPE_CHECKING:
    from core.clickhouse.capabilities import Capabilities

LAST_READ_DAYS = 30
_LAST_READ_SECONDS = 10  # the query log of a busy server is large: rather no answer than a slow list
_BRINGS = {TenantState.ACTIVE: (CREATE, ADOPT, RESUME), TenantState.SUSPENDED: (SUSPEND,)}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_DATABASES = "SELECT name, engine FROM system.databases"
_TABLES = """
SELECT database, count(), sum(total_rows), sum(ifNull(total_bytes, 0))
FROM system.tables
WHERE NOT is_temporary AND database NOT IN {hidden:Array(String)}
GROUP BY database"""
_LAST_READ = """
SELECT arrayJoin(databases) AS database, toUnixTimestamp(max(event_time))
FROM system.query_log
WHERE event_date >= today() - {days:UInt16} AND type = 'QueryFinish' AND query_kind = 'Select'
    AND initial_user = {user:String}
GROUP BY database"""


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything there is: tenants, the databases that could become some, and what could not be found out."""

    tenants: tuple[Tenant, ...]  # by name
    others: tuple[Tenant, ...]  # UNMANAGED, by name
    reading: Reading
    last_read_problem: str = ""  # why `last_read` is not known, else empty

    def find(self, name: str) -> Tenant:
        """The tenant `name`. Raises NotFoundError, which says so when there is a database that could be adopted."""
        for tenant in self.tenants:
            if tenant.name == name:
                return tenant
        if any(other.name == name for other in self.others):
            raise NotFoundError(f"The database {shown(name)} is no tenant.", advice="Adopt it to make it one.")
        raise NotFoundError(f"There is no tenant {shown(name)}.")


@dataclass(frozen=True, slots=True)
class _Size:
    tables: int
    rows: int | None
    bytes: int


async def list_tenants(
    engine: Engine, journal: Journal, *, datalens_user: str, capabilities: Capabilities | None = None
) -> list[Tenant]:
    """The tenants, by name. Raises what the engine raises."""
    found = await survey(engine, journal, datalens_user=datalens_user, capabilities=capabilities)
    return list(found.tenants)


async def survey(
    engine: Engine, journal: Journal, *, datalens_user: str, capabilities: Capabilities | None = None
) -> Survey:
    """Tenants and other databases. `capabilities` spares a question that is known to be refused."""
    (databases, sizes, reading, last_read), (lifecycle, described, begun, tokens) = await asyncio.gather(
        asyncio.gather(
            engine.query(_DATABASES),
            engine.query(_TABLES, {"hidden": sorted(SHARED_DATABASES)}),
            read_rights(engine, datalens_user),
            _last_reads(engine, datalens_user, capabilities),
        ),
        asyncio.gather(
            journal.latest(SUBJECT_KIND, LIFECYCLE),
            journal.latest(SUBJECT_KIND, DESCRIBING),
            journal.latest(SUBJECT_KIND, BEGINNINGS),
            journal.counts_by("token", "issue", "tenant"),
        ),
    )
    moments, last_read_problem = last_read
    fold = _Fold(
        engines={name: kind for name, kind in databases.rows},
        sizes={name: _Size(int(tables), rows, int(size)) for name, tables, rows, size in sizes.rows},
        reading=reading,
        lifecycle=lifecycle,
        described=described,
        begun=begun,
        tokens=tokens,
        moments=moments,
    )
    hidden = SHARED_DATABASES | {journal.database}
    rows = [fold.row(name) for name in sorted((fold.engines.keys() | fold.recorded()) - hidden)]
    return Survey(
        tuple(row for row in rows if row.state is not TenantState.UNMANAGED),
        tuple(row for row in rows if row.state is TenantState.UNMANAGED),
        reading,
        last_read_problem,
    )


@dataclass(frozen=True, slots=True)
class _Fold:
    """What was read, and how it adds up to a row."""

    engines: Mapping[str, str]
    sizes: Mapping[str, _Size]
    reading: Reading
    lifecycle: Mapping[str, Row]
    described: Mapping[str, Row]
    begun: Mapping[str, Row]
    tokens: Mapping[str, int]
    moments: Mapping[str, datetime]

    def recorded(self) -> set[str]:
        """The names that the journal knows as tenants."""
        return {name for name, row in self.lifecycle.items() if row.action != REMOVE}

    def row(self, name: str) -> Tenant:
        state, remark = self._state(name)
        exists = name in self.engines
        size = self.sizes.get(name, _Size(0, 0, 0)) if exists else _Size(0, None, 0)
        recorded = name in self.lifecycle and self.lifecycle[name].action != REMOVE
        described = self.described.get(name)
        texts = texts_of(described.details) if described is not None and state is not TenantState.UNMANAGED else {}
        return Tenant(
            name,
            state,
            tables=size.tables if exists else None,
            rows=size.rows,
            bytes=size.bytes if exists else None,
            last_read=self._last_read(name),
            tokens=self.tokens.get(name, 0),
            created=self.begun[name].at if recorded and name in self.begun else None,
            engine=self.engines.get(name, ""),
            remark=remark,
            since=self._since(name, state),
            **texts,
        )

    def _state(self, name: str) -> tuple[TenantState, str]:
        row = self.lifecycle.get(name)
        recorded = row is not None and row.action != REMOVE
        suspended = row is not None and row.action == SUSPEND
        if name not in self.engines:
            return TenantState.MISSING, "The database does not exist, or the connected user cannot see it."
        # A right to read everything makes no tenant of every database: only a grant that names it does.
        if self.reading.covers(name) and (recorded or self.reading.names(name)):
            remark = "Suspended by Housekeys, and yet readable: somebody granted it again." if suspended else ""
            return TenantState.ACTIVE, remark
        if not recorded:
            return TenantState.UNMANAGED, ""
        if not self.reading.known:
            return TenantState.UNKNOWN, self.reading.problem
        if suspended:
            return TenantState.SUSPENDED, ""
        if not self.reading.exists:
            return TenantState.NOT_READABLE, f"There is no user {shown(self.reading.user)}."
        return TenantState.NOT_READABLE, f"The user {shown(self.reading.user)} has no grant on it; resume gives it one."

    def _since(self, name: str, state: TenantState) -> datetime | None:
        """When the newest event of the journal brought the state about, if it did."""
        row = self.lifecycle.get(name)
        if row is None or row.action not in _BRINGS.get(state, ()):
            return None
        return row.at

    def _last_read(self, name: str) -> datetime | None:
        # The query log holds names as SQL writes them: quoted where they need it, and where they are keywords.
        quoted = self.moments.get(quote_identifier(name))
        return self.moments.get(name) if quoted is None and _PLAIN.fullmatch(name) else quoted


async def _last_reads(
    engine: Engine, user: str, capabilities: Capabilities | None
) -> tuple[Mapping[str, datetime], str]:
    """When `user` last read each database, by its quoted name where it needs quotes; and why not, in words."""
    if capabilities is not None and "read query_log" not in capabilities.may:
        return {}, capabilities.missing("read query_log")
    try:
        found = await engine.query(
            _LAST_READ,
            {"user": user, "days": LAST_READ_DAYS},
            settings={"max_execution_time": _LAST_READ_SECONDS},
        )
    except HousekeysError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        return {}, f"The query log cannot be read: {error.message}"
    return {name: datetime.fromtimestamp(seconds, UTC) for name, seconds in found.rows}, ""
