"""Effective settings: the value and the limits that hold for a user at login, each with where it comes from.

ClickHouse puts together, the later winning: the server's default profile, profiles whose TO meets the user or its
active roles, the settings of these roles, the user's own. In each, profiles come before settings, a profile's parents
before itself, and of a profile that comes more than once only the last counts. Source: `SettingsProfilesCache.cpp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.roles import HeldRole, Via, applying
from core.access.model import EntityKind, Role, SettingElement, User
from core.access.settings_values import plain_value

DEFAULT_PROFILE = "default"
CONST = "CONST"
USERS_XML = "users_xml"  # the storage of what users.xml defines


class Layer(IntEnum):
    """What gives a setting, the later winning."""

    DEFAULT_PROFILE = 0
    PROFILE_TO = 1
    ROLE = 2
    OWN = 3


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """Where a setting stands: the entities from the one that holds for the user to the one it is written in.

    `via` is the user or the role by which the first of them holds.
    """

    layer: Layer
    path: tuple[EntityKey, ...]
    via: Via


@dataclass(frozen=True, slots=True)
class Given:
    """A value or a limit of a setting, as text, and its origin."""

    value: str
    origin: SettingOrigin


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A setting at login. `given` is None if it has only limits; `overridden` are the values that lost, last first.

    `writability` is None where nothing narrows it. `uncertain`: two roles, or two profiles by their TO, give different
    values, and ClickHouse goes by their ids.
    """

    name: str
    given: Given | None = None
    min: Given | None = None
    max: Given | None = None
    writability: Given | None = None
    overridden: tuple[Given, ...] = ()
    uncertain: bool = False

    @property
    def value(self) -> str | None:
        return None if self.given is None else self.given.value


@dataclass(frozen=True, slots=True)
class _Placed:
    element: SettingElement
    origin: SettingOrigin


def effective_settings(
    model: AccessModel, who: Holder, roles: Sequence[HeldRole], default_profile: str = DEFAULT_PROFILE
) -> tuple[EffectiveSetting, ...]:
    """The settings of a user (or role) with these roles, by name."""
    merged = _merged(model, who, roles, default_profile)
    found = _settings(_substituted(merged, model))
    # Every session starts from the default profile, and there a CONST is no longer lifted.
    for name, setting in _settings(_substituted(merged[:1], model)).items():
        if _is_const(setting) and not _is_const(found[name]):
            found[name] = replace(found[name], writability=setting.writability)
    return tuple(found[name] for name in sorted(found))


def settings_in_profile(model: AccessModel, name: str) -> tuple[EffectiveSetting, ...]:
    """What a settings profile gives by itself: its own settings and those it inherits, by name, folded together."""
    via = Via(Holder(EntityKind.SETTINGS_PROFILE, name), (), active=True)
    placed = _Placed(SettingElement(profile=name), SettingOrigin(Layer.OWN, (), via))
    found = _settings(_substituted([placed], model))
    return tuple(found[each] for each in sorted(found))


def _is_const(setting: EffectiveSetting) -> bool:
    return setting.writability is not None and setting.writability.value == CONST


def _settings(placed: Iterable[_Placed]) -> dict[str, EffectiveSetting]:
    by_name: dict[str, list[_Placed]] = {}
    for each in placed:
        by_name.setdefault(each.element.name, []).append(each)
    return {name: _setting(name, given) for name, given in by_name.items()}


