"""Statements about the definitions of entities: create, alter, drop and rename, of every kind.

An alteration never replaces an entity, so its grants, its roles and its place in storage stay.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from core.access.access_model import EntityKey
from core.access.difference_fields import (
    AS,
    DEFAULT_DATABASE,
    GRANTEES,
    HOST,
    INTERVALS,
    IPV4_PREFIX_BITS,
    IPV6_PREFIX_BITS,
    KEYED_BY,
    PRIORITY,
    SETTINGS,
    TO,
    UPDATE,
    USING,
    WHERE,
    Entity,
    fields,
    intervals_meaning,
    names_meaning,
)
from core.access.model import (
    EVERYONE,
    NOBODY,
    AlterRole,
    AlterUser,
    CreateRole,
    Drop,
    EntityKind,
    NameSet,
    Role,
    Statement,
    User,
)
from core.access.planning.settings import settings_change
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    MaskingPolicy,
    PolicyName,
    RowPolicy,
)
from core.access.quotas import AlterQuota, CreateQuota, Quota, QuotaInterval
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile
from core.access.user_changes import definition


def created(entity: Entity, storage: str = "") -> Statement:
    """The statement that makes `entity`.

    A user comes without default roles and grantees that are to be set once there is what they name: until then it has
    none, never more than it should have. Nobody is in the TO of a settings profile yet.
    """
    match entity:
        case User():
            roles, grantees = (
                None if names == EVERYONE else NOBODY for names in (entity.default_roles, entity.grantees)
            )
            return replace(definition(entity), storage=storage, default_roles=roles, grantees=grantees)
        case Role():
            return CreateRole((entity.name,), storage=storage, settings=entity.settings)
        case SettingsProfile():
            return CreateSettingsProfile((entity.name,), storage=storage, settings=entity.settings)
        case Quota():
            return CreateQuota(
                (entity.name,),
                storage=storage,
                key=entity.key,
                intervals=tuple(interval for interval in entity.intervals if not interval.removed),
                to=entity.to,
                ipv4_prefix_bits=entity.ipv4_prefix_bits,
                ipv6_prefix_bits=entity.ipv6_prefix_bits,
            )
        case RowPolicy():
            return CreateRowPolicy(
                (entity.name,),
                storage=storage,
                using=True,
                condition=entity.condition,
                restrictive=entity.restrictive,
                to=entity.to,
            )
        case MaskingPolicy():
            return _masking(entity, storage)


def dropped(key: EntityKey, storage: str = "") -> Drop | DropPolicy:
    """The statement that drops an entity."""
    if isinstance(key.name, PolicyName):
        return DropPolicy(key.kind, (key.name,), storage=storage)
    return Drop(key.kind, (key.name,), storage=storage)


def renamed(key: EntityKey, name: str) -> Statement:
    """The statement that gives an entity another name."""
    match key:
        case EntityKey(EntityKind.USER, str(old)):
            return AlterUser((old,), rename_to=name)
        case EntityKey(EntityKind.ROLE, str(old)):
            return AlterRole((old,), rename_to=name)
        case EntityKey(EntityKind.QUOTA, str(old)):
            return AlterQuota((old,), rename_to=name)
        case EntityKey(EntityKind.SETTINGS_PROFILE, str(old)):
            return AlterSettingsProfile((old,), rename_to=name)
        case EntityKey(EntityKind.ROW_POLICY, PolicyName() as policy):
            return AlterRowPolicy((policy,), rename_to=name)
        case EntityKey(EntityKind.MASKING_POLICY, PolicyName() as policy):
            return AlterMaskingPolicy((policy,), rename_to=name)
    raise ValueError(f"no name for a {key.kind.lower()}: {key.name!r}")


def altered(before: Entity, after: Entity, words: Collection[str]) -> Statement | None:
    """The ALTER for those of the fields `words` that differ, or None. Ways to identify a user are not among them."""
    old, new = fields(before), fields(after)
    differing = {word for word in words if word in new and new[word] != old[word]}
    if not differing:
        return None
    match before, after:
        case User(), User():
            return AlterUser(
                (after.name,),
                hosts=after.hosts if HOST in differing else None,
                default_database=after.default_database if DEFAULT_DATABASE in differing else None,
                settings=settings_change(before.settings, after.settings) if SETTINGS in differing else None,
                grantees=names_meaning(after.grantees) if GRANTEES in differing else None,
            )
        case Role(), Role():
            return AlterRole((after.name,), settings=settings_change(before.settings, after.settings))
        case SettingsProfile(), SettingsProfile():
            settings = settings_change(before.settings, after.settings) if SETTINGS in differing else None
            return AlterSettingsProfile((after.name,), settings=settings, to=_names(after.to, differing))
        case Quota(), Quota():
            return AlterQuota(
                (after.name,),
                key=after.key if KEYED_BY in differing else None,
                intervals=_intervals(before, after) if INTERVALS in differing else (),
                to=_names(after.to, differing),
                ipv4_prefix_bits=(after.ipv4_prefix_bits or 32) if IPV4_PREFIX_BITS in differing else None,
                ipv6_prefix_bits=(after.ipv6_prefix_bits or 128) if IPV6_PREFIX_BITS in differing else None,
            )
        case RowPolicy(), RowPolicy():
            return AlterRowPolicy(
                (after.name,),
                using=USING in differing,
                condition=after.condition if USING in differing else None,
                restrictive=after.restrictive if AS in differing else None,
                to=_names(after.to, differing),
            )
        case MaskingPolicy(), MaskingPolicy():
            if before.condition and not after.condition:  # which no ALTER takes away
                return replace(_masking(after), or_replace=True)
            return AlterMaskingPolicy(
                (after.name,),
                updates=after.updates if UPDATE in differing else "",
                condition=after.condition if WHERE in differing else "",
                priority=after.priority if PRIORITY in differing else None,
                to=_names(after.to, differing),
            )
    raise ValueError("entities of different kinds")


ALL_FIELDS = frozenset(
    {
        *(HOST, DEFAULT_DATABASE, SETTINGS, GRANTEES, TO, KEYED_BY, INTERVALS, IPV4_PREFIX_BITS, IPV6_PREFIX_BITS),
        *(USING, AS, UPDATE, WHERE, PRIORITY),
    }
)


def _masking(policy: MaskingPolicy, storage: str = "") -> CreateMaskingPolicy:
    return CreateMaskingPolicy(
        (policy.name,),
        policy.updates,
        storage=storage,
        condition=policy.condition,
        priority=policy.priority,
        to=policy.to,
    )


def _names(to: NameSet, differing: Collection[str]) -> NameSet | None:
    """The whole list: the last TO replaces what was there."""
    return names_meaning(to) if TO in differing else None


def _intervals(before: Quota, after: Quota) -> tuple[QuotaInterval, ...]:
    """The intervals to set, and to remove."""
    old, new = intervals_meaning(before.intervals), intervals_meaning(after.intervals)
    changed = [interval for seconds, interval in sorted(new.items()) if old.get(seconds) != interval]
    gone = [QuotaInterval(seconds, removed=True) for seconds in sorted(old) if seconds not in new]
    return (*changed, *gone)
