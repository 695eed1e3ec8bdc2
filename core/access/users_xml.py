"""The projection of an access state to `users.xml`, which is what an engine without a storage of its own enforces.

`users.xml` holds less than SQL does. What it cannot hold stays in the state and is named by `all_not_enforced`. It
never gives more than the state does: a user who could otherwise come in more easily, see or do more than it should (a
bcrypt password, an end of validity, a limit among its settings or those of its roles that XML cannot hold, default
roles, grantees, several quotas) is locked, with a SHA-256 hash of which nobody knows a password. A salted SHA-256 hash
is written without its salt, so the password alone does not open it either.

Source: ClickHouse's `UsersConfigParser.cpp`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.roles import roles_of
from core.access.model import (
    EVERYONE,
    Authentication,
    EntityKind,
    Grant,
    Hosts,
    Role,
    SettingElement,
    User,
)
from core.access.settings_values import plain_value
from core.access.state import FIXED_USER, AccessState
from core.access.users_xml_limits import UserLimits, limits_of
from core.access.users_xml_names import GENERATED as GENERATED
from core.access.users_xml_names import element_name as element_name
from core.access.xml.elements import LOCKED, fits, grant_query, identification, like_as_regexp

_HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by Housekeys from access/access.sql. Changes made here are lost. -->
"""
_FIXED_USER = f"""        <{FIXED_USER}>
            <no_password/>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
            <named_collection_control>1</named_collection_control>
            <show_named_collections_secrets>1</show_named_collections_secrets>
"""


def project(state: AccessState, *, with_settings: bool = True) -> str:
    """The `users.xml` of a state. Without settings, nothing in it can be beyond what its reader understands.

    Users who lose a setting by that are locked.
    """
    limits = limits_of(state, with_settings=with_settings)
    granted = _granted(state)
    profiles = ["        <default/>\n", *(_element(name, lines) for name, lines in limits.profiles.items())]
    users = [f"{_FIXED_USER}{_lines(limits.users[FIXED_USER].filters)}        </{FIXED_USER}>\n"]
    roles = []
    for number, name in enumerate(sorted(state.users), 1):
        user = state.users[name]
        limited = limits.users[name]
        profile = f"{GENERATED}settings-{number}"
        own, settings, whole = _projectable(user.settings if with_settings else ())
        # Of a profile that comes twice ClickHouse takes the later place.
        inherited = list(dict.fromkeys(reversed([*limited.profiles, *map(element_name, own)])))[::-1]
        if inherited or settings:
            profiles.append(_profile(profile, inherited, settings))
        whole = whole and (with_settings or not user.settings)
        locked = not whole or bool(limited.missing) or bool(_left_out(granted, user))
        grants = _grants(state, EntityKind.USER, name)
        users.append(_user(user, profile if inherited or settings else "", limited, grants, locked=locked))
    for name in sorted(state.roles):
        roles.append(_element(element_name(name), [_grants(state, EntityKind.ROLE, name)]))
    quotas = ["        <default/>\n", *(_element(name, lines) for name, lines in limits.quotas.items())]
    return (
        f"{_HEADER}<clickhouse>\n    <profiles>\n{''.join(profiles)}    </profiles>\n"
        f"    <quotas>\n{''.join(quotas)}    </quotas>\n    <users>\n{''.join(users)}    </users>\n"
        f"    <roles>\n{''.join(roles)}    </roles>\n</clickhouse>\n"
    )


def all_not_enforced(state: AccessState) -> dict[EntityKey, tuple[str, ...]]:
    """What is kept but not enforced, in words. A user and a role of one name are told apart."""
    limits, granted = limits_of(state), _granted(state)
    found: dict[EntityKey, tuple[str, ...]] = {}

    def add(key: EntityKey, words: Sequence[str]) -> None:
        if words:
            found[key] = (*found.get(key, ()), *words)

    entities: list[User | Role] = [*state.users.values(), *state.roles.values()]
    for entity in entities:
        kind = EntityKind.USER if isinstance(entity, User) else EntityKind.ROLE
        add(EntityKey(kind, entity.name), not_enforced(entity))
        add(EntityKey(kind, entity.name), not_enforced_by_roles(granted, Holder(kind, entity.name)))
    for name, limited in limits.users.items():
        add(EntityKey(EntityKind.USER, name), limited.missing)
        add(EntityKey(EntityKind.USER, name), limited.lessened)
    for (kind, limiting), words in limits.missing.items():
        found[EntityKey(kind, limiting)] = words
    for policy in state.masking_policies:
        found[EntityKey(EntityKind.MASKING_POLICY, policy)] = ("the masking policy",)
    return found


def unheld_limits(state: AccessState, user: User) -> tuple[str, ...]:
    """The limits of what a user may see and do, its ways in aside, for which the projection locks it, in words."""
    words = [*limits_of(state).users[user.name].missing]
    if not _projectable(user.settings)[2]:
        words.append("some settings")
    return (*words, *_left_out(_granted(state), user))


def not_enforced_by_roles(model: AccessModel, who: Holder) -> tuple[str, ...]:
    """What comes to a user or role by roles and is kept but not enforced, in words that tell the way to it."""
    return tuple(
        f"by role {' > '.join(role.path)}: settings"
        for role in roles_of(model, who)
        if role.exists and model.roles[role.name].settings
    )


