"""The access entities of one ClickHouse as a value that statements change, with ClickHouse's own checks and words.

The embedded engine keeps such a state; ClickHouse has judged a statement before it comes here, and what is checked
here is what ClickHouse would check while it writes: which names exist, and which roles are granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.access import state_limits, state_users
from core.access.model import (
    EVERYONE,
    NOBODY,
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    Revoke,
    SetDefaultRole,
    SettingsChange,
    Statement,
)
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota
from core.access.redefining import (
    masking_policy_definition,
    profile_definition,
    quota_definition,
    row_policy_definition,
)
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access.state_entities import FIXED_USER as FIXED_USER
from core.access.state_entities import AccessRefused as AccessRefused
from core.access.state_entities import Entities
from core.access.state_entities import unknown as unknown
from core.access.user_changes import definition


@dataclass(slots=True)
class AccessState(Entities):
    """The entities, changed by statements and built again from them."""

    def apply(self, statement: Statement) -> None:
        """Carry out a statement whose passwords, times and current database are resolved, wholly or not at all.

        Raises AccessRefused.
        """
        match statement:
            case CreateUser():
                state_users.create_user(self, statement)
            case AlterUser():
                state_users.alter_user(self, statement)
            case CreateRole():
                state_users.create_role(self, statement)
            case AlterRole():
                state_users.alter_role(self, statement)
            case SetDefaultRole():
                state_users.set_default_role(self, statement)
            case Grant():
                state_users.grant(self, statement)
            case Revoke():
                state_users.revoke(self, statement)
            case Drop() | DropPolicy():
                self._drop(statement)
            case _:
                self._apply_limit(statement)

    def _apply_limit(self, statement: Statement) -> None:
        match statement:
            case CreateQuota():
                state_limits.create_quota(self, statement)
            case AlterQuota():
                state_limits.alter_quota(self, statement)
            case CreateSettingsProfile():
                state_limits.create_profile(self, statement)
            case AlterSettingsProfile():
                state_limits.alter_profile(self, statement)
            case CreateRowPolicy():
                state_limits.create_row_policy(self, statement)
            case AlterRowPolicy():
                state_limits.alter_row_policy(self, statement)
            case CreateMaskingPolicy():
                state_limits.create_masking_policy(self, statement)
            case AlterMaskingPolicy():
                state_limits.alter_masking_policy(self, statement)
            case _:
                raise AccessRefused(495, "ACCESS_STORAGE_READONLY", "There is only one storage, so nothing is moved.")

    def _drop(self, statement: Drop | DropPolicy) -> None:
        kind = statement.kind
        self.check_storage(kind, statement.names, statement.storage)
        for name in self.existing(kind, statement.names, "remove", skip=statement.if_exists):
            if kind in (EntityKind.USER, EntityKind.ROLE):
                state_users.forget_holder(self, kind, name)
            else:
                state_limits.forget_limit(self, kind, name)

    def statements(self) -> list[Statement]:
        """The statements that build this state from nothing, in an order in which every name is known when used."""
        built: list[Statement] = list(self._profiles())
        built += [CreateRole((name,), settings=self.roles[name].settings) for name in sorted(self.roles)]
        for name in sorted(self.users):
            built.append(replace(definition(self.users[name]), default_roles=None, grantees=None))
        for kind in (EntityKind.USER, EntityKind.ROLE):
            for name in sorted(self.of_kind(kind)):
                built += self.holdings(kind, name).statements(name)
        for name in sorted(self.users):
            user = self.users[name]
            roles = None if user.default_roles == EVERYONE else user.default_roles
            grantees = None if user.grantees == EVERYONE else user.grantees
            if roles is not None or grantees is not None:
                built.append(AlterUser((name,), default_roles=roles, grantees=grantees))
        built += self._profile_targets()
        built += [quota_definition(quota) for _, quota in sorted(self.quotas.items())]
        built += [row_policy_definition(self.row_policies[name]) for name in sorted(self.row_policies, key=_order)]
        built += [
            masking_policy_definition(self.masking_policies[name]) for name in sorted(self.masking_policies, key=_order)
        ]
        return built

    def _profiles(self) -> Iterator[Statement]:
        """The settings profiles, parents first; where they go in a circle, one is given its settings afterwards."""
        waiting = dict(sorted(self.settings_profiles.items()))
        unfinished: list[str] = []
        while waiting:
            ready = [name for name in waiting if not any(parent in waiting for parent in self._parents(name))]
            if not ready:
                unfinished.append(next(iter(waiting)))
                del waiting[unfinished[-1]]
                yield CreateSettingsProfile((unfinished[-1],))
            for name in ready:
                yield replace(profile_definition(waiting.pop(name)), to=None)
        for name in unfinished:
            settings = self.settings_profiles[name].settings
            yield AlterSettingsProfile((name,), settings=SettingsChange(add=settings))

    def _parents(self, name: str) -> set[str]:
        return {element.profile for element in self.settings_profiles[name].settings if element.profile}

    def _profile_targets(self) -> list[Statement]:
        return [
            AlterSettingsProfile((name,), to=profile.to)
            for name, profile in sorted(self.settings_profiles.items())
            if profile.to != NOBODY
        ]


def _order(name: PolicyName) -> tuple[str, str, str]:
    return name.database, name.table or "", name.short
