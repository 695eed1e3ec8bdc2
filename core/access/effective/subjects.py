"""Which users a TO means: those for whom a quota, a settings profile or a policy holds at login, many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from core.access.access_model import AccessModel, Holder
from core.access.effective.roles import Via, applying, roles_of
from core.access.model import EntityKind, NameSet

K = TypeVar("K")


class Subject(NamedTuple):
    """A user that a TO means, and by whom: by its own name (or as one of all), or by a role that is active at login."""

    user: str
    via: Via


def subjects_of(model: AccessModel, sets: Mapping[K, NameSet]) -> dict[K, tuple[Subject, ...]]:
    """The users that each of `sets` means, by name. A set that names few is not looked at for all others."""
    everyone = [key for key, names in sets.items() if names.everyone]
    named: dict[str, list[K]] = {}
    for key, names in sets.items():
        for name in () if names.everyone else dict.fromkeys(names.names):
            named.setdefault(name, []).append(key)
    found: dict[K, list[Subject]] = {key: [] for key in sets}
    for user in sorted(model.users) if everyone or named else ():
        who = Holder(EntityKind.USER, user)
        active = {role.name: role.path for role in roles_of(model, who) if role.active}
        near = [key for name in (user, *active) for key in named.get(name, ())]
        for key in dict.fromkeys((*everyone, *near)):
            via = applying(sets[key], who, active, model)
            if via is not None:
                found[key].append(Subject(user, via))
    return {key: tuple(subjects) for key, subjects in found.items()}
