"""Two access models entity by entity: what differs in each, and what would make one like the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import Differences, FieldDifference, RoleDifference, compare
from core.access.difference_fields import Entity, entity, same_methods
from core.access.disassembling import statements_of
from core.access.model import EntityKind, Grant, Revoke, User
from core.access.model_changes import with_entity, without_entities
from core.access.planning.planner import plan
from core.access_reports.listing import alone, shown_statements
from core.display import one_line
from core.errors import BadInputError

_HOLDING = (EntityKind.USER, EntityKind.ROLE)


class Place(StrEnum):
    """Where an entity is that is not the same in two models."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Differing:
    """An entity that is not the same in two models, and in what. `rights` turn those of the first into the second's."""

    key: EntityKey
    place: Place
    fields: tuple[FieldDifference, ...] = ()
    rights: tuple[Grant | Revoke, ...] = ()
    roles: tuple[RoleDifference, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """In what it differs, as words of SQL; nothing for one that is only in one of the two."""
        if self.place is not Place.BOTH:
            return ()
        found = [field.field for field in self.fields]
        return (*found, *(["rights"] if self.rights else []), *(["roles"] if self.roles else []))


def differing(first: AccessModel, second: AccessModel) -> list[Differing]:
    """Every entity that differs, by kind and name. Raises BadInputError for rights that cannot be compared."""
    return by_entity(compare(first, second))


def by_entity(differences: Differences) -> list[Differing]:
    """The differences of two models, those of one entity together."""
    found = {key: Differing(key, Place.SECOND) for key in differences.added}
    found |= {key: Differing(key, Place.FIRST) for key in differences.removed}

    def of(key: EntityKey) -> Differing:
        return found.get(key, Differing(key, Place.BOTH))

    for altered in differences.altered:
        found[altered.key] = replace(of(altered.key), fields=altered.fields)
    for rights in differences.rights:
        key = EntityKey(*rights.holder)
        found[key] = replace(of(key), rights=rights.statements)
    for role in differences.roles:
        key = EntityKey(*role.holder)
        found[key] = replace(of(key), roles=(*of(key).roles, role))
    kinds = list(EntityKind)
    return [found[key] for key in sorted(found, key=lambda key: (kinds.index(key.kind), str(key.name)))]


def taken_over(model: AccessModel, other: AccessModel, keys: Iterable[EntityKey]) -> AccessModel:
    """`model` with some entities as `other` has them, rights and roles too; those that it has not are gone."""
    for key in keys:
        there = entity(other, key)
        if there is None:
            if entity(model, key) is not None:
                model = without_entities(model, [key])
            continue
        model = with_entity(model, _with_known_secret(entity(model, key), there))
        if key.kind in _HOLDING:
            holder = Holder(key.kind, str(key.name))
            rights = {**model.rights, holder: other.rights.get(holder, ())}
            roles = {**model.granted_roles, holder: other.granted_roles.get(holder, {})}
            model = replace(model, rights=rights, granted_roles=roles)
    return model


def _with_known_secret(here: Entity | None, there: Entity) -> Entity:
    """`there`, with the password that only `here` tells, where it may well be the same."""
    if isinstance(here, User) and isinstance(there, User) and same_methods(here.methods, there.methods) is None:
        return replace(there, methods=here.methods)
    return there


def making_alike(model: AccessModel, other: AccessModel, keys: Sequence[EntityKey]) -> tuple[list[str], list[str]]:
    """The statements, without secrets, that make some entities of `model` like those of `other`, and what they cannot.

    Both are lines. What names something that is not there is told, for it has to be made first.
    """
    try:
        made = plan(model, taken_over(model, other, keys), exact=True)
    except BadInputError as error:
        return [], [one_line(f"{error.message} {error.advice}".strip())]
    return shown_statements([step.statement for step in made.steps]), [one_line(each.why) for each in made.refusals]


def entity_sql(model: AccessModel, key: EntityKey) -> list[str]:
    """The statements that make an entity what it is in a model, without secrets; none when it is not there."""
    return [] if entity(model, key) is None else shown_statements(statements_of(alone(model, key)))
