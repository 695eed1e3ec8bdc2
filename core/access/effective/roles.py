"""The roles that a user or role has, directly and through other roles, and which of them are in force at login.

Roles can hold each other in a circle. A role that no longer exists gives nothing and leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.access.access_model import AccessModel, Holder
from core.access.model import EntityKind, NameSet


@dataclass(frozen=True, slots=True)
class Via:
    """Where something comes from: who holds it, and the roles on the way there (none for oneself).

    What is not active is in force only after SET ROLE with the first role of the path.
    """

    holder: Holder
    path: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class RoleEdge:
    """A role as it was granted to `holder`. An active one is in force at login."""

    holder: Holder
    admin_option: bool
    active: bool


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody has, and how it came.

    `path` are the roles on the shortest way to it, itself the last; of an active role, the shortest active way. An
    inactive role has to be chosen with SET ROLE, the first of its path. `edges` are all grants that lead to it.
    """

    name: str
    path: tuple[str, ...]
    active: bool
    exists: bool
    edges: tuple[RoleEdge, ...]

    @property
    def admin_option(self) -> bool:
        """Whether it may be passed on, be it only after SET ROLE."""
        return any(edge.admin_option for edge in self.edges)


def roles_of(model: AccessModel, who: Holder) -> tuple[HeldRole, ...]:
    """Every role that `who` has, the nearest first. For a role all of those below it are active."""
    direct = model.granted_roles.get(who, {})
    if not direct:
        return ()
    at_login = [name for name in direct if _is_default(model, who, name)]
    paths: dict[str, tuple[str, ...]] = {}
    _walk(model, at_login, paths)
    active = frozenset(paths)
    _walk(model, direct, paths)
    edges: dict[str, list[RoleEdge]] = {name: [] for name in paths}
    for name, admin_option in direct.items():
        edges[name].append(RoleEdge(who, admin_option, name in at_login))
    for holder in paths:
        if holder in model.roles:
            key = Holder(EntityKind.ROLE, holder)
            for name, admin_option in model.granted_roles.get(key, {}).items():
                edges[name].append(RoleEdge(key, admin_option, holder in active))
    order = sorted(paths, key=lambda name: (len(paths[name]), paths[name]))
    return tuple(HeldRole(name, paths[name], name in active, name in model.roles, tuple(edges[name])) for name in order)


def _is_default(model: AccessModel, who: Holder, role: str) -> bool:
    if who.kind is not EntityKind.USER:
        return True
    user = model.users.get(who.name)
    return user is not None and contains(user.default_roles, role)


def contains(names: NameSet, name: str) -> bool:
    """Whether a set that names users or roles has this one in it."""
    return name not in names.excepted if names.everyone else name in names.names


def applying(names: NameSet, who: Holder, active: Mapping[str, tuple[str, ...]], model: AccessModel) -> Via | None:
    """By whom a quota, a profile or a policy with this TO holds for `who`, or None if it does not.

    `active` has the paths of the roles in force. Of a user and a role with one name TO means the user. An exception
    of any of them is one for `who`.
    """
    mine: dict[Holder, tuple[str, ...]] = {who: ()}
    mine |= {Holder(EntityKind.ROLE, name): path for name, path in active.items()}
    if any(_meant(name, model) in mine for name in names.excepted):
        return None
    if names.everyone:
        return Via(who, (), active=True)
    found = [holder for name in names.names if (holder := _meant(name, model)) in mine]
    nearest = min(found, key=lambda holder: (len(mine[holder]), mine[holder]), default=None)
    return None if nearest is None else Via(nearest, mine[nearest], active=True)


def _meant(name: str, model: AccessModel) -> Holder:
    return Holder(EntityKind.USER if name in model.users else EntityKind.ROLE, name)


def _walk(model: AccessModel, start: Iterable[str], paths: dict[str, tuple[str, ...]]) -> None:
    """Add the shortest way to every role that can be reached from `start` and is not there yet."""
    level: dict[str, tuple[str, ...]] = {name: (name,) for name in sorted(start) if name not in paths}
    while level:
        paths.update(level)
        following: dict[str, tuple[str, ...]] = {}
        for name in level:
            if name in model.roles:
                for below in sorted(model.granted_roles.get(Holder(EntityKind.ROLE, name), {})):
                    if below not in paths:
                        following.setdefault(below, (*paths[name], below))
        level = following
