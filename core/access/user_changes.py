"""What CREATE and ALTER make of a user's definition: pure functions from a user and a statement to a user."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import replace

from core.access.model import (
    ANY_HOST,
    EVERYONE,
    AlterUser,
    Authentication,
    AuthKind,
    CreateUser,
    Hosts,
    SettingElement,
    SettingsChange,
    User,
)

NEVER = "infinity"  # VALID UNTIL 'infinity' takes a validity away
_LOCAL = ("::1/128", "127.0.0.1/32")


def new_user(statement: CreateUser, name: str) -> User:
    """The user that a CREATE USER makes of one of its names."""
    return user_maker(statement)(name)


def user_maker(statement: CreateUser) -> Callable[[str], User]:
    """What makes the users of a CREATE USER, for one that has thousands of names: what they share is told once."""
    at_hosts = dict(zip(statement.names, statement.at_hosts, strict=True)) if statement.at_hosts else {}
    hosts = ANY_HOST if statement.hosts is None else normal_hosts(statement.hosts)
    methods = statement.methods or (Authentication(),)
    if statement.valid_until:
        until = "" if statement.valid_until == NEVER else statement.valid_until
        methods = tuple(replace(method, valid_until=until) for method in methods)
    default_roles = statement.default_roles or EVERYONE
    default_database = statement.default_database or ""
    grantees = statement.grantees or EVERYONE

    def made(name: str) -> User:
        at_host = at_hosts.get(name, "")
        from_hosts = normal_hosts(Hosts(likes=(at_host,))) if at_host else hosts
        return User(name, methods, from_hosts, default_roles, default_database, grantees, statement.settings)

    return made


def altered_user(user: User, statement: AlterUser) -> User:
    """The user that an ALTER USER makes of `user`, all but its name and grantees."""
    return replace(
        user,
        methods=_methods(user.methods, statement),
        hosts=_hosts(user.hosts, statement),
        default_roles=user.default_roles if statement.default_roles is None else statement.default_roles,
        default_database=user.default_database if statement.default_database is None else statement.default_database,
        settings=user.settings if statement.settings is None else changed_settings(user.settings, statement.settings),
    )


def definition(user: User) -> CreateUser:
    """The CREATE USER that defines `user`, as SHOW CREATE USER shows it."""
    return CreateUser(
        (user.name,),
        methods=user.methods,
        hosts=None if user.hosts.any else user.hosts,
        default_database=user.default_database or None,
        default_roles=None if user.default_roles == EVERYONE else user.default_roles,
        settings=user.settings,
        grantees=None if user.grantees == EVERYONE else user.grantees,
    )


def changed_settings(old: tuple[SettingElement, ...], change: SettingsChange) -> tuple[SettingElement, ...]:
    """The settings after the clauses of an ALTER, in the order in which ClickHouse carries them out."""
    kept = [
        element
        for element in old
        if not (change.drop_all_profiles if element.profile else change.drop_all_settings)
        and element.name not in change.drop_settings
        and element.profile not in change.drop_profiles
    ]
    for element in change.modify:
        kept = _modified(kept, element)
    for element in change.add:
        kept = [other for other in kept if (other.name, other.profile) != (element.name, element.profile)]
        kept.append(element)
    profiles = [element for element in kept if element.profile]
    return (*profiles, *(element for element in kept if not element.profile))


def normal_hosts(hosts: Hosts) -> Hosts:
    """Hosts as ClickHouse keeps them: networks in short form behind single addresses, loopback as LOCAL."""
    if (
        hosts.any
        or ".*" in hosts.patterns
        or "%" in hosts.likes
        or any(address in ("::/0", "0.0.0.0/0", "::", "0.0.0.0/0.0.0.0") for address in hosts.addresses)
    ):
        return ANY_HOST
    single: list[str] = []
    networks: list[str] = []
    local = hosts.local or "localhost" in hosts.names
    for address in hosts.addresses:
        network = _network(address)
        if network is None:
            single.append(address)
        elif str(network) in _LOCAL:
            local = True
        elif network.prefixlen == network.max_prefixlen:
            single.append(str(network.network_address))
        else:
            networks.append(str(network))
    names = tuple(name for name in hosts.names if name != "localhost")
    return Hosts(
        False, local, _unique((*single, *networks)), _unique(names), _unique(hosts.patterns), _unique(hosts.likes)
    )


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError:
        return None


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _methods(old: tuple[Authentication, ...], statement: AlterUser) -> tuple[Authentication, ...]:
    methods = old
    if statement.methods:
        kept = [method for method in old if method.kind is not AuthKind.NO_PASSWORD] if statement.add_methods else []
        methods = (*kept, *statement.methods)
    if statement.reset_methods:
        methods = methods[-1:]
    if statement.valid_until:
        until = "" if statement.valid_until == NEVER else statement.valid_until
        methods = tuple(replace(method, valid_until=until) for method in methods)
    return methods


def _hosts(old: Hosts, statement: AlterUser) -> Hosts:
    hosts = old if statement.hosts is None else normal_hosts(statement.hosts)
    if statement.drop_hosts is not None:
        gone = normal_hosts(statement.drop_hosts)
        hosts = Hosts() if gone.any else _less(hosts, gone)
    if statement.add_hosts is not None and not hosts.any:
        more = normal_hosts(statement.add_hosts)
        hosts = normal_hosts(
            Hosts(
                more.any,
                hosts.local or more.local,
                hosts.addresses + more.addresses,
                hosts.names + more.names,
                hosts.patterns + more.patterns,
                hosts.likes + more.likes,
            )
        )
    return hosts


def _less(hosts: Hosts, gone: Hosts) -> Hosts:
    return Hosts(
        hosts.any,
        hosts.local and not gone.local,
        tuple(value for value in hosts.addresses if value not in gone.addresses),
        tuple(value for value in hosts.names if value not in gone.names),
        tuple(value for value in hosts.patterns if value not in gone.patterns),
        tuple(value for value in hosts.likes if value not in gone.likes),
    )


def _modified(elements: list[SettingElement], change: SettingElement) -> list[SettingElement]:
    """`elements` with the parts that `change` gives put over those of the same setting."""
    for index, element in enumerate(elements):
        if (element.name, element.profile) == (change.name, change.profile):
            merged = replace(
                element,
                value=element.value if change.value is None else change.value,
                min=element.min if change.min is None else change.min,
                max=element.max if change.max is None else change.max,
                writability=change.writability or element.writability,
            )
            return [*elements[:index], merged, *elements[index + 1 :]]
    return [*elements, change]
