"""What the fields of an access entity mean, so that two ways to write the same are no difference.

Each field has a meaning, which is compared, and a text, which is shown: SQL without secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.access.access_model import AccessModel, EntityKey
from core.access.model import (
    AlterUser,
    Authentication,
    AuthKind,
    EntityKind,
    Hosts,
    NameSet,
    Role,
    SettingElement,
    User,
)
from core.access.policies import MaskingPolicy, RowPolicy
from core.access.quotas import AlterQuota, Quota, QuotaInterval
from core.access.render import render, setting_element
from core.access.render_grants import name_set
from core.access.secret_texts import same_secret, without_secrets
from core.access.settings_profiles import SettingsProfile
from core.access.settings_values import plain_value
from core.access.user_changes import NEVER, normal_hosts

Entity = User | Role | Quota | SettingsProfile | RowPolicy | MaskingPolicy

IDENTIFIED = "IDENTIFIED"
HOST = "HOST"
DEFAULT_ROLE = "DEFAULT ROLE"
DEFAULT_DATABASE = "DEFAULT DATABASE"
GRANTEES = "GRANTEES"
SETTINGS = "SETTINGS"
TO = "TO"
KEYED_BY = "KEYED BY"
INTERVALS = "INTERVALS"
IPV4_PREFIX_BITS = "IPV4_PREFIX_BITS"
IPV6_PREFIX_BITS = "IPV6_PREFIX_BITS"
USING = "USING"
AS = "AS"
UPDATE = "UPDATE"
WHERE = "WHERE"
PRIORITY = "PRIORITY"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity. The word for it is the one in SQL."""

    meaning: object
    text: str = field(compare=False)


def entities(model: AccessModel, kind: EntityKind) -> Mapping[Any, Entity]:
    """The entities of one kind, by name: for policies a PolicyName, for all others a text."""
    match kind:
        case EntityKind.USER:
            return model.users
        case EntityKind.ROLE:
            return model.roles
        case EntityKind.QUOTA:
            return model.quotas
        case EntityKind.SETTINGS_PROFILE:
            return model.settings_profiles
        case EntityKind.ROW_POLICY:
            return model.row_policies
        case EntityKind.MASKING_POLICY:
            return model.masking_policies


def entity(model: AccessModel, key: EntityKey) -> Entity | None:
    """One entity, or None."""
    return entities(model, key.kind).get(key.name)


def fields(entity: Entity) -> dict[str, Field]:
    """The fields of an entity but the ways to identify a user, which `same_methods` compares."""
    match entity:
        case User():
            return {
                HOST: Field(hosts_meaning(entity.hosts), _hosts_text(entity.hosts)),
                DEFAULT_DATABASE: Field(entity.default_database, entity.default_database or "NONE"),
                DEFAULT_ROLE: _names(entity.default_roles),
                GRANTEES: _names(entity.grantees, "ANY"),
                SETTINGS: _settings(entity.settings),
            }
        case Role():
            return {SETTINGS: _settings(entity.settings)}
        case SettingsProfile():
            return {SETTINGS: _settings(entity.settings), TO: _names(entity.to)}
        case Quota():
            return {
                KEYED_BY: Field(entity.key, str(entity.key)),
                INTERVALS: Field(intervals_meaning(entity.intervals), _intervals_text(entity.intervals)),
                IPV4_PREFIX_BITS: Field(entity.ipv4_prefix_bits, str(entity.ipv4_prefix_bits or "")),
                IPV6_PREFIX_BITS: Field(entity.ipv6_prefix_bits, str(entity.ipv6_prefix_bits or "")),
                TO: _names(entity.to),
            }
        case RowPolicy():
            condition = (entity.condition or "").strip()
            return {
                USING: Field(condition, condition or "NONE"),
                AS: Field(entity.restrictive, "RESTRICTIVE" if entity.restrictive else "PERMISSIVE"),
                TO: _names(entity.to),
            }
        case MaskingPolicy():
            return {
                UPDATE: Field(entity.updates.strip(), entity.updates.strip()),
                WHERE: Field(entity.condition.strip(), entity.condition.strip()),
                PRIORITY: Field(entity.priority, str(entity.priority)),
                TO: _names(entity.to),
            }


# -- users


