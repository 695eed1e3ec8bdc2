"""Reads CREATE, ALTER and DROP of row policies and masking policies.

Source: https://clickhouse.com/docs/sql-reference/statements/create/row-policy and /masking-policy. Expressions are kept
as they stand.
"""

from __future__ import annotations

from typing import Final

from core.access.clauses import Clauses, create_options
from core.access.cursor import Cursor
from core.access.model import EVERYONE, EntityKind
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.tokenizer import Kind

# What ends an expression. ClickHouse reads `WITH CHECK` and forgets it, and `PARALLEL WITH` begins another statement:
# both are refused here, as what follows an expression.
_REFUSED: Final = ("WITH CHECK", "PARALLEL WITH")
_AFTER_CONDITION: Final = ("AS", "FOR SELECT", "FOR ALL", "USING", "RENAME TO", "ON CLUSTER", "TO", *_REFUSED)
_AFTER_MASK: Final = ("UPDATE", "WHERE", "PRIORITY", "RENAME TO", "ON CLUSTER", "TO", *_REFUSED)
_TOO_MUCH: Final = 2**63  # for a priority, which ClickHouse would make negative


def parse_create_row_policy(cursor: Cursor) -> CreateRowPolicy:
    """The rest of a CREATE ROW POLICY."""
    clauses = _named(cursor, **create_options(cursor))
    while not clauses.to() and (_filter(cursor, clauses) or clauses.place()):
        pass
    clauses.cluster_behind_to()
    return CreateRowPolicy(**clauses)


def parse_alter_row_policy(cursor: Cursor) -> AlterRowPolicy:
    """The rest of an ALTER ROW POLICY."""
    clauses = _named(cursor, if_exists=cursor.words("IF EXISTS"))
    while not clauses.to() and (clauses.renaming() or _filter(cursor, clauses) or clauses.place()):
        pass
    clauses.cluster_behind_to()
    clauses.need_change()
    return AlterRowPolicy(**clauses)


def parse_create_masking_policy(cursor: Cursor) -> CreateMaskingPolicy:
    """The rest of a CREATE MASKING POLICY."""
    clauses = _one_named(cursor, **create_options(cursor))
    while clauses.to() or _mask(cursor, clauses) or clauses.place():
        pass
    if "updates" not in clauses:
        cursor.fail("UPDATE")
    clauses.setdefault("to", EVERYONE)
    return CreateMaskingPolicy(**clauses)


def parse_alter_masking_policy(cursor: Cursor) -> AlterMaskingPolicy:
    """The rest of an ALTER MASKING POLICY."""
    clauses = _one_named(cursor, if_exists=cursor.words("IF EXISTS"))
    while clauses.to() or clauses.renaming() or _mask(cursor, clauses) or clauses.place():
        pass
    clauses.need_change()
    return AlterMaskingPolicy(**clauses)


def parse_drop_policy(cursor: Cursor, kind: EntityKind) -> DropPolicy:
    """The rest of a DROP ROW POLICY or DROP MASKING POLICY."""
    if_exists = cursor.words("IF EXISTS")
    if kind is EntityKind.MASKING_POLICY:
        names, cluster = _one_policy(cursor, with_cluster=True)
    else:
        names, cluster = parse_policy_names(cursor)
    cluster = cluster or cursor.cluster()
    storage = cursor.name("the name of an access storage") if cursor.words("FROM") else ""
    return DropPolicy(kind, names, if_exists, storage, cluster or cursor.cluster())


def parse_policy_names(cursor: Cursor) -> tuple[tuple[PolicyName, ...], str]:
    """`p, q ON db.t`, `p ON db.t, db.u` or `p ON db.t, q ON db.u`, and the cluster of `p ON CLUSTER c ON db.t`."""
    shorts = cursor.listed(lambda: _short_name(cursor))
    cluster = cursor.cluster()
    cursor.need_words("ON")
    tables = [_table(cursor)]
    names = [PolicyName(short, *tables[0]) for short in shorts]
    if len(shorts) == 1 and not cluster and cursor.at_symbol(",") and _on_follows(cursor):
        while cursor.symbol(","):
            short = _short_name(cursor)
            cursor.need_words("ON")
            names.append(PolicyName(short, *_table(cursor)))
    elif len(shorts) == 1:
        while cursor.symbol(","):
            names.append(PolicyName(shorts[0], *_table(cursor)))
    return tuple(names), cluster


