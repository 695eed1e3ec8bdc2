"""Statements with every name of a user or role replaced; names of databases, profiles and the like stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.access.model import (
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    Hosts,
    Move,
    NameSet,
    Revoke,
    SetDefaultRole,
    Statement,
)
from core.access.policies import CreateMaskingPolicy, DropPolicy

_NAMED = (EntityKind.USER, EntityKind.ROLE)
Name = Callable[[str], str]


def renamed(statement: Statement, name: Name) -> Statement:
    """`statement` with `name` applied to every name of a user or role in it."""
    match statement:
        case Grant():
            return replace(statement, roles=_all(statement.roles, name), grantees=_all(statement.grantees, name))
        case Revoke():
            return replace(
                statement,
                roles=_all(statement.roles, name),
                roles_except=_all(statement.roles_except, name),
                grantees=_all(statement.grantees, name),
                grantees_except=_all(statement.grantees_except, name),
            )
        case CreateUser():
            return _create_user(statement, name)
        case AlterUser():
            return replace(
                statement,
                names=_all(statement.names, name),
                rename_to=statement.rename_to and name(statement.rename_to),
                default_roles=_set(statement.default_roles, name),
                grantees=_set(statement.grantees, name),
            )
        case CreateRole():
            return replace(statement, names=_all(statement.names, name))
        case Drop() if statement.kind in _NAMED:
            return replace(statement, names=_all(statement.names, name))
        case Move() if statement.kind in _NAMED:
            return replace(
                statement, names=tuple(name(one) if isinstance(one, str) else one for one in statement.names)
            )
        case Drop() | DropPolicy() | Move():
            return statement
        case AlterRole():
            new_name = statement.rename_to and name(statement.rename_to)
            return replace(statement, names=_all(statement.names, name), rename_to=new_name)
        case SetDefaultRole():
            roles = NameSet() if (found := _set(statement.roles, name)) is None else found
            users = NameSet() if (found := _set(statement.users, name)) is None else found
            return replace(statement, roles=roles, users=users)
        case CreateMaskingPolicy():
            return replace(statement, to=_set(statement.to, name) or NameSet())
    return replace(statement, to=_set(statement.to, name))


def _create_user(statement: CreateUser, name: Name) -> CreateUser:
    hosts = statement.hosts
    if any(statement.at_hosts):
        # `u@'host'` says two things, of which a new name can say only one.
        hosts = Hosts(likes=tuple(host for host in statement.at_hosts if host))
    return replace(
        statement,
        names=_all(statement.names, name),
        at_hosts=(),
        hosts=hosts,
        roles=_all(statement.roles, name),
        default_roles=_set(statement.default_roles, name),
        grantees=_set(statement.grantees, name),
    )


def _all(names: tuple[str, ...], name: Name) -> tuple[str, ...]:
    return tuple(map(name, names))


def _set(names: NameSet | None, name: Name) -> NameSet | None:
    if names is None:
        return None
    return replace(names, names=_all(names.names, name), excepted=_all(names.excepted, name))
