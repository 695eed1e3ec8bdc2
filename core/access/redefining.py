"""What CREATE and ALTER make of quotas, settings profiles and policies, and the CREATE that defines each of them.

Pure functions from an entity and a statement to an entity, as `user_changes` has them for users.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.access.model import NOBODY
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    MaskingPolicy,
    PolicyName,
    RowPolicy,
)
from core.access.quotas import AlterQuota, CreateQuota, Quota, QuotaInterval, QuotaKey
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile
from core.access.user_changes import changed_settings


def new_quota(statement: CreateQuota, name: str) -> Quota:
    """The quota that a CREATE QUOTA makes of one of its names."""
    return Quota(
        name,
        QuotaKey.NONE if statement.key is None else statement.key,
        _intervals((), statement.intervals),
        NOBODY if statement.to is None else statement.to,
        statement.ipv4_prefix_bits,
        statement.ipv6_prefix_bits,
    )


def altered_quota(quota: Quota, statement: AlterQuota) -> Quota:
    """The quota that an ALTER QUOTA makes of `quota`, all but its name."""
    return replace(
        quota,
        key=quota.key if statement.key is None else statement.key,
        intervals=_intervals(quota.intervals, statement.intervals),
        to=quota.to if statement.to is None else statement.to,
        ipv4_prefix_bits=_given(statement.ipv4_prefix_bits, quota.ipv4_prefix_bits),
        ipv6_prefix_bits=_given(statement.ipv6_prefix_bits, quota.ipv6_prefix_bits),
    )


def _intervals(old: Iterable[QuotaInterval], new: Iterable[QuotaInterval]) -> tuple[QuotaInterval, ...]:
    """One interval per length, in the order in which the lengths were first given; the last one given counts."""
    by_length = {interval.seconds: interval for interval in (*old, *new)}
    return tuple(interval for interval in by_length.values() if not interval.removed)


def _given(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


def quota_definition(quota: Quota) -> CreateQuota:
    """The CREATE QUOTA that defines `quota`."""
    return CreateQuota(
        (quota.name,),
        key=None if quota.key is QuotaKey.NONE else quota.key,
        intervals=quota.intervals,
        to=None if quota.to == NOBODY else quota.to,
        ipv4_prefix_bits=quota.ipv4_prefix_bits,
        ipv6_prefix_bits=quota.ipv6_prefix_bits,
    )


def new_profile(statement: CreateSettingsProfile, name: str) -> SettingsProfile:
    """The settings profile that a CREATE SETTINGS PROFILE makes of one of its names."""
    return SettingsProfile(name, statement.settings, NOBODY if statement.to is None else statement.to)


def altered_profile(profile: SettingsProfile, statement: AlterSettingsProfile) -> SettingsProfile:
    """The settings profile that an ALTER SETTINGS PROFILE makes of `profile`, all but its name."""
    settings = profile.settings
    if statement.settings is not None:
        settings = changed_settings(settings, statement.settings)
    return replace(profile, settings=settings, to=profile.to if statement.to is None else statement.to)


def profile_definition(profile: SettingsProfile) -> CreateSettingsProfile:
    """The CREATE SETTINGS PROFILE that defines `profile`."""
    to = None if profile.to == NOBODY else profile.to
    return CreateSettingsProfile((profile.name,), settings=profile.settings, to=to)


def new_row_policy(statement: CreateRowPolicy, name: PolicyName) -> RowPolicy:
    """The row policy that a CREATE ROW POLICY makes of one of its names."""
    return RowPolicy(
        name, statement.condition, bool(statement.restrictive), NOBODY if statement.to is None else statement.to
    )


def altered_row_policy(policy: RowPolicy, statement: AlterRowPolicy) -> RowPolicy:
    """The row policy that an ALTER ROW POLICY makes of `policy`, all but its name."""
    return replace(
        policy,
        condition=statement.condition if statement.using else policy.condition,
        restrictive=policy.restrictive if statement.restrictive is None else statement.restrictive,
        to=policy.to if statement.to is None else statement.to,
    )


def row_policy_definition(policy: RowPolicy) -> CreateRowPolicy:
    """The CREATE ROW POLICY that defines `policy`."""
    return CreateRowPolicy(
        (policy.name,),
        using=policy.condition is not None,
        condition=policy.condition,
        restrictive=True if policy.restrictive else None,
        to=None if policy.to == NOBODY else policy.to,
    )


def new_masking_policy(statement: CreateMaskingPolicy, name: PolicyName) -> MaskingPolicy:
    """The masking policy that a CREATE MASKING POLICY makes of one of its names."""
    return MaskingPolicy(name, statement.updates, statement.condition, statement.priority or 0, statement.to)


def altered_masking_policy(policy: MaskingPolicy, statement: AlterMaskingPolicy) -> MaskingPolicy:
    """The masking policy that an ALTER MASKING POLICY makes of `policy`, all but its name."""
    return replace(
        policy,
        updates=statement.updates or policy.updates,
        condition=statement.condition or policy.condition,
        priority=policy.priority if statement.priority is None else statement.priority,
        to=policy.to if statement.to is None else statement.to,
    )


def masking_policy_definition(policy: MaskingPolicy) -> CreateMaskingPolicy:
    """The CREATE MASKING POLICY that defines `policy`."""
    return CreateMaskingPolicy(
        (policy.name,),
        policy.updates,
        condition=policy.condition,
        priority=policy.priority or None,
        to=policy.to,
    )
