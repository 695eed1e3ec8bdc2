"""Settings profiles: settings with their limits under a name, for users, roles and other profiles.

Source: https://clickhouse.com/docs/sql-reference/statements/create/settings-profile.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.access.entity_parts import NOBODY, NameSet, SettingElement, SettingsChange


@dataclass(frozen=True, slots=True)
class SettingsProfile:
    """A settings profile as it is defined; an element with a `profile` inherits from that one."""

    name: str
    settings: tuple[SettingElement, ...] = ()
    to: NameSet = NOBODY


@dataclass(frozen=True, slots=True)
class CreateSettingsProfile:
    """`CREATE SETTINGS PROFILE`. What is None was not written."""

    names: tuple[str, ...]
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    settings: tuple[SettingElement, ...] = ()
    to: NameSet | None = None


@dataclass(frozen=True, slots=True)
class AlterSettingsProfile:
    """`ALTER SETTINGS PROFILE`. What is None or empty stays as it is."""

    names: tuple[str, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""
    rename_to: str = ""
    settings: SettingsChange | None = None
    to: NameSet | None = None
