"""Reads CREATE and ALTER of users and roles, and SET DEFAULT ROLE.

Source: https://clickhouse.com/docs/sql-reference/statements/create/user and its neighbours. Clauses may stand in any
order and, like settings and hosts, be repeated.
"""

from __future__ import annotations

from typing import Any

from core.access.auth_parser import merge_hosts, parse_hosts, parse_identified, parse_validity
from core.access.cursor import Cursor
from core.access.model import AlterRole, AlterUser, CreateRole, CreateUser, Hosts, SetDefaultRole
from core.access.name_sets import parse_name_set
from core.access.settings_parser import between_changes, merge_changes, parse_settings, parse_settings_change


def parse_create_user(cursor: Cursor) -> CreateUser:
    """The rest of a CREATE USER."""
    clauses = _create_options(cursor)
    names, at_hosts = _names_with_hosts(cursor)
    while True:
        if cursor.words("IN"):
            clauses["storage"] = cursor.name("the name of an access storage")
        elif cluster := cursor.cluster():
            clauses["cluster"] = cluster
        elif cursor.words("ROLE"):
            clauses["roles"] = cursor.listed(cursor.user_name)
        elif (settings := parse_settings(cursor)) is not None:
            clauses["settings"] = clauses.get("settings", ()) + settings
        elif not _user_clause(cursor, clauses):
            break
    if any(at_hosts):
        clauses["at_hosts"] = at_hosts
        if len(set(at_hosts)) == 1 and "hosts" not in clauses:
            clauses["hosts"] = Hosts(likes=at_hosts[:1])
    return CreateUser(names, **clauses)


def parse_alter_user(cursor: Cursor) -> AlterUser:
    """The rest of an ALTER USER."""
    if_exists = cursor.words("IF EXISTS")
    names = cursor.listed(cursor.user_name)
    clauses: dict[str, Any] = {}
    while True:
        if cursor.words("RENAME TO"):
            clauses["rename_to"] = cursor.user_name()
        elif cluster := cursor.cluster():
            clauses["cluster"] = cluster
        elif cursor.words("RESET AUTHENTICATION METHODS TO NEW"):
            clauses["reset_methods"] = True
        elif cursor.at_words("ADD IDENTIFIED") or cursor.at_words("ADD NOT IDENTIFIED"):
            cursor.take()
            clauses |= {"add_methods": True, "methods": parse_identified(cursor)}
        elif cursor.words("ADD HOST"):
            clauses["add_hosts"] = merge_hosts(clauses.get("add_hosts"), parse_hosts(cursor))
        elif cursor.words("DROP HOST"):
            clauses["drop_hosts"] = merge_hosts(clauses.get("drop_hosts"), parse_hosts(cursor))
        elif (change := parse_settings_change(cursor)) is not None:
            clauses["settings"] = merge_changes(clauses.get("settings"), change)
            between_changes(cursor)
        elif not _user_clause(cursor, clauses):
            break
    if not clauses:
        cursor.fail("what to change")
    return AlterUser(names, if_exists, **clauses)


def parse_create_role(cursor: Cursor) -> CreateRole:
    """The rest of a CREATE ROLE."""
    clauses = _create_options(cursor)
    names = cursor.listed(cursor.user_name)
    while True:
        if cursor.words("IN"):
            clauses["storage"] = cursor.name("the name of an access storage")
        elif cluster := cursor.cluster():
            clauses["cluster"] = cluster
        elif (settings := parse_settings(cursor)) is not None:
            clauses["settings"] = clauses.get("settings", ()) + settings
        else:
            return CreateRole(names, **clauses)


def parse_alter_role(cursor: Cursor) -> AlterRole:
    """The rest of an ALTER ROLE."""
    if_exists = cursor.words("IF EXISTS")
    names = cursor.listed(cursor.user_name)
    clauses: dict[str, Any] = {}
    while True:
        if cursor.words("RENAME TO"):
            clauses["rename_to"] = cursor.user_name()
        elif cluster := cursor.cluster():
            clauses["cluster"] = cluster
        elif (change := parse_settings_change(cursor)) is not None:
            clauses["settings"] = merge_changes(clauses.get("settings"), change)
            between_changes(cursor)
        else:
            break
    if not clauses:
        cursor.fail("what to change")
    return AlterRole(names, if_exists, **clauses)


def parse_set_default_role(cursor: Cursor) -> SetDefaultRole:
    """The rest of a SET DEFAULT ROLE."""
    roles = parse_name_set(cursor, "ALL")
    cursor.need_words("TO")
    return SetDefaultRole(roles, parse_name_set(cursor))


def _create_options(cursor: Cursor) -> dict[str, Any]:
    return {"if_not_exists": cursor.words("IF NOT EXISTS"), "or_replace": cursor.words("OR REPLACE")}


def _names_with_hosts(cursor: Cursor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a CREATE USER, and the host that each of them has behind an `@` (or "")."""
    hosts: list[str] = []

    def read() -> str:
        start = cursor.index
        name = cursor.user_name()
        host = cursor.tokens[cursor.index - 1].text if cursor.index > start + 1 else ""
        hosts.append("" if host == "%" else host)
        return name

    return cursor.listed(read), tuple(hosts)


def _user_clause(cursor: Cursor, clauses: dict[str, Any]) -> bool:
    """Read one of the clauses that CREATE USER and ALTER USER share, if one comes next."""
    if (methods := parse_identified(cursor)) is not None:
        clauses["methods"] = methods
    elif (validity := parse_validity(cursor)) is not None:
        clauses["valid_until"], clauses["valid_for"] = validity
    elif cursor.words("HOST"):
        clauses["hosts"] = merge_hosts(clauses.get("hosts"), parse_hosts(cursor))
    elif cursor.words("DEFAULT ROLE"):
        clauses["default_roles"] = parse_name_set(cursor, "ALL")
    elif cursor.words("DEFAULT DATABASE"):
        clauses["default_database"] = "" if cursor.words("NONE") else cursor.identifier("a database")
    elif cursor.words("GRANTEES"):
        clauses["grantees"] = parse_name_set(cursor, "ANY")
    else:
        return False
    return True
