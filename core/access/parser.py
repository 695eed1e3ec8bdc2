"""Reads one access statement of any kind into its value."""

from __future__ import annotations

from core.access.cursor import Cursor
from core.access.grant_parser import parse_grant, parse_revoke
from core.access.model import Grant, Revoke

Statement = Grant | Revoke


def parse_statement(sql: str) -> Statement:
    """The value of an access statement. Raises AccessSyntaxError (with line and column) for anything else."""
    cursor = Cursor(sql)
    statement: Statement
    if cursor.words("GRANT"):
        statement = parse_grant(cursor)
    elif cursor.words("REVOKE"):
        statement = parse_revoke(cursor)
    else:
        cursor.fail("GRANT or REVOKE")
    cursor.need_end()
    return statement
