"""Users and roles of a configuration. Source: ClickHouse's `UsersConfigParser.cpp`."""

from __future__ import annotations

from dataclasses import dataclass

from core.access.access_model import EntityKey
from core.access.model import EntityKind, Role, SettingElement, User
from core.access.xml.addresses import read_hosts
from core.access.xml.authentication import AUTHENTICATION_ELEMENTS, read_authentication
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown
from core.access.xml.rights import RIGHTS_ELEMENTS, Rights, read_grants, read_user_rights

_KNOWN = (
    AUTHENTICATION_ELEMENTS
    | RIGHTS_ELEMENTS
    | {"networks", "profile", "quota", "default_database", "databases", "database_namespace"}
)
_KNOWN_IN_ROLE = frozenset({"grants"})


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A user with what it may do, and the name of the quota that it is assigned to ("": none)."""

    user: User
    rights: Rights
    quota: str


def read_user(
    configuration: Configuration, key: str, node: Node, profiles: frozenset[str], roles: frozenset[str]
) -> FoundUser:
    """One user; `profiles` and `roles` are the keys of those in the same configuration."""
    name = user_name(key)
    configuration.ignored(node, _KNOWN, f"the user {shown(name)}")
    method = read_authentication(configuration, name, node)
    user = User(
        name,
        (method,),
        read_hosts(configuration, node),
        default_database=configuration.text_in(node, "default_database") or "",
        settings=_profile(configuration, node, profiles),
    )
    rights = read_user_rights(configuration, name, node, roles)
    return FoundUser(user, rights, configuration.text_in(node, "quota") or "")


def read_role(configuration: Configuration, key: str, node: Node, roles: frozenset[str]) -> tuple[Role, Rights]:
    """One role with what it may do."""
    configuration.ignored(node, _KNOWN_IN_ROLE, f"the role {shown(key)}")
    grants = node.first("grants")
    return Role(key), Rights() if grants is None else read_grants(
        configuration, EntityKey(EntityKind.ROLE, key), grants, roles
    )


def user_name(key: str) -> str:
    """The name of the user under a key: only of users ClickHouse takes the escape before a dot away again."""
    return key.replace("\\.", ".")


def _profile(configuration: Configuration, node: Node, profiles: frozenset[str]) -> tuple[SettingElement, ...]:
    found = node.first("profile")
    if found is None or found.unresolved:
        return ()
    name = configuration.text(found)
    if name in profiles:
        return (SettingElement(profile=name),)
    message = f"There is no settings profile {shown(name)}."
    configuration.problems.error(found.origin, message, "Define it under <profiles>; without blanks around the name.")
    return ()
