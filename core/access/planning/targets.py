"""What a plan can aim at: the desired model less what cannot be made, each with why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import keys_of
from core.access.difference_fields import entities, entity
from core.access.model import EntityKind, User
from core.access.model_changes import name_text, with_entity, without_entities
from core.access.planning.clusters import is_writable
from core.access.planning.merging import at_least
from core.access.planning.methods import UnknownSecretError, check_known, identified
from core.access.planning.plan import Refusal, same, title
from core.access.planning.references import both_kinds, dangling
from core.errors import BadInputError


def target(
    current: AccessModel,
    desired: AccessModel,
    *,
    exact: bool,
    new_secrets: Collection[str],
    storage_types: Mapping[str, str] | None,
) -> tuple[AccessModel, tuple[Refusal, ...]]:
    """The model to aim at, and what of `desired` it leaves out.

    Raises BadInputError when something in it names what would not be there.
    """
    aim = desired if exact else at_least(current, desired)
    refusals: list[Refusal] = []
    for steady in (_read_only(current, aim, storage_types), _same_name(current, aim)):
        for refusal in steady:
            aim = _left(current, aim, refusal.key)
            refusals.append(refusal)
    aim, unknown = _without_unknown_secrets(current, aim, new_secrets)
    _check_references(current, aim)
    return aim, (*refusals, *unknown)


def _left(current: AccessModel, aim: AccessModel, key: EntityKey) -> AccessModel:
    """`aim` with one entity, its rights and its roles as they are in `current`."""
    found = entity(current, key)
    if found is None:
        return without_entities(aim, [key])
    aim = with_entity(aim, found, current.storages.get(key, ""))
    if key.kind not in (EntityKind.USER, EntityKind.ROLE):
        return aim
    holder = Holder(key.kind, str(key.name))
    return replace(
        aim,
        rights=_as_in(current.rights, aim.rights, holder),
        granted_roles=_as_in(current.granted_roles, aim.granted_roles, holder),
    )


def _as_in(first: Mapping[Holder, Any], second: Mapping[Holder, Any], holder: Holder) -> dict[Holder, Any]:
    kept = {each: value for each, value in second.items() if each != holder}
    return {**kept, holder: first[holder]} if holder in first else kept


def _read_only(current: AccessModel, aim: AccessModel, storage_types: Mapping[str, str] | None) -> list[Refusal]:
    types = None if storage_types is None else dict(storage_types)
    refusals = []
    for key in keys_of(current):
        storage = current.storages.get(key, "")
        if is_writable(storage, types) or same(current, aim, key):
            continue
        verb = "dropped" if entity(aim, key) is None else "altered"
        why = f"The {title(key)} is in {storage}, which SQL cannot change, so it is not {verb}."
        refusals.append(Refusal(key, f"{why} Change it where it is defined."))
    return refusals


def _same_name(current: AccessModel, aim: AccessModel) -> list[Refusal]:
    """Roles that no GRANT can be about, because a user has their name."""
    refusals = []
    for name in sorted(both_kinds(aim) | both_kinds(current)):
        key = EntityKey(EntityKind.ROLE, name)
        holder = Holder(EntityKind.ROLE, name)
        rights = current.rights.get(holder, ()) != aim.rights.get(holder, ())
        roles = current.granted_roles.get(holder, {}) != aim.granted_roles.get(holder, {})
        if name in aim.roles and name in {*aim.users, *current.users} and (rights or roles):
            why = f"The role {name} has the name of a user, whom every GRANT to it would mean; its rights stay."
            refusals.append(Refusal(key, f"{why} Rename one of the two first."))
    return refusals


def _without_unknown_secrets(
    current: AccessModel, aim: AccessModel, new_secrets: Collection[str]
) -> tuple[AccessModel, tuple[Refusal, ...]]:
    refusals = []
    for name, user in list(aim.users.items()):
        before = current.users.get(name)
        if before is user:
            continue
        key = EntityKey(EntityKind.USER, name)
        try:
            if before is None:
                check_known(user)
            else:
                identified(before, user, new_secrets=name in new_secrets)
        except UnknownSecretError as error:
            if before is None:
                aim = without_entities(aim, [key])
                refusals.append(Refusal(key, f"The user {name} is not created: {error}. Give a password or a hash."))
            else:
                aim = with_entity(aim, _with_methods(user, before))
                why = f"How the user {name} identifies itself stays as it is: {error}."
                refusals.append(Refusal(key, f"{why} Give a password or a hash."))
    return aim, tuple(refusals)


def _with_methods(user: User, other: User) -> User:
    return replace(user, methods=other.methods)


def _check_references(current: AccessModel, aim: AccessModel) -> None:
    """Refuse what names something that is not there. What `current` has of that already is left alone."""
    problems = [
        f"{title(reference.source)}: {reference.field} names {name_text(reference.name)}"
        for reference in sorted(dangling(aim) - dangling(current), key=str)
        if entities(aim, reference.source.kind).get(reference.source.name) is not None
    ]
    problems += [
        f"{holder.kind.lower()} {holder.name} is given rights or roles"
        for holder in sorted({*aim.rights, *aim.granted_roles} - {*current.rights, *current.granted_roles})
        if holder.name not in entities(aim, holder.kind) and (aim.rights.get(holder) or aim.granted_roles.get(holder))
    ]
    if problems:
        more = f", and {len(problems) - 1:,} more like it" if len(problems) > 1 else ""
        raise BadInputError(
            f"This names what would not be there: {problems[0]}{more}.",
            advice="Nothing was planned. Add what is named, or take the name out.",
            detail="\n".join(problems),
        )
