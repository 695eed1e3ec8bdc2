"""Statements as SQL, in the form ClickHouse itself shows (`SHOW GRANTS`, `SHOW CREATE USER`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.access.model import CURRENT_DATABASE, Grant, Revoke, Right
from core.access.privileges import PARAMETRISED

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words that mean something where a name could stand. ClickHouse quotes the first line of them; the second it does
# not, although it then reads a role called `none` as no role at all.
_QUOTED_WORDS = frozenset(
    ("ALL", "DISTINCT", "FALSE", "FROM", "NULL", "SELECT", "SOME", "TABLE", "TOP", "TRUE", "VALUES")
) | frozenset(
    (
        "ANY",
        "CLUSTER",
        "CURRENT",
        "CURRENTUSER",
        "CURRENT_USER",
        "EXCEPT",
        "FOR",
        "IN",
        "NONE",
        "NOT",
        "ON",
        "TO",
        "WITH",
    )
)
_ESCAPES = str.maketrans({"\\": "\\\\", "\0": "\\0", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def identifier(name: str) -> str:
    """`name`, back-quoted where it must be. Raises ValueError for an empty name."""
    if _PLAIN.fullmatch(name) and name.upper() not in _QUOTED_WORDS:
        return name
    return quoted_identifier(name)


def quoted_identifier(name: str) -> str:
    """`name`, always back-quoted."""
    if not name:
        raise ValueError("a name in ClickHouse cannot be empty")
    return "`" + name.translate(_ESCAPES).replace("`", "\\`") + "`"


def string(value: str) -> str:
    """`value` as a string literal."""
    return "'" + value.translate(_ESCAPES).replace("'", "\\'") + "'"


def names(values: Iterable[str]) -> str:
    """Names, comma-separated."""
    return ", ".join(identifier(value) for value in values)


def render_grant(grant: Grant) -> str:
    """A GRANT statement."""
    what = _rights(grant.rights) if grant.rights else names(grant.roles)
    if grant.current:
        what = f"CURRENT GRANTS({what})"
    grantees = [identifier(name) for name in grant.grantees] + ["CURRENT_USER"] * grant.to_current_user
    text = f"GRANT {_cluster(grant.cluster)}{what} TO {', '.join(grantees)}"
    for present, option in (
        (grant.grant_option, "GRANT"),
        (grant.admin_option, "ADMIN"),
        (grant.replace_option, "REPLACE"),
    ):
        text += f" WITH {option} OPTION" if present else ""
    return text


def render_revoke(revoke: Revoke) -> str:
    """A REVOKE statement."""
    if revoke.rights:
        what = _rights(revoke.rights)
    elif revoke.all_roles:
        what = f"ALL{_except(revoke.roles_except)}"
    else:
        what = names(revoke.roles)
    if revoke.grant_option or revoke.admin_option:
        what = f"{'GRANT' if revoke.grant_option else 'ADMIN'} OPTION FOR {what}"
    grantees = [identifier(name) for name in revoke.grantees] + ["CURRENT_USER"] * revoke.from_current_user
    whom = f"ALL{_except(revoke.grantees_except)}" if revoke.from_all else ", ".join(grantees)
    return f"REVOKE {_cluster(revoke.cluster)}{what} FROM {whom}"


def _cluster(name: str) -> str:
    return f"ON CLUSTER {identifier(name)} " if name else ""


def _except(values: tuple[str, ...]) -> str:
    return f" EXCEPT {names(values)}" if values else ""


def _rights(rights: tuple[Right, ...]) -> str:
    """Rights on the same object, one after the other, share one ON, as ClickHouse writes them."""
    parts: list[str] = []
    for index, right in enumerate(rights):
        columns = f"({names(right.columns)})" if right.columns else ""
        parts.append(right.privilege + columns)
        place = _object(right)
        if index + 1 == len(rights) or _object(rights[index + 1]) != place:
            parts[-1] += f" ON {place}"
    return ", ".join(parts)


def _object(right: Right) -> str:
    if right.privilege in PARAMETRISED or right.parameter is not None:
        if not right.parameter:
            return "*"
        pattern = f"({string(right.source_filter)})" if right.source_filter is not None else ""
        return identifier(right.parameter) + pattern + "*" * right.parameter_wildcard
    if right.database is None:
        return "*.*"
    table = "*" if right.table is None else identifier(right.table) + "*" * right.table_wildcard
    if right.database == CURRENT_DATABASE:
        return table
    return f"{identifier(right.database)}{'*' * right.database_wildcard}.{table}"


def render(statement: Grant | Revoke) -> str:
    """The SQL of a statement; `parse_statement` reads it back to an equal value."""
    return render_grant(statement) if isinstance(statement, Grant) else render_revoke(statement)
