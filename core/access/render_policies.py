"""Statements about row policies and masking policies as SQL, in the form in which ClickHouse itself shows them."""

from __future__ import annotations

from collections.abc import Sequence

from core.access.policies import AlterMaskingPolicy, AlterRowPolicy, CreateMaskingPolicy, CreateRowPolicy, PolicyName
from core.access.render_grants import identifier, name_set
from core.access.render_parts import alter_head, create_head, in_storage, on_cluster, to, words


def render_create_row_policy(statement: CreateRowPolicy) -> str:
    """A CREATE ROW POLICY."""
    head = create_head("ROW POLICY", statement, policy_names(statement.names))
    return words(head, _filter(statement), to(statement.to, created=True))


def render_alter_row_policy(statement: AlterRowPolicy) -> str:
    """An ALTER ROW POLICY."""
    head = alter_head(
        "ROW POLICY",
        policy_names(statement.names),
        if_exists=statement.if_exists,
        storage=statement.storage,
        cluster=statement.cluster,
    )
    return words(head, _rename(statement.rename_to), _filter(statement), to(statement.to))


def render_create_masking_policy(statement: CreateMaskingPolicy) -> str:
    """A CREATE MASKING POLICY, whose TO is always written: without one ClickHouse makes it TO ALL."""
    return words(
        "CREATE MASKING POLICY",
        "IF NOT EXISTS" if statement.if_not_exists else "",
        "OR REPLACE" if statement.or_replace else "",
        policy_names(statement.names),
        on_cluster(statement.cluster),
        in_storage(statement.storage),
        f"UPDATE {statement.updates}",
        f"WHERE {statement.condition}" if statement.condition else "",
        f"TO {name_set(statement.to)}",
        _priority(statement.priority or None),  # 0 is what it is without
    )


def render_alter_masking_policy(statement: AlterMaskingPolicy) -> str:
    """An ALTER MASKING POLICY."""
    return words(
        "ALTER MASKING POLICY",
        "IF EXISTS" if statement.if_exists else "",
        policy_names(statement.names),
        on_cluster(statement.cluster),
        in_storage(statement.storage),
        _rename(statement.rename_to),
        f"UPDATE {statement.updates}" if statement.updates else "",
        f"WHERE {statement.condition}" if statement.condition else "",
        to(statement.to),
        _priority(statement.priority),
    )


def policy_names(names: Sequence[PolicyName]) -> str:
    """`p, q ON db.t`, `p ON db.t, db.u` or `p ON db.t, q ON db.u`: what is common is said once."""
    if len({name.short for name in names}) == 1:
        return f"{identifier(names[0].short)} ON {', '.join(map(_table, names))}"
    if len({(name.database, name.table) for name in names}) == 1:
        return f"{', '.join(identifier(name.short) for name in names)} ON {_table(names[0])}"
    return ", ".join(f"{identifier(name.short)} ON {_table(name)}" for name in names)


def _table(name: PolicyName) -> str:
    table = "*" if name.table is None else identifier(name.table)
    return f"{identifier(name.database)}.{table}" if name.database else table


def _filter(statement: CreateRowPolicy | AlterRowPolicy) -> str:
    kind = {None: "", True: "AS RESTRICTIVE", False: "AS PERMISSIVE"}[statement.restrictive]
    condition = "NONE" if statement.condition is None else statement.condition
    return words(kind, f"FOR SELECT USING {condition}" if statement.using else "")


def _rename(name: str) -> str:
    return f"RENAME TO {identifier(name)}" if name else ""


def _priority(priority: int | None) -> str:
    return "" if priority is None else f"PRIORITY {priority}"
