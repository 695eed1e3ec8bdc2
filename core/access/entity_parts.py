"""What the definitions of several kinds of access entities are made of: kinds, sets of users and roles, settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntityKind(StrEnum):
    """The kinds of access entities, by the word they have in SQL."""

    USER = "USER"
    ROLE = "ROLE"
    QUOTA = "QUOTA"
    SETTINGS_PROFILE = "SETTINGS PROFILE"
    ROW_POLICY = "ROW POLICY"
    MASKING_POLICY = "MASKING POLICY"


@dataclass(frozen=True, slots=True)
class NameSet:
    """Users or roles as a set: the named ones, or everyone (`ALL`, `ANY`) but the excepted. All empty is NONE."""

    names: tuple[str, ...] = ()
    everyone: bool = False
    excepted: tuple[str, ...] = ()
    current_user: bool = False


EVERYONE = NameSet(everyone=True)
NOBODY = NameSet()


@dataclass(frozen=True, slots=True)
class SettingElement:
    """One element of SETTINGS: a setting with its value and limits as SQL literals (None: not given), or a profile."""

    name: str = ""
    value: str | None = None
    min: str | None = None
    max: str | None = None
    writability: str = ""  # "", "WRITABLE", "CONST" or "CHANGEABLE_IN_READONLY"
    profile: str = ""


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What an ALTER does to SETTINGS, in the order in which ClickHouse does it."""

    drop_all_settings: bool = False
    drop_all_profiles: bool = False
    drop_settings: tuple[str, ...] = ()
    drop_profiles: tuple[str, ...] = ()
    add: tuple[SettingElement, ...] = ()
    modify: tuple[SettingElement, ...] = ()
