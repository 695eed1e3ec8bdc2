"""Reads one access statement of any kind into its value."""

from __future__ import annotations

from core.access.cursor import Cursor
from core.access.grant_parser import parse_grant, parse_revoke
from core.access.model import Drop, EntityKind, Statement
from core.access.user_parser import (
    parse_alter_role,
    parse_alter_user,
    parse_create_role,
    parse_create_user,
    parse_set_default_role,
)

_READERS = (
    ("GRANT", parse_grant),
    ("REVOKE", parse_revoke),
    ("CREATE USER", parse_create_user),
    ("ALTER USER", parse_alter_user),
    ("CREATE ROLE", parse_create_role),
    ("ALTER ROLE", parse_alter_role),
    ("DROP USER", lambda cursor: parse_drop(cursor, EntityKind.USER)),
    ("DROP ROLE", lambda cursor: parse_drop(cursor, EntityKind.ROLE)),
    ("SET DEFAULT ROLE", parse_set_default_role),
)


def parse_statement(sql: str) -> Statement:
    """The value of one access statement about users, roles or grants.

    Raises AccessSyntaxError (with line and column) for anything else.
    """
    cursor = Cursor(sql)
    for words, read in _READERS:
        if cursor.words(words):
            statement: Statement = read(cursor)
            cursor.need_end()
            return statement
    cursor.fail("GRANT, REVOKE, SET DEFAULT ROLE, or CREATE, ALTER or DROP of a USER or ROLE")


def parse_drop(cursor: Cursor, kind: EntityKind) -> Drop:
    """The rest of a DROP USER or DROP ROLE."""
    if_exists = cursor.words("IF EXISTS")
    names = cursor.listed(cursor.user_name)
    storage = cursor.name("the name of an access storage") if cursor.words("FROM") else ""
    return Drop(kind, names, if_exists, storage, cursor.cluster())
