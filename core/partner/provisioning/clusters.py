"""On which cluster what a partner account has in ClickHouse is made and taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.access.planning.clusters import cluster_clause
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.quoting import quote_identifier


@dataclass(frozen=True, slots=True)
class Clusters:
    """The names for ON CLUSTER, empty where there is none.

    Two of them: access entities in a replicated storage are on every host already, databases never are.
    """

    databases: str = ""
    access: str = ""

    @classmethod
    def of(cls, capabilities: Capabilities, cluster: str | None) -> Clusters:
        """Those of a profile with this `cluster`, by the user directories of its server."""
        directories = capabilities.user_directories
        if directories is None:
            return cls(cluster or "", cluster or "")
        by_precedence = [kind for _, kind, _ in sorted(directories, key=lambda each: each[2])]
        return cls(cluster or "", cluster_clause(by_precedence, cluster or ""))

    @property
    def on_databases(self) -> str:
        """` ON CLUSTER …` for statements about databases."""
        return f" ON CLUSTER {quote_identifier(self.databases)}" if self.databases else ""


NO_CLUSTER: Final = Clusters()
