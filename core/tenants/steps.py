"""The statements that make and unmake tenants, as steps of a Change."""

# ruff: noqa: S608 - every name in here goes through quote_identifier or quote_string

from __future__ import annotations

from enum import StrEnum

from core.changes import Event, Guard, StatementStep
from core.clickhouse.quoting import quote_identifier, quote_string
from core.tenants.model import CREATE, REMOVE, event
from core.tenants.naming import keeper_path, shown
from core.tenants.requests import TenantRequest
from core.tenants.situation import Situation


class DatabaseEngine(StrEnum):
    """Engines a tenant's database may be given; without one the server's default is used."""

    ATOMIC = "Atomic"
    REPLICATED = "Replicated"


def grant_step(
    name: str,
    now: Situation,
    *,
    needs: int | None = None,
    events: tuple[Event, ...] = (),
    undo_events: tuple[Event, ...] = (),
) -> StatementStep:
    """`GRANT SELECT` on this one database, never on more."""
    return StatementStep(
        f"Let {now.user} read {name}",
        _grant_sql(name, now),
        undo=StatementStep(
            f"Keep {now.user} from reading {name}", _revoke_sql(name, now), repeatable=True, events=undo_events
        ),
        repeatable=True,
        needs=needs,
        events=events,
    )


def revoke_step(
    name: str, now: Situation, *, events: tuple[Event, ...] = (), undo_events: tuple[Event, ...] = ()
) -> StatementStep:
    """`REVOKE SELECT` on this one database; undone only where the user could read all of it by a grant of its own."""
    undo = StatementStep(f"Let {now.user} read {name}", _grant_sql(name, now), repeatable=True, events=undo_events)
    whole = now.reading.own.covers(name)
    return StatementStep(
        f"Keep {now.user} from reading {name}",
        _revoke_sql(name, now),
        undo=undo if whole else None,
        no_undo="" if whole else "What the user could read before is not known.",
        repeatable=True,
        events=events,
    )


def on_cluster(now: Situation) -> str:
    """` ON CLUSTER …` where the profile has a cluster."""
    return f" ON CLUSTER {quote_identifier(now.cluster)}" if now.cluster else ""


def tables_source(now: Situation) -> str:
    """Where to look for tables: on every host of the cluster, for another may hold some that this one does not."""
    return f"clusterAllReplicas({quote_string(now.cluster)}, system.tables)" if now.cluster else "system.tables"


def losses_query(now: Situation) -> str:
    """What the database `{name:String}` holds: its first `{listed:UInt16}` names, and tables, rows, bytes, a hash."""
    return (
        "SELECT arraySlice(arraySort(groupUniqArray(name)), 1, {listed:UInt16}), uniqExact(name), sum(total_rows),"
        " sum(total_bytes), groupBitXor(cityHash64(name))"
        f" FROM {tables_source(now)} WHERE database = {{name:String}}"
    )


def drop_step(name: str, now: Situation, tables: int, fingerprint: int, size: int) -> StatementStep:
    """Drop the database if it still holds the tables that were shown: so many, with that hash of their names."""
    same = (
        f"SELECT uniqExact(name) = {tables} AND groupBitXor(cityHash64(name)) = {fingerprint}"
        f" FROM {tables_source(now)} WHERE database = {quote_string(name)}"
    )
    return StatementStep(
        f"Drop database {name}",
        drop_sql(name, now),
        no_undo="Dropped data does not come back.",
        done_when=gone_query(name),
        guard=Guard(same, f"The tables of {shown(name)} are no longer those that were shown. Look again."),
        events=(event(name, REMOVE, database="dropped", tables=tables, bytes=size),),
    )


def drop_sql(name: str, now: Situation) -> str:
    """The statement that drops the database."""
    return f"DROP DATABASE {quote_identifier(name)}{on_cluster(now)}"


def gone_query(name: str) -> str:
    """A query whose answer is 1 when there is no such database."""
    return f"SELECT count() = 0 FROM system.databases WHERE name = {quote_string(name)}"


def _grant_sql(name: str, now: Situation) -> str:
    return f"GRANT{on_cluster(now)} SELECT ON {quote_identifier(name)}.* TO {quote_identifier(now.user)}"


def _revoke_sql(name: str, now: Situation) -> str:
    return f"REVOKE{on_cluster(now)} SELECT ON {quote_identifier(name)}.* FROM {quote_identifier(now.user)}"


def create_step(request: TenantRequest, now: Situation, database_engine: DatabaseEngine | None) -> StatementStep:
    name = request.name
    engine = ""
    if database_engine is DatabaseEngine.REPLICATED:
        engine = f" ENGINE = Replicated({quote_string(keeper_path(name))}, '{{shard}}', '{{replica}}')"
    elif database_engine is not None:
        engine = f" ENGINE = {database_engine.value}"
    drop = StatementStep(
        f"Drop database {name}, if it is still empty",
        drop_sql(name, now),
        done_when=gone_query(name),
        guard=Guard(
            f"SELECT count() = 0 FROM {tables_source(now)} WHERE database = {quote_string(name)}",
            f"The database {shown(name)} holds tables by now. Remove the tenant if they are to be lost.",
        ),
        events=(event(name, REMOVE),),
    )
    return StatementStep(
        f"Create database {name}",
        f"CREATE DATABASE {quote_identifier(name)}{on_cluster(now)}{engine}",
        undo=drop,
        done_when=f"SELECT count() FROM system.databases WHERE name = {quote_string(name)}",
        events=(event(name, CREATE, **request.texts()),),
    )
