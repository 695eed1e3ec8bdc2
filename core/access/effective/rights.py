"""Effective rights: what a user or role holds itself and through roles, each right with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.access.access_model import AccessModel, Holder
from core.access.effective.privilege_tree import PrivilegeTree, clickhouse_26_9
from core.access.effective.rights_tree import Rights, fold, intersection, union
from core.access.effective.roles import HeldRole, Via, roles_of
from core.access.effective.statements import grouped, statements
from core.access.model import EntityKind, Grant, Revoke, Right
from core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Source:
    """The rights of one holder that somebody has a share in."""

    via: Via
    rights: Rights


@dataclass(frozen=True, slots=True)
class EffectiveRight:
    """One privilege on one object, from one or more holders.

    `revoked`: these holders have it on something wider and had it taken back here; others may still give it.
    `grant_option`: it may be passed on; of a revoked one, only that is taken back.
    """

    right: Right
    revoked: bool
    grant_option: bool
    origins: tuple[Via, ...]


_Listed = tuple[Right, bool, bool]  # a right, whether it is revoked, whether it is (or only) the grant option
_Reached = tuple[str, tuple[str, ...], bool]  # a role, its path, whether it is active


class RightsIndex:
    """The rights and roles of a model, each folded once, when asked for, and shared by all who hold them."""

    def __init__(self, model: AccessModel, privileges: PrivilegeTree | None = None) -> None:
        """`privileges` are those of the server, from `system.privileges`; else ClickHouse 26.9's."""
        self.model = model
        known = privileges or clickhouse_26_9()
        named = {right.privilege for held in model.rights.values() for statement in held for right in statement.rights}
        self.unknown_privileges = tuple(sorted(name for name in named if not known.knows(name)))
        self.privileges = known.with_unknown(self.unknown_privileges)
        self._own: dict[Holder, Rights] = {}
        self._of_roles: dict[frozenset[str], Rights] = {}
        self._listed: dict[Holder, tuple[_Listed, ...]] = {}
        self._listed_of_roles: dict[tuple[_Reached, ...], dict[_Listed, EffectiveRight]] = {}

    def own(self, holder: Holder) -> Rights:
        """What a holder was granted itself."""
        found = self._own.get(holder)
        if found is None:
            found = self._own[holder] = fold(self.model.rights.get(holder, ()), self.privileges)
        return found

    def of_roles(self, names: Iterable[str]) -> Rights:
        """What roles were granted themselves, together."""
        key = frozenset(names)
        found = self._of_roles.get(key)
        if found is None:
            parts = [self.own(Holder(EntityKind.ROLE, name)) for name in sorted(key)]
            found = self._of_roles[key] = union(parts, self.privileges)
        return found

    def listed(self, holder: Holder) -> tuple[_Listed, ...]:
        """A holder's own rights, one by one, in canonical form."""
        found = self._listed.get(holder)
        if found is None:
            found = self._listed[holder] = tuple(
                (right, kind.revoked, kind.option) for kind, parts in grouped(self.own(holder)) for right in parts
            )
        return found

    def listed_of_roles(self, roles: Sequence[HeldRole]) -> Mapping[_Listed, EffectiveRight]:
        """The rights of roles held by these paths, each with all of them that have it."""
        key = tuple((role.name, role.path, role.active) for role in roles if role.exists)
        found = self._listed_of_roles.get(key)
        if found is None:
            origins: dict[_Listed, tuple[Via, ...]] = {}
            for name, path, active in key:
                via = Via(Holder(EntityKind.ROLE, name), path, active)
                for listed in self.listed(via.holder):
                    origins[listed] = (*origins.get(listed, ()), via)
            found = {listed: EffectiveRight(*listed, given) for listed, given in origins.items()}
            self._listed_of_roles[key] = found
        return found

    def holders(self) -> tuple[Holder, ...]:
        """All users and roles, users first, by name."""
        users = (Holder(EntityKind.USER, name) for name in sorted(self.model.users))
        return (*users, *(Holder(EntityKind.ROLE, name) for name in sorted(self.model.roles)))

    def effective(self, who: Holder) -> EffectiveRights:
        """What `who` may do. Raises NotFoundError when there is no such user or role."""
        entities = self.model.users if who.kind is EntityKind.USER else self.model.roles
        if who.name not in entities:
            raise NotFoundError(f"There is no {who.kind.lower()} {who.name}.")
        return EffectiveRights(self, who, roles_of(self.model, who))


@dataclass(frozen=True, eq=False)
class EffectiveRights:
    """What one user or role may do. Everything but its roles is worked out when it is asked for."""

    index: RightsIndex
    who: Holder
    roles: tuple[HeldRole, ...]

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Who holds the rights that come together here: oneself first, then roles that have any, the nearest first."""
        found = [Source(Via(self.who, (), active=True), self.index.own(self.who))]
        for role in self.roles:
            if role.exists:
                holder = Holder(EntityKind.ROLE, role.name)
                found.append(Source(Via(holder, role.path, role.active), self.index.own(holder)))
        return tuple(source for source in found if not source.rights.empty)

    @cached_property
    def active(self) -> Rights:
        """What is in force at login."""
        return self._with_roles(role for role in self.roles if role.active)

    @cached_property
    def granted(self) -> Rights:
        """What is in force with every role chosen. ClickHouse's `SHOW GRANTS … FINAL` shows these."""
        return self._with_roles(self.roles)

    def _with_roles(self, roles: Iterable[HeldRole]) -> Rights:
        names = [role.name for role in roles if role.exists]
        own = self.index.own(self.who)
        return union([own, self.index.of_roles(names)], self.index.privileges) if names else own

    def final(self, *, active_only: bool = False) -> tuple[Grant | Revoke, ...]:
        """All rights as statements in one canonical form, to compare with `SHOW GRANTS FOR … FINAL`.

        As there, roles count that are not active at login, unless `active_only`.
        """
        return statements(self.active if active_only else self.granted, self.who.name)

    def limited_to(self, rights: tuple[Right, ...]) -> Rights:
        """What is left in a session by a credential with GRANTS: the rights that are in both, none to be passed on."""
        return intersection(self.active, fold([Grant(rights)], self.index.privileges))

    @cached_property
    def rights(self) -> tuple[EffectiveRight, ...]:
        """Every right with where it comes from, one's own first; the same right from several holders is one."""
        mine = Via(self.who, (), active=True)
        others = self.index.listed_of_roles(self.roles)
        found: dict[_Listed, EffectiveRight] = {}
        for listed in self.index.listed(self.who):
            also = others.get(listed)
            found[listed] = EffectiveRight(*listed, (mine, *(also.origins if also else ())))
        if found.keys() & others.keys():
            return (*found.values(), *(each for listed, each in others.items() if listed not in found))
        return (*found.values(), *others.values())


def effective(model: AccessModel, who: Holder, privileges: PrivilegeTree | None = None) -> EffectiveRights:
    """What one user or role may do. To ask about many, make a RightsIndex once."""
    return RightsIndex(model, privileges).effective(who)
