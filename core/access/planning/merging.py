"""What a plan that is not exact aims at: all that is desired, and all that is there beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.access.access_model import AccessModel, Holder
from core.access.difference_fields import Entity
from core.access.difference_rights import Rights, folded, rights_statements, united
from core.access.model import Grant, Revoke, Role, SettingElement, User
from core.access.planning.name_sets import names_united
from core.access.policies import MaskingPolicy, RowPolicy
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile


def at_least(current: AccessModel, desired: AccessModel) -> AccessModel:
    """`desired` with what only `current` has: entities, rights, roles, settings, intervals and names in a TO.

    What has one value only (hosts, a condition, default roles ...) is as it is desired.
    """
    return AccessModel(
        users=_merged(current.users, desired.users),
        roles=_merged(current.roles, desired.roles),
        rights=_rights(current, desired),
        granted_roles=_roles(current, desired),
        quotas=_merged(current.quotas, desired.quotas),
        settings_profiles=_merged(current.settings_profiles, desired.settings_profiles),
        row_policies=_merged(current.row_policies, desired.row_policies),
        masking_policies=_merged(current.masking_policies, desired.masking_policies),
        storages={**current.storages, **desired.storages},
        origins={**current.origins, **desired.origins},
    )


def _merged(current: Mapping[Any, Any], desired: Mapping[Any, Any]) -> dict[Any, Any]:
    return {**current, **{name: _entity(current.get(name), entity) for name, entity in desired.items()}}


def _entity(current: Entity | None, desired: Entity) -> Entity:
    if current is None or current == desired:
        return desired if current is None else current
    match current, desired:
        case User(), User():
            return replace(desired, settings=_settings(current.settings, desired.settings))
        case Role(), Role():
            return replace(desired, settings=_settings(current.settings, desired.settings))
        case SettingsProfile(), SettingsProfile():
            settings = _settings(current.settings, desired.settings)
            return replace(desired, settings=settings, to=names_united(current.to, desired.to))
        case Quota(), Quota():
            lengths = {interval.seconds for interval in desired.intervals}
            kept = tuple(interval for interval in current.intervals if interval.seconds not in lengths)
            return replace(desired, intervals=(*kept, *desired.intervals), to=names_united(current.to, desired.to))
        case RowPolicy(), RowPolicy():
            return replace(desired, to=names_united(current.to, desired.to))
        case MaskingPolicy(), MaskingPolicy():
            return replace(desired, to=names_united(current.to, desired.to))
    raise ValueError("entities of different kinds")


def _settings(current: tuple[SettingElement, ...], desired: tuple[SettingElement, ...]) -> tuple[SettingElement, ...]:
    named = {(element.name, element.profile) for element in desired}
    kept = (element for element in current if (element.name, element.profile) not in named)
    elements = (*kept, *desired)
    return (*(e for e in elements if e.profile), *(e for e in elements if not e.profile))


def _rights(current: AccessModel, desired: AccessModel) -> dict[Holder, tuple[Grant | Revoke, ...]]:
    rights = dict(current.rights)
    for holder, wanted in desired.rights.items():
        held = rights.get(holder, ())
        if not held:
            rights[holder] = wanted
        elif wanted and held != wanted:
            both = united(folded(held), folded(wanted))
            rights[holder] = tuple(rights_statements(Rights(), both, holder.name))
    return rights


def _roles(current: AccessModel, desired: AccessModel) -> dict[Holder, dict[str, bool]]:
    roles = {holder: dict(granted) for holder, granted in current.granted_roles.items()}
    for holder, wanted in desired.granted_roles.items():
        granted = roles.setdefault(holder, {})
        for role, admin in wanted.items():
            granted[role] = granted.get(role, False) or admin
    return roles
