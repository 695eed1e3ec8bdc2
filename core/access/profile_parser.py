"""Reads CREATE and ALTER of settings profiles.

Source: https://clickhouse.com/docs/sql-reference/statements/create/settings-profile.
"""

from __future__ import annotations

from core.access.clauses import Clauses, create_options
from core.access.cursor import Cursor
from core.access.settings_parser import between_changes, merge_changes, parse_settings, parse_settings_change
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile


def parse_create_profile(cursor: Cursor) -> CreateSettingsProfile:
    """The rest of a CREATE SETTINGS PROFILE."""
    clauses = Clauses(cursor, **create_options(cursor))
    clauses["names"] = _names(cursor)
    while not clauses.to():
        if (settings := parse_settings(cursor, inherit=True)) is not None:
            clauses["settings"] = clauses.get("settings", ()) + settings
        elif not clauses.place():
            break
    clauses.cluster_behind_to()
    return CreateSettingsProfile(**clauses)


def parse_alter_profile(cursor: Cursor) -> AlterSettingsProfile:
    """The rest of an ALTER SETTINGS PROFILE."""
    clauses = Clauses(cursor, if_exists=cursor.words("IF EXISTS"))
    clauses["names"] = _names(cursor)
    while not clauses.to():
        if (change := parse_settings_change(cursor, inherit=True)) is not None:
            clauses["settings"] = merge_changes(clauses.get("settings"), change)
            between_changes(cursor)
        elif not clauses.renaming() and not clauses.place():
            break
    clauses.cluster_behind_to()
    clauses.need_change()
    return AlterSettingsProfile(**clauses)


def _names(cursor: Cursor) -> tuple[str, ...]:
    return cursor.listed(lambda: cursor.name("the name of a settings profile"))