def _merged(model: AccessModel, who: Holder, roles: Sequence[HeldRole], default_profile: str) -> list[_Placed]:
    """Everything that holds for the user, in order, before profiles are replaced by what is in them."""
    active = {role.name: role.path for role in roles if role.active}
    own = Via(who, (), active=True)
    found = [_Placed(SettingElement(profile=default_profile), SettingOrigin(Layer.DEFAULT_PROFILE, (), own))]
    for name in sorted(model.settings_profiles):
        via = applying(model.settings_profiles[name].to, who, active, model)
        if via is not None:
            found.append(_Placed(SettingElement(profile=name), SettingOrigin(Layer.PROFILE_TO, (), via)))
    for name, path in sorted(active.items(), key=lambda item: item[1]):  # a role before those below it
        if name in model.roles:
            via = Via(Holder(EntityKind.ROLE, name), path, active=True)
            origin = SettingOrigin(Layer.ROLE, (EntityKey(EntityKind.ROLE, name),), via)
            found += [_Placed(element, origin) for element in normalized(model.roles[name].settings)]
    entities: Mapping[str, User | Role] = model.users if who.kind is EntityKind.USER else model.roles
    origin = SettingOrigin(Layer.OWN, (EntityKey(who.kind, who.name),), own)
    return found + [_Placed(element, origin) for element in normalized(entities[who.name].settings)]


def normalized(settings: Iterable[SettingElement]) -> tuple[SettingElement, ...]:
    """Settings as ClickHouse keeps them: profiles first, each where it stood last; a setting once, where it was first.

    What is said of a setting later is added to what was said before.
    """
    profiles: dict[str, SettingElement] = {}
    merged: dict[str, SettingElement] = {}
    for element in settings:
        if element.profile:
            profiles.pop(element.profile, None)
            profiles[element.profile] = SettingElement(profile=element.profile)
        if not element.name:
            continue
        earlier = merged.get(element.name, SettingElement(element.name))
        merged[element.name] = replace(
            earlier,
            value=earlier.value if element.value is None else element.value,
            min=earlier.min if element.min is None else element.min,
            max=earlier.max if element.max is None else element.max,
            writability=element.writability or earlier.writability,
        )
    return (*profiles.values(), *merged.values())


def _substituted(placed: list[_Placed], model: AccessModel) -> list[_Placed]:
    """Every profile replaced by its elements, from the end, since of those that come again only the last counts."""
    waiting = list(placed)
    done: set[str] = set()
    found: list[_Placed] = []
    while waiting:
        each = waiting.pop()
        profile = each.element.profile
        if not profile:
            found.append(each)
        elif profile not in done and profile in model.settings_profiles:
            done.add(profile)
            path = (*each.origin.path, EntityKey(EntityKind.SETTINGS_PROFILE, profile))
            origin = replace(each.origin, path=path)
            waiting += [_Placed(element, origin) for element in _elements(profile, model)]
    return found[::-1]


def _elements(profile: str, model: AccessModel) -> tuple[SettingElement, ...]:
    settings = model.settings_profiles[profile].settings
    # Those of users.xml stay in the order of the file.
    key = EntityKey(EntityKind.SETTINGS_PROFILE, profile)
    return settings if model.storages.get(key) == USERS_XML else normalized(settings)


def _setting(name: str, placed: Sequence[_Placed]) -> EffectiveSetting:
    values = [given for each in placed if (given := _given(each.element.value, each.origin))]
    low: Given | None = None
    high: Given | None = None
    writability: Given | None = None
    for each in placed:
        element = each.element
        low = _given(element.min, each.origin) or low
        high = _given(element.max, each.origin) or high
        if element.min is not None or element.max is not None or element.writability:
            # A later limit without a word on it makes a CONST setting writable again.
            writability = Given(element.writability, each.origin) if element.writability else None
    given = values[-1] if values else None
    others = tuple(reversed(values[:-1]))
    return EffectiveSetting(name, given, low, high, writability, others, _is_uncertain(given, others))


def _given(literal: str | None, origin: SettingOrigin) -> Given | None:
    return None if literal is None else Given(plain_value(literal), origin)


def _is_uncertain(given: Given | None, lost: Iterable[Given]) -> bool:
    if given is None or given.origin.layer not in (Layer.PROFILE_TO, Layer.ROLE):
        return False
    return any(
        other.origin.layer is given.origin.layer
        and other.origin.path[:1] != given.origin.path[:1]
        and other.value != given.value
        for other in lost
    )
