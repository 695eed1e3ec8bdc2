"""What a ClickHouse holds about access at present, with all that a plan for it has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import keys_of
from core.access.difference_fields import entity
from core.access.effective.privilege_tree import Privilege, PrivilegeTree
from core.access.model import Authentication, AuthKind, EntityKind
from core.access.model_changes import only, with_entity, without_entities
from core.access.planning.clusters import cluster_clause, is_writable
from core.access_changes.fingerprints import read_fingerprints
from core.clickhouse.access_survey import AccessSurvey, survey_access
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.engine import Engine
from core.errors import HousekeysError

EMBEDDED_STORAGE = "embedded"  # shown in the place of a user directory's name


@dataclass(frozen=True, slots=True)
class PresentAccess:
    """The access model of an engine, for plans. `fingerprints` (None: not to be had) were read before it.

    `cluster` is for ON CLUSTER, "" where that must be left out; `storage_types` tells the types of access storages.
    """

    survey: AccessSurvey
    embedded: bool
    fingerprints: Mapping[tuple[str, str], int] | None
    cluster: str
    storage_types: Mapping[str, str] | None

    @property
    def model(self) -> AccessModel:
        """What was read."""
        return self.survey.model

    @property
    def shown(self) -> AccessModel:
        """The model with a name for every storage, for the eye: that of an embedded engine has none in statements."""
        if not self.embedded:
            return self.model
        named = {key: self.storage(key) for key in keys_of(self.model)}
        return replace(self.model, storages=named)

    def storage(self, key: EntityKey) -> str:
        """The access storage of an entity, for the eye; empty when the server does not tell."""
        return self.model.storages.get(key, EMBEDDED_STORAGE if self.embedded else "")

    def without_built_in(self) -> AccessModel:
        """The model without the `default` user, profile and quota that every embedded engine brings itself.

        Nobody can connect to an embedded engine as that user, but to a server that a file with it is loaded into.
        """
        if not self.embedded:
            return self.model
        return without_entities(self.model, [key for key in keys_of(self.model) if key in self.model.storages])

    def beside_built_in(self) -> AccessModel:
        """The same, but what names one of these still does: to be written to a file."""
        if not self.embedded:
            return self.model
        return only(self.model, [key for key in keys_of(self.model) if key not in self.model.storages])

    def clear_as_kept(self, desired: AccessModel) -> AccessModel:
        """`desired` with passwords to be hashed by SHA-256 in clear again where they are kept so and SQL cannot change
        it: a server is not other than its own `users.xml`.
        """
        types = None if self.storage_types is None else dict(self.storage_types)
        users = dict(desired.users)
        for name, user in desired.users.items():
            there = self.model.users.get(name)
            storage = self.model.storages.get(EntityKey(EntityKind.USER, name), "")
            if there is None or is_writable(storage, types):
                continue
            if any(method.kind is AuthKind.PLAINTEXT for method in there.methods):
                users[name] = replace(user, methods=tuple(map(_in_clear, user.methods)))
        return replace(desired, users=users)

    def compared_with(self, other: AccessModel) -> AccessModel:
        """The same, with those of these that `other` has as well: they are compared by content, or not at all."""
        if not self.embedded:
            return self.model
        storages = self.model.storages
        return only(
            self.model,
            [key for key in keys_of(self.model) if key not in storages or entity(other, key) is not None],
        )


def _in_clear(method: Authentication) -> Authentication:
    typed = method.kind is AuthKind.SHA256 and method.password is not None
    return replace(method, kind=AuthKind.PLAINTEXT) if typed else method


async def read_present_access(engine: Engine, capabilities: Capabilities, cluster: str | None) -> PresentAccess:
    """Read it. What may not be seen is left out and named in the survey. Raises UnreachableError."""
    try:
        fingerprints: Mapping[tuple[str, str], int] | None = await read_fingerprints(engine)
    except HousekeysError:  # not every user may read all tables; then nothing is guarded
        fingerprints = None
    survey = await survey_access(engine)
    if engine.home == "embedded":
        return PresentAccess(survey, True, fingerprints, cluster or "", None)
    directories = capabilities.user_directories
    if directories is None:
        return PresentAccess(survey, False, fingerprints, cluster or "", None)
    by_precedence = [kind for _, kind, _ in sorted(directories, key=lambda each: each[2])]
    types = {name: kind for name, kind, _ in directories}
    where = cluster_clause(by_precedence, cluster or "")
    return PresentAccess(survey, False, fingerprints, where, types)


async def read_privileges(engine: Engine) -> PrivilegeTree | None:
    """The privileges of the server, from `system.privileges`; None when it does not tell."""
    question = "SELECT privilege, aliases, toString(level), toString(parent_group) FROM system.privileges"
    try:
        rows = (await engine.query(question)).rows
    except HousekeysError:
        return None
    return PrivilegeTree(
        Privilege(str(name), tuple(str(alias) for alias in aliases), str(level or ""), str(group or ""))
        for name, aliases, level, group in rows
    )


def with_fixed_kept(present: PresentAccess, desired: AccessModel) -> AccessModel:
    """`desired` with those entities that it does not name and that SQL cannot drop, for they are kept elsewhere."""
    types = None if present.storage_types is None else dict(present.storage_types)
    current = present.model
    for key in keys_of(current):
        storage = current.storages.get(key, "")
        found = entity(current, key)
        if found is None or is_writable(storage, types) or entity(desired, key) is not None:
            continue
        desired = with_entity(desired, found, storage)
        if key.kind in (EntityKind.USER, EntityKind.ROLE):
            desired = _with_holdings(desired, current, key)
    return desired


def _with_holdings(desired: AccessModel, current: AccessModel, key: EntityKey) -> AccessModel:
    holder = Holder(key.kind, str(key.name))
    changes: dict[str, Any] = {}
    for field in ("rights", "granted_roles"):
        held = getattr(current, field)
        if holder in held:
            changes[field] = {**getattr(desired, field), holder: held[holder]}
    return replace(desired, **changes)
