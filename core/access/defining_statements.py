"""Which entities a statement defines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.access.access_model import EntityKey
from core.access.model import AlterRole, AlterUser, CreateRole, CreateUser, EntityKind, Statement
from core.access.policies import AlterMaskingPolicy, AlterRowPolicy, CreateMaskingPolicy, CreateRowPolicy
from core.access.quotas import AlterQuota, CreateQuota
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile

_Creating = CreateUser | CreateRole | CreateQuota | CreateSettingsProfile | CreateRowPolicy | CreateMaskingPolicy
_Altering = AlterUser | AlterRole | AlterQuota | AlterSettingsProfile | AlterRowPolicy | AlterMaskingPolicy
_KINDS: Final[Mapping[type, EntityKind]] = {
    CreateUser: EntityKind.USER,
    AlterUser: EntityKind.USER,
    CreateRole: EntityKind.ROLE,
    AlterRole: EntityKind.ROLE,
    CreateQuota: EntityKind.QUOTA,
    AlterQuota: EntityKind.QUOTA,
    CreateSettingsProfile: EntityKind.SETTINGS_PROFILE,
    AlterSettingsProfile: EntityKind.SETTINGS_PROFILE,
    CreateRowPolicy: EntityKind.ROW_POLICY,
    AlterRowPolicy: EntityKind.ROW_POLICY,
    CreateMaskingPolicy: EntityKind.MASKING_POLICY,
    AlterMaskingPolicy: EntityKind.MASKING_POLICY,
}


def created_by(statement: Statement) -> tuple[EntityKey, ...]:
    """The entities that a CREATE makes; none for any other statement."""
    if not isinstance(statement, _Creating):
        return ()
    return tuple(EntityKey(_KINDS[type(statement)], name) for name in statement.names)


def defined_by(statement: Statement) -> tuple[EntityKey, ...]:
    """The entities that a CREATE or an ALTER says something of; none for any other statement."""
    if not isinstance(statement, _Creating | _Altering):
        return ()
    return tuple(EntityKey(_KINDS[type(statement)], name) for name in statement.names)
