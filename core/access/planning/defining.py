"""The steps of a plan about the definitions of entities: created, altered, renamed and dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey
from core.access.difference import differing_fields
from core.access.difference_fields import IDENTIFIED, SETTINGS, TO, Entity, entities, entity
from core.access.model import NOBODY, EntityKind, Statement, User
from core.access.model_changes import name_text
from core.access.planning.definitions import altered, created, dropped, renamed
from core.access.planning.losses import altered_loss, created_loss, dropped_loss, gained_settings
from core.access.planning.methods import UnknownSecretError, check_known, identified
from core.access.planning.plan import Action, Planned, who
from core.access.settings_profiles import SettingsProfile

_DROPPED = (
    *(EntityKind.QUOTA, EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY),
    *(EntityKind.USER, EntityKind.ROLE, EntityKind.SETTINGS_PROFILE),
)


def creations(current: AccessModel, target: AccessModel, kind: EntityKind) -> Iterator[Planned]:
    """Entities that are not there yet. A profile comes behind those that it inherits from."""
    names = [name for name in sorted(entities(target, kind), key=str) if name not in entities(current, kind)]
    if kind is EntityKind.SETTINGS_PROFILE:
        names = _parents_first(target, names)
    for name in names:
        key = EntityKey(kind, name)
        new = _without_later(entities(target, kind)[name], names, name)
        storage = target.storages.get(key, "")
        yield Planned(
            key,
            Action.CREATE,
            created(new, storage),
            (dropped(key, storage),),
            takes=created_loss(current, new),
        )


def _parents_first(model: AccessModel, names: Iterable[str]) -> list[str]:
    """Profiles in an order in which each comes behind its parents; where they go in circles, somewhere."""
    wanted = set(names)
    ordered: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        for element in model.settings_profiles[name].settings:
            if element.profile in wanted - above and element.profile not in ordered:
                visit(element.profile, above | {element.profile})
        ordered[name] = None

    for name in names:
        if name not in ordered:
            visit(name, frozenset({name}))
    return list(ordered)


def _without_later(new: Entity, names: list[str], name: str) -> Entity:
    """A profile without the parents that are created behind it, which are added when they are there."""
    if not isinstance(new, SettingsProfile):
        return new
    later = set(names[names.index(name) :])
    return replace(new, settings=tuple(element for element in new.settings if element.profile not in later))


def late_parents(current: AccessModel, target: AccessModel) -> Iterator[Planned]:
    """Profiles that inherit from each other, or from themselves: what `creations` left out."""
    names = _parents_first(target, [n for n in sorted(target.settings_profiles) if n not in current.settings_profiles])
    for name in names:
        whole = target.settings_profiles[name]
        part = _without_later(whole, names, name)
        if part != whole:
            yield from _altered(EntityKey(EntityKind.SETTINGS_PROFILE, name), part, whole, (SETTINGS,))


def profile_names(current: AccessModel, target: AccessModel) -> Iterator[Planned]:
    """The TO of settings profiles, when all who are named are there. New profiles come without."""
    for name, after in sorted(target.settings_profiles.items()):
        before = current.settings_profiles.get(name) or replace(after, to=NOBODY)
        if before is not after:
            for step in _altered(EntityKey(EntityKind.SETTINGS_PROFILE, name), before, after, (TO,)):
                yield replace(step, takes=step.takes or gained_settings(current, before.to, after))


def alterations(
    current: AccessModel, target: AccessModel, kind: EntityKind, words: Collection[str]
) -> Iterator[Planned]:
    """Entities that are there and have some of the fields `words` otherwise."""
    for name in sorted(set(entities(target, kind)) & set(entities(current, kind)), key=str):
        before, after = entities(current, kind)[name], entities(target, kind)[name]
        if before is not after:
            yield from _altered(EntityKey(kind, name), before, after, words)


def _altered(key: EntityKey, before: Entity, after: Entity, words: Collection[str]) -> Iterator[Planned]:
    statement, back = altered(before, after, words), altered(after, before, words)
    if statement is None or back is None:
        return
    changed = tuple(found for found in differing_fields(before, after) if found.field in words)
    yield Planned(
        key,
        Action.ALTER,
        statement,
        (back,),
        takes=altered_loss(key, before, after, [found.field for found in changed]),
        details={"changed": tuple(found.field for found in changed), **{f.field.lower(): f.after for f in changed}},
    )


def methods_steps(current: AccessModel, target: AccessModel, new_secrets: Collection[str]) -> Iterator[Planned]:
    """How users identify themselves. A statement of its own, because it may be one that cannot be taken back."""
    for name in sorted(set(target.users) & set(current.users)):
        before, after = current.users[name], target.users[name]
        if before is after:
            continue
        statement = identified(before, after, new_secrets=name in new_secrets)
        if statement is None:
            continue
        inverse, why = _former_methods(before, after, replaced=bool(statement.methods) and not statement.add_methods)
        key = EntityKey(EntityKind.USER, name)
        yield Planned(
            key,
            Action.ALTER,
            statement,
            inverse,
            no_inverse=why,
            takes="" if statement.add_methods else f"{who(key)} no longer comes in the way it did.",
            details={"changed": (IDENTIFIED,), "methods": tuple(str(method.kind) for method in after.methods)},
        )


def _former_methods(before: User, after: User, *, replaced: bool) -> tuple[tuple[Statement, ...], str]:
    try:
        back = identified(after, before, new_secrets=replaced)
    except UnknownSecretError as error:
        return (), f"{str(error)[0].upper()}{str(error)[1:]}, so it cannot be set again."
    if back is None:
        return (), f"The password that {before.name} had is not known here, so it cannot be set again."
    return (back,), ""


def renames(key: EntityKey, name: str) -> Planned:
    """One entity under another name. All that refers to it follows."""
    fresh = EntityKey(key.kind, replace(key.name, short=name) if not isinstance(key.name, str) else name)
    takes = f"{who(key)} is called {name} from then on: who connects or refers by the old name fails."
    return Planned(
        key,
        Action.RENAME,
        renamed(key, name),
        (renamed(fresh, title_name(key)),),
        takes=takes if key.kind is EntityKind.USER else "",
        details={"new_name": name_text(fresh.name)},
    )


def title_name(key: EntityKey) -> str:
    """The own name of an entity, for a policy that without its table."""
    return key.name if isinstance(key.name, str) else key.name.short


def drop(current: AccessModel, key: EntityKey, inverse: Iterable[Statement]) -> Planned:
    """An entity that is to be no more. `inverse` makes it again, which takes its password to be known."""
    found = entity(current, key)
    why = ""
    if isinstance(found, User):
        try:
            check_known(found)
        except UnknownSecretError as error:
            why = f"{str(error)[0].upper()}{str(error)[1:]}, so the user could not be made again as it was."
    return Planned(
        key,
        Action.DROP,
        dropped(key, current.storages.get(key, "")),
        () if why else tuple(inverse),
        no_inverse=why,
        takes=dropped_loss(key),
    )


def dropping_order(current: AccessModel, target: AccessModel) -> Iterator[EntityKey]:
    """What is to be no more: limits first, and a profile before those it inherits from."""
    for kind in _DROPPED:
        names = [name for name in sorted(entities(current, kind), key=str) if name not in entities(target, kind)]
        if kind is EntityKind.SETTINGS_PROFILE:
            names = _parents_first(current, names)[::-1]
        yield from (EntityKey(kind, name) for name in names)
