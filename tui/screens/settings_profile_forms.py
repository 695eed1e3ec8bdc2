"""The forms of the settings profiles screen: settings one per line, what is inherited, and for whom."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey
from core.access.difference_fields import entity
from core.access.entity_options import read_clause
from core.access.model import NOBODY, EntityKind, SettingElement
from core.access.planning.plan import Plan
from core.access.render_parts import setting_element
from core.access.settings_profiles import SettingsProfile
from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError
from tui.screens.access_words import identifiers
from tui.screens.grant_choosing import names_choice
from tui.screens.grant_forms import name_problem, names_hint, read_names, wrong
from tui.screens.limit_forms import Telling, alteration_form, creation_form, found, read_to, subjects_lines, to_field
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.clickhouse.engine import Engine
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Proposal
    from tui.screens.form import Form

KIND = EntityKind.SETTINGS_PROFILE
_OWN_NAMES = ("SQL_", "merge_tree_")  # what settings begin with that system.settings does not list


async def setting_names(engine: Engine) -> frozenset[str]:
    """The settings that the server knows; none when it does not tell."""
    try:
        return frozenset(str(row[0]) for row in (await engine.query("SELECT name FROM system.settings")).rows)
    except HousekeysError:
        return frozenset()


def new_form(
    answering: Answering,
    access: Access,
    storages: Sequence[str],
    known: Collection[str],
    like: EntityKey | None = None,
) -> Form[Proposal]:
    """A new settings profile, with what another one has to begin with, but for nobody yet."""
    start = SettingsProfile("") if like is None else replace(found(access.model, like), name="", to=NOBODY)
    fields = (
        Field("name", "Name", required=True, check=lambda name: name_problem(access, KIND, name)),
        *_fields(access, start),
    )
    heading = "New settings profile" if like is None else f"Clone settings profile {one_line(str(like.name), 60)}"
    return creation_form(
        answering,
        access,
        heading,
        fields,
        lambda values, model: read_profile(values["name"], values, model),
        storages,
        telling=_telling(known),
    )


def edit_form(
    answering: Answering, access: Access, _storages: Sequence[str], known: Collection[str], key: EntityKey
) -> Form[Proposal]:
    """All that a settings profile is."""
    before = found(access.model, key)
    return alteration_form(
        answering,
        access,
        key,
        _fields(access, before),
        lambda values, model: read_profile(before.name, values, model),
        telling=_telling(known),
    )


def _fields(access: Access, profile: SettingsProfile) -> tuple[Field, ...]:
    model = access.model
    written = "\n".join(setting_element(element) for element in profile.settings if not element.profile)
    parents = identifiers(element.profile for element in profile.settings if element.profile)
    others = sorted(name for name in model.settings_profiles if name != profile.name)
    return (
        Field("settings", "Settings", written, kind="lines", check=lambda text: wrong(read_settings, text),
              hint="One per line: max_threads = 4 MIN 1 MAX 8 CONST (or WRITABLE, CHANGEABLE_IN_READONLY)"),
        Field("inherits", "Inherits", parents, check=lambda text: wrong(read_parents, text, profile.name, model),
              hint=names_hint(others, "other settings profile"), choose=names_choice(others, "a settings profile")),
        to_field(access, KIND, profile.to, "nobody has it by TO"),
    )  # fmt: skip


def _telling(known: Collection[str]) -> Telling:
    """For whom a profile then holds, and what in it the server does not know."""

    def telling(plan: Plan, key: EntityKey) -> Sequence[str]:
        profile = entity(plan.target, key)
        unknown = unknown_settings(profile.settings, known) if isinstance(profile, SettingsProfile) else []
        return [*unknown, *subjects_lines(plan, key)]

    return telling


def unknown_settings(settings: Sequence[SettingElement], known: Collection[str]) -> list[str]:
    """The settings that the server does not list, in a sentence each; it may have prefixes of its own."""
    lines = []
    for element in settings:
        if not known or not element.name or element.name in known or element.name.startswith(_OWN_NAMES):
            continue
        near = difflib.get_close_matches(element.name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        lines.append(f"! The server knows no setting {one_line(element.name, 60)}.{hint}")
    return lines


# -- what was typed


def read_profile(name: str, values: Values, model: AccessModel) -> SettingsProfile:
    """The settings profile that was typed. Raises BadInputError that names the field, or the line of a setting."""
    parents = tuple(SettingElement(profile=parent) for parent in read_parents(values["inherits"], name, model))
    return SettingsProfile(name, (*parents, *read_settings(values["settings"])), read_to(KIND, values["to"], model))


def read_settings(text: str) -> tuple[SettingElement, ...]:
    """Settings as ClickHouse writes them, one on a line. Raises BadInputError that names the line."""
    found_on: dict[str, int] = {}
    elements: list[SettingElement] = []
    for number, line in enumerate(text.split("\n"), start=1):
        written = line.strip().removesuffix(",")
        if not written:
            continue
        for element in read_clause(KIND, f"Line {number}", "MODIFY SETTING", written, "settings").settings.modify:
            if element.profile:
                raise BadInputError(f"Line {number} names a profile.", advice="Put it into the field Inherits.")
            if element.name in found_on:
                raise BadInputError(f"Line {number} sets {element.name} again, as line {found_on[element.name]} does.")
            found_on[element.name] = number
            elements.append(element)
    return tuple(elements)


def read_parents(text: str, name: str, model: AccessModel) -> tuple[str, ...]:
    """The profiles that one inherits from. Raises NotFoundError, and BadInputError for a circle."""
    names = read_names(text)
    for parent in names:
        if parent not in model.settings_profiles:
            raise NotFoundError(f"There is no settings profile {one_line(parent, 60)}.")
        if name and (parent == name or name in _ancestors(parent, model)):
            raise BadInputError(
                f"The profile {one_line(parent, 60)} inherits from this one, so it would go in circles."
            )
    return names


def _ancestors(name: str, model: AccessModel) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        profile = model.settings_profiles.get(waiting.pop())
        for element in () if profile is None else profile.settings:
            if element.profile and element.profile not in seen:
                seen.add(element.profile)
                waiting.append(element.profile)
    return seen
