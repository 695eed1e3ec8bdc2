"""What statements about users, roles and grants do to an access state, checked as ClickHouse checks while it writes.

A statement is carried out wholly or not at all: every check comes before the first change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.access.holdings import Holdings
from core.access.model import (
    EVERYONE,
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    Role,
    SetDefaultRole,
    SettingElement,
    SettingsChange,
)
from core.access.state_entities import FIXED_USER, AccessRefused, Entities, read_only, rewritten, unknown
from core.access.user_changes import altered_user, changed_settings, new_user


def create_user(state: Entities, statement: CreateUser) -> None:
    """CREATE USER."""
    state.check_storage(EntityKind.USER, statement.names, statement.storage)
    state.check_profiles(statement.settings)
    default_roles = statement.default_roles or EVERYONE
    granted = {*_role_names(state, statement.roles), *_role_names(state, default_roles.names)}
    _role_names(state, default_roles.excepted)
    names = state.to_create(EntityKind.USER, statement)
    grantees = state.known_set(statement.grantees, also=names)
    for name in names:
        if name in state.users:  # OR REPLACE: to ClickHouse a new user, which nothing else means
            forget_holder(state, EntityKind.USER, name)
        state.held[(EntityKind.USER, name)] = Holdings(roles=dict.fromkeys(sorted(granted), False))
        user = new_user(statement, name)
        state.users[name] = user if grantees is None else replace(user, grantees=grantees)


def alter_user(state: Entities, statement: AlterUser) -> None:
    """ALTER USER."""
    names = state.existing(EntityKind.USER, statement.names, skip=statement.if_exists)
    check_change(state, statement.settings)
    if statement.default_roles is not None:
        _role_names(state, (*statement.default_roles.names, *statement.default_roles.excepted))
        for name in names:
            _check_granted(state, name, statement.default_roles)
    grantees = state.known_set(statement.grantees)
    state.check_rename(EntityKind.USER, statement.names, statement.rename_to)
    for name in names:
        user = altered_user(state.users[name], statement)
        state.users[name] = user if grantees is None else replace(user, grantees=grantees)
        if statement.rename_to:
            _rename_user(state, name, statement.rename_to)


def create_role(state: Entities, statement: CreateRole) -> None:
    """CREATE ROLE."""
    state.check_storage(EntityKind.ROLE, statement.names, statement.storage)
    state.check_profiles(statement.settings)
    for name in state.to_create(EntityKind.ROLE, statement):
        if name in state.roles:  # OR REPLACE: a new role, which nobody holds
            forget_holder(state, EntityKind.ROLE, name)
        state.held[(EntityKind.ROLE, name)] = Holdings()
        state.roles[name] = Role(name, statement.settings)


def alter_role(state: Entities, statement: AlterRole) -> None:
    """ALTER ROLE."""
    names = state.existing(EntityKind.ROLE, statement.names, skip=statement.if_exists)
    check_change(state, statement.settings)
    state.check_rename(EntityKind.ROLE, statement.names, statement.rename_to)
    for name in names:
        if statement.settings is not None:
            role = state.roles[name]
            state.roles[name] = replace(role, settings=changed_settings(role.settings, statement.settings))
        if statement.rename_to:
            _rename_role(state, name, statement.rename_to)


def check_change(state: Entities, change: SettingsChange | None) -> None:
    """Refuse a change of settings that names a settings profile that there is not."""
    if change is not None:
        dropped = (SettingElement(profile=name) for name in change.drop_profiles)
        state.check_profiles((*change.add, *change.modify, *dropped))


def forget_holder(state: Entities, kind: EntityKind, name: str) -> None:
    """Take a user or role out, and out of everything that names it."""
    state.held.pop((kind, name), None)
    del state.of_kind(kind)[name]
    if kind is EntityKind.ROLE:
        for holdings in state.held.values():
            holdings.roles.pop(name, None)
        _rewrite_default_roles(state, name, ())
    state.rewrite_sets(name, ())


def set_default_role(state: Entities, statement: SetDefaultRole) -> None:
    """SET DEFAULT ROLE."""
    users = state.existing(EntityKind.USER, statement.users.names)
    if statement.users.current_user:
        raise read_only(EntityKind.USER, [FIXED_USER], "update")
    _role_names(state, (*statement.roles.names, *statement.roles.excepted))
    for name in users:
        _check_granted(state, name, statement.roles)
    for name in users:
        state.users[name] = replace(state.users[name], default_roles=statement.roles)


# -- grants -----------------------------------------------------------------------------------------------------


def grant(state: Entities, statement: Grant) -> None:
    """GRANT."""
    roles = _role_names(state, statement.roles)
    holders = _holders(state, statement.grantees, current_user=statement.to_current_user)
    for (kind, name), _ in holders:
        if kind is EntityKind.ROLE and name in roles:
            raise AccessRefused(36, "BAD_ARGUMENTS", f"Cannot grant role '{name}' to itself.")
    for _, holdings in holders:
        if statement.replace_option and statement.rights:
            holdings.clear_rights()
        if statement.replace_option and roles:
            holdings.roles.clear()
        holdings.grant(statement.rights, option=statement.grant_option)
        holdings.grant_roles(roles, option=statement.admin_option)


def revoke(state: Entities, statement: Revoke) -> None:
    """REVOKE."""
    roles = set(_role_names(state, statement.roles))
    kept = set(_role_names(state, statement.roles_except))
    excepted = {key for key, _ in _holders(state, statement.grantees_except)}
    if statement.from_all:
        holders = [(key, state.holdings(*key)) for key in _all_keys(state) if key not in excepted]
    else:
        holders = _holders(state, statement.grantees, current_user=statement.from_current_user)
    for key, holdings in holders:
        holdings.revoke(statement.rights, option_only=statement.grant_option)
        gone = set(holdings.roles) - kept if statement.all_roles else roles & set(holdings.roles)
        for role in gone:
            if statement.admin_option:
                holdings.roles[role] = False
            else:
                del holdings.roles[role]
        if key[0] is EntityKind.USER and gone and not statement.admin_option:
            user = state.users[key[1]]
            left = tuple(name for name in user.default_roles.names if name not in gone)
            state.users[key[1]] = replace(user, default_roles=replace(user.default_roles, names=left))


def _holders(
    state: Entities, names: Iterable[str], *, current_user: bool = False
) -> list[tuple[tuple[EntityKind, str], Holdings]]:
    """Users or roles by name; of two with the same name the user is meant, as in ClickHouse."""
    found = []
    for name in names:
        if name == FIXED_USER and name not in state.roles:
            raise read_only(EntityKind.USER, [FIXED_USER], "update")
        if name not in state.users and name not in state.roles:
            raise unknown(EntityKind.ROLE, name)
        key = (EntityKind.USER if name in state.users else EntityKind.ROLE, name)
        found.append((key, state.holdings(*key)))
    if current_user:
        raise read_only(EntityKind.USER, [FIXED_USER], "update")
    return found


def _all_keys(state: Entities) -> list[tuple[EntityKind, str]]:
    return [(EntityKind.USER, name) for name in state.users] + [(EntityKind.ROLE, name) for name in state.roles]


def _role_names(state: Entities, names: Iterable[str]) -> list[str]:
    return state.existing(EntityKind.ROLE, names)


def _check_granted(state: Entities, user: str, roles: NameSet) -> None:
    for role in roles.names:
        if role not in state.holdings(EntityKind.USER, user).roles:
            raise AccessRefused(512, "SET_NON_GRANTED_ROLE", f"Role `{role}` should be granted to set default.")


# -- renames ----------------------------------------------------------------------------------------------------


def _rename_user(state: Entities, old: str, new: str) -> None:
    state.users[new] = replace(state.users.pop(old), name=new)
    state.held[(EntityKind.USER, new)] = state.held.pop((EntityKind.USER, old), Holdings())
    state.rewrite_sets(old, (new,))


def _rename_role(state: Entities, old: str, new: str) -> None:
    state.roles[new] = replace(state.roles.pop(old), name=new)
    state.held[(EntityKind.ROLE, new)] = state.held.pop((EntityKind.ROLE, old), Holdings())
    for holdings in state.held.values():
        if old in holdings.roles:
            holdings.roles[new] = holdings.roles.pop(old)
    _rewrite_default_roles(state, old, (new,))
    state.rewrite_sets(old, (new,))


def _rewrite_default_roles(state: Entities, old: str, new: tuple[str, ...]) -> None:
    for name, user in state.users.items():
        if (roles := rewritten(user.default_roles, old, new)) is not user.default_roles:
            state.users[name] = replace(user, default_roles=roles)
