"""Statements parsed and rendered; tests/engine asks ClickHouse about the same texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from core.access.model import (
    NOBODY,
    AlterUser,
    Authentication,
    AuthKind,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    Hosts,
    Interval,
    Move,
    NameSet,
    Revoke,
    Right,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.parser import parse_statement
from core.access.policies import (
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
    RowPolicy,
)
from core.access.quotas import AlterQuota, CreateQuota, Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.renaming import renamed
from core.access.render import render
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile
from core.access.tokenizer import AccessSyntaxError
from tests.unit.access.strategies import grants, other_statements, quotas, row_policies, settings_profiles, statements


@given(statements)
def test_what_is_rendered_is_read_back(statement: Statement) -> None:
    sql = render(statement)
    assert render(parse_statement(sql)) == sql
    assert "\n" not in sql


@given(other_statements)
def test_statements_about_quotas_profiles_and_policies_are_read_back_as_equal_values(statement: Statement) -> None:
    assert _with_settings_in_order(parse_statement(render(statement))) == _with_settings_in_order(statement)


def _with_settings_in_order(statement: Statement) -> Statement:
    """An ALTER is written with the profiles that it adds before the settings, as ClickHouse does it."""
    if not isinstance(statement, AlterSettingsProfile) or statement.settings is None:
        return statement
    added = tuple(sorted(statement.settings.add, key=lambda element: not element.profile))
    return replace(statement, settings=replace(statement.settings, add=added))


@given(quotas, settings_profiles, row_policies)
def test_what_defines_an_entity_is_read_back(quota: Quota, profile: SettingsProfile, policy: RowPolicy) -> None:
    created = (
        CreateQuota(
            (quota.name,),
            key=quota.key,
            intervals=quota.intervals,
            to=quota.to if quota.to != NOBODY else None,
            ipv4_prefix_bits=quota.ipv4_prefix_bits,
            ipv6_prefix_bits=quota.ipv6_prefix_bits,
        ),
        CreateSettingsProfile(
            (profile.name,), settings=profile.settings, to=profile.to if profile.to != NOBODY else None
        ),
        CreateRowPolicy((policy.name,), using=True, condition=policy.condition, restrictive=policy.restrictive),
    )
    for statement in created:
        assert parse_statement(render(statement)) == statement


@given(other_statements)
def test_other_names_are_given_to_users_and_roles_only(statement: Statement) -> None:
    assert renamed(statement, lambda name: name) == statement
    marked = renamed(statement, lambda name: f"{name}!")
    if isinstance(statement, Drop | DropPolicy | Move):
        users = statement.kind in (EntityKind.USER, EntityKind.ROLE)
        expected = tuple(f"{name}!" for name in statement.names) if users else statement.names
        assert marked.names == expected  # type: ignore[union-attr]
    else:
        fixed: Any = statement
        names: NameSet | None = fixed.to
        expected_to = names and replace(
            names,
            names=tuple(f"{name}!" for name in names.names),
            excepted=tuple(f"{name}!" for name in names.excepted),
        )
        assert marked == replace(fixed, to=expected_to)


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
        ("GRANT `,` TO on", Grant(roles=(",",), grantees=("on",))),
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
        (
            "CREATE QUOTA q FOR RANDOMIZED INTERVAL 1 quarter MAX errors 1, queries = '2K', FOR 1 hour NO LIMITS, "
            "FOR 1 day TRACKING ONLY TO a",
            CreateQuota(
                ("q",),
                intervals=(
                    QuotaInterval(7889238, ((QuotaLimit.QUERIES, 2000), (QuotaLimit.ERRORS, 1)), randomized=True),
                    QuotaInterval(3600, removed=True),
                    QuotaInterval(86400),
                ),
                to=NameSet(("a",)),
            ),
        ),
        ("ALTER QUOTA q NOT KEYED TO NONE", AlterQuota(("q",), key=QuotaKey.NONE, to=NOBODY)),
        (
            "CREATE PROFILE p SETTINGS a = 1, INHERIT 'x'",
            CreateSettingsProfile(("p",), settings=(SettingElement("a", "1"), SettingElement(profile="x"))),
        ),
        (
            "CREATE ROW POLICY p ON t, q ON CLUSTER c USING a  =\n1 -- c\n AS permissive TO ALL",
            CreateRowPolicy(
                (PolicyName("p", "", "t"), PolicyName("p", "", "q")),
                cluster="c",
                using=True,
                condition="a  =\n1",
                restrictive=False,
                to=NameSet(everyone=True),
            ),
        ),
        (
            "ALTER POLICY p, q ON db.* USING NONE",
            AlterRowPolicy((PolicyName("p", "db", None), PolicyName("q", "db", None)), using=True),
        ),
        (
            "CREATE MASKING POLICY m ON db.t UPDATE a = f(b, 'WHERE'), c = (1, 2) WHERE d",
            CreateMaskingPolicy((PolicyName("m", "db", "t"),), "a = f(b, 'WHERE'), c = (1, 2)", condition="d"),
        ),
        (
            "DROP POLICY p ON t FROM s",
            DropPolicy(EntityKind.ROW_POLICY, (PolicyName("p", "", "t"),), storage="s"),
        ),
        (
            "CREATE MASKING POLICY m ON t UPDATE a = 1 TO NONE",
            CreateMaskingPolicy((PolicyName("m", "", "t"),), "a = 1", to=NOBODY),
        ),
        ("MOVE PROFILE a, b TO s", Move(EntityKind.SETTINGS_PROFILE, ("a", "b"), "s")),
    ],
)
def test_forms_of_statements(sql: str, value: Statement) -> None:
    assert parse_statement(sql) == value
    assert parse_statement(render(value)) == value


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
        "CREATE QUOTA",
        "CREATE QUOTA q@h",
        "CREATE QUOTA IF NOT EXISTS OR REPLACE q",
        "CREATE QUOTA q KEYED BY",
        "CREATE QUOTA q KEYED BY user_name, client_key",
        "CREATE QUOTA q NOT KEYED KEYED BY user_name",
        "CREATE QUOTA q KEYED BY user_name IPV4_PREFIX_BITS 24",
        "CREATE QUOTA q KEYED BY ip_address IPV4_PREFIX_BITS 33",
        "CREATE QUOTA q KEYED BY ip_address IPV6_PREFIX_BITS '64'",
        "CREATE QUOTA q FOR INTERVAL 1 fortnight MAX queries = 1",
        "CREATE QUOTA q FOR INTERVAL 1 hour",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX sheep = 1",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = -1",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 18446744073709551616",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 1e999",
        "CREATE QUOTA q FOR INTERVAL 1e999 hour MAX queries = 1",
        "CREATE QUOTA q FOR INTERVAL 999999999999999 year MAX queries = 1",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX execution_time = 18446744074",
        "CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = '1.5G'",
        "CREATE QUOTA q TO a KEYED BY user_name",
        "CREATE QUOTA q TO ALL EXCEPT CURRENT_USER",
        "ALTER QUOTA q, p RENAME TO x",
        "ALTER QUOTA q ON CLUSTER c",
        "CREATE SETTINGS PROFILE p SETTINGS",
        "CREATE SETTINGS PROFILE p TO a SETTINGS b = 1",
        "CREATE USER u SETTINGS INHERIT 'p'",
        "ALTER PROFILE p ADD INHERIT b",
        "ALTER PROFILE p",
        "CREATE ROW POLICY p",
        "CREATE ROW POLICY p ON *.*",
        "CREATE ROW POLICY p, q ON a.t, a.u",
        "CREATE ROW POLICY p ON a.t, a.u, q ON a.v",
        "CREATE ROW POLICY p ON a.t USING",
        "CREATE ROW POLICY p ON a.t USING a WITH CHECK b",
        "CREATE ROW POLICY p ON a.t USING a PARALLEL WITH CREATE ROW POLICY q ON a.t",
        "CREATE ROW POLICY p ON a.t USING a, b TO c",
        "CREATE ROW POLICY p ON a.t USING (a TO c",
        "CREATE ROW POLICY p ON a.t USING (a] TO c",
        "CREATE ROW POLICY p ON a.t USING a) TO c",
        "CREATE ROW POLICY p ON a.t USING a AS b",
        "CREATE ROW POLICY p ON a.t USING a USING b",
        "CREATE ROW POLICY p ON a.t FOR INSERT USING a",
        "CREATE ROW POLICY p ON a.t FOR SELECT",
        "ALTER ROW POLICY p ON a.t",
        "ALTER ROW POLICY p ON a.t, a.u RENAME TO q",
        "CREATE MASKING POLICY m ON a.t TO x",
        "CREATE MASKING POLICY m ON a.* UPDATE b = 1",
        "CREATE MASKING POLICY m ON a.t, a.u UPDATE b = 1",
        "CREATE MASKING POLICY m ON a.t UPDATE b = 1 PRIORITY -5",
        "CREATE MASKING POLICY m ON a.t UPDATE b = 1 PRIORITY 9223372036854775808",
        "CREATE MASKING POLICY m ON a.t UPDATE b = 1 WHERE c, d",
        "DROP ROW POLICY p",
        "MOVE USER a",
        "MOVE MASKING POLICY m ON a.t TO s",
    ],
)
def test_what_is_no_statement_is_refused_with_a_place(sql: str) -> None:
    with pytest.raises(AccessSyntaxError, match=r"line \d+, column \d+"):
        parse_statement(sql)


def test_secrets_do_not_show_in_a_repr() -> None:
    statement = parse_statement("CREATE USER u IDENTIFIED WITH plaintext_password BY 'geheim', sha256_hash BY 'AB12'")
    assert "geheim" not in repr(statement)
    assert "AB12" not in repr(statement)
