"""Whom the TO of a quota, a policy or a settings profile reaches, at the moment when a user comes in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from core.access.access_model import AccessModel, Holder
from core.access.model import EntityKind, NameSet, User

T = TypeVar("T")


class Reach(Enum):
    """How a TO reaches a user."""

    NOT = 0
    DIRECTLY = 1  # by its name, or as one of all
    BY_ROLE = 2  # only as long as it has the role


@dataclass(slots=True)
class Coverage:
    """Answers for the users of one model. Roles that are no default roles are not active when a user comes in."""

    model: AccessModel
    _roles: dict[str, frozenset[str]] = field(default_factory=dict)

    def default_roles(self, user: User) -> dict[str, bool]:
        """The roles granted to a user that are active when it comes in, with whether it may pass them on."""
        granted = self.model.granted_roles.get(Holder(EntityKind.USER, user.name), {})
        return {role: option for role, option in granted.items() if _contains(user.default_roles, role)}

    def active_roles(self, user: User) -> frozenset[str]:
        """The same with all roles that come with them."""
        if user.name not in self._roles:
            self._roles[user.name] = self._with_inner(self.default_roles(user))
        return self._roles[user.name]

    def reach(self, to: NameSet, user: User) -> Reach:
        """How `to` reaches the user, if it does."""
        roles = self.active_roles(user)
        if user.name in to.excepted or self._has_role(roles, to.excepted):
            return Reach.NOT
        if to.everyone or user.name in to.names:
            return Reach.DIRECTLY
        return Reach.BY_ROLE if self._has_role(roles, to.names) else Reach.NOT

    def _has_role(self, roles: frozenset[str], names: Iterable[str]) -> bool:
        """Whether one of `names` means one of `roles`; of a user and a role with one name the user is meant."""
        return any(name in roles and name not in self.model.users for name in names)

    def _with_inner(self, roles: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        waiting = list(roles)
        while waiting:
            role = waiting.pop()
            if role not in found:
                found.add(role)
                waiting += self.model.granted_roles.get(Holder(EntityKind.ROLE, role), {})
        return frozenset(found)


class Targets(Generic[T]):
    """Entities with a TO, found by the users whom they reach without looking at each of them."""

    def __init__(self, coverage: Coverage, entities: Iterable[tuple[T, NameSet]]) -> None:
        self._coverage = coverage
        self._entities = list(entities)
        self._for_all = [index for index, (_, to) in enumerate(self._entities) if to.everyone]
        self._by_name: dict[str, list[int]] = {}
        for index, (_, to) in enumerate(self._entities):
            for name in to.names:
                self._by_name.setdefault(name, []).append(index)

    def of(self, user: User) -> list[tuple[T, Reach]]:
        """Those that reach the user, in their order, and how."""
        names = (user.name, *self._coverage.active_roles(user))
        indexes = {*self._for_all, *(index for name in names for index in self._by_name.get(name, ()))}
        found = [
            (entity, self._coverage.reach(to, user)) for entity, to in map(self._entities.__getitem__, sorted(indexes))
        ]
        return [(entity, reach) for entity, reach in found if reach is not Reach.NOT]


def _contains(names: NameSet, name: str) -> bool:
    return (names.everyone or name in names.names) and name not in names.excepted
