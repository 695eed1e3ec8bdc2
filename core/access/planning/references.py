"""What names what in an access model, and which entities depend on one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import DEFAULT_ROLE, GRANTEES, SETTINGS, TO, entities
from core.access.model import EntityKind, NameSet, Role, SettingElement, User
from core.access.settings_profiles import SettingsProfile

GRANTED = "GRANT"  # the way of a granted role


class Reference(NamedTuple):
    """`source` names a user or role (`kind` None where either can be meant) or a settings profile, in a field."""

    source: EntityKey
    field: str
    name: str
    kind: EntityKind | None


def references(model: AccessModel) -> Iterator[Reference]:
    """Everything in a model that names something else in it."""
    for kind in EntityKind:
        for name, entity in entities(model, kind).items():
            key = EntityKey(kind, name)
            if isinstance(entity, User):
                yield from _named(key, DEFAULT_ROLE, entity.default_roles, EntityKind.ROLE)
                yield from _named(key, GRANTEES, entity.grantees, None)
            elif not isinstance(entity, Role):
                yield from _named(key, TO, entity.to, None)
            if isinstance(entity, User | Role | SettingsProfile):
                yield from _profiles(key, entity.settings)
    for holder, roles in model.granted_roles.items():
        for role in roles:
            yield Reference(EntityKey(holder.kind, holder.name), GRANTED, role, EntityKind.ROLE)


def _named(key: EntityKey, field: str, names: NameSet, kind: EntityKind | None) -> Iterator[Reference]:
    for name in (*names.names, *names.excepted):
        yield Reference(key, field, name, kind)


def _profiles(key: EntityKey, elements: tuple[SettingElement, ...]) -> Iterator[Reference]:
    for element in elements:
        if element.profile:
            yield Reference(key, SETTINGS, element.profile, EntityKind.SETTINGS_PROFILE)


def known(model: AccessModel, reference: Reference) -> bool:
    """Whether what is named is there."""
    if reference.kind is None:
        return reference.name in model.users or reference.name in model.roles
    return reference.name in entities(model, reference.kind)


def dangling(model: AccessModel) -> set[Reference]:
    """References to what is not there."""
    return {reference for reference in references(model) if not known(model, reference)}


def dependents(model: AccessModel, key: EntityKey) -> tuple[Reference, ...]:
    """What would lose something with an entity: who holds a role, whose default role it is, what inherits from a
    profile, what is TO it, whose grantee it is."""
    if key.kind not in (EntityKind.USER, EntityKind.ROLE, EntityKind.SETTINGS_PROFILE):
        return ()
    found = (
        reference
        for reference in references(model)
        if reference.name == key.name and _means(model, reference, key) and reference.source != key
    )
    return tuple(dict.fromkeys(found))


def _means(model: AccessModel, reference: Reference, key: EntityKey) -> bool:
    if reference.kind is not None:
        return reference.kind is key.kind
    if key.kind is EntityKind.SETTINGS_PROFILE:
        return False
    return key.kind is EntityKind.USER or reference.name not in model.users


def both_kinds(model: AccessModel) -> set[str]:
    """The names that a user and a role have: in a GRANT they mean the user."""
    return set(model.users) & set(model.roles)


def holder_key(holder: Holder) -> EntityKey:
    """A holder as an entity."""
    return EntityKey(holder.kind, holder.name)
