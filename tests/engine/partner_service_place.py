"""A service's request handler on a real engine whose line can be cut, with a journal and tables of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier
from core.journal.journal import Journal
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import Known, PartnerConnection
from core.partner.handling.links import Links
from core.partner.handling.outcomes import Handled
from core.partner.handling.request_handler import RequestHandler
from core.partner.handling.secrets_keeper import SecretsKeeper
from core.partner.handling.settling import Settling
from core.partner.messages.requests import CloudProvider, ConnectRequest, DeleteConnectionRequest
from core.partner.messages.responses import Connection, DeleteConnectionResponse, TestResult, TestStatus
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.storage.known_state import KnownState
from core.partner.storage.sealed_table import SealedTable
from core.partner.storage.shared_journal import SharedJournal
from core.partner.storage.tables import SECRETS_TABLE, PartnerTables
from core.running.runner import ReadOnly, Runner
from tests.engine.faulty_engine import FaultyEngine
from tests.engine.running_place import OPERATOR, forget_nothing
from tests.unit.partner.account_examples import POLICY

KEYS = SealingKeys([SealingKey(bytes(range(32)))])


class Passing:
    """Tests that pass: what is really tested has tests of its own."""

    async def test(self, connection: PartnerConnection) -> list[TestResult]:
        return [TestResult("everything", TestStatus.PASS, connection.id)]


class ServicePlace:
    """One process of the service. Several may share an engine and a database: `another` gives the next one."""

    def __init__(self, engine: Engine, folder: Path, database: str, policy: PartnerPolicy = POLICY) -> None:
        self.engine = FaultyEngine(engine)
        self.folder = folder
        self.database = database
        resources = replace(
            policy.resources,
            database=f"{database}_db_{{account}}",
            role=f"{database}_role_{{account}}",
            user=f"{database}_user_{{user}}",
        )
        policy = self.policy = replace(policy, resources=resources)
        self.journal = Journal(self.engine, database)
        runner = Runner(self.engine, self.journal, folder / "changes", OPERATOR, "prod", ReadOnly(False))
        self.runner = runner.with_journal(SharedJournal)
        self.state = KnownState(self.journal)
        self.table = SealedTable(self.engine, database)
        self.keys = CurrentKeys(KEYS)
        self.secrets = SealedSecrets(self.keys, self.table)
        self.settling = Settling(self.engine, self.runner, self.state, policy)
        self.handler = RequestHandler(
            policy, self.settling, SecretsKeeper(self.secrets), Links(policy, self.keys), Passing(), self.table
        )

    def another(self, folder: Path, engine: Engine | None = None, **changed: Any) -> ServicePlace:
        """Another process on the same tables."""
        return ServicePlace(engine or self.engine.engine, folder, self.database, replace(self.policy, **changed))

    async def prepare(self) -> ServicePlace:
        """Create the tables, and begin."""
        report = await self.runner.run(await PartnerTables(self.engine, self.journal).creation())
        assert report.succeeded, report
        await forget_nothing(self.engine.engine, self.journal)
        await self.handler.settle_at_start()
        self.engine.statements.clear()
        return self

    async def leave(self) -> None:
        """Drop the databases: every one that is left makes opening the engine slower for the tests that follow."""
        await self.handler.close()
        engine = self.engine.engine
        sql = f"SELECT name FROM system.databases WHERE startsWith(name, '{self.database}_')"
        for (name,) in [(self.database,), *(await engine.query(sql)).rows]:
            await engine.command(f"DROP DATABASE IF EXISTS {quote_identifier(name)} SYNC")

    async def connect(self, request: ConnectRequest) -> Connection:
        """Connect, which must go well."""
        handled = await self.handler.connect(request)
        assert isinstance(handled.body, Connection), handled
        return handled.body

    async def delete(self, connection_id: str, workspace: int = 1) -> Handled[DeleteConnectionResponse]:
        return await self.handler.delete_connection(
            DeleteConnectionRequest(connection_id, CloudProvider.AWS, workspace)
        )

    async def known(self) -> Known:
        """What a process that begins now finds in the journal."""
        state = KnownState(Journal(self.engine.engine, self.database))
        await state.load()
        return state.known

    async def settled(self) -> None:
        """Wait until all that broke off is settled; nothing may be unfinished then."""
        assert await self.settling.settle()
        assert self.runner.unfinished() == []

    async def made(self) -> Mapping[str, int]:
        """How much there is in ClickHouse of what the template makes, and of how many connections secrets are kept."""
        counts = ", ".join(
            f"(SELECT count() FROM system.{table} WHERE startsWith(name, '{self.database}_'))" for table in TABLES
        )
        secrets = f"(SELECT uniqExact(connection_id) FROM `{self.database}`.{SECRETS_TABLE})"
        found = await self.engine.engine.query(f"SELECT {counts}, {secrets}")
        return dict(zip((*TABLES, "secrets"), found.rows[0], strict=True))

    async def live(self) -> set[str]:
        """The partner connections that a process which begins now finds."""
        return {one.id for one in (await self.known()).connections.values() if one.deleted is None}


TABLES = ("databases", "roles", "users")
NOTHING: Mapping[str, int] = {"databases": 0, "roles": 0, "users": 0, "secrets": 0}
ONE: Mapping[str, int] = dict.fromkeys(NOTHING, 1)
