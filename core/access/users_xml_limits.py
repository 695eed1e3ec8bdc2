"""The limits of users in the projection to `users.xml`: settings profiles, quotas, row policies.

XML has one profile, one quota and one filter for each table of a user. What an access state says is folded into these
where that is exact; of a user for whom it is not, what is missing is told, for it must be locked or might do more. The
user that chDB connects as cannot be locked: quotas and profiles do not hold for it, or an engine might never open.
Source: ClickHouse's `SettingsProfilesCache.cpp`, `QuotaCache.cpp` and `RowPolicyCache.cpp`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from core.access.access_model import AccessModel, Holder
from core.access.model import EntityKind, NameSet, User
from core.access.quotas import Quota, QuotaKey
from core.access.settings_profiles import SettingsProfile
from core.access.state_entities import FIXED_USER, Entities
from core.access.users_xml_names import element_name
from core.access.users_xml_rows import Table, filter_lines, filtered_tables, filters_of
from core.access.xml.coverage import Coverage, Reach
from core.access.xml.writing_profiles import write_settings
from core.access.xml.writing_quotas import quota_lines


class _Targeted(Protocol):
    @property
    def to(self) -> NameSet: ...


T = TypeVar("T", bound=_Targeted)


@dataclass(frozen=True, slots=True)
class UserLimits:
    """The limits of one user: the profiles that are its by their TO, its quota, its filters, and what is missing.

    `lessened` is what its profiles would let it do beyond what stands in the projection: that locks nobody.
    """

    profiles: tuple[str, ...] = ()  # names of elements, as the quota
    quota: str = ""
    filters: tuple[str, ...] = ()  # lines
    missing: tuple[str, ...] = ()  # in words
    lessened: tuple[str, ...] = ()  # likewise


@dataclass(slots=True)
class Limits:
    """What of the limits of a state stands in the projection: lines by element, users, and what does not."""

    profiles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    quotas: dict[str, tuple[str, ...]] = field(default_factory=dict)
    users: dict[str, UserLimits] = field(default_factory=dict)
    missing: dict[tuple[EntityKind, str], tuple[str, ...]] = field(default_factory=dict)


def limits_of(state: Entities, *, with_settings: bool = True) -> Limits:
    """The limits of every user of a state and of the user that chDB connects as."""
    return _Projection(state, with_settings).limits()


class _Reaching(Generic[T]):
    """Which of many entities reach a user, without looking at those that name others."""

    def __init__(self, entities: Iterable[T], coverage: Coverage) -> None:
        self._coverage = coverage
        self._everyone: list[T] = []
        self._named: dict[str, list[T]] = {}
        for entity in entities:
            if entity.to.everyone:
                self._everyone.append(entity)
            for name in () if entity.to.everyone else dict.fromkeys(entity.to.names):
                self._named.setdefault(name, []).append(entity)

    def of(self, user: User) -> list[T]:
        """The entities whose TO has the user, or a role that is active when it comes in."""
        names = (user.name, *sorted(self._coverage.active_roles(user)))
        found = [*self._everyone, *(entity for name in names for entity in self._named.get(name, ()))]
        different = {id(entity): entity for entity in found}.values()
        return [entity for entity in different if self._coverage.reach(entity.to, user) is not Reach.NOT]


class _Projection:
    """Works out the limits of one state."""

    def __init__(self, state: Entities, with_settings: bool) -> None:
        self._state = state
        self._with_settings = with_settings
        self._users = {FIXED_USER: User(FIXED_USER), **dict(sorted(state.users.items()))}
        granted = {Holder(kind, name): held.roles for (kind, name), held in state.held.items()}
        coverage = Coverage(AccessModel(users=self._users, granted_roles=granted))
        self._profiles = _Reaching(state.settings_profiles.values(), coverage)
        self._policies = _Reaching(state.row_policies.values(), coverage)
        quotas = _Reaching(state.quotas.values(), coverage)
        self._quotas = {name: quotas.of(user) for name, user in self._users.items()}
        self._found = Limits()
        self._broken: set[str] = set()  # settings profiles that XML does not hold as they are
        self._broken_quotas: set[str] = set()

    def limits(self) -> Limits:
        for name, profile in sorted(self._state.settings_profiles.items()):
            self._profile(name, profile)
        reached: dict[str, int] = {}
        for found in self._quotas.values():
            for quota in found:
                reached[quota.name] = reached.get(quota.name, 0) + 1
        for name, quota in sorted(self._state.quotas.items()):
            self._quota(name, quota, reached.get(name, 0))
        everyones = filtered_tables(self._state.row_policies.values())
        for name, user in self._users.items():
            filters, hidden = filters_of(self._policies.of(user), everyones)
            profiles, broken, lessened = self._users_profiles(user)
            quota_name, uncounted = self._users_quota(user)
            missing = (*broken, *uncounted, *map(_row_policies_on, hidden))
            self._found.users[name] = UserLimits(
                profiles, quota_name, tuple(filter_lines(filters)), missing, tuple(lessened)
            )
        return self._found

    def _profile(self, name: str, profile: SettingsProfile) -> None:
        settings = [replace(one, profile=element_name(one.profile)) if one.profile else one for one in profile.settings]
        written = write_settings(settings, constraints_replace_previous=False)
        if written.problem or (settings and not self._with_settings):
            self._broken.add(name)
        self._found.profiles[element_name(name)] = tuple(written.lines) if self._with_settings else ()
        if missing := (written.problem,) if written.problem else tuple(written.lost):
            self._found.missing[EntityKind.SETTINGS_PROFILE, name] = missing

    def _quota(self, name: str, quota: Quota, reached: int) -> None:
        if quota.key is QuotaKey.NONE and reached <= 1:
            quota = replace(quota, key=QuotaKey.USER_NAME)  # for one user that counts the same
        lines, problem = quota_lines(quota)
        self._found.quotas[element_name(name)] = tuple(lines)
        if problem:
            self._broken_quotas.add(name)
            self._found.missing[EntityKind.QUOTA, name] = (problem,)

    def _users_profiles(self, user: User) -> tuple[tuple[str, ...], list[str], list[str]]:
        """The profiles that are a user's by their TO; those that do not hold for it; what of the others does not."""
        given = sorted(profile.name for profile in self._profiles.of(user))
        if user.name == FIXED_USER:
            return (), [f"the settings profile {name}" for name in given], []
        waiting = [*given, *(element.profile for element in user.settings if element.profile)]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self._state.settings_profiles:
                seen.add(name)
                settings = self._state.settings_profiles[name].settings
                waiting += [element.profile for element in settings if element.profile]
        broken = [f"the settings profile {name}" for name in sorted(seen & self._broken)]
        lost = self._found.missing
        lessened = [
            f"by settings profile {name}: {', '.join(lost[EntityKind.SETTINGS_PROFILE, name])}"
            for name in sorted(seen - self._broken)
            if (EntityKind.SETTINGS_PROFILE, name) in lost
        ]
        return tuple(map(element_name, given)), broken, lessened

    def _users_quota(self, user: User) -> tuple[str, list[str]]:
        """The quota of a user, and those of its quotas that limit it and do not hold for it."""
        found = sorted(self._quotas[user.name], key=lambda quota: quota.name)
        limiting = [quota for quota in found if any(interval.limits for interval in quota.intervals)]
        if user.name == FIXED_USER or len(limiting) > 1:
            return "", [f"the quota {quota.name}" for quota in limiting]
        held = limiting or found  # without limits its use is only counted
        if not held:
            return "", []
        if held[0].name in self._broken_quotas:
            return "", [f"the quota {quota.name}" for quota in limiting]
        return element_name(held[0].name), []


def _row_policies_on(table: Table) -> str:
    return f"the row policies on {table[0]}.{table[1] or '*'}"
