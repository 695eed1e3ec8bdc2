"""Where tenants are made in tests: a DataLens user, a journal and a runner of their own on a shared engine."""

from __future__ import annotations

import itertools
from pathlib import Path

from core.changes import Change
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier, quote_string
from core.datalens.passwords import generate_password
from core.datalens.setup import plan_setup
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Report, Runner
from core.tenants.listing import Survey, survey
from core.tenants.model import Tenant
from core.tenants.planning import plan_create
from core.tenants.reading import Reading, read_rights
from core.tenants.requests import TenantRequest

_numbers = itertools.count()


class TenantsPlace:
    """A DataLens user called like nobody else, and what is needed to plan and run changes for it."""

    def __init__(self, engine: Engine, folder: Path, mark: str = "") -> None:
        self.mark = mark or str(next(_numbers))
        self._names: set[str] = set()
        self.engine = engine
        self.user = f"datalens-{self.mark}"
        self.journal = Journal(engine, f"journal_{self.mark}")
        self.runner = Runner(
            engine, self.journal, folder / "changes", Operator("op", "bastion"), "prod", ReadOnly(False, "")
        )

    async def prepare(self, *, with_user: bool = True) -> TenantsPlace:
        """Create the journal and the user."""
        await self.run(self.journal.creation())
        if with_user:
            await self.run(await plan_setup(self.engine, user=self.user, password=generate_password()))
        return self

    def name(self, stem: str) -> str:
        """A name of this place alone."""
        name = f"{stem}_{self.mark}"
        self._names.add(name)
        return name

    async def leave(self) -> None:
        """Drop the databases of this place: every one that is left makes opening the engine slower for the others."""
        for name in (self.journal.database, *self._names):
            await self.engine.command(f"DROP DATABASE IF EXISTS {quote_identifier(name)} SYNC")

    async def run(self, change: Change) -> Report:
        """Run a change that must succeed."""
        report = await self.runner.run(change)
        assert report.succeeded, [str(outcome.error) for outcome in report.failed_outcomes]
        return report

    async def plan(self, *names: str, **texts: str) -> Change:
        """The creation of tenants."""
        requests = [TenantRequest(name, **texts) for name in names]
        return await plan_create(self.engine, self.journal, requests, datalens_user=self.user)

    async def add(self, *names: str, **texts: str) -> Report:
        """Create tenants."""
        return await self.run(await self.plan(*names, **texts))

    async def survey(self) -> Survey:
        return await survey(self.engine, self.journal, datalens_user=self.user)

    async def tenant(self, name: str) -> Tenant:
        return (await self.survey()).find(name)

    async def reading(self) -> Reading:
        return await read_rights(self.engine, self.user)

    async def exists(self, name: str) -> bool:
        """Whether ClickHouse has a database of exactly this name."""
        found = await self.engine.query(
            f"SELECT count() FROM system.databases WHERE name = {quote_string(name)} AND hex(name) = {{hex:String}}",
            {"hex": name.encode().hex().upper()},
        )
        return bool(found.first_cell())

    async def fill(self, name: str, table: str = "events", rows: int = 10) -> None:
        """Give a database a table with rows."""
        place = f"{quote_identifier(name)}.{quote_identifier(table)}"
        await self.engine.command(f"CREATE TABLE {place} (n UInt64) ENGINE = MergeTree ORDER BY n")
        await self.engine.command(f"INSERT INTO {place} SELECT number FROM numbers({rows})")

    async def told(self, subject: str) -> list[str]:
        """The actions that the journal holds about a tenant, oldest first."""
        return [row.action for row in (await self.journal.history("tenant", subject))[::-1] if row.outcome == "done"]
