"""What a user or role of `users.xml` may do: its `<grants>`, or the flags that stand for them.

Source: ClickHouse's `UsersConfigParser.cpp`. A user without `<grants>` has every right but those that the flags
withhold; `<allow_databases>` narrows only rights on databases, what is global remains.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.access.access_model import EntityKey
from core.access.cursor import Cursor
from core.access.effective.privilege_tree import OLD_SOURCES, Depth, PrivilegeTree
from core.access.grant_parser import parse_grant, parse_revoke
from core.access.model import CURRENT_DATABASE, EntityKind, Grant, Revoke, Right
from core.access.render_grants import quoted_identifier
from core.access.tokenizer import AccessSyntaxError, Kind, Token, tokenize
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import Problems, shown

FLAGS = ("access_management", "named_collection_control", "named_collection_admin", "show_named_collections_secrets")
RIGHTS_ELEMENTS = frozenset({*FLAGS, "show_named_collections", "allow_databases", "allow_dictionaries", "grants"})
NO_DATABASE = "<no_database>"  # the database of dictionaries that are configured and not created
_DICTIONARY = ("SHOW DICTIONARIES", "CREATE DICTIONARY", "DROP DICTIONARY", "dictGet")


@dataclass(slots=True)
class Rights:
    """What one user or role was given: its statements in order, and its roles with whether it may pass them on."""

    statements: list[Grant | Revoke] = field(default_factory=list)
    roles: dict[str, bool] = field(default_factory=dict)


def read_user_rights(configuration: Configuration, name: str, user: Node, roles: frozenset[str]) -> Rights:
    """The rights of a user, from its grants or its flags; `roles` are those of the same configuration."""
    flags = {flag: configuration.boolean(user, flag) for flag in FLAGS}
    grants = user.first("grants")
    lists = [user.first(element) for element in ("allow_databases", "allow_dictionaries")]
    if grants is not None:
        if any(flags.values()) or any(node is not None for node in lists):
            message = f"The user {shown(name)} has <grants> and other elements that give rights."
            configuration.problems.error(user.origin, message, f"Keep <grants>, or {', '.join(FLAGS)} and the like.")
        return read_grants(configuration, EntityKey(EntityKind.USER, name), grants, roles)
    databases, dictionaries = (None if node is None else _texts(configuration, node) for node in lists)
    if databases is not None:
        message = f"<allow_databases> leaves {shown(name)} every right that is not about databases."
        advice = "SYSTEM SHUTDOWN, KILL QUERY and the like remain; list in <grants> what the user needs instead."
        configuration.problems.warning(lists[0].origin if lists[0] else user.origin, message, advice)
    return Rights(_from_flags(configuration.privileges, name, flags, databases, dictionaries))


def read_grants(configuration: Configuration, holder: EntityKey, grants: Node, roles: frozenset[str]) -> Rights:
    """The rights that the queries of a `<grants>` element add up to."""
    found = Rights()
    name = str(holder.name)
    for child in grants.elements():
        if child.unresolved:
            continue
        try:
            statement = parse_query(configuration.text(child), name)
        except AccessSyntaxError as error:
            message = f"A grant of {shown(name)} cannot be read: {error.message}"
            advice = "Write GRANT or REVOKE without TO, FROM and ON CLUSTER, and revoke no roles."
            configuration.problems.error(child.origin, message, advice)
            continue
        if isinstance(statement, Grant) and statement.roles:
            _add_roles(configuration.problems, holder, found, child, statement, roles)
        else:
            _add_rights(configuration, holder, found, child, statement)
    return found


def parse_query(sql: str, holder: str) -> Grant | Revoke:
    """A GRANT or REVOKE as it stands in a configuration: without its holder, who is added.

    Raises AccessSyntaxError, which does not repeat strings.
    """
    tokens = tokenize(sql)
    end = _end_of_rights(tokens)
    revoke = tokens[0].kind is Kind.WORD and tokens[0].text.upper() == "REVOKE"
    position = tokens[end - 1].end if end else 0
    cursor = Cursor(f"{sql[:position]} {'FROM' if revoke else 'TO'} {quoted_identifier(holder)} {sql[position:]}")
    if not cursor.one_of("GRANT", "REVOKE"):
        cursor.fail("GRANT or REVOKE")
    statement: Grant | Revoke = parse_revoke(cursor) if revoke else parse_grant(cursor)
    if len(statement.grantees) != 1 or statement.cluster or cursor.token.kind is not Kind.END:
        cursor.fail("the end of the statement, without ON CLUSTER and without grantees")
    if isinstance(statement, Revoke) and not statement.rights:
        raise AccessSyntaxError("roles cannot be revoked in a configuration", sql, 0)
    return statement


def _end_of_rights(tokens: list[Token]) -> int:
    """The index of the token before which TO would stand: that of WITH … OPTION at the end, or the end."""
    end = len(tokens) - 1
    while end >= 3 and _is_option(tokens[end - 3 : end]):
        end -= 3
    return end


def _is_option(tokens: list[Token]) -> bool:
    words = [token.text.upper() if token.kind is Kind.WORD else "" for token in tokens]
    return words[0] == "WITH" and words[1] in ("GRANT", "ADMIN", "REPLACE") and words[2] == "OPTION"


def _add_roles(
    problems: Problems, holder: EntityKey, found: Rights, node: Node, statement: Grant, roles: frozenset[str]
) -> None:
    for role in statement.roles:
        if role in roles:
            found.roles[role] = found.roles.get(role, False) or statement.admin_option
        else:
            message = f"There is no role {shown(role)} in this configuration."
            advice = "ClickHouse looks for it in its other storages too, and ignores it when it is in none."
            problems.without_effect(node.origin, holder, f"the role {shown(role)}", message, advice)


def _add_rights(
    configuration: Configuration, holder: EntityKey, found: Rights, node: Node, statement: Grant | Revoke
) -> None:
    problems = configuration.problems
    if isinstance(statement, Grant) and (statement.current or statement.replace_option):
        message = "CURRENT GRANTS and WITH REPLACE OPTION mean nothing in a configuration."
        problems.warning(node.origin, message, "ClickHouse grants the rights that are named.")
        statement = replace(statement, current=False, replace_option=False)
    rights = []
    for right in statement.rights:
        if right.parameter is None and right.database == CURRENT_DATABASE:
            if right.table is not None:
                what = f"{right.privilege} ON {shown(right.table)}"
                message = f"{what} without a database is a right on nothing."
                problems.without_effect(node.origin, holder, what, message, "Write database.table.")
                continue
            message = f"{right.privilege} ON * is a right on every database: a configuration has no current one."
            problems.warning(node.origin, message, "Write database.*, or *.* if that is meant.")
            right = right._replace(database=None)
        if problem := _refused(configuration.privileges, right):
            problems.error(node.origin, problem, "Compare it with SHOW PRIVILEGES of the server.")
        elif right.privilege != "USAGE":
            rights.append(right)
    if rights:
        found.statements.append(replace(statement, rights=tuple(rights)))


def _refused(privileges: PrivilegeTree, right: Right) -> str:
    """Why ClickHouse would not take a right, or the empty string."""
    if not privileges.knows(right.privilege):
        return f"ClickHouse has no privilege {shown(right.privilege)}."
    if right.parameter is not None or right.database is None:
        return ""
    depth = Depth.COLUMN if right.columns else Depth.DATABASE if right.table is None else Depth.TABLE
    mask = privileges.mask(right.privilege)
    if mask and not mask & privileges.grantable[depth]:
        return f"{right.privilege} cannot be granted on a {depth.name.lower()}."
    return ""


def _texts(configuration: Configuration, node: Node) -> list[str]:
    return [configuration.text(child) for child in node.elements() if not child.unresolved]


def _from_flags(
    privileges: PrivilegeTree,
    name: str,
    flags: dict[str, bool],
    databases: list[str] | None,
    dictionaries: list[str] | None,
) -> list[Grant | Revoke]:
    """The statements that give what the flags give, in the order in which ClickHouse works them out."""
    option = flags["access_management"]  # without it, nothing may be passed on

    def granted(*rights: Right) -> Grant:
        return Grant(rights, grantees=(name,), grant_option=option)

    def revoked(*rights: Right) -> Revoke:
        return Revoke(rights, grantees=(name,))

    found: list[Grant | Revoke] = []
    if databases is None:
        found.append(granted(Right("ALL")))
    else:
        found.append(granted(*map(Right, global_privileges(privileges))))
        found.append(granted(Right("TABLE ENGINE", parameter="")))
        found.append(granted(*_dictionary_rights()))
        found += [granted(Right("ALL", database=database)) for database in dict.fromkeys(databases) if database]
    if dictionaries is not None:
        found.append(revoked(*_dictionary_rights()))
        found += [granted(*_dictionary_rights(table)) for table in dict.fromkeys(dictionaries) if table]
    if not option:
        found.append(revoked(Right("ACCESS MANAGEMENT")))
    if not (flags["named_collection_control"] or flags["named_collection_admin"]):
        found.append(revoked(Right("NAMED COLLECTION ADMIN", parameter="")))
    if not flags["show_named_collections_secrets"]:
        found.append(revoked(Right("SHOW NAMED COLLECTIONS SECRETS", parameter="")))
    return found


def _dictionary_rights(table: str | None = None) -> list[Right]:
    return [Right(privilege, database=NO_DATABASE, table=table) for privilege in _DICTIONARY]


def global_privileges(privileges: PrivilegeTree) -> tuple[str, ...]:
    """What is left of all rights without those on databases, names and sources.

    SHOW GRANTS lists the old names of sources too for a user with <allow_databases>; but what ClickHouse asks for is
    READ and WRITE, which are taken away, so that such a user reads from no source.
    """
    sources = 0
    for name in (*OLD_SOURCES, "SOURCES"):
        sources |= privileges.mask(name) if privileges.knows(name) else 0
    return privileges.names(privileges.at_level("GLOBAL") & ~sources)
