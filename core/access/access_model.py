"""All access entities of one ClickHouse, or of one file, as a value.

The middle of the access algebra: statements and `users.xml` are read into it and written from it, two of them are
compared into a plan, and effective rights are computed from it. Names that something refers to need not exist: a
server can hold references to what was dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from core.access.model import EntityKind, Grant, Revoke, Role, User
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile


class Holder(NamedTuple):
    """A user or role as the holder of rights and roles. Of two with one name a GRANT means the user."""

    kind: EntityKind  # USER or ROLE
    name: str


class EntityKey(NamedTuple):
    """One access entity."""

    kind: EntityKind
    name: str | PolicyName


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entity was read from: a file and a line in it, counted from 1."""

    file: str
    line: int


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AccessModel:
    """Entities by name, what each holder was given, and where entities come from.

    `rights` has the grants and partial revokes of a holder in the order in which they hold, each with one grantee;
    `granted_roles` has the roles granted to a holder, and whether it may pass them on (WITH ADMIN OPTION).
    `storages` names the user directory of an entity (`local_directory`, `users_xml` …) where that is known, `origins`
    the place in a file. Mappings are not changed once they are in a model.
    """

    users: Mapping[str, User] = field(default_factory=_nothing)
    roles: Mapping[str, Role] = field(default_factory=_nothing)
    rights: Mapping[Holder, tuple[Grant | Revoke, ...]] = field(default_factory=_nothing)
    granted_roles: Mapping[Holder, Mapping[str, bool]] = field(default_factory=_nothing)
    quotas: Mapping[str, Quota] = field(default_factory=_nothing)
    settings_profiles: Mapping[str, SettingsProfile] = field(default_factory=_nothing)
    row_policies: Mapping[PolicyName, RowPolicy] = field(default_factory=_nothing)
    masking_policies: Mapping[PolicyName, MaskingPolicy] = field(default_factory=_nothing)
    storages: Mapping[EntityKey, str] = field(default_factory=_nothing)
    origins: Mapping[EntityKey, Origin] = field(default_factory=_nothing)
