"""What somebody loses by a change of an entity, in a sentence; nothing when it only adds."""

from __future__ import annotations

from core.access.access_model import AccessModel, EntityKey
from core.access.difference_fields import HOST, SETTINGS, TO, Entity, fields, hosts_meaning
from core.access.model import EntityKind, Hosts, NameSet, Role, User
from core.access.planning.name_sets import covers
from core.access.planning.plan import who
from core.access.policies import MaskingPolicy, RowPolicy
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile


def created_loss(current: AccessModel, new: Entity) -> str:
    """For a new entity: a limit on somebody who is there already."""
    if isinstance(new, User | Role | SettingsProfile) or not _reaches(current, new.to):
        return ""
    return _limits(new)


def _reaches(current: AccessModel, to: NameSet) -> bool:
    """Whether it holds for somebody who is there already."""
    return to.everyone or any(name in current.users or name in current.roles for name in to.names)


def _limits(new: Quota | RowPolicy | MaskingPolicy) -> str:
    whom = "all" if new.to.everyone else ", ".join(new.to.names)
    match new:
        case Quota():
            limited = any(interval.limits for interval in new.intervals)
            return f"Quota {new.name} limits what {whom} may use." if limited else ""
        case RowPolicy():
            return f"Row policy {new.name.short} decides which rows {whom} see."
        case MaskingPolicy():
            return f"Masking policy {new.name.short} alters what {whom} see."


def gained_settings(current: AccessModel, before: NameSet, after: SettingsProfile) -> str:
    """For the TO of a settings profile: somebody who is there already comes to have its settings."""
    if not after.settings:
        return ""
    if after.to.everyone and not covers(before, after.to):
        return "Other settings hold for all." if current.users or current.roles else ""
    there = {*current.users, *current.roles} - set(after.to.excepted)
    gained = [name for name in after.to.names if name in there and not covers(before, NameSet((name,)))]
    return f"Other settings hold for {', '.join(gained)}." if gained else ""


def altered_loss(key: EntityKey, before: Entity, after: Entity, changed: list[str]) -> str:
    """For an altered entity."""
    if (
        isinstance(before, User)
        and isinstance(after, User)
        and HOST in changed
        and _narrower(before.hosts, after.hosts)
    ):
        return f"{who(key)} can come from fewer places: {fields(after)[HOST].text}."
    if SETTINGS in changed and not _only_loosened(before, after):
        return f"Other settings hold for {_for_whom(key)}."
    if changed == [TO] and not isinstance(before, User | Role) and not isinstance(after, User | Role):
        loses = not covers(after.to, before.to) and isinstance(before, SettingsProfile)
        gains = not covers(before.to, after.to) and not isinstance(before, SettingsProfile)
        return f"{who(key)} holds for others than before." if loses or gains else ""
    if key.kind in (EntityKind.QUOTA, EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY):
        return f"{who(key)} is another one for all whom it holds for."
    return ""


def _for_whom(key: EntityKey) -> str:
    if key.kind is EntityKind.SETTINGS_PROFILE:
        return f"all who have the settings profile {key.name}"
    return f"all who have the role {key.name}" if key.kind is EntityKind.ROLE else f"the user {key.name}"


def _narrower(before: Hosts, after: Hosts) -> bool:
    old, new = hosts_meaning(before), hosts_meaning(after)
    if new.any:
        return False
    if old.any or (old.local and not new.local):
        return True
    pairs = ((old.addresses, new.addresses), (old.names, new.names), (old.patterns, new.patterns))
    return any(not set(some) <= set(more) for some, more in (*pairs, (old.likes, new.likes)))


def _only_loosened(before: Entity, after: Entity) -> bool:
    """Whether settings are only taken away."""
    if not isinstance(before, User | Role | SettingsProfile) or not isinstance(after, User | Role | SettingsProfile):
        return False
    return set(after.settings) <= set(before.settings)


def dropped_loss(key: EntityKey) -> str:
    """For a dropped entity."""
    match key.kind:
        case EntityKind.USER:
            return f"User {key.name} can no longer connect, and its rights are gone."
        case EntityKind.ROLE:
            return f"Role {key.name} and its rights are gone for all who have it."
        case EntityKind.QUOTA:
            return f"Quota {key.name} no longer limits anybody."
        case EntityKind.SETTINGS_PROFILE:
            return f"The settings of profile {key.name} hold for nobody any more."
        case EntityKind.ROW_POLICY:
            return f"{who(key)} no longer decides who sees which rows: rows that it hid may be seen."
        case EntityKind.MASKING_POLICY:
            return f"{who(key)} no longer masks anything."
