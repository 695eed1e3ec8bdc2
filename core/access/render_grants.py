"""Names, rights and grants as SQL, in the form in which ClickHouse itself shows them."""

from __future__ import annotations

import re

from core.access.model import CURRENT_DATABASE, Grant, NameSet, Revoke, Right
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


def render_grant(grant: Grant) -> str:
    """A GRANT statement."""
    what = render_rights(grant.rights) if grant.rights else ", ".join(map(identifier, grant.roles))
    if grant.current:
        what = f"CURRENT GRANTS({what})"
    grantees = name_set(NameSet(grant.grantees, current_user=grant.to_current_user))
    text = f"GRANT {_cluster(grant.cluster)}{what} TO {grantees}"
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
        what = render_rights(revoke.rights)
    else:
        what = name_set(NameSet(revoke.roles, revoke.all_roles, revoke.roles_except))
    if revoke.grant_option or revoke.admin_option:
        what = f"{'GRANT' if revoke.grant_option else 'ADMIN'} OPTION FOR {what}"
    whom = NameSet(revoke.grantees, revoke.from_all, revoke.grantees_except, revoke.from_current_user)
    return f"REVOKE {_cluster(revoke.cluster)}{what} FROM {name_set(whom)}"


def name_set(names_: NameSet, everyone: str = "ALL") -> str:
    """A set of users or roles; `everyone` is the word for all of them."""
    parts = [everyone] * names_.everyone + [identifier(name) for name in names_.names]
    parts += ["CURRENT_USER"] * names_.current_user
    return (", ".join(parts) or "NONE") + _except(names_.excepted)


def _cluster(name: str) -> str:
    return f"ON CLUSTER {identifier(name)} " if name else ""


def _except(values: tuple[str, ...]) -> str:
    return f" EXCEPT {', '.join(map(identifier, values))}" if values else ""


def render_rights(rights: tuple[Right, ...]) -> str:
    """Rights on the same object, one after the other, share one ON, as ClickHouse writes them."""
    parts: list[str] = []
    for index, right in enumerate(rights):
        columns = f"({', '.join(map(identifier, right.columns))})" if right.columns else ""
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
