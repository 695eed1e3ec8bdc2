"""Statements read as ClickHouse prints them are what the parser makes of them, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import printed_statements
from core.access.access_model import Holder
from core.access.assembling import Assembly, model_from_statements
from core.access.holdings import Holdings
from core.access.model import CreateRole, CreateUser, EntityKind, Grant, NameSet, Revoke, Right, Statement
from core.access.parser import parse_statement
from core.access.printed_statements import model_of_printed, take_printed
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
    *("a -- b", "a /* b */", "a;", "`a", "as", "for"),
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
    "CREATE SETTINGS PROFILE {} SETTINGS a = 1 TO ALL EXCEPT {}",
    "CREATE QUOTA {} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 9 TO a, {}",
    "CREATE QUOTA q ON a.b TO {}",
    "CREATE QUOTA q /* TO {}",
    "CREATE SETTINGS PROFILE {} SETTINGS INHERIT a TO {}, b",
    "CREATE ROW POLICY p ON {}.{} USING 1 TO {}",
    "CREATE ROW POLICY {} ON {}.* AS RESTRICTIVE FOR SELECT USING a = 'x TO y' AND b TO a, {}",
    "CREATE ROW POLICY p ON d.t USING a = 'x TO {}",
    "CREATE ROW POLICY p ON d.t, {}.u USING 1 TO a",
    "CREATE ROW POLICY p ON d.t USING x -- TO {}",
    "CREATE MASKING POLICY {} ON d.{} UPDATE a = 0 WHERE b PRIORITY 1 TO a",
    "CREATE MASKING POLICY m ON d.t UPDATE a = 0 TO y TO {}",
    "GRANT SELECT ON",
]


class _Told(Assembly):
    """Writes down what an assembly is told, each right, role and name of it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Statement] = []

    def take(self, statement: Statement) -> list[str]:
        self.told += _single(statement)
        return []

    def holdings(self, name: str) -> Holdings:
        return _ToldHoldings(name, self.told)


class _ToldHoldings(Holdings):
    def __init__(self, holder: str, told: list[Statement]) -> None:
        super().__init__()
        self._grantees = (holder,)
        self._told = told

    def grant(self, rights: Iterable[Right], *, option: bool) -> None:
        self._told += [Grant((right,), grantees=self._grantees, grant_option=option) for right in rights]

    def revoke(self, rights: Iterable[Right], *, option_only: bool) -> None:
        self._told += [Revoke((right,), grantees=self._grantees, grant_option=option_only) for right in rights]

    def grant_roles(self, roles: Iterable[str], *, option: bool) -> None:
        self._told += [Grant(roles=(role,), grantees=self._grantees, admin_option=option) for role in roles]


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
    told, unread = _told(lines)
    parsed = [statement for line in lines if (statement := _parsed(line)) is not None]
    assert unread == [line for line in lines if _parsed(line) is None]
    assert told == [one for statement in parsed for one in _single(statement)]
    assert model_of_printed(lines) == (model_from_statements(parsed), unread)


def _told(lines: Sequence[str]) -> tuple[list[Statement], list[str]]:
    assembly = _Told()
    unread = take_printed(lines, assembly)
    return assembly.told, unread


@cache
def _parsed(line: str) -> Statement | None:
    try:
        return parse_statement(line)
    except AccessSyntaxError:
        return None


def test_statements_alike_but_for_their_names() -> None:
    for shape in _SHAPES:
        ordinary = [shape.replace("{}", name) for name in _ORDINARY]
        strange = [
            shape.replace("{}", "\0", slot).replace("\0", "u", slot - 1) for slot in range(1, shape.count("{}") + 1)
        ]
        lines = [one.replace("\0", name).replace("{}", "u") for one in strange for name in _STRANGE]
        check_read_as_printed([*ordinary, *lines])
        of_ordinary = _told(ordinary)
        for line in lines:  # as the first of its shape
            first, others = _told([line]), _told([line, *ordinary])
            assert others == (first[0] + of_ordinary[0], first[1] + of_ordinary[1]), line


def test_shapes_are_told_apart() -> None:
    lines = [shape.replace("{}", name) for name in _ORDINARY for shape in _SHAPES]
    check_read_as_printed(lines)
    check_read_as_printed(lines[::-1])


