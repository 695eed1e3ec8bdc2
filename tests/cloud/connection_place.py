"""A place to provision connections in: a cloud, a Lakehouse, a runner with its write-ahead files, and a journal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from core.changes import Change
from core.configuring import NoEngine
from core.journal.local_journal import LocalJournal
from core.journal.rows import DONE, Row
from core.lakehouse.api_connections import ApiConnections
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.reach import Reach
from core.profiles import CloudSettings, LakehouseSettings
from core.running.needs import OpenService
from core.running.runner import Operator, ReadOnly, Report, Runner
from core.secrets import SecretReference
from tests.cloud.accounts import Account
from tests.lakehouse_stub import INSTANCE, USER, WORKSPACE

PASSWORD_VARIABLE = "LAKEHOUSE_TEST_PASSWORD"
LAB = """\
default_profile = "lab"
[profiles.lab]
engine = "embedded"
[profiles.lab.lakehouse]
service = "{service}"
instance = "{instance}"
workspace = "{workspace}"
username = "{user}"
password = "env:{password}"
secure = false
"""  # a configuration file whose profile names a Lakehouse; clouds may follow
BUCKETS = {Provider.AWS: "cz-udf-code", Provider.ALIYUN: "function-compute-my1", Provider.TENCENT: "udf-1310000000"}


class EventJournal(LocalJournal):
    """The journal of a machine, asked for the events of connections as the one in ClickHouse is."""

    async def events(self, subject_kind: str, actions: Collection[str] | None = None) -> list[Row]:
        """Done events of one kind of subject, oldest first."""
        rows = await self.history(subject_kind, limit=100_000)
        return [row for row in reversed(rows) if row.outcome == DONE and (actions is None or row.action in actions)]


@dataclass(slots=True)
class ConnectionPlace:
    """`cloud_url` and `lakehouse_url` are where the two sides answer; either may be empty: done by hand then."""

    folder: Path
    provider: Provider
    cloud_url: str = ""
    lakehouse_url: str = ""
    journal: EventJournal = field(init=False)
    reach: Reach = field(init=False)
    connections: ApiConnections = field(init=False)

    def __post_init__(self) -> None:
        lakehouse = None
        if self.lakehouse_url:
            lakehouse = LakehouseSettings(
                urlsplit(self.lakehouse_url).netloc,
                INSTANCE,
                WORKSPACE,
                USER,
                SecretReference.parse(f"env:{PASSWORD_VARIABLE}"),
                secure=False,
            )
        clouds = {}
        if self.cloud_url:
            clouds[self.provider.value] = CloudSettings(True, self.cloud_url, self.cloud_url)
        self.journal = EventJournal(self.folder / "journal.jsonl")
        self.reach = Reach(lakehouse, clouds)
        self.connections = ApiConnections(self.journal, self.reach)

    def runner(self, open_service: OpenService | None = None) -> Runner:
        """Runs changes here; `open_service` may stand between it and the services."""
        services = open_service or self.reach.open_service
        changes = self.folder / "changes"
        return Runner(NoEngine(), self.journal, changes, Operator("op", "h"), "prod", ReadOnly(False), services)

    async def run(self, change: Change) -> Report:
        """Run a change and see to it that it succeeded."""
        report = await self.runner().run(change)
        assert report.succeeded, [str(outcome.error) for outcome in report.failed_outcomes]
        return report


def connection_in(account: Account, name: str = "udf", role: str = "LakehouseRole") -> ApiConnection:
    """A connection whose role is in this account."""
    namespace = "default" if account.provider is Provider.TENCENT else ""
    role_arn = account.role_arn.format(role)
    return ApiConnection(name, account.provider, account.region, role_arn, BUCKETS[account.provider], namespace)
