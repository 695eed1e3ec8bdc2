"""A place on a real engine with the tables of Partner Connect, and what tests put into them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.changes import Change
from core.partner.partner_connections import PartnerConnections
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.tables import PartnerTables
from tests.engine.running_place import Place
from tests.unit.partner.account_examples import POLICY, Partner

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)
TOKEN = SealedPlace("pc1", SecretName.PERSONAL_ACCESS_TOKEN)
REFRESH = SealedPlace("pc1", SecretName.U2M_REFRESH_TOKEN)
_numbers = itertools.count(1)


class Storage(Place):
    """A place with the tables of Partner Connect."""

    async def with_tables(self) -> Storage:
        await self.engine.engine.command(f"CREATE DATABASE {self.database}")
        creation = await PartnerTables(self.engine, self.journal).creation()
        report = await self.runner.run(creation)
        assert report.succeeded, report.failed_outcomes
        return self.begun_anew()

    def begun_anew(self) -> Storage:
        """It, as a process sees it that has just been started."""
        self.engine.statements.clear()
        self.connections = PartnerConnections(self.engine, self.journal, POLICY)
        self.sealed, self.log = self.connections.sealed_table, self.connections.request_log
        return self

    async def run(self, change: Change) -> None:
        report = await self.runner.run(change)
        assert report.succeeded, [outcome.error for outcome in report.failed_outcomes]

    async def tell(self, partner: Partner) -> None:
        """Have the journal know what a partner has decided."""
        rows = [replace(row, id=UUID(int=next(_numbers)), change=UUID(int=1)) for row in partner.rows]
        await self.journal.append(rows)


def partner_with(*emails: str) -> Partner:
    partner = Partner()
    partner.now = NOW - timedelta(minutes=10)
    for number, email in enumerate(emails):
        partner.connected(email, workspace=number + 1)
        partner.now += timedelta(seconds=1)
    return partner


def answered(number: int, **more: Any) -> AnsweredRequest:
    request = AnsweredRequest(
        UUID(int=number << 64 | 1 << 127),
        NOW - timedelta(days=number % 3) + timedelta(milliseconds=number),
        "host:8085/1",
        "POST",
        "connect",
        200,
        0.25,
        "create_trial",
        "new user, new account",
        "10.0.0.1",
        "c0ffee00",
        "aws",
        2**63 - 1,
        f"pa{number % 2}",
        f"pc{number % 4}",
    )
    return replace(request, **more)


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - of things that do not tell
            await asyncio.sleep(0.01)
