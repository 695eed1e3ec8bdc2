"""Reads one access statement of any kind into its value."""

from __future__ import annotations

from collections.abc import Callable

from core.access.cursor import Cursor
from core.access.grant_parser import parse_grant, parse_revoke
from core.access.model import Drop, EntityKind, Move, Statement
from core.access.policies import PolicyName
from core.access.policy_parser import (
    parse_alter_masking_policy,
    parse_alter_row_policy,
    parse_create_masking_policy,
    parse_create_row_policy,
    parse_drop_policy,
    parse_policy_names,
)
from core.access.profile_parser import parse_alter_profile, parse_create_profile
from core.access.quota_parser import parse_alter_quota, parse_create_quota
from core.access.user_parser import (
    parse_alter_role,
    parse_alter_user,
    parse_create_role,
    parse_create_user,
    parse_set_default_role,
)

_Reader = Callable[[Cursor], Statement]
_KINDS = (
    ("USER", EntityKind.USER),
    ("ROLE", EntityKind.ROLE),
    ("QUOTA", EntityKind.QUOTA),
    ("SETTINGS PROFILE", EntityKind.SETTINGS_PROFILE),
    ("PROFILE", EntityKind.SETTINGS_PROFILE),
    ("ROW POLICY", EntityKind.ROW_POLICY),
    ("POLICY", EntityKind.ROW_POLICY),
    ("MASKING POLICY", EntityKind.MASKING_POLICY),
)
_READERS: dict[str, dict[EntityKind, _Reader]] = {
    "CREATE": {
        EntityKind.USER: parse_create_user,
        EntityKind.ROLE: parse_create_role,
        EntityKind.QUOTA: parse_create_quota,
        EntityKind.SETTINGS_PROFILE: parse_create_profile,
        EntityKind.ROW_POLICY: parse_create_row_policy,
        EntityKind.MASKING_POLICY: parse_create_masking_policy,
    },
    "ALTER": {
        EntityKind.USER: parse_alter_user,
        EntityKind.ROLE: parse_alter_role,
        EntityKind.QUOTA: parse_alter_quota,
        EntityKind.SETTINGS_PROFILE: parse_alter_profile,
        EntityKind.ROW_POLICY: parse_alter_row_policy,
        EntityKind.MASKING_POLICY: parse_alter_masking_policy,
    },
}


def parse_statement(sql: str) -> Statement:
    """The value of one access statement.

    Raises AccessSyntaxError (with line and column) for anything else.
    """
    cursor = Cursor(sql)
    statement = _statement(cursor)
    cursor.need_end()
    return statement


def _statement(cursor: Cursor) -> Statement:
    if cursor.words("GRANT"):
        return parse_grant(cursor)
    if cursor.words("REVOKE"):
        return parse_revoke(cursor)
    if cursor.words("SET DEFAULT ROLE"):
        return parse_set_default_role(cursor)
    verb = cursor.one_of("CREATE", "ALTER", "DROP", "MOVE")
    if not verb:
        cursor.fail("an access statement: GRANT, REVOKE, SET DEFAULT ROLE, CREATE, ALTER, DROP or MOVE")
    kind = next((kind for words, kind in _KINDS if cursor.words(words)), None)
    if kind is None:
        cursor.fail("an access entity: USER, ROLE, QUOTA, SETTINGS PROFILE, ROW POLICY or MASKING POLICY")
    if verb == "MOVE":
        return parse_move(cursor, kind)
    if verb == "DROP":
        policy = kind in (EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY)
        return parse_drop_policy(cursor, kind) if policy else parse_drop(cursor, kind)
    return _READERS[verb][kind](cursor)


def parse_drop(cursor: Cursor, kind: EntityKind) -> Drop:
    """The rest of a DROP of users, roles, quotas or settings profiles."""
    if_exists = cursor.words("IF EXISTS")
    names = cursor.listed(lambda: _name(cursor, kind))
    storage = cursor.name("the name of an access storage") if cursor.words("FROM") else ""
    return Drop(kind, names, if_exists, storage, cursor.cluster())


def parse_move(cursor: Cursor, kind: EntityKind) -> Move:
    """The rest of a MOVE. ClickHouse takes a masking policy without its table here."""
    cluster = ""
    names: tuple[str | PolicyName, ...]
    if kind is EntityKind.ROW_POLICY:
        names, cluster = parse_policy_names(cursor)
    else:
        names = cursor.listed(lambda: _name(cursor, kind))
    cursor.need_words("TO")
    storage = cursor.name("the name of an access storage")
    return Move(kind, names, storage, cluster or cursor.cluster())


def _name(cursor: Cursor, kind: EntityKind) -> str:
    if kind in (EntityKind.USER, EntityKind.ROLE):
        return cursor.user_name()
    return cursor.name(f"the name of a {kind.lower()}")
