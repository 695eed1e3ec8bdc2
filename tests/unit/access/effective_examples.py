"""Access models built from a few statements, for tests that are about what follows from them."""

from __future__ import annotations

from core.access.access_model import AccessModel, Holder
from core.access.model import CreateRole, CreateUser, EntityKind, Grant, Revoke, Role, User
from core.access.parser import parse_statement
from core.access.user_changes import new_user


def user(name: str) -> Holder:
    return Holder(EntityKind.USER, name)


def role(name: str) -> Holder:
    return Holder(EntityKind.ROLE, name)


def model_of(*statements: str) -> AccessModel:
    """Users, roles, and what was granted to them, in this order; rights are kept as they are written."""
    users: dict[str, User] = {}
    roles: dict[str, Role] = {}
    rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    granted: dict[Holder, dict[str, bool]] = {}
    for statement in map(parse_statement, statements):
        match statement:
            case CreateUser():
                users |= {name: new_user(statement, name) for name in statement.names}
            case CreateRole():
                roles |= {name: Role(name, statement.settings) for name in statement.names}
            case Grant() | Revoke():
                for name in statement.grantees:
                    holder = user(name) if name in users else role(name)
                    if statement.rights:
                        rights[holder] = (*rights.get(holder, ()), statement)
                    elif isinstance(statement, Grant):
                        granted.setdefault(holder, {}).update(dict.fromkeys(statement.roles, statement.admin_option))
    return AccessModel(users, roles, rights, granted)
