"""What limits users besides their rights, each with its origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.access.access_model import AccessModel, EntityKey
from core.access.effective.limits import Limits, limits_of
from core.access.effective.privilege_tree import clickhouse_26_9
from core.access.effective.rights import effective
from core.access.effective.row_policies import TableRows
from core.access.effective.settings import Layer, normalized
from core.access.model import NOBODY, EntityKind, NameSet, Right, SettingElement
from core.access.policies import PolicyName, RowPolicy
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile
from tests.unit.access.effective_examples import model_of, role, user

NOW = datetime(2026, 11, 15, tzinfo=UTC)
TREE = clickhouse_26_9()


def limits(model: AccessModel, name: str = "u") -> Limits:
    return limits_of(effective(model, user(name)), NOW)


def profiles(*given: SettingsProfile) -> dict[str, SettingsProfile]:
    return {profile.name: profile for profile in given}


def setting(name: str, value: str | None = None, **limits_: str) -> SettingElement:
    return SettingElement(name, value, limits_.get("min"), limits_.get("max"), limits_.get("writability", ""))


def test_a_user_without_hosts_is_disabled() -> None:
    model = model_of("CREATE USER u HOST NONE", "CREATE USER v HOST IP '10.0.0.0/8'", "CREATE USER w GRANTEES NONE")
    assert limits(model).disabled and not limits(model, "v").disabled
    hosts = limits(model, "v").hosts
    assert hosts is not None and hosts.addresses == ("10.0.0.0/8",)
    assert limits(model, "w").may_grant_to_nobody and not limits(model).may_grant_to_nobody


def test_a_user_has_expired_when_every_way_in_has() -> None:
    model = model_of(
        "CREATE USER u IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL '2026-01-01 00:00:00'",
        "CREATE USER v IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL '2026-01-01 00:00:00', "
        "sha256_password BY 'y' GRANTS (SELECT ON d.*)",
        "CREATE USER w IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL 'someday'",
        "CREATE USER x IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL '2026-11-15 02:00:00'",
        "CREATE USER y IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL 'infinity'",
    )
    assert limits(model).expired and not limits(model, "v").expired and not limits(model, "y").expired
    assert [credential.expired for credential in limits(model, "v").credentials] == [True, False]
    assert limits(model, "v").credentials[1].grants == (Right("SELECT", database="d"),)
    assert limits(model, "w").credentials[0].end_unknown and not limits(model, "w").expired
    assert not limits(model, "x").expired
    zone = timezone(timedelta(hours=3))  # where it is later already
    assert limits_of(effective(model, user("x")), NOW, zone=zone).expired


def test_own_settings_win_over_roles_over_profiles_and_every_origin_is_told() -> None:
    model = model_of(
        "CREATE USER u SETTINGS PROFILE 'mine', max_threads = 9",
        "CREATE ROLE r SETTINGS max_threads = 8, max_block_size = 80",
        "GRANT r TO u",
    )
    model = replace(
        model,
        settings_profiles=profiles(
            SettingsProfile("default", (setting("max_threads", "1"), setting("log_comment", "'it\\'s'"))),
            SettingsProfile("for_r", (setting("max_threads", "2"), setting("readonly", "2")), NameSet(("r",))),
            SettingsProfile("mine", (setting("max_block_size", "70"), SettingElement(profile="base"))),
            SettingsProfile("base", (setting("max_block_size", "60"), setting("allow_ddl", "0"))),
            SettingsProfile("others", (setting("readonly", "1"),), NameSet(("v",))),
        ),
    )
    found = {each.name: each for each in limits(model).settings}
    assert {name: each.value for name, each in found.items()} == {
        "allow_ddl": "0",
        "log_comment": "it's",
        "max_block_size": "70",
        "max_threads": "9",
        "readonly": "2",
    }
    assert [given.value for given in found["max_threads"].overridden] == ["8", "2", "1"]
    assert not found["max_threads"].uncertain
    readonly = found["readonly"].given
    assert readonly is not None and readonly.origin.layer is Layer.PROFILE_TO
    assert (readonly.origin.via.holder, readonly.origin.via.path) == (role("r"), ("r",))
    ddl = found["allow_ddl"].given
    assert ddl is not None and ddl.origin.path == (
        EntityKey(EntityKind.USER, "u"),
        EntityKey(EntityKind.SETTINGS_PROFILE, "mine"),
        EntityKey(EntityKind.SETTINGS_PROFILE, "base"),
    )


def test_limits_of_a_setting_add_up_but_a_later_one_lifts_const() -> None:
    model = replace(
        model_of("CREATE USER u SETTINGS PROFILE 'mid'"),
        settings_profiles=profiles(
            SettingsProfile("base", (setting("max_threads", "4", min="1", writability="CONST"),)),
            SettingsProfile("mid", (SettingElement(profile="base"), setting("max_threads", max="6"))),
        ),
    )
    threads = limits(model).setting("max_threads")
    assert threads is not None and threads.min is not None and threads.max is not None
    assert (threads.value, threads.min.value, threads.max.value, threads.writability) == ("4", "1", "6", None)


def test_const_in_the_default_profile_is_not_lifted() -> None:
    model = replace(
        model_of("CREATE USER u SETTINGS max_threads = 2 MAX 6, PROFILE 'default'"),
        settings_profiles=profiles(SettingsProfile("default", (setting("max_threads", "4", writability="CONST"),))),
    )
    threads = limits(model).setting("max_threads")
    assert threads is not None and threads.writability is not None
    assert (threads.value, threads.writability.value) == ("2", "CONST")


def test_two_roles_that_set_otherwise_are_uncertain() -> None:
    model = model_of(
        "CREATE USER u, v",
        "CREATE ROLE a SETTINGS max_threads = 1",
        "CREATE ROLE b SETTINGS max_threads = 2",
        "GRANT a, b TO u",
        "GRANT b TO v",
    )
    mine, theirs = limits(model).setting("max_threads"), limits(model, "v").setting("max_threads")
    assert mine is not None and mine.uncertain
    assert theirs is not None and not theirs.uncertain


def test_a_profile_that_comes_again_counts_where_it_came_last() -> None:
    elements = (SettingElement(profile="a"), setting("x", "1", min="0"), SettingElement(profile="b"))
    again = (*elements, SettingElement(profile="a"), setting("x", "2"))
    assert normalized(again) == (
        SettingElement(profile="b"),
        SettingElement(profile="a"),
        setting("x", "2", min="0"),
    )


def test_profiles_that_inherit_each_other_end() -> None:
    model = replace(
        model_of("CREATE USER u SETTINGS PROFILE 'a'"),
        settings_profiles=profiles(
            SettingsProfile("a", (SettingElement(profile="b"), setting("max_threads", "1"))),
            SettingsProfile("b", (SettingElement(profile="a"), setting("max_threads", "2"))),
        ),
    )
    threads = limits(model).setting("max_threads")
    assert threads is not None and threads.value == "1"


@pytest.mark.parametrize(
    ("settings", "right", "blocking"),
    [
        ("readonly = 1", Right("INSERT", database="d"), ["readonly"]),
        ("readonly = 1", Right("SELECT", database="d"), []),
        ("readonly = 1", Right("CREATE TEMPORARY TABLE"), ["readonly"]),
        ("readonly = 2", Right("CREATE TEMPORARY TABLE"), []),
        ("readonly = 2", Right("CREATE USER", parameter=""), ["readonly"]),
        ("readonly = 2", Right("SHOW USERS"), []),
        ("readonly = 0", Right("INSERT"), []),
        ("allow_ddl = 0", Right("DROP TABLE", database="d"), ["allow_ddl"]),
        ("allow_ddl = 0", Right("INSERT", database="d"), []),
        ("max_threads = 1", Right("demangle"), ["allow_introspection_functions"]),
        ("allow_introspection_functions = 1", Right("demangle"), []),
    ],
)
def test_settings_can_stand_in_the_way_of_a_right(settings: str, right: Right, blocking: list[str]) -> None:
    found = limits(model_of(f"CREATE USER u SETTINGS {settings}")).blocking(right, TREE)
    assert [each.name for each in found] == blocking


def test_quotas_hold_by_name_by_role_and_for_all_but_some() -> None:
    model = model_of("CREATE USER u, v", "CREATE ROLE r, s", "GRANT r TO u", "GRANT s TO r")
    given = [
        Quota("all", to=NameSet(everyone=True)),
        Quota("but", to=NameSet(everyone=True, excepted=("s",))),
        Quota("none", to=NOBODY),
        Quota("s", to=NameSet(("s",))),
        Quota("u", to=NameSet(("s", "u"))),
    ]
    model = replace(model, quotas={quota.name: quota for quota in given})
    assert [(each.quota.name, each.via.path) for each in limits(model).quotas] == [
        ("all", ()),
        ("s", ("r", "s")),
        ("u", ()),
    ]
    assert [each.quota.name for each in limits(model, "v").quotas] == ["all", "but"]


def policy(
    short: str, condition: str | None, to: NameSet, *, table: str | None = "t", restrictive: bool = False
) -> RowPolicy:
    return RowPolicy(PolicyName(short, "d", table), condition, restrictive, to)


def rows(*policies: RowPolicy, name: str = "u") -> dict[str | None, TableRows]:
    model = model_of("CREATE USER u, v", "CREATE ROLE r", "GRANT r TO u")
    model = replace(model, row_policies={each.name: each for each in policies})
    return {each.table: each for each in limits(model, name).rows}


U, R, V = NameSet(("u",)), NameSet(("r",)), NameSet(("v",))


def test_permissive_policies_add_rows_and_restrictive_ones_take_them() -> None:
    found = rows(
        policy("p", "a = 1", U),
        policy("q", "b = 2", R),
        policy("x", "c = 3", V),
        policy("s", "e < 9", NameSet(everyone=True), restrictive=True),
        policy("none", None, U),
    )["t"]
    assert found.condition() == "(e < 9) AND ((a = 1) OR (b = 2))"
    assert [each.via.path for each in found.policies] == [(), ("r",), ()]


def test_who_no_policy_is_for_sees_all_rows_or_none() -> None:
    found = rows(policy("p", "a = 1", V))["t"]
    assert found.policies == ()
    assert found.condition() is None
    assert found.condition(users_without_row_policies_can_read_rows=False) == "0"
    only = rows(policy("s", "a = 1", U, restrictive=True))["t"]
    assert only.condition() == "a = 1"
    assert only.condition(users_without_row_policies_can_read_rows=False) == "0"
    assert rows(policy("p", "1", U))["t"].condition(users_without_row_policies_can_read_rows=False) is None


def test_policies_on_a_database_count_for_its_tables() -> None:
    found = rows(policy("all", "b = 2", U, table=None, restrictive=True), policy("p", "a = 1", U))
    assert found[None].condition() == "b = 2"
    assert found["t"].condition() == "(b = 2) AND (a = 1)"
