"""The difference of two access models, by meaning: what a reader sees, and what a plan is made for.

Order and grouping of rights, of names and of settings make no difference, nor does `'4'` for 4. A password or hash that
one of the two does not tell is not compared; whose it is, is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import (
    IDENTIFIED,
    Entity,
    entities,
    fields,
    methods_text,
    names_meaning,
    same_methods,
)
from core.access.difference_rights import folded, rights_statements
from core.access.model import EntityKind, Grant, Revoke, User
from core.access.model_changes import with_renamed
from core.errors import BadInputError

_KEY = TypeVar("_KEY")


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field that is not the same: its word in SQL, and both values as SQL without secrets."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Altered:
    """An entity that is in both models and not the same."""

    key: EntityKey
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """An entity that has another name. Fields, rights and roles are told under the new one."""

    key: EntityKey
    name: str


@dataclass(frozen=True, slots=True)
class RightsDifference:
    """The statements that turn the rights of a holder into the other ones: what is given and what is taken."""

    holder: Holder
    statements: tuple[Grant | Revoke, ...]


@dataclass(frozen=True, slots=True)
class RoleDifference:
    """A role granted to a holder or no longer, or with the option to pass it on or without. None: not granted."""

    holder: Holder
    role: str
    before: bool | None
    after: bool | None


@dataclass(frozen=True, slots=True)
class Differences:
    """All that is not the same in two models. `not_compared` are the users whose password cannot be compared."""

    added: tuple[EntityKey, ...] = ()
    removed: tuple[EntityKey, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    altered: tuple[Altered, ...] = ()
    rights: tuple[RightsDifference, ...] = ()
    roles: tuple[RoleDifference, ...] = ()
    not_compared: tuple[EntityKey, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether the models are the same, as far as can be told."""
        return not (self.added or self.removed or self.renamed or self.altered or self.rights or self.roles)


def compare(current: AccessModel, desired: AccessModel, renamed: Iterable[Renamed] = ()) -> Differences:
    """What `desired` has otherwise than `current`.

    Raises BadInputError for rights that cannot be compared, or when what is said to be renamed is not there.
    """
    renamed = tuple(renamed)
    for renaming in renamed:
        current = with_renamed(current, renaming.key, renaming.name)
    altered, unknown = _altered(current, desired)
    return Differences(
        tuple(_missing(desired, current)),
        tuple(_missing(current, desired)),
        renamed,
        tuple(altered),
        tuple(_rights(current, desired)),
        tuple(_roles(current, desired)),
        tuple(unknown),
    )


def keys_of(model: AccessModel) -> Iterator[EntityKey]:
    """Every entity of a model, by kind and name."""
    for kind in EntityKind:
        for name in sorted(entities(model, kind), key=str):
            yield EntityKey(kind, name)


def holders(model: AccessModel) -> Iterator[Holder]:
    """Every user and role of a model."""
    yield from (Holder(EntityKind.USER, name) for name in sorted(model.users))
    yield from (Holder(EntityKind.ROLE, name) for name in sorted(model.roles))


def _missing(of: AccessModel, among: AccessModel) -> Iterator[EntityKey]:
    for key in keys_of(of):
        if key.name not in entities(among, key.kind):
            yield key


def _altered(current: AccessModel, desired: AccessModel) -> tuple[list[Altered], list[EntityKey]]:
    altered: list[Altered] = []
    unknown: list[EntityKey] = []
    for kind in EntityKind:
        before, after = entities(current, kind), entities(desired, kind)
        for name in sorted(set(after) & set(before), key=str):
            old, new = before[name], after[name]
            if old is new:
                continue
            key = EntityKey(kind, name)
            found = differing_fields(old, new, _granted(current, key), _granted(desired, key))
            if found:
                altered.append(Altered(key, tuple(found)))
            if isinstance(old, User) and isinstance(new, User) and same_methods(old.methods, new.methods) is None:
                unknown.append(key)
    return altered, unknown


def _granted(model: AccessModel, key: EntityKey) -> Mapping[str, bool]:
    return model.granted_roles.get(Holder(key.kind, str(key.name)), {}) if key.kind is EntityKind.USER else {}


def differing_fields(
    before: Entity, after: Entity, granted_before: Iterable[str] = (), granted_after: Iterable[str] = ()
) -> list[FieldDifference]:
    """The fields in which two entities of one kind differ. A default role that is not granted means nothing."""
    found: list[FieldDifference] = []
    if isinstance(before, User) and isinstance(after, User):
        if same_methods(before.methods, after.methods) is False:
            found.append(FieldDifference(IDENTIFIED, methods_text(before.methods), methods_text(after.methods)))
        before = replace(before, default_roles=names_meaning(before.default_roles, set(granted_before)))
        after = replace(after, default_roles=names_meaning(after.default_roles, set(granted_after)))
    old, new = fields(before), fields(after)
    for word, field in new.items():
        if field != old[word]:
            found.append(FieldDifference(word, old[word].text, field.text))
    return found


def _rights(current: AccessModel, desired: AccessModel) -> Iterator[RightsDifference]:
    for holder in _both(holders(current), holders(desired)):
        before, after = current.rights.get(holder, ()), desired.rights.get(holder, ())
        if before == after:
            continue
        try:
            old, new = folded(before), folded(after)
        except BadInputError as error:
            whose = f"{holder.kind.lower()} {holder.name}"
            raise BadInputError(f"{whose}: {error.message}", advice=error.advice, detail=error.detail) from error
        if statements := rights_statements(old, new, holder.name):
            yield RightsDifference(holder, tuple(statements))


def _roles(current: AccessModel, desired: AccessModel) -> Iterator[RoleDifference]:
    for holder in _both(holders(current), holders(desired)):
        before, after = current.granted_roles.get(holder, {}), desired.granted_roles.get(holder, {})
        for role in sorted({*before, *after}):
            if before.get(role) != after.get(role):
                yield RoleDifference(holder, role, before.get(role), after.get(role))


def _both(first: Iterable[_KEY], second: Iterable[_KEY]) -> list[_KEY]:
    return list(dict.fromkeys((*first, *second)))
