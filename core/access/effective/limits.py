"""What limits a user besides its rights: where and until when it may come in, read-only mode, quotas, rows.

Each limit is a value with its origin. Nothing here is judged: a user without any limit is no worse than one with many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from core.access.access_model import AccessModel, Holder
from core.access.effective.privilege_tree import PrivilegeTree
from core.access.effective.rights import EffectiveRights
from core.access.effective.roles import Via, applying
from core.access.effective.row_policies import TableRows, row_policies_of
from core.access.effective.settings import DEFAULT_PROFILE, EffectiveSetting, effective_settings
from core.access.model import (
    EVERYONE,
    NOBODY,
    Authentication,
    AuthKind,
    EntityKind,
    Hosts,
    NameSet,
    Right,
)
from core.access.quotas import Quota

_DDL = (
    *("CREATE DATABASE", "CREATE TABLE", "CREATE VIEW", "ALTER TABLE", "ALTER VIEW", "DROP DATABASE", "DROP TABLE"),
    *("DROP VIEW", "TRUNCATE", "CREATE DICTIONARY", "DROP DICTIONARY", "CREATE FUNCTION", "DROP FUNCTION"),
    *("CREATE WORKLOAD", "DROP WORKLOAD", "CREATE RESOURCE", "DROP RESOURCE"),
    *("CREATE HANDLER", "ALTER HANDLER", "DROP HANDLER"),
)
_WRITING = (*_DDL, "INSERT", "OPTIMIZE", "SYSTEM", "KILL QUERY")


@dataclass(frozen=True, slots=True)
class Credential:
    """One way to come in. `valid_until` is None if it has no end, or one that cannot be read (`end_unknown`).

    `grants` limit a session that came in by it.
    """

    kind: AuthKind
    valid_until: datetime | None
    end_unknown: bool
    expired: bool
    grants: tuple[Right, ...] | None


@dataclass(frozen=True, slots=True)
class AppliedQuota:
    """A quota that holds for a user, and by whom. Of several ClickHouse counts one."""

    quota: Quota
    via: Via


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one user (or role, which has neither hosts nor credentials)."""

    who: Holder
    hosts: Hosts | None
    credentials: tuple[Credential, ...]
    grantees: NameSet
    settings: tuple[EffectiveSetting, ...]
    quotas: tuple[AppliedQuota, ...]
    rows: tuple[TableRows, ...]

    @property
    def disabled(self) -> bool:
        """Whether it may come in from nowhere (`HOST NONE`)."""
        return self.hosts == Hosts()

    @property
    def expired(self) -> bool:
        """Whether every way in has come to its end."""
        return bool(self.credentials) and all(credential.expired for credential in self.credentials)

    @property
    def may_grant_to_nobody(self) -> bool:
        return self.grantees == NOBODY

    def setting(self, name: str) -> EffectiveSetting | None:
        return next((setting for setting in self.settings if setting.name == name), None)

    @property
    def readonly(self) -> EffectiveSetting | None:
        """The setting `readonly`, if it is 1 (reading only) or 2 (and changing settings)."""
        setting = self.setting("readonly")
        return setting if setting is not None and setting.value not in (None, "0", "false") else None

    def blocking(self, right: Right, privileges: PrivilegeTree) -> tuple[EffectiveSetting, ...]:
        """The settings that keep a right from being used, at least in part, although it may be granted.

        One that is at ClickHouse's own default has no origin.
        """
        mask = privileges.mask(right.privilege)
        found: list[EffectiveSetting] = []
        if self.readonly is not None and mask & _not_readonly(self.readonly.value == "1", privileges):
            found.append(self.readonly)
        ddl = self.setting("allow_ddl")
        if ddl is not None and ddl.value in ("0", "false") and mask & privileges.mask_of_known(*_DDL):
            found.append(ddl)
        name = "allow_introspection_functions"
        introspection = self.setting(name) or EffectiveSetting(name)
        if introspection.value in (None, "0", "false") and mask & privileges.mask_of_known("INTROSPECTION"):
            found.append(introspection)
        return tuple(found)


def _not_readonly(reading_only: bool, privileges: PrivilegeTree) -> int:
    managing = privileges.mask_of_known("ACCESS MANAGEMENT") & ~privileges.mask_of_known("SHOW ACCESS")
    temporary = privileges.mask_of_known("CREATE TEMPORARY TABLE") if reading_only else 0
    return privileges.mask_of_known(*_WRITING) | managing | temporary


def limits_of(
    effective: EffectiveRights, now: datetime, *, zone: tzinfo = UTC, default_profile: str = DEFAULT_PROFILE
) -> Limits:
    """What limits a user. `zone` is the server's, in which ends of validity are written."""
    model, who, roles = effective.index.model, effective.who, effective.roles
    user = model.users.get(who.name) if who.kind is EntityKind.USER else None
    return Limits(
        who,
        None if user is None else user.hosts,
        () if user is None else tuple(_credential(method, now, zone) for method in user.methods),
        EVERYONE if user is None else user.grantees,
        effective_settings(model, who, roles, default_profile),
        _quotas(model, effective),
        row_policies_of(model, who, roles),
    )


def _quotas(model: AccessModel, effective: EffectiveRights) -> tuple[AppliedQuota, ...]:
    active = {role.name: role.path for role in effective.roles if role.active}
    found = []
    for name in sorted(model.quotas):
        via = applying(model.quotas[name].to, effective.who, active, model)
        if via is not None:
            found.append(AppliedQuota(model.quotas[name], via))
    return tuple(found)


def _credential(method: Authentication, now: datetime, zone: tzinfo) -> Credential:
    text = method.valid_until.strip()
    until: datetime | None = None
    unknown = method.valid_for is not None  # counted from a moment that is not known here
    if text and text.lower() != "infinity":
        try:
            until = datetime.fromisoformat(text)
        except ValueError:
            unknown = True
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=zone)
    expired = until is not None and until <= now
    return Credential(method.kind, until, unknown and until is None, expired, method.grants)
