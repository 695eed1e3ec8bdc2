"""The statements that build an access model from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.access.access_model import AccessModel, Holder
from core.access.model import (
    EVERYONE,
    NOBODY,
    AlterUser,
    CreateRole,
    EntityKind,
    Grant,
    Statement,
)
from core.access.redefining import (
    masking_policy_definition,
    profile_definition,
    quota_definition,
    row_policy_definition,
)
from core.access.settings_profiles import AlterSettingsProfile, SettingsProfile
from core.access.user_changes import definition


def statements_of(model: AccessModel) -> list[Statement]:
    """The statements that build `model` from nothing, in an order in which every name is known when it is used."""
    profiles = _parents_first(model.settings_profiles)
    built: list[Statement] = [profile_definition(replace(profile, to=NOBODY)) for profile in profiles]
    built += [CreateRole((name,), settings=role.settings) for name, role in model.roles.items()]
    built += [replace(definition(user), default_roles=None, grantees=None, roles=()) for user in model.users.values()]
    for kind, names in ((EntityKind.ROLE, list(model.roles)), (EntityKind.USER, list(model.users))):
        for name in names:
            built += model.rights.get(Holder(kind, name), ())
            built += _role_grants(name, model.granted_roles.get(Holder(kind, name), {}))
    for user in model.users.values():
        roles = None if user.default_roles == EVERYONE else user.default_roles
        grantees = None if user.grantees == EVERYONE else user.grantees
        if roles is not None or grantees is not None:
            built.append(AlterUser((user.name,), default_roles=roles, grantees=grantees))
    built += [AlterSettingsProfile((one.name,), to=one.to) for one in profiles if one.to != NOBODY]
    built += map(quota_definition, model.quotas.values())
    built += map(row_policy_definition, model.row_policies.values())
    built += map(masking_policy_definition, model.masking_policies.values())
    return built


def _role_grants(holder: str, roles: Mapping[str, bool]) -> list[Statement]:
    found: list[Statement] = []
    for admin in (False, True):
        if names := tuple(sorted(role for role, with_admin in roles.items() if with_admin is admin)):
            found.append(Grant(roles=names, grantees=(holder,), admin_option=admin))
    return found


def _parents_first(profiles: Mapping[str, SettingsProfile]) -> list[SettingsProfile]:
    """The profiles, each behind those it inherits from; a circle, which ClickHouse refuses, is cut somewhere."""
    ordered: dict[str, SettingsProfile] = {}
    seen: set[str] = set()
    for first in profiles:
        waiting = [(first, False)]
        while waiting:
            name, parents_known = waiting.pop()
            if parents_known:
                ordered[name] = profiles[name]
            elif name in profiles and name not in seen:
                seen.add(name)
                parents = [element.profile for element in profiles[name].settings if element.profile]
                waiting += [(name, True), *((parent, False) for parent in reversed(parents))]
    return list(ordered.values())
