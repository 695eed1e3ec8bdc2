"""Statements read as ClickHouse prints them are what the parser makes of them, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.access.assembling import model_from_statements
from core.access.model import CreateRole, CreateUser, Grant, Revoke, Right, Statement
from core.access.parser import parse_statement
from core.access.printed_statements import read_printed
from core.access.quotas import CreateQuota
from core.access.render import render
from core.access.settings_profiles import CreateSettingsProfile
from core.access.tokenizer import AccessSyntaxError
from tests.unit.access import strategies

_ORDINARY = ("u", "`a b`")
# What else can stand where a name stands: words that the parser looks for, quotes of each kind, and what is no name.
_STRANGE = (
    *("TO", "on", "From", "NONE", "all", "ANY", "cluster", "Current_User", "CURRENTUSER", "except", "with", "grant"),
    *("option", "current", "grants", "if", "or", "not", "in", "admin", "identified", "settings", "host", "default"),
    *("1a", "a$b", "a b", "", "``", "`a``b`", r"`a\`b`", r"`\x41`", "`a\nb`", "`\ud800`", "$$", "`$$`", "'s'", '"q"'),
    *("é", "`漢😀`", "`it's`", "`a.b`", "`none`", "`*`", "u@h", "`u`@`h`", "`u`@'%'", "a, b", "*", "a*", "`a`*", "a.b"),
    *("a -- b", "a /* b */", "a;", "`a"),
)
_SHAPES = [
    "GRANT SELECT ON {}.{} TO {}",
    "GRANT select, Alter  Delete ON {}.* TO {} WITH GRANT OPTION",
    "GRANT dictGet, ALL PRIVILEGES ON {}.{} TO {}",
    "REVOKE SELECT ON {}.{} FROM {}",
    "GRANT SELECT ON {}.{} FROM {}",
    "GRANT SELECT ON {}.{} TO {} WITH ADMIN OPTION",
    "GRANT EXCEPT ON {}.{} TO {}",
    "GRANT ACCESS MANAGEMENT ON {}.{} TO {}",
    "GRANT CREATE USER, SELECT ON {}.* TO {}",
    "GRANT CURRENT GRANTS ON {}.{} TO {}",
    "GRANT ON {}.{} TO {}",
    "GRANT ON CLUSTER c SELECT ON {}.{} TO {}",
    "GRANT ON CLUSTER {} SELECT ON *.* TO {}",
    "GRANT SELECT ON {} TO {}",
    "GRANT SELECT(a, b), INSERT ON *.* TO {}",
    "GRANT SELECT(a, b) ON d.t TO {}",
    "GRANT SELECT(a, b) ON d.t TO {} WITH GRANT OPTION",
    "GRANT CREATE USER ON * TO {}",
    "GRANT READ ON S3('s3://a') TO {}",
    "GRANT $$ ON a.b TO {}",
    "REVOKE GRANT OPTION FOR SELECT ON *.* FROM {}",
    "REVOKE SELECT ON *.* FROM {}",
    "GRANT {} TO {}",
    "GRANT {}, {} TO {} WITH ADMIN OPTION",
    "GRANT r TO {}, {}",
    "REVOKE {} FROM {}",
    "REVOKE ALL EXCEPT r FROM {}",
    "CREATE USER {}",
    "CREATE USER {} IDENTIFIED WITH sha256_password HOST IP '10.0.0.0/8' SETTINGS PROFILE {}",
    "CREATE USER {} NOT EXISTS a",
    "CREATE USER {} REPLACE a",
    "CREATE USER IF NOT EXISTS {}",
    "CREATE USER {} @ 'h'",
    "CREATE USER {} @ '%'",
    "CREATE USER {}, b HOST LOCAL",
    "CREATE ROLE {} IN st SETTINGS max_threads = 1 READONLY, PROFILE {}",
    "CREATE QUOTA {} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 9 TO a",
    "CREATE SETTINGS PROFILE {} SETTINGS a = 1 TO ALL EXCEPT {}",
    "CREATE ROW POLICY p ON {}.{} USING 1 TO {}",
    "GRANT SELECT ON",
]


def _single(statement: Statement) -> Iterator[Statement]:
    """A statement as one for each of its rights, roles or names."""
    match statement:
        case Grant() | Revoke():
            yield from (replace(statement, rights=(right,)) for right in statement.rights)
            yield from (replace(statement, roles=(role,)) for role in statement.roles)
            if not statement.rights and not statement.roles:
                yield statement
        case CreateUser(at_hosts=()) | CreateRole() | CreateQuota() | CreateSettingsProfile():
            yield from (replace(statement, names=(name,)) for name in statement.names)
        case _:
            yield statement


def check_read_as_printed(lines: Sequence[str]) -> None:
    """Reads the lines as printed and by the parser alone, and compares."""
    parsed: list[Statement] = []
    refused: list[str] = []
    for line in lines:
        try:
            parsed.append(parse_statement(line))
        except AccessSyntaxError:
            refused.append(line)
    read, unread = read_printed(lines)
    assert unread == refused
    assert [one for each in read for one in _single(each)] == [one for each in parsed for one in _single(each)]
    assert model_from_statements(read) == model_from_statements(parsed)


def test_statements_alike_but_for_their_names() -> None:
    for shape in _SHAPES:
        ordinary = [shape.replace("{}", name) for name in _ORDINARY]
        strange = [
            shape.replace("{}", "\0", slot).replace("\0", "u", slot - 1) for slot in range(1, shape.count("{}") + 1)
        ]
        lines = [one.replace("\0", name).replace("{}", "u") for one in strange for name in _STRANGE]
        check_read_as_printed([*ordinary, *lines])
        for line in lines:
            check_read_as_printed([line, *ordinary])


def test_shapes_are_told_apart() -> None:
    lines = [shape.replace("{}", name) for name in _ORDINARY for shape in _SHAPES]
    check_read_as_printed(lines)
    check_read_as_printed(lines[::-1])


@given(st.lists(strategies.statements, max_size=6))
def test_any_statements(statements: list[Statement]) -> None:
    check_read_as_printed([render(statement) for statement in statements])


def test_neighbours_become_one_statement() -> None:
    read, unread = read_printed(
        [
            *("CREATE USER u", "CREATE USER `v w`", "CREATE USER x HOST LOCAL", "CREATE ROLE r"),
            *("GRANT SELECT ON a.* TO u", "GRANT INSERT ON b.t TO u", "GRANT INSERT ON c.t TO u WITH GRANT OPTION"),
            *("REVOKE SELECT ON a.t FROM u", "GRANT r TO u", "GRANT `s t`, q TO u", "GRANT KILL QUERY ON *.* TO x"),
        ]
    )
    assert unread == []
    assert [type(statement) for statement in read[:3]] == [CreateUser, CreateUser, CreateRole]
    assert read[0] == CreateUser(("u", "v w"))
    assert read[3:] == [
        Grant((Right("SELECT", (), "a"), Right("INSERT", (), "b", "t")), grantees=("u",)),
        Grant((Right("INSERT", (), "c", "t"),), grantees=("u",), grant_option=True),
        Revoke((Right("SELECT", (), "a", "t"),), grantees=("u",)),
        Grant(roles=("r", "s t", "q"), grantees=("u",)),
        Grant((Right("KILL QUERY"),), grantees=("x",)),
    ]