def test_definitions_for_some_are_parsed_once_for_each_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(line: str) -> Statement:
        parsed.append(line)
        return parse_statement(line)

    monkeypatch.setattr(printed_statements, "parse_statement", counted)
    shapes = (
        "CREATE QUOTA q{0} KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 9 TO u{0}",
        "CREATE SETTINGS PROFILE s{0} SETTINGS max_threads = 4 TO u{0}, `v {0}`",
        "CREATE ROW POLICY p{0} ON d{0}.t{0} FOR SELECT USING tenant = currentUser() TO u{0}",
        "CREATE ROW POLICY r{0} ON d.t USING tenant = 'acme-{0}' AND a IN (1, {0}) TO u{0}",
        "CREATE MASKING POLICY m{0} ON d{0}.t UPDATE a = 0 TO u{0}",
    )
    lines = [f"CREATE USER u{number}" for number in range(9)]
    lines += [shape.format(number) for shape in shapes for number in range(9)]
    model, unread = model_of_printed(lines)
    assert not unread
    assert parsed == [lines[0], *lines[9::9]]
    assert (len(model.quotas), len(model.settings_profiles)) == (9, 9)
    assert (len(model.row_policies), len(model.masking_policies)) == (18, 9)
    monkeypatch.undo()
    check_read_as_printed(lines)


_FOR_SOME = st.tuples(
    st.one_of(
        strategies.create_quotas,
        strategies.create_profiles,
        strategies.create_masking_policies,
        strategies.create_row_policies,
    ),
    st.lists(st.lists(st.sampled_from(["u", "v", "a b", "漢", "TO", "for"]), min_size=1, max_size=3), min_size=2),
)


@given(_FOR_SOME)
def test_definitions_alike_but_for_whom_they_are(example: tuple[Any, list[list[str]]]) -> None:
    definition, holders = example
    one = replace(definition, names=definition.names[:1])
    check_read_as_printed([render(replace(one, to=NameSet(tuple(names)))) for names in holders])


_CONDITIONS = st.lists(
    st.sampled_from(
        [*("a", "=", "AND", "IN", "(", ")", ",", "1", "20", "1.5", "0x1F", "1e3", "-", "t1", "[1]", "x.1", "? 1"),
         *("'x'", "'it''s'", r"'\\''", "''", "'TO u'", "'1'", "'", '"', "`", '"it\'s"', "`1'`", "-- ", "/*", "*/", "#"),
         *("$$", "TO", "USING", "AS RESTRICTIVE", "ON CLUSTER 1", "ON CLUSTER 'c'", "FOR SELECT", "NONE", "'a\nb'")]
    ),
    min_size=1,
    max_size=7,
)  # fmt: skip


@given(_CONDITIONS, st.lists(st.tuples(st.sampled_from("12345"), st.sampled_from(["x", "y z", "é", "#"])), min_size=2))
@settings(max_examples=200)
def test_policies_alike_but_for_literals(words: list[str], others: list[tuple[str, str]]) -> None:
    condition = " ".join(words)
    filled = [condition.replace("1", number).replace("x", text) for number, text in others]
    check_read_as_printed([f"CREATE ROW POLICY p ON d.t USING {each} TO u" for each in [condition, *filled]])


@given(st.lists(strategies.statements, max_size=6))
def test_any_statements(statements: list[Statement]) -> None:
    check_read_as_printed([render(statement) for statement in statements])


def test_every_statement_changes_what_those_before_it_made() -> None:
    lines = [
        *("CREATE ROLE u", "GRANT SELECT ON a.* TO u", "CREATE USER u", "GRANT INSERT ON a.* TO u"),  # the user now
        *("GRANT r TO u", "GRANT INSERT ON b.* TO nobody", "CREATE ROLE r", "GRANT `u`, r TO u WITH ADMIN OPTION"),
        *("DROP USER u", "GRANT ALL ON *.* TO u", "CREATE USER v", "CREATE USER `v w`", "CREATE USER v HOST LOCAL"),
        *("REVOKE SELECT ON a.t FROM u", "REVOKE SELECT ON a.t FROM v", "GRANT SELECT ON a.t TO v", "GRANT r"),
    ]
    check_read_as_printed(lines)
    model, unread = model_of_printed(lines)
    assert unread == ["GRANT r"]
    assert model.rights == {
        Holder(EntityKind.ROLE, "u"): (
            Grant((Right("SELECT", (), "a"), Right("ALL")), grantees=("u",)),
            Revoke((Right("SELECT", (), "a", "t"),), grantees=("u",)),
        ),
        Holder(EntityKind.USER, "v"): (Grant((Right("SELECT", (), "a", "t"),), grantees=("v",)),),
    }
