"""What statements about quotas, settings profiles and policies do to an access state, checked as ClickHouse checks.

Settings profiles may inherit from one another in a circle: ClickHouse takes that, and each of them counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.access.model import NOBODY, EntityKind, NameSet, SettingElement
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota
from core.access.redefining import (
    altered_masking_policy,
    altered_profile,
    altered_quota,
    altered_row_policy,
    new_masking_policy,
    new_profile,
    new_quota,
    new_row_policy,
)
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access.state_entities import Entities
from core.access.state_users import check_change
from core.access.xml.settings_profiles import normalised

_QUOTA = EntityKind.QUOTA
_PROFILE = EntityKind.SETTINGS_PROFILE
_ROW_POLICY = EntityKind.ROW_POLICY
_MASKING_POLICY = EntityKind.MASKING_POLICY


def create_quota(state: Entities, statement: CreateQuota) -> None:
    """CREATE QUOTA."""
    statement = replace(statement, to=state.known_set(statement.to))
    for name in state.to_create(_QUOTA, statement):
        state.quotas.pop(name, None)
        state.quotas[name] = new_quota(statement, name)


def alter_quota(state: Entities, statement: AlterQuota) -> None:
    """ALTER QUOTA."""
    state.check_storage(_QUOTA, statement.names, statement.storage)
    statement = replace(statement, to=state.known_set(statement.to))
    names = state.existing(_QUOTA, statement.names, skip=statement.if_exists)
    state.check_rename(_QUOTA, statement.names, statement.rename_to)
    for name in names:
        new = statement.rename_to or name
        state.quotas[new] = replace(altered_quota(state.quotas.pop(name), statement), name=new)


def create_profile(state: Entities, statement: CreateSettingsProfile) -> None:
    """CREATE SETTINGS PROFILE."""
    state.check_profiles(statement.settings)
    statement = replace(statement, settings=_normal(statement.settings), to=state.known_set(statement.to))
    for name in state.to_create(_PROFILE, statement):
        if name in state.settings_profiles:  # OR REPLACE: a new one, from which nothing inherits
            forget_limit(state, _PROFILE, name)
        state.settings_profiles[name] = new_profile(statement, name)


def alter_profile(state: Entities, statement: AlterSettingsProfile) -> None:
    """ALTER SETTINGS PROFILE."""
    state.check_storage(_PROFILE, statement.names, statement.storage)
    check_change(state, statement.settings)
    statement = replace(statement, to=state.known_set(statement.to))
    names = state.existing(_PROFILE, statement.names, skip=statement.if_exists)
    state.check_rename(_PROFILE, statement.names, statement.rename_to)
    for name in names:
        profile = altered_profile(state.settings_profiles.pop(name), statement)
        new = statement.rename_to or name
        state.settings_profiles[new] = replace(profile, name=new, settings=_normal(profile.settings))
        if new != name:
            state.rewrite_profiles(name, new)


def _normal(settings: Iterable[SettingElement]) -> tuple[SettingElement, ...]:
    """Settings in the order in which ClickHouse keeps those of a profile."""
    return tuple(normalised(list(settings)))


def create_row_policy(state: Entities, statement: CreateRowPolicy) -> None:
    """CREATE ROW POLICY."""
    statement = replace(statement, to=state.known_set(statement.to))
    for name in state.to_create(_ROW_POLICY, statement):
        state.row_policies.pop(name, None)
        state.row_policies[name] = new_row_policy(statement, name)


def alter_row_policy(state: Entities, statement: AlterRowPolicy) -> None:
    """ALTER ROW POLICY."""
    state.check_storage(_ROW_POLICY, statement.names, statement.storage)
    statement = replace(statement, to=state.known_set(statement.to))
    names = state.existing(_ROW_POLICY, statement.names, skip=statement.if_exists)
    _check_policy_rename(state, _ROW_POLICY, statement.names, statement.rename_to)
    for name in names:
        new = _renamed(name, statement.rename_to)
        state.row_policies[new] = replace(altered_row_policy(state.row_policies.pop(name), statement), name=new)


def create_masking_policy(state: Entities, statement: CreateMaskingPolicy) -> None:
    """CREATE MASKING POLICY."""
    statement = replace(statement, to=_given(state.known_set(statement.to)))
    for name in state.to_create(_MASKING_POLICY, statement):
        state.masking_policies.pop(name, None)
        state.masking_policies[name] = new_masking_policy(statement, name)


def alter_masking_policy(state: Entities, statement: AlterMaskingPolicy) -> None:
    """ALTER MASKING POLICY."""
    state.check_storage(_MASKING_POLICY, statement.names, statement.storage)
    statement = replace(statement, to=state.known_set(statement.to))
    names = state.existing(_MASKING_POLICY, statement.names, skip=statement.if_exists)
    _check_policy_rename(state, _MASKING_POLICY, statement.names, statement.rename_to)
    for name in names:
        new = _renamed(name, statement.rename_to)
        policy = altered_masking_policy(state.masking_policies.pop(name), statement)
        state.masking_policies[new] = replace(policy, name=new)


def forget_limit(state: Entities, kind: EntityKind, name: str | PolicyName) -> None:
    """Take out a quota, settings profile or policy, and out of everything that names it."""
    del state.of_kind(kind)[name]
    if kind is _PROFILE and isinstance(name, str):
        state.rewrite_profiles(name, "")


def _check_policy_rename(state: Entities, kind: EntityKind, names: tuple[PolicyName, ...], new: str) -> None:
    if new:
        state.check_rename(kind, names, _renamed(names[0], new))


def _renamed(name: PolicyName, new: str) -> PolicyName:
    return replace(name, short=new) if new else name


def _given(names: NameSet | None) -> NameSet:
    return NOBODY if names is None else names
