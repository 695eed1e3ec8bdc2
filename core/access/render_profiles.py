"""Statements about settings profiles as SQL; ClickHouse writes the name of a profile in back quotes always."""

from __future__ import annotations

from collections.abc import Sequence

from core.access.render_grants import quoted_identifier, string
from core.access.render_parts import alter_head, create_head, settings, settings_change, to, words
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile

_KIND = "SETTINGS PROFILE"


def render_create_profile(statement: CreateSettingsProfile) -> str:
    """A CREATE SETTINGS PROFILE."""
    return words(
        create_head(_KIND, statement, _listed(statement.names)),
        settings(statement.settings, "INHERIT"),
        to(statement.to, created=True),
    )


def render_alter_profile(statement: AlterSettingsProfile) -> str:
    """An ALTER SETTINGS PROFILE."""
    head = alter_head(
        _KIND,
        _listed(statement.names),
        if_exists=statement.if_exists,
        storage=statement.storage,
        cluster=statement.cluster,
    )
    renaming = f"RENAME TO {string(statement.rename_to)}" if statement.rename_to else ""
    return words(head, renaming, settings_change(statement.settings), to(statement.to))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted_identifier, names))
