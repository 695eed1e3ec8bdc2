"""A service's request handler on a real engine whose line can be cut, with a journal and tables of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.clickhouse.engine import Engine
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
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import Sealer
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.security.sign_in_links import LinkSigner
from core.partner.storage.known_state import KnownState
from core.partner.storage.sealed_table import SealedTable
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
        self.policy = policy
        self.journal = Journal(self.engine, database)
        self.runner = Runner(self.engine, self.journal, folder / "changes", OPERATOR, "prod", ReadOnly(False))
        self.state = KnownState(self.journal)
        self.table = SealedTable(self.engine, database)
        self.secrets = SealedSecrets(Sealer(KEYS), self.table)
        self.signer = LinkSigner(KEYS)
        self.settling = Settling(self.engine, self.runner, self.state, policy)
        self.handler = RequestHandler(
            policy, self.settling, SecretsKeeper(self.secrets), Links(policy, self.signer), Passing()
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

    async def made(self) -> Mapping[str, list[str]]:
        """What is in ClickHouse that a partner's template has made, and whose secrets are kept."""
        found = {}
        for table in ("databases", "roles", "users"):
            rows = (await self._ask(f"SELECT name FROM system.{table} WHERE name LIKE 'partner%' ORDER BY name")).rows
            found[table] = [str(row[0]) for row in rows if row[0] != self.database]
        rows = (
            await self._ask(f"SELECT DISTINCT connection_id FROM `{self.database}`.{SECRETS_TABLE} ORDER BY 1")
        ).rows
        found["secrets"] = [str(row[0]) for row in rows]
        return found

    async def _ask(self, sql: str) -> Any:
        return await self.engine.engine.query(sql)


NOTHING: Mapping[str, list[str]] = {"databases": [], "roles": [], "users": [], "secrets": []}
