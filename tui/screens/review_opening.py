"""Opening the screen of an entity that another screen tells about, with the cursor on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.model_changes import name_text

if TYPE_CHECKING:
    from tui.app import HousekeysApp

_SCREENS: Mapping[EntityKind, str] = {
    EntityKind.USER: "users",
    EntityKind.ROLE: "roles",
    EntityKind.QUOTA: "quotas",
    EntityKind.SETTINGS_PROFILE: "settings-profiles",
    EntityKind.ROW_POLICY: "row-policies",
    EntityKind.MASKING_POLICY: "row-policies",
}


def open_entity(console: HousekeysApp, key: EntityKey) -> None:
    """Go to the screen of such entities, and there to this one."""
    from tui.screens.entity import EntityScreen

    screen_id = _SCREENS[key.kind]
    console.go(screen_id)
    screen = console.get_screen(screen_id)
    if isinstance(screen, EntityScreen):
        screen.seek(name_text(key.name))