def not_enforced(entity: User | Role) -> tuple[str, ...]:
    """What of a user or role is kept but not enforced by an engine that reads the projection, in words."""
    found: list[str] = []
    if isinstance(entity, User):
        if len(entity.methods) > 1:
            found.append("more than one way to identify the user")
        found += list(dict.fromkeys(word for method in entity.methods for word in _method_not_enforced(method)))
        if entity.default_roles != EVERYONE:
            found.append("default roles")
        if entity.grantees != EVERYONE:
            found.append("grantees")
        if entity.default_database and not fits(entity.default_database):
            found.append("the default database")
        if not all(map(fits, _host_texts(entity.hosts))):
            found.append("some hosts")
        _, settings, whole = _projectable(entity.settings)
        if not whole or any(element.writability == "CHANGEABLE_IN_READONLY" for element in settings):
            found.append("some settings")
    elif entity.settings:
        found.append("settings of a role")
    return tuple(found)


def _method_not_enforced(method: Authentication) -> list[str]:
    found = []
    if identification(method) is None:
        found.append(f"{method.kind} authentication")
    if method.salt:
        found.append("the salt of a password hash")
    if method.valid_until or method.valid_for is not None:
        found.append("validity")
    if method.grants is not None:
        found.append("the grants of a credential")
    return found


def _left_out(granted: AccessModel, user: User) -> list[str]:
    """What the projection of `user` leaves out of all that limits it, its own settings aside, in words."""
    found = ["default roles"] if user.default_roles != EVERYONE else []
    found += ["grantees"] if user.grantees != EVERYONE else []
    by_roles = not_enforced_by_roles(granted, Holder(EntityKind.USER, user.name))
    return [*found, "settings of its roles"] if by_roles else found


def _granted(state: AccessState) -> AccessModel:
    """The users and roles of a state, and who has which roles."""
    held = {Holder(kind, name): holdings.roles for (kind, name), holdings in state.held.items()}
    return AccessModel(users=state.users, roles=state.roles, granted_roles=held)


def _way_in(user: User) -> str:
    """The element for the first of the user's methods that XML can hold whole, or the lock."""
    for method in user.methods:
        limited = method.valid_until or method.valid_for is not None or method.grants is not None
        if not limited and (element := identification(method)) is not None:
            return element
    return LOCKED


def _user(user: User, profile: str, limits: UserLimits, grants: str, *, locked: bool) -> str:
    parts = [LOCKED if locked else _way_in(user), _networks(user.hosts)]
    if fits(user.default_database):
        parts.append(f"<default_database>{escape(user.default_database)}</default_database>")
    if profile:
        parts.append(f"<profile>{profile}</profile>")
    if limits.quota:
        parts.append(f"<quota>{limits.quota}</quota>")
    return _element(element_name(user.name), [*parts, *limits.filters, grants])


def _element(name: str, parts: Sequence[str]) -> str:
    return f"        <{name}>\n{_lines(parts)}        </{name}>\n"


def _lines(parts: Sequence[str]) -> str:
    return "".join(f"            {part}\n" for part in parts if part)


def _host_texts(hosts: Hosts) -> tuple[str, ...]:
    return (*hosts.addresses, *hosts.names, *hosts.patterns, *hosts.likes)


def _networks(hosts: Hosts) -> str:
    if hosts.any:
        return "<networks><ip>::/0</ip></networks>"
    places = [("ip", "::1"), ("ip", "127.0.0.1")] if hosts.local else []
    places += [("ip", address) for address in hosts.addresses]
    places += [("host", name) for name in hosts.names]
    places += [("host_regexp", pattern) for pattern in hosts.patterns]
    places += [("host_regexp", like_as_regexp(like)) for like in hosts.likes]
    elements = (f"<{tag}>{escape(text)}</{tag}>" for tag, text in places if fits(text))
    return f"<networks>{''.join(elements)}</networks>"


def _projectable(settings: Sequence[SettingElement]) -> tuple[list[str], list[SettingElement], bool]:
    """The profiles and the settings that a profile in XML can hold, and whether these are all there are."""
    profiles = [element.profile for element in settings if element.profile]
    found: dict[str, SettingElement] = {}
    whole = True
    for element in settings:
        if element.profile:
            continue
        earlier = found.pop(element.name, None)
        # XML has a setting once. Of two values the later holds; of two limits nobody should have to guess.
        if not _fits_xml(element) or (earlier is not None and (_limits(earlier) or _limits(element))):
            whole = False
            continue
        found[element.name] = element
    return list(dict.fromkeys(profiles)), list(found.values()), whole


def _fits_xml(element: SettingElement) -> bool:
    values = (element.value, element.min, element.max)
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", element.name) is not None and all(
        fits(plain_value(value)) for value in values if value is not None
    )


def _limits(element: SettingElement) -> bool:
    return element.min is not None or element.max is not None or bool(element.writability) or element.value is None


def _profile(name: str, inherited: Sequence[str], settings: Sequence[SettingElement]) -> str:
    parts = [f"<profile>{escape(profile)}</profile>" for profile in inherited]
    parts += [
        f"<{item.name}>{escape(plain_value(item.value))}</{item.name}>" for item in settings if item.value is not None
    ]
    limits = []
    for item in settings:
        inner = "".join(
            f"<{tag}>{escape(plain_value(value))}</{tag}>"
            for tag, value in (("min", item.min), ("max", item.max))
            if value
        )
        # changeable_in_readonly would stop the whole file from loading without a server setting of its own.
        inner += "<const/>" if item.writability == "CONST" else ""
        if inner:
            limits.append(f"<{item.name}>{inner}</{item.name}>")
    if limits:
        parts.append(f"<constraints>{''.join(limits)}</constraints>")
    return _element(name, parts)


def _grants(state: AccessState, kind: EntityKind, name: str) -> str:
    """The `grants` of a user or role. Without the element a user would hold nearly everything."""
    queries = []
    for statement in state.holdings(kind, name).statements(name):
        if isinstance(statement, Grant):
            statement = replace(statement, roles=tuple(element_name(role) for role in statement.roles))
        queries.append(grant_query(statement, name))
    return f"<grants>{''.join(queries)}</grants>"