def same_methods(before: tuple[Authentication, ...], after: tuple[Authentication, ...]) -> bool | None:
    """Whether the ways to identify a user are the same; None: as far as can be told, for a secret is not known."""
    matched = matching(before, after)
    if matched is None or len(before) != len(after):
        return False
    return None if None in matched else True


def matching(some: tuple[Authentication, ...], among: tuple[Authentication, ...]) -> list[bool | None] | None:
    """Whether each of `some` is the same as one of its own `among` the others, or may be; None when one has none."""
    left = list(among)
    found: list[bool | None] = []
    for method in some:
        verdicts = {index: same_secret(method, other) for index, other in enumerate(left) if _alike(method, other)}
        index = next((i for i, same in verdicts.items() if same), None)
        if index is None:
            index = next((i for i, same in verdicts.items() if same is None), None)
        if index is None:
            return None
        found.append(verdicts[index])
        del left[index]
    return found


def _alike(first: Authentication, second: Authentication) -> bool:
    return method_meaning(first) == method_meaning(second)


def method_meaning(method: Authentication) -> Authentication:
    """A method without its secret and in a normal form."""
    return replace(
        method,
        kind=AuthKind.SHA256 if method.kind is AuthKind.DEFAULT else method.kind,
        password=None,
        hash=None,
        salt="",
        names=tuple(sorted(method.names)),
        keys=tuple(sorted(method.keys, key=lambda key: (key.type, key.key))),
        valid_until="" if method.valid_until.lower() == NEVER else method.valid_until,
        grants=None if method.grants is None else tuple(sorted(method.grants, key=repr)),
    )


def methods_text(methods: tuple[Authentication, ...]) -> str:
    """The ways to identify a user as SQL, without secrets."""
    return _clause(AlterUser(("x",), methods=methods))


def hosts_meaning(hosts: Hosts) -> Hosts:
    """Hosts in a normal form."""
    normal = normal_hosts(hosts)
    parts = (normal.addresses, normal.names, normal.patterns, normal.likes)
    return Hosts(normal.any, normal.local, *(tuple(sorted(part)) for part in parts))


def _hosts_text(hosts: Hosts) -> str:
    return _clause(AlterUser(("x",), hosts=hosts)).removeprefix("HOST ")


def _clause(statement: AlterUser | AlterQuota) -> str:
    return render(without_secrets(statement)).split(" x ", 1)[1]


# -- names


def names_meaning(names: NameSet, known: Collection[str] | None = None) -> NameSet:
    """A set of names in a normal form; with `known`, names not in it mean nothing."""
    listed = {name for name in names.names if known is None or name in known}
    if names.everyone:
        return NameSet(everyone=True, excepted=tuple(sorted(set(names.excepted))))
    return NameSet(tuple(sorted(listed - set(names.excepted))), current_user=names.current_user)


def _names(names: NameSet, everyone: str = "ALL") -> Field:
    meaning = names_meaning(names)
    return Field(meaning, name_set(meaning, everyone))


# -- settings


def setting_meaning(element: SettingElement) -> SettingElement:
    """An element of SETTINGS in a normal form: `'4'` is 4."""
    value, low, high = (
        None if literal is None else plain_value(literal) for literal in (element.value, element.min, element.max)
    )
    return replace(element, value=value, min=low, max=high)


def settings_meaning(
    elements: tuple[SettingElement, ...],
) -> tuple[tuple[str, ...], Mapping[str, SettingElement]]:
    """The profiles, in order, and the settings by name. A later element for the same setting replaces an earlier."""
    profiles = tuple(dict.fromkeys(element.profile for element in elements if element.profile))
    return profiles, {element.name: setting_meaning(element) for element in elements if not element.profile}


def _settings(elements: tuple[SettingElement, ...]) -> Field:
    return Field(settings_meaning(elements), ", ".join(map(setting_element, elements)) or "NONE")


# -- quotas


def intervals_meaning(intervals: tuple[QuotaInterval, ...]) -> Mapping[int, QuotaInterval]:
    """Intervals by their length, with limits in a normal order; what an ALTER would remove is none."""
    return {
        interval.seconds: replace(interval, limits=tuple(sorted(interval.limits)))
        for interval in intervals
        if not interval.removed
    }


def _intervals_text(intervals: tuple[QuotaInterval, ...]) -> str:
    if not intervals:
        return "NONE"
    return _clause(AlterQuota(("x",), intervals=tuple(sorted(intervals, key=lambda interval: interval.seconds))))
