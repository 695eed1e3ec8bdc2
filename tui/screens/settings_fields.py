"""The fields for the settings of a user or a role, in its forms, and what is made of what was typed there."""

from __future__ import annotations

from collections.abc import Iterable

from core.access.access_model import AccessModel
from core.access.model import SettingElement
from core.access.render_parts import setting_element
from core.display import one_line
from core.errors import NotFoundError
from tui.screens.access_words import identifiers
from tui.screens.grant_choosing import names_choice
from tui.screens.grant_forms import names_hint, read_names, wrong
from tui.screens.settings_profile_forms import read_settings
from tui.widgets.fields import Field, Values

Settings = tuple[SettingElement, ...]


def profile_field(model: AccessModel, settings: Settings) -> Field:
    """The settings profiles among settings."""
    names = sorted(model.settings_profiles)
    return Field(
        "profile",
        "Profile",
        identifiers(_profiles(settings)),
        check=lambda text: wrong(_known, text, model),
        hint=names_hint(names, "settings profile"),
        choose=names_choice(names, "a settings profile"),
    )


def settings_field(settings: Settings) -> Field:
    """The settings themselves, with their constraints."""
    return Field(
        "settings",
        "Settings",
        "\n".join(map(setting_element, own_settings(settings))),
        kind="lines",
        height=3,
        check=lambda text: wrong(read_settings, text),
        hint="One per line: max_threads = 4 MIN 1 MAX 8 CONST (or WRITABLE, CHANGEABLE_IN_READONLY)",
    )


def typed_settings(before: Settings, values: Values, model: AccessModel) -> Settings:
    """Settings with what was typed in the place of what there was; what was left alone stays in its order.

    Raises NotFoundError for a profile that is not there, and BadInputError.
    """
    profiles, own = _known(values["profile"], model), read_settings(values["settings"])
    if profiles == _profiles(before) and own == own_settings(before):
        return before
    return (*(SettingElement(profile=name) for name in profiles), *own)


def own_settings(settings: Iterable[SettingElement]) -> Settings:
    """Settings without the settings profiles among them."""
    return tuple(element for element in settings if not element.profile)


def _profiles(settings: Settings) -> tuple[str, ...]:
    return tuple(element.profile for element in settings if element.profile)


def _known(text: str, model: AccessModel) -> tuple[str, ...]:
    names = read_names(text)
    for name in names:
        if name not in model.settings_profiles:
            raise NotFoundError(f"There is no settings profile {one_line(name, 60)}.")
    return names
