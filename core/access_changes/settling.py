"""How it is found out whether a statement has taken effect, when a crash left that open."""

# ruff: noqa: S608 - every name in here goes through quote_string

from __future__ import annotations

from dataclasses import replace

from core.access.access_model import EntityKey
from core.access.model import (
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Move,
    Statement,
)
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access_changes.fingerprints import shown_names
from core.clickhouse.quoting import quote_string

_TABLES = {
    EntityKind.USER: "users",
    EntityKind.ROLE: "roles",
    EntityKind.QUOTA: "quotas",
    EntityKind.SETTINGS_PROFILE: "settings_profiles",
    EntityKind.ROW_POLICY: "row_policies",
    EntityKind.MASKING_POLICY: "masking_policies",
}

_CREATES = (CreateUser, CreateRole, CreateQuota, CreateSettingsProfile, CreateRowPolicy, CreateMaskingPolicy)
_ALTERS = (AlterUser, AlterRole, AlterQuota, AlterSettingsProfile, AlterRowPolicy, AlterMaskingPolicy)


def exists(key: EntityKey) -> str:
    """A query that gives 1 when the entity is there."""
    return f"SELECT count() > 0 FROM {_found(key)}"


def missing(key: EntityKey) -> str:
    """A query that gives 1 when there is no such entity."""
    return f"SELECT count() = 0 FROM {_found(key)}"


def stored_in(key: EntityKey, storage: str) -> str:
    """A query that gives 1 when the entity is in a storage."""
    return f"SELECT count() > 0 FROM {_found(key)} AND storage = {quote_string(storage)}"


def _found(key: EntityKey) -> str:
    table = f"system.{_TABLES[key.kind]}"
    if isinstance(key.name, PolicyName):
        name = key.name
        parts = (("short_name", name.short), ("database", name.database), ("table", name.table or ""))
        return f"{table} WHERE {' AND '.join(f'{column} = {quote_string(value)}' for column, value in parts)}"
    return f"{table} WHERE name IN ({', '.join(map(quote_string, shown_names(key)))})"


def done_query(key: EntityKey, statement: Statement) -> str | None:
    """A query that gives 1 once `statement`, which is about `key`, has taken effect; None for what none tells."""
    match statement:
        case Drop() | DropPolicy():
            return missing(key)
        case Move():
            return stored_in(key, statement.storage)
    if isinstance(statement, _CREATES):
        return None if statement.or_replace else exists(key)
    if isinstance(statement, _ALTERS) and statement.rename_to:
        name = statement.names[0]
        new = replace(name, short=statement.rename_to) if isinstance(name, PolicyName) else statement.rename_to
        return exists(EntityKey(key.kind, new))
    return None
