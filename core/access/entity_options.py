"""Entities from options: each option is a clause in ClickHouse's own words, read by the parser of the statements.

A clause is read alone, so that its text can say nothing but what the option is for, and errors point into that text.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.access.auth_parser import merge_hosts
from core.access.cursor import Cursor
from core.access.difference_fields import Entity
from core.access.model import (
    AlterRole,
    AlterUser,
    Authentication,
    EntityKind,
    Grant,
    Hosts,
    Revoke,
    Role,
    SettingElement,
    SettingsChange,
    Statement,
    User,
)
from core.access.parser import parse_statement
from core.access.policies import AlterRowPolicy, PolicyName, RowPolicy
from core.access.policy_parser import parse_policy_names
from core.access.quotas import AlterQuota, Quota
from core.access.redefining import altered_profile, altered_quota, altered_row_policy
from core.access.render_grants import string
from core.access.settings_parser import merge_changes
from core.access.settings_profiles import AlterSettingsProfile, SettingsProfile
from core.access.tokenizer import AccessSyntaxError
from core.access.user_changes import NEVER, altered_user, changed_settings
from core.display import one_line
from core.errors import BadInputError

_HEADS = {
    EntityKind.USER: "ALTER USER x ",
    EntityKind.ROLE: "ALTER ROLE x ",
    EntityKind.QUOTA: "ALTER QUOTA x ",
    EntityKind.SETTINGS_PROFILE: "ALTER SETTINGS PROFILE x ",
    EntityKind.ROW_POLICY: "ALTER ROW POLICY x ON x.x ",
}
_HOST_FORMS = "ip:ADDRESS, name:HOST, regexp:PATTERN, like:PATTERN, any, none or local"
_HOST_KINDS = {"ip": "addresses", "name": "names", "regexp": "patterns", "like": "likes"}

Alteration = AlterUser | AlterRole | AlterQuota | AlterSettingsProfile | AlterRowPolicy


def read_clause(kind: EntityKind, option: str, words: str, text: str, *allowed: str) -> Any:
    """The ALTER of an entity of `kind` with the one clause `words` `text`, which may set the fields `allowed` only.

    Raises BadInputError that names the option and the column in its text.
    """
    statement = _read(option, f"{_HEADS[kind]}{words} ", text)
    said = {field for field in _said(statement) if field != "names"}
    change = getattr(statement, "settings", None)
    if said - set(allowed) or (change is not None and len(_said(change)) > 1):
        raise BadInputError(f"{option} says more than its one clause.", advice="Give each clause by its own option.")
    return statement


def _said(value: Any) -> list[str]:
    return [field.name for field in dataclass_fields(value) if getattr(value, field.name) != field.default]


def _read(option: str, before: str, text: str, after: str = "") -> Statement:
    try:
        return parse_statement(f"{before}{text}{after}")
    except AccessSyntaxError as error:
        what = error.message.partition(": ")[2] or error.message
        column = min(max(error.position - len(before), 0), len(text)) + 1
        raise BadInputError(f"{option} cannot be read at column {column}: {one_line(what)}") from None


def merged(first: Any, second: Any) -> Any:
    """Two ALTERs of one kind as one: lists are added to one another."""
    changes: dict[str, Any] = {}
    for field in dataclass_fields(second):
        old, new = getattr(first, field.name), getattr(second, field.name)
        if field.name == "names" or new == field.default:
            continue
        if isinstance(new, SettingsChange):
            new = merge_changes(old, new)
        elif field.name == "intervals":
            new = (*old, *new)
        changes[field.name] = new
    return replace(first, **changes)


def altered(entity: Entity, alteration: Alteration) -> Entity:
    """`entity` as an ALTER makes it. Raises ValueError when the two are not of one kind."""
    match entity, alteration:
        case User(), AlterUser():
            user = altered_user(entity, alteration)
            return user if alteration.grantees is None else replace(user, grantees=alteration.grantees)
        case Role(), AlterRole():
            if alteration.settings is None:
                return entity
            return replace(entity, settings=changed_settings(entity.settings, alteration.settings))
        case Quota(), AlterQuota():
            return altered_quota(entity, alteration)
        case SettingsProfile(), AlterSettingsProfile():
            return altered_profile(entity, alteration)
        case RowPolicy(), AlterRowPolicy():
            return altered_row_policy(entity, alteration)
    raise ValueError(f"{type(alteration).__name__} does not alter a {type(entity).__name__}")


def new_entity(kind: EntityKind, name: str | PolicyName) -> Entity:
    """An entity that nothing was said of yet."""
    if kind is EntityKind.ROW_POLICY and isinstance(name, PolicyName):
        return RowPolicy(name)
    makers = {
        EntityKind.USER: User,
        EntityKind.ROLE: Role,
        EntityKind.QUOTA: Quota,
        EntityKind.SETTINGS_PROFILE: SettingsProfile,
    }
    made: Entity = makers[kind](str(name))
    return made


def unaltered(kind: EntityKind) -> Any:
    """The ALTER of an entity of `kind` that alters nothing, to merge others into."""
    alterations = {
        EntityKind.USER: AlterUser,
        EntityKind.ROLE: AlterRole,
        EntityKind.QUOTA: AlterQuota,
        EntityKind.SETTINGS_PROFILE: AlterSettingsProfile,
    }
    if kind is EntityKind.ROW_POLICY:
        return AlterRowPolicy((PolicyName("x", "x", "x"),))
    return alterations[kind](("x",))


def entity_name(kind: EntityKind, text: str, what: str = "NAME") -> str | PolicyName:
    """The name of an entity: as it is, but for a row policy `p ON db.t`, as in SQL.

    Raises BadInputError for a name that cannot be.
    """
    if kind is not EntityKind.ROW_POLICY:
        if not text:
            raise BadInputError(f"{what} is empty.", advice=f"A {kind.lower()} has a name.")
        return text
    advice = "Write it as in SQL: 'policy ON database.table', or 'policy ON database.*'."
    try:
        cursor = Cursor(text)
        names, cluster = parse_policy_names(cursor)
        cursor.need_end()
    except AccessSyntaxError as error:
        why = error.message.partition(": ")[2] or error.message
        raise BadInputError(f"{what} is no name of a row policy: {one_line(why)}", advice=advice) from None
    if len(names) != 1 or cluster or not names[0].database:
        raise BadInputError(f"{what} must be one row policy, with its database.", advice=advice)
    return names[0]


# -- users


def hosts_of(texts: Iterable[str], option: str) -> Hosts:
    """Hosts as they are typed: `ip:10.0.0.0/8`, `name:h`, `regexp:…`, `like:…`, `any`, `none`, `local`."""
    found: Hosts | None = None
    for text in texts:
        found = merge_hosts(found, _host(text, option))
    return found or Hosts()


def _host(text: str, option: str) -> Hosts:
    if text in ("any", "none", "local"):
        return Hosts(any=text == "any", local=text == "local")
    word, colon, value = text.partition(":")
    if not colon or not value or word not in _HOST_KINDS:
        raise BadInputError(f"{option}: {one_line(text, 80)} is no host.", advice=f"Write {_HOST_FORMS}.")
    if word == "ip":
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise BadInputError(f"{option}: {one_line(value, 80)} is no IP address or network.") from None
    if word == "like" and value == "%":
        return Hosts(any=True)
    parts: dict[str, Any] = {_HOST_KINDS[word]: (value,)}
    return Hosts(**parts)


def moment(text: str, option: str) -> str:
    """A moment for VALID UNTIL, or `infinity`. Raises BadInputError for what is neither."""
    if text.lower() == NEVER:
        return NEVER
    try:
        datetime.fromisoformat(text)
    except ValueError:
        advice = "Write it like 2027-01-31 or '2027-01-31 18:00:00', or infinity."
        raise BadInputError(f"{option}: {one_line(text, 80)} is no moment.", advice=advice) from None
    return text


def method_of(text: str, option: str) -> Authentication:
    """A way to identify a user, as behind IDENTIFIED WITH. Raises BadInputError, which never repeats the text."""
    statement = read_clause(EntityKind.USER, option, "IDENTIFIED WITH", text, "methods")
    if len(statement.methods) != 1:
        raise BadInputError(f"{option} takes one way to identify the user.")
    method: Authentication = statement.methods[0]
    if method.password is not None:
        raise BadInputError(
            f"{option} takes no password: others on this machine see what is typed on a command line.",
            advice="Use --identified-with sha256 and type it, or --password-file FILE, or --generate-password.",
        )
    return method


def named_profile(name: str) -> SettingElement:
    """A settings profile as an element of SETTINGS."""
    if not name:
        raise BadInputError("The name of a settings profile is empty.")
    return SettingElement(profile=name)


def valid_until_clause(text: str) -> str:
    """VALID UNTIL as SQL."""
    return f"VALID UNTIL {string(text)}"


# -- grants


def read_grant(text: str) -> Grant:
    """What `grant add` takes: rights (`SELECT ON db.*`) or roles (`reader, writer`), as behind GRANT."""
    statement = _read("The grant", "GRANT ", text, " TO x")
    if not isinstance(statement, Grant) or statement.current or statement.cluster:
        raise BadInputError("The grant must be rights on objects, or roles.", advice="For example: 'SELECT ON db.*'")
    _need_databases(statement)
    return statement


def read_revoke(text: str) -> Revoke:
    """What `grant revoke` takes, as behind REVOKE: also `GRANT OPTION FOR …`, `ADMIN OPTION FOR …`, `ALL EXCEPT …`."""
    statement = _read("The revoke", "REVOKE ", text, " FROM x")
    if not isinstance(statement, Revoke) or statement.cluster:
        raise BadInputError("The revoke must be rights on objects, or roles.", advice="For example: 'SELECT ON db.*'")
    _need_databases(statement)
    return statement


def _need_databases(statement: Grant | Revoke) -> None:
    if any(right.database == "" for right in statement.rights):
        raise BadInputError("The database is missing.", advice="Write db.table, db.* or *.* behind ON.")
