"""Small changes of a model that fixes are made of. Each leaves a model alone that has not what it is to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import EntityKind, Grant, NameSet, Revoke, Right, User
from core.access.quotas import Quota

Key = TypeVar("Key")
Value = TypeVar("Value")
# A name of a user or role as it is to be, None when it is to go.
Name = Callable[[Holder], str | None]


def with_user(model: AccessModel, name: str, change: Callable[[User], User]) -> AccessModel:
    """`model` with one user changed."""
    return replace(model, users=_changed(model.users, name, change))


def with_quota(model: AccessModel, name: str, change: Callable[[Quota], Quota]) -> AccessModel:
    """`model` with one quota changed."""
    return replace(model, quotas=_changed(model.quotas, name, change))


def with_granted_roles(
    model: AccessModel, holder: Holder, change: Callable[[Mapping[str, bool]], Mapping[str, bool]]
) -> AccessModel:
    """`model` with the roles granted to one holder changed."""
    return replace(model, granted_roles=_changed(model.granted_roles, holder, change))


def with_rights(
    model: AccessModel, holder: Holder, change: Callable[[Grant | Revoke, Right], tuple[Right, ...]]
) -> AccessModel:
    """`model` with each right of one holder's statements replaced by others, or by none."""

    def changed(statements: tuple[Grant | Revoke, ...]) -> tuple[Grant | Revoke, ...]:
        made: list[Grant | Revoke] = []
        for statement in statements:
            rights = tuple(new for right in statement.rights for new in change(statement, right))
            if rights or not statement.rights:
                made.append(statement if rights == statement.rights else replace(statement, rights=rights))
        return tuple(made)

    return replace(model, rights=_changed(model.rights, holder, changed))


def with_statements(
    model: AccessModel, holder: Holder, change: Callable[[Grant | Revoke], Grant | Revoke]
) -> AccessModel:
    """`model` with each of one holder's statements changed."""
    return replace(model, rights=_changed(model.rights, holder, lambda found: tuple(map(change, found))))


def without_names(model: AccessModel, unwanted: Callable[[str], bool], entity: EntityKey) -> AccessModel:
    """`model` with names left out of every set of users and roles of one entity."""
    return _with_name_sets(model, lambda names: _filtered(names, unwanted), entity)


def without_role(model: AccessModel, role: str) -> AccessModel:
    """`model` without a role, its grants, and everything that names it."""
    gone = Holder(EntityKind.ROLE, role)
    return _with_holder_names(model, lambda holder: None if holder == gone else holder.name)


def with_role_renamed(model: AccessModel, old: str, new: str) -> AccessModel:
    """`model` with a role under another name, everywhere. Left alone when that name is taken."""
    if old not in model.roles or new in model.roles or new in model.users:
        return model
    before = Holder(EntityKind.ROLE, old)
    return _with_holder_names(model, lambda holder: new if holder == before else holder.name)


def _with_holder_names(model: AccessModel, name: Name) -> AccessModel:
    def in_role_set(names: NameSet) -> NameSet:
        return _named_anew(names, lambda role: name(Holder(EntityKind.ROLE, role)))

    def in_set(names: NameSet) -> NameSet:
        def meant(text: str) -> str | None:
            kind = EntityKind.USER if text in model.users else EntityKind.ROLE
            return name(Holder(kind, text))

        return _named_anew(names, meant)

    holders = {key: kept for key in (*model.rights, *model.granted_roles) if (kept := name(key)) is not None}
    roles = {kept: replace(role, name=kept) for key, role in model.roles.items() if (kept := name(_role(key)))}
    changed = replace(
        model,
        roles=MappingProxyType(roles),
        users=MappingProxyType(
            {key: replace(user, default_roles=in_role_set(user.default_roles)) for key, user in model.users.items()}
        ),
        rights=MappingProxyType(
            {
                Holder(key.kind, holders[key]): tuple(
                    replace(statement, grantees=(holders[key],)) if statement.grantees == (key.name,) else statement
                    for statement in statements
                )
                for key, statements in model.rights.items()
                if key in holders
            }
        ),
        granted_roles=MappingProxyType(
            {
                Holder(key.kind, holders[key]): MappingProxyType(
                    {kept: admin for role, admin in granted.items() if (kept := name(_role(role)))}
                )
                for key, granted in model.granted_roles.items()
                if key in holders
            }
        ),
        storages=_entities_anew(model.storages, name),
        origins=_entities_anew(model.origins, name),
    )
    return _with_name_sets(changed, in_set, None)


def _with_name_sets(model: AccessModel, change: Callable[[NameSet], NameSet], only: EntityKey | None) -> AccessModel:
    """Change the sets of users and roles of all entities, or of `only` one (default roles are sets of roles)."""

    def made(kind: EntityKind, entities: Mapping[Key, Value]) -> Mapping[Key, Value]:
        field = "grantees" if kind is EntityKind.USER else "to"
        found = {}
        for key, entity in entities.items():
            wanted = only is None or only == (kind, key)
            found[key] = replace(entity, **{field: change(getattr(entity, field))}) if wanted else entity  # type: ignore[type-var]
        return MappingProxyType(found)

    return replace(
        model,
        users=made(EntityKind.USER, model.users),
        quotas=made(EntityKind.QUOTA, model.quotas),
        settings_profiles=made(EntityKind.SETTINGS_PROFILE, model.settings_profiles),
        row_policies=made(EntityKind.ROW_POLICY, model.row_policies),
        masking_policies=made(EntityKind.MASKING_POLICY, model.masking_policies),
    )


def _entities_anew(found: Mapping[EntityKey, Value], name: Name) -> Mapping[EntityKey, Value]:
    made: dict[EntityKey, Value] = {}
    for key, value in found.items():
        if key.kind in (EntityKind.USER, EntityKind.ROLE) and isinstance(key.name, str):
            if (kept := name(Holder(key.kind, key.name))) is not None:
                made[EntityKey(key.kind, kept)] = value
        else:
            made[key] = value
    return MappingProxyType(made)


def _named_anew(names: NameSet, name: Callable[[str], str | None]) -> NameSet:
    kept = tuple(new for old in names.names if (new := name(old)) is not None)
    excepted = tuple(new for old in names.excepted if (new := name(old)) is not None)
    return replace(names, names=kept, excepted=excepted)


def _filtered(names: NameSet, unwanted: Callable[[str], bool]) -> NameSet:
    return _named_anew(names, lambda name: None if unwanted(name) else name)


def _changed(entities: Mapping[Key, Value], key: Key, change: Callable[[Value], Value]) -> Mapping[Key, Value]:
    if key not in entities:
        return entities
    return MappingProxyType({**entities, key: change(entities[key])})


def _role(name: str) -> Holder:
    return Holder(EntityKind.ROLE, name)