def _on_follows(cursor: Cursor) -> bool:
    """Whether behind the comma there is a name with an ON of its own."""
    on, cluster = cursor.peek(2), cursor.peek(3)
    if on.kind is not Kind.WORD or on.text.upper() != "ON":
        return False
    return cluster.kind is not Kind.WORD or cluster.text.upper() != "CLUSTER"


def _short_name(cursor: Cursor) -> str:
    return cursor.name("the name of a policy")


def _table(cursor: Cursor) -> tuple[str, str | None]:
    """`db.t`, `db.*`, `t` or `*`, the last two in the current database."""
    if cursor.symbol("*"):
        return "", None
    first = cursor.identifier("a table")
    if not cursor.symbol("."):
        return "", first
    return first, None if cursor.symbol("*") else cursor.identifier("a table or '*'")


def _one_policy(cursor: Cursor, *, with_cluster: bool = False) -> tuple[tuple[PolicyName, ...], str]:
    short = _short_name(cursor)
    cluster = cursor.cluster() if with_cluster else ""
    cursor.need_words("ON")
    if cursor.at_symbol("*"):
        cursor.fail("a table, because a masking policy is on one")
    database, table = _table(cursor)
    if table is None:
        cursor.index -= 1
        cursor.fail("a table, because a masking policy is on one")
    return (PolicyName(short, database, table),), cluster


def _named(cursor: Cursor, **options: bool) -> Clauses:
    names, cluster = parse_policy_names(cursor)
    clauses = Clauses(cursor, names=names, **options)
    if cluster:
        clauses["cluster"] = cluster
    return clauses


def _one_named(cursor: Cursor, **options: bool) -> Clauses:
    return Clauses(cursor, names=_one_policy(cursor)[0], **options)


def _filter(cursor: Cursor, clauses: Clauses) -> bool:
    """Read `AS …` or `[FOR SELECT] USING …` if one of them comes next."""
    if cursor.at_words("AS"):
        clauses.need_new("restrictive", "AS")
        cursor.take()
        kind = cursor.one_of("RESTRICTIVE", "PERMISSIVE")
        if not kind:
            cursor.fail("RESTRICTIVE or PERMISSIVE")
        clauses["restrictive"] = kind == "RESTRICTIVE"
        return True
    if not cursor.at_words("FOR") and not cursor.at_words("USING"):
        return False
    clauses.need_new("using", "USING")
    if cursor.words("FOR") and not cursor.one_of("SELECT", "ALL"):
        cursor.fail("SELECT")
    cursor.need_words("USING")
    clauses["using"] = True
    if not cursor.words("NONE"):
        clauses["condition"] = cursor.expression("a condition", _AFTER_CONDITION)
    return True


def _whole_number(cursor: Cursor) -> int:
    text = cursor.token.text.lower()
    hexadecimal = text.startswith("0x")
    if cursor.token.kind is not Kind.NUMBER or not (hexadecimal or text.isdecimal()):
        cursor.fail("a whole number")
    number = int(text, 16 if hexadecimal else 10)
    if number >= _TOO_MUCH:
        cursor.fail("a smaller number")
    cursor.take()
    return number


def _mask(cursor: Cursor, clauses: Clauses) -> bool:
    """Read `UPDATE …`, `WHERE …` or `PRIORITY n` if one of them comes next."""
    if cursor.at_words("UPDATE"):
        clauses.need_new("updates", "UPDATE")
        cursor.take()
        clauses["updates"] = cursor.expression("an assignment", _AFTER_MASK, listed=True)
    elif cursor.at_words("WHERE"):
        clauses.need_new("condition", "WHERE")
        cursor.take()
        clauses["condition"] = cursor.expression("a condition", _AFTER_MASK)
    elif cursor.at_words("PRIORITY"):
        clauses.need_new("priority", "PRIORITY")
        cursor.take()
        clauses["priority"] = _whole_number(cursor)
    else:
        return False
    return True
