"""The model under lint with what several checks ask of it: roles below a role, members, who a set of names means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.lint.findings import Finding, Fix, LintContext, Severity
from core.access.lint.scope import in_force
from core.access.model import EntityKind, Grant, Hosts, NameSet, Revoke, Right, User
from core.access.policies import PolicyName
from core.display import one_line

Key = TypeVar("Key")
_SHOWN_NAMES = 5


@dataclass(frozen=True)
class Subject:
    """A model and its context. Everything computed from them is computed once."""

    model: AccessModel
    context: LintContext

    def finding(
        self,
        id_: str,
        severity: Severity,
        entity: EntityKey,
        title: str,
        explanation: str,
        *,
        advice: str = "",
        fix: Fix | None = None,
    ) -> Finding:
        """A finding with the origin that the model has for its entity."""
        return Finding(id_, severity, entity, title, explanation, advice, fix, self.model.origins.get(entity))

    def statements(self, holder: Holder) -> tuple[Grant | Revoke, ...]:
        """What was granted to a holder and revoked from it, in order."""
        return self.model.rights.get(holder, ())

    def in_force(self, holder: Holder) -> tuple[tuple[Grant, Right], ...]:
        """The rights granted to a holder that no later statement takes back as a whole."""
        if holder not in self._in_force:
            self._in_force[holder] = in_force(self.statements(holder), self.context.privilege_groups)
        return self._in_force[holder]

    @cached_property
    def _in_force(self) -> dict[Holder, tuple[tuple[Grant, Right], ...]]:
        return {}

    # -- roles

    def granted(self, holder: Holder) -> Mapping[str, bool]:
        """The roles granted to a holder itself."""
        return self.model.granted_roles.get(holder, {})

    def default_roles(self, user: User) -> frozenset[str]:
        """The roles granted to a user itself that are active when it logs in."""
        names = user.default_roles
        granted = self.granted(Holder(EntityKind.USER, user.name))
        if names.everyone:
            return frozenset(granted) - frozenset(names.excepted)
        return frozenset(granted) & (frozenset(names.names) - frozenset(names.excepted))

    def with_roles_below(self, roles: Iterable[str]) -> frozenset[str]:
        """These roles and all roles that they hold, however deep; cycles are legal."""
        start = frozenset(roles)
        if start not in self._closures:
            seen: set[str] = set()
            waiting = list(start)
            while waiting:
                role = waiting.pop()
                if role in seen or role not in self.model.roles:
                    continue
                seen.add(role)
                waiting += self.granted(Holder(EntityKind.ROLE, role))
            self._closures[start] = frozenset(seen)
        return self._closures[start]

    @cached_property
    def _closures(self) -> dict[frozenset[str], frozenset[str]]:
        return {}

    def all_roles(self, user: User) -> frozenset[str]:
        """Every role that a user can have active, directly or not."""
        return self.with_roles_below(self.granted(Holder(EntityKind.USER, user.name)))

    def active_roles(self, user: User) -> frozenset[str]:
        """Every role that is active when a user logs in, directly or not."""
        return self.with_roles_below(self.default_roles(user))

    def holders(self, user: User) -> Iterator[Holder]:
        """The user and every role it can have active: whose rights add up to what it may ever do."""
        yield Holder(EntityKind.USER, user.name)
        for role in sorted(self.all_roles(user)):
            yield Holder(EntityKind.ROLE, role)

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """The users that can have each role active, directly or not."""
        found: dict[str, list[str]] = {}
        for user in self.model.users.values():
            for role in self.all_roles(user):
                found.setdefault(role, []).append(user.name)
        return found

    @cached_property
    def active_members(self) -> dict[str, list[str]]:
        """The users that have each role active when they log in, directly or not."""
        found: dict[str, list[str]] = {}
        for user in self.model.users.values():
            for role in self.active_roles(user):
                found.setdefault(role, []).append(user.name)
        return found

    @cached_property
    def held_roles(self) -> frozenset[str]:
        """The roles granted to a user, or to another role."""
        return frozenset(
            role
            for holder, roles in self.model.granted_roles.items()
            for role in roles
            if holder != Holder(EntityKind.ROLE, role)
        )

    # -- sets of names

    def sets_of_names(self) -> Iterator[tuple[EntityKey, NameSet]]:
        """Every set of users and roles: grantees, and whom quotas, profiles and policies hold for."""
        model = self.model
        for user in model.users.values():
            yield EntityKey(EntityKind.USER, user.name), user.grantees
        for quota in model.quotas.values():
            yield EntityKey(EntityKind.QUOTA, quota.name), quota.to
        for profile in model.settings_profiles.values():
            yield EntityKey(EntityKind.SETTINGS_PROFILE, profile.name), profile.to
        for row_policy in model.row_policies.values():
            yield EntityKey(EntityKind.ROW_POLICY, row_policy.name), row_policy.to
        for masking_policy in model.masking_policies.values():
            yield EntityKey(EntityKind.MASKING_POLICY, masking_policy.name), masking_policy.to

    @cached_property
    def names_in_sets(self) -> frozenset[str]:
        """Every name in such a set."""
        return frozenset(name for _, names in self.sets_of_names() for name in (*names.names, *names.excepted))

    def entity_of(self, name: str) -> Holder | None:
        """The user or role that a name in a set means: of two with one name, the user."""
        if name in self.model.users:
            return Holder(EntityKind.USER, name)
        return Holder(EntityKind.ROLE, name) if name in self.model.roles else None

    def matches(self, user: User, names: NameSet) -> bool:
        """Whether a set of users and roles holds for a user when it logs in, as ClickHouse's RolesOrUsersSet has it:
        it or an active role is in the set, and neither it nor any active role is excepted."""
        means = self._names_of(user)
        if not names.everyone and means.isdisjoint(names.names):
            return False
        return means.isdisjoint(names.excepted)

    def _names_of(self, user: User) -> frozenset[str]:
        if user.name not in self._own_names:
            roles = (role for role in self.active_roles(user) if role not in self.model.users)
            self._own_names[user.name] = frozenset((user.name, *roles))
        return self._own_names[user.name]

    @cached_property
    def _own_names(self) -> dict[str, frozenset[str]]:
        return {}


class SetsOfUsers(Generic[Key]):
    """Many sets of names at once: which of them hold for a user, without looking at all."""

    def __init__(self, subject: Subject, sets: Iterable[tuple[Key, NameSet]]) -> None:
        self._subject = subject
        self._sets = list(sets)
        self._everyone = [number for number, (_, names) in enumerate(self._sets) if names.everyone]
        self._by_name: dict[str, list[int]] = {}
        for number, (_, names) in enumerate(self._sets):
            for name in () if names.everyone else names.names:
                self._by_name.setdefault(name, []).append(number)

    def holding_for(self, user: User) -> list[Key]:
        """The keys of the sets that hold for `user`, in their order."""
        numbers = set(self._everyone)
        for name in self._subject._names_of(user):
            numbers.update(self._by_name.get(name, ()))
        return [
            self._sets[number][0] for number in sorted(numbers) if self._subject.matches(user, self._sets[number][1])
        ]


def disabled(hosts: Hosts) -> bool:
    """Whether nobody can come in from anywhere: HOST NONE."""
    return hosts == Hosts()


def named(entity: EntityKey | Holder) -> str:
    """A user, role or quota as it stands in a sentence: `user alice`."""
    kind = entity.kind.value.lower()
    name = entity.name if isinstance(entity.name, str) else f"{entity.name.short} on {table_text(entity.name)}"
    return f"{kind} {one_line(name)}"


def table_text(name: PolicyName) -> str:
    """The table of a policy: `acme.orders`, or `acme.*`."""
    return one_line(f"{name.database}.{'*' if name.table is None else name.table}")


def sentence(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, the first few and how many more: `a, b and 3 more`."""
    found = [one_line(name) for name in names]
    if len(found) > _SHOWN_NAMES:
        return f"{', '.join(found[:_SHOWN_NAMES])} and {len(found) - _SHOWN_NAMES:,} more"
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def key_of(holder: Holder) -> EntityKey:
    """A holder as an access entity."""
    return EntityKey(holder.kind, holder.name)
