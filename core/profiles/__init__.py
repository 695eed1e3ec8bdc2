"""Profiles: saved ways to reach one ClickHouse, kept as TOML."""

from core.profiles.file import ProfileFile, load
from core.profiles.model import (
    BUILT_IN,
    CloudSettings,
    DataLens,
    LakehouseSettings,
    Preferences,
    Problem,
    Profile,
    built_in,
)

__all__ = [
    "BUILT_IN",
    "CloudSettings",
    "DataLens",
    "LakehouseSettings",
    "Preferences",
    "Problem",
    "Profile",
    "ProfileFile",
    "built_in",
    "load",
]
