"""Reads GRANT and REVOKE. Source: https://clickhouse.com/docs/sql-reference/statements/grant and /revoke."""

from __future__ import annotations

from core.access.cursor import Cursor
from core.access.model import CURRENT_DATABASE, Grant, NameSet, Revoke, Right
from core.access.name_sets import parse_name_set
from core.access.privileges import PARAMETRISED, SOURCES, privilege_name
from core.access.tokenizer import Kind


def parse_grant(cursor: Cursor) -> Grant:
    """The rest of a GRANT, the cursor behind that word."""
    cluster = cursor.cluster()
    rights: tuple[Right, ...] = ()
    roles = NameSet()
    current = cursor.words("CURRENT GRANTS")
    if current:
        rights = _current_grants(cursor)
    elif _rights_follow(cursor):
        rights = parse_rights(cursor)
    else:
        roles = NameSet(cursor.listed(cursor.user_name))
    cluster = cluster or cursor.cluster()
    cursor.need_words("TO")
    grantees = parse_name_set(cursor)
    cluster = cluster or cursor.cluster()
    options = set()
    while option := cursor.one_of("WITH GRANT OPTION", "WITH ADMIN OPTION", "WITH REPLACE OPTION"):
        options.add(option)
    if rights and "WITH ADMIN OPTION" in options:
        cursor.fail("WITH GRANT OPTION, as rights are granted and not roles")
    if roles.names and "WITH GRANT OPTION" in options:
        cursor.fail("WITH ADMIN OPTION, as roles are granted and not rights")
    return Grant(
        rights,
        roles.names,
        grantees.names,
        grant_option="WITH GRANT OPTION" in options,
        admin_option="WITH ADMIN OPTION" in options,
        replace_option="WITH REPLACE OPTION" in options,
        current=current,
        to_current_user=grantees.current_user,
        cluster=cluster or cursor.cluster(),
    )


def parse_revoke(cursor: Cursor) -> Revoke:
    """The rest of a REVOKE, the cursor behind that word."""
    cluster = cursor.cluster()
    option = cursor.one_of("GRANT OPTION FOR", "ADMIN OPTION FOR")
    rights: tuple[Right, ...] = ()
    roles = NameSet()
    if option != "ADMIN OPTION FOR" and _rights_follow(cursor):
        rights = parse_rights(cursor)
    elif option == "GRANT OPTION FOR":
        cursor.fail("privileges with ON")
    else:
        roles = parse_name_set(cursor, "ALL")
    cluster = cluster or cursor.cluster()
    cursor.need_words("FROM")
    grantees = parse_name_set(cursor, "ALL")
    return Revoke(
        rights,
        roles.names,
        grantees.names,
        grant_option=option == "GRANT OPTION FOR",
        admin_option=option == "ADMIN OPTION FOR",
        all_roles=roles.everyone,
        roles_except=roles.excepted,
        from_all=grantees.everyone,
        grantees_except=grantees.excepted,
        from_current_user=grantees.current_user,
        cluster=cluster or cursor.cluster(),
    )


def _rights_follow(cursor: Cursor) -> bool:
    """Whether `ON` (but not ON CLUSTER) comes before TO or FROM: then what is listed are rights, else roles."""
    depth = 0
    for ahead in range(len(cursor.tokens) - cursor.index):
        token = cursor.peek(ahead)
        if token.kind is Kind.SYMBOL:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind is not Kind.WORD:
            continue
        before = cursor.peek(ahead - 1)
        if ahead == 0 or (before.kind in (Kind.SYMBOL, Kind.WORD) and before.text.upper() in (",", "EXCEPT")):
            continue  # the first word of a privilege or name, which ClickHouse writes unquoted even if it is `on`
        word = token.text.upper()
        following = cursor.peek(ahead + 1)
        on_cluster = following.kind is Kind.WORD and following.text.upper() == "CLUSTER"
        if word == "ON" and not on_cluster:
            return True
        if word in ("TO", "FROM"):
            return False
    return False


def _current_grants(cursor: Cursor) -> tuple[Right, ...]:
    if cursor.symbol("("):
        rights = parse_rights(cursor)
        cursor.need_symbol(")")
        return rights
    cursor.need_words("ON")
    return _on_object(cursor, [("ALL", ())])


def parse_rights(cursor: Cursor) -> tuple[Right, ...]:
    """`priv[(cols)], … ON object`, repeated after commas."""
    rights: list[Right] = []
    while True:
        privileges = list(cursor.listed(lambda: _privilege(cursor)))
        cursor.need_words("ON")
        rights += _on_object(cursor, privileges)
        if not cursor.symbol(","):
            return tuple(rights)


def _privilege(cursor: Cursor) -> tuple[str, tuple[str, ...]]:
    words: list[str] = []
    while cursor.token.kind is Kind.WORD and cursor.token.text.upper() not in ("ON", "TO", "FROM"):
        words.append(cursor.take().text)
    if not words:
        cursor.fail("a privilege")
    columns = cursor.bracketed(lambda: cursor.identifier("a column")) if cursor.at_symbol("(") else ()
    return privilege_name(" ".join(words)), columns


def _on_object(cursor: Cursor, privileges: list[tuple[str, tuple[str, ...]]]) -> tuple[Right, ...]:
    parametrised = [name in PARAMETRISED for name, _ in privileges]
    if any(parametrised) and not cursor.at_symbol("*"):
        if not all(parametrised):
            cursor.fail("'*' or '*.*', because some of these privileges take no name")
        place = _parameter(cursor, sources=all(name in SOURCES for name, _ in privileges))
        return tuple(place._replace(privilege=name) for name, _ in privileges)
    place = _database_object(cursor)
    if place.table_wildcard or place.database_wildcard:
        if any(columns for _, columns in privileges):
            cursor.fail("an object without a wildcard, because columns are named")
    elif place.table is None and any(columns for _, columns in privileges):
        cursor.fail("a table, because columns are named")
    return tuple(_placed(name, columns, place) for name, columns in privileges)


def _placed(name: str, columns: tuple[str, ...], place: Right) -> Right:
    if name in PARAMETRISED:
        return Right(name, parameter="")
    return place._replace(privilege=name, columns=columns)


def _parameter(cursor: Cursor, *, sources: bool) -> Right:
    name = cursor.identifier("a name or '*'")
    pattern = None
    if sources and cursor.symbol("("):
        pattern = cursor.name("a pattern")
        cursor.need_symbol(")")
    return Right("", parameter=name, parameter_wildcard=cursor.symbol("*"), source_filter=pattern)


def _database_object(cursor: Cursor) -> Right:
    """`*.*`, `db.*`, `db*.*`, `db.t`, `db.t*`, `*`, `t`, `t*`."""
    if cursor.symbol("*"):
        if cursor.symbol("."):
            cursor.need_symbol("*")
            return Right("")
        return Right("", database=CURRENT_DATABASE)
    first = cursor.identifier("a database or table")
    wildcard = cursor.symbol("*")
    if not cursor.symbol("."):
        return Right("", database=CURRENT_DATABASE, table=first, table_wildcard=wildcard)
    if cursor.symbol("*"):
        return Right("", database=first, database_wildcard=wildcard)
    if wildcard:
        cursor.fail("'*', because a prefix of databases has no single table")
    table = cursor.identifier("a table")
    return Right("", database=first, table=table, table_wildcard=cursor.symbol("*"))
