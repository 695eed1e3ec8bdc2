"""Statements parsed and rendered; tests/engine asks ClickHouse about the same texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.access.model import (
    AlterUser,
    Authentication,
    AuthKind,
    CreateUser,
    Grant,
    Hosts,
    Interval,
    NameSet,
    Revoke,
    Right,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.parser import parse_statement
from core.access.render import render
from core.access.tokenizer import AccessSyntaxError
from tests.unit.access.strategies import grants, statements


@given(statements)
@settings(max_examples=200)
def test_what_is_rendered_is_read_back(statement: Statement) -> None:
    sql = render(statement)
    assert render(parse_statement(sql)) == sql
    assert "\n" not in sql


@given(grants())
def test_grants_are_read_back_as_equal_values(statement: Statement) -> None:
    assert parse_statement(render(statement)) == statement


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("grant select on a.* to u", Grant((Right("SELECT", database="a"),), grantees=("u",))),
        (
            "GRANT SELECT ON a.b* TO u",
            Grant((Right("SELECT", database="a", table="b", table_wildcard=True),), (), ("u",)),
        ),
        ("GRANT SELECT ON a*.* TO u", Grant((Right("SELECT", database="a", database_wildcard=True),), (), ("u",))),
        ("GRANT SELECT ON * TO u", Grant((Right("SELECT", database=""),), (), ("u",))),
        ("GRANT DELETE ON t TO u", Grant((Right("DELETE", database="", table="t"),), (), ("u",))),
        ("GRANT SELECT TO u", Grant(roles=("SELECT",), grantees=("u",))),
        (
            "GRANT READ ON S3('s3://a.*') TO u",
            Grant((Right("READ", parameter="S3", source_filter="s3://a.*"),), (), ("u",)),
        ),
        ("GRANT CREATE USER ON *.* TO u", Grant((Right("CREATE USER", parameter=""),), (), ("u",))),
        ("REVOKE ALL EXCEPT r FROM u", Revoke(all_roles=True, roles_except=("r",), grantees=("u",))),
        ("REVOKE ADMIN OPTION FOR r FROM ALL", Revoke(roles=("r",), admin_option=True, from_all=True)),
        (
            "CREATE USER u IDENTIFIED BY 'x' VALID FOR INTERVAL 30 DAY",
            CreateUser(
                ("u",), methods=(Authentication(AuthKind.DEFAULT, password="x", valid_for=Interval(30, "DAY")),)
            ),
        ),
        ("CREATE USER u NOT IDENTIFIED", CreateUser(("u",), methods=(Authentication(),))),
        ("CREATE USER u@'10.%'", CreateUser(("u@10.%",), at_hosts=("10.%",), hosts=Hosts(likes=("10.%",)))),
        ("CREATE USER u@'%'", CreateUser(("u",))),
        ("ALTER USER u DEFAULT ROLE ALL EXCEPT r", AlterUser(("u",), default_roles=NameSet((), True, ("r",)))),
        (
            "ALTER USER u SETTINGS a = 1 CONST",
            AlterUser(
                ("u",),
                settings=SettingsChange(True, True, add=(SettingElement("a", "1", writability="CONST"),)),
            ),
        ),
    ],
)
def test_forms_of_statements(sql: str, value: Statement) -> None:
    assert parse_statement(sql) == value


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1",
        "GRANT SELECT ON a.* TO",
        "GRANT SELECT(x) ON a.* TO u",
        "GRANT SELECT(x) ON a.b* TO u",
        "GRANT SELECT ON a*.b TO u",
        "GRANT r TO u WITH GRANT OPTION",
        "GRANT SELECT ON a.* TO u WITH ADMIN OPTION",
        "REVOKE GRANT OPTION FOR r FROM u",
        "CREATE USER ``",
        "CREATE USER u SETTINGS max_threads",
        "CREATE USER u HOST '1.2.3.4'",
        "ALTER USER u",
        "ALTER USER u DROP ALL SETTINGS,",
        "DROP USER u; DROP USER v",
    ],
)
def test_what_is_no_statement_is_refused_with_a_place(sql: str) -> None:
    with pytest.raises(AccessSyntaxError, match=r"line \d+, column \d+"):
        parse_statement(sql)


def test_secrets_do_not_show_in_a_repr() -> None:
    statement = parse_statement("CREATE USER u IDENTIFIED WITH plaintext_password BY 'geheim', sha256_hash BY 'AB12'")
    assert "geheim" not in repr(statement)
    assert "AB12" not in repr(statement)
