"""Access models with one thing changed: an entity put in, taken out or renamed, everywhere it is named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import Entity, entities
from core.access.model import EntityKind, NameSet, Role, SettingElement, User
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile
from core.errors import BadInputError, NotFoundError

_KEY = TypeVar("_KEY")
_VALUE = TypeVar("_VALUE")
_KINDS: dict[type[Entity], EntityKind] = {
    User: EntityKind.USER,
    Role: EntityKind.ROLE,
    Quota: EntityKind.QUOTA,
    SettingsProfile: EntityKind.SETTINGS_PROFILE,
    RowPolicy: EntityKind.ROW_POLICY,
    MaskingPolicy: EntityKind.MASKING_POLICY,
}
FIELDS = {  # of an AccessModel, by kind
    EntityKind.USER: "users",
    EntityKind.ROLE: "roles",
    EntityKind.QUOTA: "quotas",
    EntityKind.SETTINGS_PROFILE: "settings_profiles",
    EntityKind.ROW_POLICY: "row_policies",
    EntityKind.MASKING_POLICY: "masking_policies",
}


def key_of(entity: Entity) -> EntityKey:
    """The key of an entity."""
    return EntityKey(_KINDS[type(entity)], entity.name)


def name_text(name: str | PolicyName) -> str:
    """The name of an entity for people: that of a policy with its table."""
    if isinstance(name, PolicyName):
        return f"{name.short} ON {name.database}.{'*' if name.table is None else name.table}"
    return name


def with_entity(model: AccessModel, entity: Entity, storage: str = "") -> AccessModel:
    """`model` with `entity` in it, in the place of the one of its name."""
    key = key_of(entity)
    changed = _with(model, key.kind, {**entities(model, key.kind), entity.name: entity})
    return replace(changed, storages={**model.storages, key: storage}) if storage else changed


def only(model: AccessModel, keys: Iterable[EntityKey]) -> AccessModel:
    """Some entities of `model` with their rights and roles; what they name need not be there."""
    kept: dict[str, dict[Any, Any]] = {field: {} for field in FIELDS.values()}
    rights, roles, storages = {}, {}, {}
    for key in keys:
        if key in model.storages:
            storages[key] = model.storages[key]
        kept[FIELDS[key.kind]][key.name] = entities(model, key.kind)[key.name]
        holder = Holder(key.kind, str(key.name))
        if holder in model.rights:
            rights[holder] = model.rights[holder]
        if holder in model.granted_roles:
            roles[holder] = model.granted_roles[holder]
    return AccessModel(**kept, rights=rights, granted_roles=roles, storages=storages)


def without_entities(model: AccessModel, keys: Iterable[EntityKey]) -> AccessModel:
    """`model` without some entities, and without all that names them. Raises NotFoundError when one is not there."""
    gone: dict[EntityKind, set[object]] = {}
    for key in keys:
        if key.name not in entities(model, key.kind):
            raise NotFoundError(f"There is no {key.kind.lower()} {name_text(key.name)}.")
        gone.setdefault(key.kind, set()).add(key.name)
    for kind, names in gone.items():
        model = _with(model, kind, {name: e for name, e in entities(model, kind).items() if name not in names})
    lost = {EntityKey(kind, name) for kind, names in gone.items() for name in names}  # type: ignore[arg-type]
    model = replace(model, storages=_less(model.storages, lost), origins=_less(model.origins, lost))
    holders = {Holder(key.kind, str(key.name)) for key in lost if key.kind in (EntityKind.USER, EntityKind.ROLE)}
    if holders:
        model = replace(model, rights=_less(model.rights, holders), granted_roles=_less(model.granted_roles, holders))
    return without_names(model, lost)


def without_names(model: AccessModel, keys: Collection[EntityKey]) -> AccessModel:
    """`model` with nothing in it that names one of these entities, which are no part of it."""
    profiles = {key.name for key in keys if key.kind is EntityKind.SETTINGS_PROFILE}
    if profiles:
        model = _with_settings(model, lambda element: None if element.profile in profiles else element)
    for kind in (EntityKind.USER, EntityKind.ROLE):
        if names := {str(key.name): "" for key in keys if key.kind is kind}:
            model = _with_holders_named(model, kind, names)
    return model


def with_renamed(model: AccessModel, key: EntityKey, name: str) -> AccessModel:
    """`model` with one entity under another name, everywhere.

    Raises NotFoundError when it is not there, BadInputError when there is one of the new name.
    """
    old = key.name
    new = replace(old, short=name) if isinstance(old, PolicyName) else name
    found = entities(model, key.kind)
    if old not in found:
        raise NotFoundError(f"There is no {key.kind.lower()} {name_text(old)} that could be renamed.")
    if new in found:
        raise BadInputError(
            f"There is a {key.kind.lower()} {name_text(new)} already, so {name_text(old)} cannot be renamed to it."
        )
    fresh = EntityKey(key.kind, new)
    changes: dict[str, Any] = {"name": new}
    renamed = {
        (new if each == old else each): (replace(entity, **changes) if each == old else entity)
        for each, entity in found.items()
    }
    model = replace(
        _with(model, key.kind, renamed),
        storages=_moved(model.storages, key, fresh),
        origins=_moved(model.origins, key, fresh),
    )
    if key.kind is EntityKind.SETTINGS_PROFILE:
        return _with_settings(model, lambda e: replace(e, profile=name) if e.profile == old else e)
    if key.kind in (EntityKind.USER, EntityKind.ROLE):
        before, after = Holder(key.kind, str(old)), Holder(key.kind, name)
        rights = _moved(model.rights, before, after)
        if after in rights:
            rights = {**rights, after: tuple(replace(each, grantees=(name,)) for each in rights[after])}
        model = replace(model, rights=rights, granted_roles=_moved(model.granted_roles, before, after))
        return _with_holders_named(model, key.kind, {str(old): name})
    return model


def _with(model: AccessModel, kind: EntityKind, found: Mapping[Any, Any]) -> AccessModel:
    changes: dict[str, Any] = {FIELDS[kind]: found}
    return replace(model, **changes)


def _with_holders_named(model: AccessModel, kind: EntityKind, names: Mapping[str, str]) -> AccessModel:
    """`model` with the new name (nothing, when it is empty) wherever a user or role was named."""
    if kind is EntityKind.ROLE:
        granted = {
            holder: {names.get(role, role): admin for role, admin in roles.items() if names.get(role, role)}
            if names.keys() & roles.keys()
            else roles
            for holder, roles in model.granted_roles.items()
        }
        users = _each(model.users, "default_roles", lambda found: _renamed(found, names))
        model = replace(model, granted_roles=granted, users=users)
    # A name that still stands for the other of the two kinds stays.
    left = {old: new for old, new in names.items() if old not in model.users and old not in model.roles}
    return _with_every_name_set(model, lambda found: _renamed(found, left)) if left else model


def named_as_well(model: AccessModel, name: str, other: str) -> AccessModel:
    """`model` with the user or role `other` wherever `name` is in a TO or among grantees."""

    def named(names: NameSet) -> NameSet:
        listed = (*names.names, other) if name in names.names else names.names
        excepted = (*names.excepted, other) if name in names.excepted else names.excepted
        return (
            names
            if (listed, excepted) == (names.names, names.excepted)
            else replace(names, names=listed, excepted=excepted)
        )

    return _with_every_name_set(model, named)


def _with_every_name_set(model: AccessModel, named: Callable[[NameSet], NameSet]) -> AccessModel:
    return replace(
        model,
        users=_each(model.users, "grantees", named),
        quotas=_each(model.quotas, "to", named),
        settings_profiles=_each(model.settings_profiles, "to", named),
        row_policies=_each(model.row_policies, "to", named),
        masking_policies=_each(model.masking_policies, "to", named),
    )


def _with_settings(model: AccessModel, change: Callable[[SettingElement], SettingElement | None]) -> AccessModel:
    def changed(elements: tuple[SettingElement, ...]) -> tuple[SettingElement, ...]:
        if not any(element.profile for element in elements):
            return elements
        return tuple(new for element in elements if (new := change(element)) is not None)

    return replace(
        model,
        users=_each(model.users, "settings", changed),
        roles=_each(model.roles, "settings", changed),
        settings_profiles=_each(model.settings_profiles, "settings", changed),
    )


def _each(values: Mapping[_KEY, _VALUE], field: str, change: Callable[[Any], Any]) -> dict[_KEY, _VALUE]:
    """`values` with one field of each changed; those where that alters nothing stay the very same."""
    changed: dict[_KEY, _VALUE] = {}
    for key, value in values.items():
        old = getattr(value, field)
        new = change(old)
        changed[key] = value if new is old or new == old else replace(value, **{field: new})  # type: ignore[type-var]
    return changed


def _renamed(found: NameSet, names: Mapping[str, str]) -> NameSet:
    if names.keys().isdisjoint(found.names) and names.keys().isdisjoint(found.excepted):
        return found
    listed, excepted = (
        tuple(new for name in part if (new := names.get(name, name))) for part in (found.names, found.excepted)
    )
    return replace(found, names=listed, excepted=excepted)


def _moved(values: Mapping[_KEY, _VALUE], old: _KEY, new: _KEY) -> dict[_KEY, _VALUE]:
    return {new if key == old else key: value for key, value in values.items()}


def _less(values: Mapping[_KEY, _VALUE], gone: Collection[_KEY]) -> dict[_KEY, _VALUE]:
    return {key: value for key, value in values.items() if key not in gone}
