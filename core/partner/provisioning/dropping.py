"""Steps that drop what a partner account has in ClickHouse. Each may run again, for nobody else has these names."""

from __future__ import annotations

from core.access.access_model import EntityKey
from core.access.model import Drop
from core.access.planning.plan import title
from core.access.render import render
from core.access_changes.changes import subject_kind
from core.changes import Event, Guard, JsonValue, StatementStep
from core.clickhouse.quoting import quote_identifier
from core.partner.provisioning.clusters import Clusters


def drop_step(key: EntityKey, clusters: Clusters, *, no_undo: str = "", **details: JsonValue) -> StatementStep:
    """Drop a user or role, if it is there. `details` are those of the event."""
    name = str(key.name)
    return StatementStep(
        f"Drop {title(key)}",
        render(Drop(key.kind, (name,), if_exists=True, cluster=clusters.access)),
        no_undo=no_undo,
        repeatable=True,
        events=(Event(subject_kind(key), name, "drop", details),),
    )


def drop_database_step(
    name: str, clusters: Clusters, *, no_undo: str = "", guard: Guard | None = None, **details: JsonValue
) -> StatementStep:
    """Drop the database of an account, if it is there."""
    return StatementStep(
        f"Drop database {name}",
        f"DROP DATABASE IF EXISTS {quote_identifier(name)}{clusters.on_databases}",
        no_undo=no_undo,
        repeatable=True,
        guard=guard,
        events=(Event("database", name, "drop", details),),
    )
