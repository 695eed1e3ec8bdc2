"""Whether changes are refused: one rule for what is behind a profile, and one for the profiles themselves."""

from __future__ import annotations

from core.profiles import Preferences, Profile
from core.running.report import ReadOnly


def resolve_read_only(flag: bool | None, profile: Profile, preferences: Preferences) -> ReadOnly:
    """For what is behind a profile. By precedence: the flag of this run, then the profile, then the preferences."""
    if flag is None and profile.read_only is not None:
        return ReadOnly(profile.read_only, f"profile {profile.name}: read_only = {str(profile.read_only).lower()}")
    return resolve_configuration_read_only(flag, preferences)


def resolve_configuration_read_only(flag: bool | None, preferences: Preferences) -> ReadOnly:
    """For the profiles themselves: what one of them says of its ClickHouse has no say in it."""
    if flag is not None:
        return ReadOnly(flag, "--read-only" if flag else "--write")
    return ReadOnly(preferences.read_only, "the preferences: read_only = true" if preferences.read_only else "")
