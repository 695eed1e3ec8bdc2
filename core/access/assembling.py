"""An access model from statements.

Lenient where the embedded engine's `state` is strict: what a statement names need not exist, for a server can hold
references to what was dropped, and a file may be a part of something larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.holdings import Holdings
from core.access.model import (
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    Role,
    SetDefaultRole,
    Statement,
    User,
)
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    MaskingPolicy,
    PolicyName,
    RowPolicy,
)
from core.access.quotas import AlterQuota, CreateQuota, Quota
from core.access.redefining import (
    altered_masking_policy,
    altered_profile,
    altered_quota,
    altered_row_policy,
    new_masking_policy,
    new_profile,
    new_quota,
    new_row_policy,
)
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile
from core.access.user_changes import altered_user, changed_settings, user_maker

_USER: Final = EntityKind.USER
_ROLE: Final = EntityKind.ROLE


@dataclass(frozen=True, slots=True)
class Misfit:
    """A statement that does not fit what came before it: its index among the statements, and why it was left out."""

    index: int
    why: str


def model_from_statements(statements: Iterable[Statement]) -> AccessModel:
    """The model that `statements` build, in order; those that do not fit are left out. See `assemble`."""
    return assemble(statements)[0]


def assemble(statements: Iterable[Statement]) -> tuple[AccessModel, tuple[Misfit, ...]]:
    """The model that `statements` build, in order, and what was left out: changes of, and grants to, the unknown."""
    assembly = Assembly()
    misfits = [Misfit(index, why) for index, statement in enumerate(statements) for why in assembly.take(statement)]
    return assembly.model(), tuple(misfits)


@dataclass(slots=True)
class Assembly:
    """A model in the making."""

    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    quotas: dict[str, Quota] = field(default_factory=dict)
    profiles: dict[str, SettingsProfile] = field(default_factory=dict)
    row_policies: dict[PolicyName, RowPolicy] = field(default_factory=dict)
    masking_policies: dict[PolicyName, MaskingPolicy] = field(default_factory=dict)
    held: dict[Holder, Holdings] = field(default_factory=dict)
    storages: dict[EntityKey, str] = field(default_factory=dict)

    def take(self, statement: Statement) -> list[str]:
        """Carry out a statement; the reasons why parts of it were left out."""
        match statement:  # what there is most of comes first
            case Grant():
                return self._grant(statement)
            case Revoke():
                return self._revoke(statement)
            case CreateUser():
                return self._create_user(statement)
            case CreateRole():
                return self._create(_ROLE, self.roles, statement, lambda name: Role(name, statement.settings))
            case CreateQuota():
                return self._create(EntityKind.QUOTA, self.quotas, statement, lambda name: new_quota(statement, name))
            case CreateSettingsProfile():
                kind = EntityKind.SETTINGS_PROFILE
                return self._create(kind, self.profiles, statement, lambda name: new_profile(statement, name))
            case CreateRowPolicy():
                kind = EntityKind.ROW_POLICY
                return self._create(kind, self.row_policies, statement, lambda name: new_row_policy(statement, name))
            case CreateMaskingPolicy():
                kind, found = EntityKind.MASKING_POLICY, self.masking_policies
                return self._create(kind, found, statement, lambda name: new_masking_policy(statement, name))
            case AlterUser():
                return self._alter(_USER, self.users, statement, lambda user: _user_after(user, statement))
            case AlterRole():
                return self._alter(_ROLE, self.roles, statement, lambda role: _role_after(role, statement))
            case AlterQuota():
                kind = EntityKind.QUOTA
                return self._alter(kind, self.quotas, statement, lambda quota: altered_quota(quota, statement))
            case AlterSettingsProfile():
                kind = EntityKind.SETTINGS_PROFILE
                return self._alter(kind, self.profiles, statement, lambda one: altered_profile(one, statement))
            case AlterRowPolicy():
                kind = EntityKind.ROW_POLICY
                return self._alter(kind, self.row_policies, statement, lambda one: altered_row_policy(one, statement))
            case AlterMaskingPolicy():
                kind, found = EntityKind.MASKING_POLICY, self.masking_policies
                return self._alter(kind, found, statement, lambda one: altered_masking_policy(one, statement))
            case Drop() | DropPolicy():
                return self._drop(statement.kind, statement.names, skip=statement.if_exists)
            case SetDefaultRole():
                return self._set_default_role(statement)
        return self._move(statement.kind, statement.names, statement.storage)

    def holdings(self, name: str) -> Holdings | None:
        """What the user or role of that name holds, as a GRANT to it changes that; None when there is neither."""
        holder = self._holder(name)
        return None if holder is None else self._held_by(holder)

    def model(self) -> AccessModel:
        """What was built."""
        rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
        granted: dict[Holder, Mapping[str, bool]] = {}
        for holder, holdings in self.held.items():
            if holdings.entries:
                rights[holder] = tuple(holdings.statements_of_rights(holder.name))
            if holdings.roles:
                granted[holder] = dict(holdings.roles)
        return AccessModel(
            users=self.users,
            roles=self.roles,
            rights=rights,
            granted_roles=granted,
            quotas=self.quotas,
            settings_profiles=self.profiles,
            row_policies=self.row_policies,
            masking_policies=self.masking_policies,
            storages=self.storages,
        )

    # -- entities

    def _entities(self, kind: EntityKind) -> dict[Any, Any]:
        tables: dict[EntityKind, dict[Any, Any]] = {
            _USER: self.users,
            _ROLE: self.roles,
            EntityKind.QUOTA: self.quotas,
            EntityKind.SETTINGS_PROFILE: self.profiles,
            EntityKind.ROW_POLICY: self.row_policies,
            EntityKind.MASKING_POLICY: self.masking_policies,
        }
        return tables[kind]

    def _create_user(self, statement: CreateUser) -> list[str]:
        before = {name for name in statement.names if name in self.users}
        reasons = self._create(_USER, self.users, statement, user_maker(statement))
        listed = statement.default_roles.names if statement.default_roles is not None else ()
        for name in statement.names:
            if name not in before or statement.or_replace:
                self.held[Holder(_USER, name)] = Holdings(roles=dict.fromkeys((*statement.roles, *listed), False))
        return reasons

    def _create(
        self, kind: EntityKind, entities: dict[Any, Any], statement: Any, make: Callable[[Any], object]
    ) -> list[str]:
        reasons = []
        for name in statement.names:
            if name in entities and statement.if_not_exists:
                continue
            if name in entities and not statement.or_replace:
                reasons.append(f"there is {_a(kind)} {_text(name)} already")
                continue
            if name in entities:
                self._drop(kind, (name,))
            entities[name] = make(name)
            if statement.storage:
                self.storages[EntityKey(kind, name)] = statement.storage
        return reasons

    def _alter(
        self, kind: EntityKind, entities: dict[Any, Any], statement: Any, change: Callable[[Any], object]
    ) -> list[str]:
        reasons = []
        for name in statement.names:
            if name not in entities:
                reasons += [] if statement.if_exists else [_no(kind, name)]
                continue
            entities[name] = change(entities[name])
            if statement.rename_to:
                new = statement.rename_to
                self._rename(kind, entities, name, replace(name, short=new) if isinstance(name, PolicyName) else new)
        return reasons

    def _rename(self, kind: EntityKind, entities: dict[Any, Any], old: Any, new: Any) -> None:
        order = {(new if name == old else name): entity for name, entity in entities.items()}
        entities.clear()
        entities.update(order)
        entities[new] = replace(entities[new], name=new)
        if (storage := self.storages.pop(EntityKey(kind, old), "")) != "":
            self.storages[EntityKey(kind, new)] = storage
        if kind is EntityKind.SETTINGS_PROFILE:
            self._rename_profile(old, new)
        if kind not in (_USER, _ROLE):
            return
        if (holdings := self.held.pop(Holder(kind, old), None)) is not None:
            self.held[Holder(kind, new)] = holdings
        if kind is _ROLE:
            for other in self.held.values():
                if old in other.roles:
                    other.roles[new] = other.roles.pop(old)
        self._rename_in_sets(kind, old, (new,))

    def _rename_profile(self, old: str, new: str) -> None:
        for entities in (self.users, self.roles, self.profiles):
            table: dict[str, Any] = entities
            for name, entity in table.items():
                if any(element.profile == old for element in entity.settings):
                    settings = tuple(replace(e, profile=new) if e.profile == old else e for e in entity.settings)
                    table[name] = replace(entity, settings=settings)

    def _rename_in_sets(self, kind: EntityKind, old: str, new: tuple[str, ...]) -> None:
        """Put another name, or none, in the place of a user's or role's in every set that names it."""
        if kind is _ROLE:
            _rename_in_each(self.users, "default_roles", old, new)
        if old in self.users or old in self.roles:
            return  # another of that name is meant
        _rename_in_each(self.users, "grantees", old, new)
        for entities in (self.quotas, self.profiles, self.row_policies, self.masking_policies):
            _rename_in_each(entities, "to", old, new)

    def _drop(self, kind: EntityKind, names: Iterable[Any], *, skip: bool = False) -> list[str]:
        entities = self._entities(kind)
        reasons = []
        for name in names:
            if name not in entities:
                reasons += [] if skip else [_no(kind, name)]
                continue
            del entities[name]
            self.storages.pop(EntityKey(kind, name), None)
            if kind in (_USER, _ROLE):
                self.held.pop(Holder(kind, name), None)
                self._rename_in_sets(kind, name, ())
            if kind is _ROLE:
                for holdings in self.held.values():
                    holdings.roles.pop(name, None)
        return reasons

    def _move(self, kind: EntityKind, names: Iterable[Any], storage: str) -> list[str]:
        reasons = []
        for name in names:
            if name in self._entities(kind):
                self.storages[EntityKey(kind, name)] = storage
            else:
                reasons.append(_no(kind, name))
        return reasons

    # -- grants

    def _holder(self, name: str) -> Holder | None:
        if name in self.users:
            return Holder(_USER, name)
        return Holder(_ROLE, name) if name in self.roles else None

    def _held_by(self, holder: Holder) -> Holdings:
        if (holdings := self.held.get(holder)) is None:
            holdings = self.held[holder] = Holdings()
        return holdings

    def _holders(self, names: Sequence[str], reasons: list[str]) -> list[tuple[Holder, Holdings]]:
        found = []
        for name in names:
            if (holder := self._holder(name)) is None:
                reasons.append(f"there is no user or role {name}")
            else:
                found.append((holder, self._held_by(holder)))
        return found

    def _grant(self, statement: Grant) -> list[str]:
        reasons = ["CURRENT_USER is known to a server only"] if statement.to_current_user else []
        if statement.current:
            return [*reasons, "CURRENT GRANTS are known to a server only"]
        for _, holdings in self._holders(statement.grantees, reasons):
            if statement.replace_option and statement.rights:
                holdings.clear_rights()
            if statement.replace_option and statement.roles:
                holdings.roles.clear()
            holdings.grant(statement.rights, option=statement.grant_option)
            holdings.grant_roles(statement.roles, option=statement.admin_option)
        return reasons

    def _revoke(self, statement: Revoke) -> list[str]:
        reasons = ["CURRENT_USER is known to a server only"] if statement.from_current_user else []
        if statement.from_all:
            holders = [
                (holder, held) for holder, held in self.held.items() if holder.name not in statement.grantees_except
            ]
        else:
            holders = self._holders(statement.grantees, reasons)
        for holder, holdings in holders:
            holdings.revoke(statement.rights, option_only=statement.grant_option)
            gone = set(holdings.roles) - set(statement.roles_except) if statement.all_roles else set(statement.roles)
            for role in gone & set(holdings.roles):
                if statement.admin_option:
                    holdings.roles[role] = False
                else:
                    del holdings.roles[role]
            if holder.kind is _USER and gone and not statement.admin_option:
                user = self.users[holder.name]
                left = tuple(name for name in user.default_roles.names if name not in gone)
                self.users[holder.name] = replace(user, default_roles=replace(user.default_roles, names=left))
        return reasons

    def _set_default_role(self, statement: SetDefaultRole) -> list[str]:
        reasons = ["CURRENT_USER is known to a server only"] if statement.users.current_user else []
        for name in statement.users.names:
            if name in self.users:
                self.users[name] = replace(self.users[name], default_roles=statement.roles)
            else:
                reasons.append(_no(_USER, name))
        return reasons


def _user_after(user: User, statement: AlterUser) -> User:
    changed = altered_user(user, statement)
    return changed if statement.grantees is None else replace(changed, grantees=statement.grantees)


def _role_after(role: Role, statement: AlterRole) -> Role:
    if statement.settings is None:
        return role
    return replace(role, settings=changed_settings(role.settings, statement.settings))


def _rename_in_each(entities: dict[Any, Any], field_name: str, old: str, new: tuple[str, ...]) -> None:
    for key, entity in entities.items():
        names = getattr(entity, field_name)
        if (found := _renamed(names, old, new)) is not names:
            entities[key] = replace(entity, **{field_name: found})


def _renamed(names: NameSet, old: str, new: tuple[str, ...]) -> NameSet:
    if old not in names.names and old not in names.excepted:
        return names
    listed, excepted = (
        tuple(found for name in part for found in (new if name == old else (name,)))
        for part in (names.names, names.excepted)
    )
    return replace(names, names=listed, excepted=excepted)


def _a(kind: EntityKind) -> str:
    return f"a {kind.lower()}"


def _no(kind: EntityKind, name: str | PolicyName) -> str:
    return f"there is no {kind.lower()} {_text(name)}"


def _text(name: str | PolicyName) -> str:
    if isinstance(name, PolicyName):
        return f"{name.short} ON {name.database}.{'*' if name.table is None else name.table}"
    return name
