"""Lint of quotas, settings profiles, row policies, and of names that mean nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access.access_model import AccessModel, EntityKey
from core.access.lint.findings import Severity
from core.access.lint.linting import fixed
from core.access.model import EVERYONE, EntityKind, Hosts, NameSet, Role, SettingElement
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from tests.unit.access.lint_models import CONTEXT, found, model, user

TO_ALICE = NameSet(("alice",))
HOUR, DAY = 3600, 86400
QUERIES = ((QuotaLimit.QUERIES, 5),)
OLD, NEW = replace(CONTEXT, version=(26, 5)), replace(CONTEXT, version=(26, 6))
CLOSED = replace(CONTEXT, users_without_row_policies_can_read_rows=False)


def quota(name: str = "q", *intervals: QuotaInterval, to: NameSet = TO_ALICE) -> Quota:
    return Quota(name, intervals=intervals or (QuotaInterval(HOUR, QUERIES),), to=to)


# -- quotas


def test_user_without_quota() -> None:
    [finding] = found(model([user(), user("bob"), user("off", hosts=Hosts())], quotas=[quota()]), "user-without-quota")
    assert (finding.entity.name, finding.severity) == ("bob", Severity.WARNING)
    assert found(model([user()]), "user-without-quota")[0].severity is Severity.NOTE  # there are no quotas at all


@pytest.mark.parametrize(
    ("to", "held"),
    [
        (TO_ALICE, True),
        (NameSet(("analyst",)), True),
        (NameSet(("base",)), True),
        (NameSet(("resting",)), False),  # not default: not active after a login
        (EVERYONE, True),
        (NameSet(everyone=True, excepted=("alice",)), False),
        (NameSet(everyone=True, excepted=("base",)), False),
        (NameSet(everyone=True, excepted=("resting",)), True),
        (NameSet(("alice",), excepted=("base",)), False),
    ],
)
def test_whom_a_quota_holds_for(to: NameSet, held: bool) -> None:
    of = model(
        [user(default_roles=NameSet(("analyst",)))],
        ["analyst", "base", "resting"],
        ["GRANT analyst, resting TO alice", "GRANT base TO analyst"],
        [quota(to=to)],
    )
    assert bool(found(of, "user-without-quota")) is not held


def test_of_a_user_and_a_role_with_one_name_a_set_means_the_user() -> None:
    of = model([user(), user("both")], ["both"], ["GRANT both TO alice"], [quota(to=NameSet(("both",)))])
    # `model` gives the role to alice; the quota is for the user of that name.
    assert [finding.entity.name for finding in found(of, "user-without-quota")] == ["alice"]


def test_quota_without_limits() -> None:
    zeros = ((QuotaLimit.QUERIES, 0), (QuotaLimit.EXECUTION_TIME, 0.0))
    [finding] = found(model(quotas=[quota("q", QuotaInterval(HOUR, zeros))]), "quota-without-limits")
    assert finding.severity is Severity.WARNING
    for intervals in ((QuotaInterval(HOUR),), (QuotaInterval(HOUR, QUERIES, removed=True),)):
        [finding] = found(model(quotas=[quota("q", *intervals)]), "quota-without-limits")
        assert finding.severity is Severity.NOTE
    assert found(model(quotas=[Quota("q")]), "quota-without-limits")
    assert not found(
        model(quotas=[quota("q", QuotaInterval(DAY), QuotaInterval(HOUR, QUERIES))]), "quota-without-limits"
    )


def test_quota_limit_zero() -> None:
    limits = (*QUERIES, (QuotaLimit.ERRORS, 0))
    of = model(quotas=[quota("q", QuotaInterval(HOUR, limits), QuotaInterval(DAY, limits))])
    [finding] = found(of, "quota-limit-zero")
    assert "errors" in finding.title
    assert [interval.limits for interval in fixed(of, [finding]).quotas["q"].intervals] == [QUERIES, QUERIES]
    assert not found(model(quotas=[quota()]), "quota-limit-zero")
    assert not found(model(quotas=[quota("q", QuotaInterval(HOUR, ((QuotaLimit.ERRORS, 0),)))]), "quota-limit-zero")


def test_quota_intervals_of_the_same_length() -> None:
    first = QuotaInterval(HOUR, ((QuotaLimit.QUERIES, 5), (QuotaLimit.ERRORS, 0)))
    second = QuotaInterval(HOUR, ((QuotaLimit.QUERIES, 3), (QuotaLimit.ERRORS, 9), (QuotaLimit.READ_ROWS, 7)))
    of = model(quotas=[quota("q", first, QuotaInterval(DAY, QUERIES), second)])
    [finding] = found(of, "quota-intervals-same-length")
    assert "3,600 s" in finding.title
    assert fixed(of, [finding]).quotas["q"].intervals == (
        QuotaInterval(HOUR, ((QuotaLimit.QUERIES, 3), (QuotaLimit.ERRORS, 9), (QuotaLimit.READ_ROWS, 7))),
        QuotaInterval(DAY, QUERIES),
    )
    assert not found(model(quotas=[quota("q", first, QuotaInterval(DAY, QUERIES))]), "quota-intervals-same-length")


def test_quota_nobody() -> None:
    assert found(model(quotas=[quota(to=NameSet())]), "quota-nobody")
    assert not found(model([user()], quotas=[quota()]), "quota-nobody")


def test_quotas_overlapping() -> None:
    hourly, daily = quota("hourly"), quota("daily", QuotaInterval(DAY, QUERIES), to=EVERYONE)
    of = model([user(), user("bob")], quotas=[hourly, daily])
    [finding] = found(of, "quotas-overlapping", OLD)
    assert finding.severity is Severity.WARNING
    assert finding.title == "Quotas daily and hourly hold for the same users: alice."
    assert found(of, "quotas-overlapping", replace(CONTEXT, version=()))
    assert not found(of, "quotas-overlapping", NEW)  # both count, in intervals of their own
    twice = model([user()], quotas=[hourly, quota("another")])
    assert found(twice, "quotas-overlapping", NEW)[0].severity is Severity.NOTE
    apart = model([user(), user("bob")], quotas=[hourly, quota("daily", to=NameSet(("bob",)))])
    assert not found(apart, "quotas-overlapping", OLD)


# -- settings


def readonly(value: str) -> SettingElement:
    return SettingElement("readonly", value)


PROFILE = SettingsProfile("p", (readonly("1"),))


@pytest.mark.parametrize(
    "of",
    [
        model([user("datalens", settings=(readonly("1"),))]),
        model([user("datalens", settings=(readonly("'1'"),))]),
        model([user("datalens", settings=(SettingElement(profile="p"),))], profiles=[PROFILE]),
        model([user("datalens")], profiles=[replace(PROFILE, name="default")]),
        model([user("datalens")], profiles=[replace(PROFILE, to=NameSet(("datalens",)))]),
        model([user("datalens")], [Role("r", (readonly("1"),))], ["GRANT r TO datalens"]),
        model(
            [user("datalens", settings=(SettingElement(profile="q"),))],
            profiles=[PROFILE, SettingsProfile("q", (SettingElement(profile="p"),))],
        ),
    ],
)
def test_readonly_too_strict_for_datalens(of: AccessModel) -> None:
    [finding] = found(of, "readonly-too-strict")
    assert finding.severity is Severity.ERROR
    after = fixed(of, [finding])
    assert after.users["datalens"].settings[-1] == readonly("2")
    assert not found(of, "readonly-too-strict", replace(CONTEXT, datalens_user="another"))


@pytest.mark.parametrize(
    "of",
    [
        model([user("datalens")]),
        model([user("datalens", settings=(readonly("2"),))]),
        model([user("datalens", settings=(readonly("2"),))], profiles=[replace(PROFILE, name="default")]),
        model([user("datalens")], profiles=[PROFILE]),
        model([user("datalens", settings=(readonly("1"), readonly("2")))]),
    ],
)
def test_readonly_not_too_strict(of: AccessModel) -> None:
    assert not found(of, "readonly-too-strict")


def test_readonly_and_set_role() -> None:
    def of(value: str, default: NameSet) -> AccessModel:
        return model([user(settings=(readonly(value),), default_roles=default)], ["r"], ["GRANT r TO alice"])

    assert found(of("1", NameSet()), "readonly-and-set-role")
    assert found(of("2", NameSet(everyone=True, excepted=("r",))), "readonly-and-set-role")
    assert not found(of("0", NameSet()), "readonly-and-set-role")
    assert not found(of("1", EVERYONE), "readonly-and-set-role")


def test_settings_profile_cycle() -> None:
    def profile(name: str, parent: str) -> SettingsProfile:
        return SettingsProfile(name, (SettingElement(profile=parent),))

    of = model(profiles=[profile("a", "b"), profile("b", "a"), profile("c", "a")])
    assert [finding.entity.name for finding in found(of, "settings-profile-cycle")] == ["a", "b"]
    assert not found(model(profiles=[profile("a", "b"), profile("b", "default")]), "settings-profile-cycle")


# -- names that mean nothing


def test_profile_dangling() -> None:
    gone = (SettingElement(profile="gone"),)
    of = model([user(settings=gone)], [Role("r", gone)], profiles=[SettingsProfile("p", gone)])
    findings = found(of, "profile-dangling")
    assert [finding.entity.kind for finding in findings] == [
        EntityKind.ROLE,
        EntityKind.SETTINGS_PROFILE,
        EntityKind.USER,
    ]
    there = (SettingElement(profile="p"), SettingElement(profile="default"))
    assert not found(model([user(settings=there)], profiles=[PROFILE]), "profile-dangling")


def test_name_dangling() -> None:
    names = NameSet(("alice", "ghost"), excepted=("r", "gone"))
    policy = PolicyName("p", "a", "b")
    of = model(
        [user(grantees=names)],
        ["r"],
        quotas=[quota(to=names)],
        profiles=[SettingsProfile("p", to=names)],
        policies=[RowPolicy(policy, "1", to=names)],
        masking=[MaskingPolicy(policy, "a = 1", to=names)],
    )
    findings = found(of, "name-dangling")
    assert {finding.entity.kind for finding in findings} == set(EntityKind) - {EntityKind.ROLE}
    assert all("ghost and gone" in finding.title for finding in findings)
    after = fixed(of, findings)
    left = NameSet(("alice",), excepted=("r",))
    assert after.users["alice"].grantees == after.quotas["q"].to == after.row_policies[policy].to == left
    assert after.settings_profiles["p"].to == after.masking_policies[policy].to == left
    assert not found(after, "name-dangling")
    only = fixed(of, [finding for finding in findings if finding.entity == EntityKey(EntityKind.QUOTA, "q")])
    assert (only.quotas["q"].to, only.users["alice"].grantees) == (left, names)


# -- row policies


def policy(
    name: str = "p", table: str | None = "orders", to: NameSet = TO_ALICE, *, restrictive: bool = False
) -> RowPolicy:
    return RowPolicy(PolicyName(name, "acme", table), "1", restrictive, to)


READERS = ["GRANT SELECT ON acme.* TO alice", "GRANT SELECT(a) ON acme.orders TO bob"]


def rows(*policies: RowPolicy, grants: list[str] = READERS) -> AccessModel:
    return model([user(), user("bob")], ["r"], grants, policies=policies)


def test_row_policy_nobody() -> None:
    of = rows(policy(to=NameSet()))
    assert found(of, "row-policy-nobody")[0].severity is Severity.NOTE
    [finding] = found(of, "row-policy-nobody", CLOSED)
    assert finding.severity is Severity.WARNING
    assert finding.title == "Row policy p on acme.orders names nobody."
    assert not found(rows(policy()), "row-policy-nobody")


def test_users_that_no_policy_shows_rows_to_in_both_modes() -> None:
    of = rows(policy())
    [finding] = found(of, "row-policy-all-rows")
    assert finding.title == "No row policy on acme.orders holds for bob, who may read it and so see all its rows."
    assert not found(of, "row-policy-no-rows")
    [finding] = found(of, "row-policy-no-rows", CLOSED)
    assert finding.title == "No row policy on acme.orders holds for bob, who may read it and yet see no rows."
    assert not found(of, "row-policy-all-rows", CLOSED)


@pytest.mark.parametrize(
    "policies",
    [
        (policy(to=EVERYONE),),
        (policy(), policy("q", to=NameSet(("bob",)))),
        (policy(), policy("q", None, NameSet(("bob",)))),  # on acme.*
        (policy(to=NameSet(("alice", "r"))),),
    ],
)
def test_users_that_a_policy_holds_for(policies: tuple[RowPolicy, ...]) -> None:
    of = rows(*policies, grants=[*READERS, "GRANT r TO bob"])
    about_orders = [f for id_ in ("row-policy-all-rows", "row-policy-no-rows") for f in found(of, id_, CLOSED)]
    assert not [finding for finding in about_orders if "acme.orders" in finding.title]


@pytest.mark.parametrize(
    "grants",
    [
        ["GRANT SELECT ON shop.* TO bob"],
        ["GRANT SELECT ON acme.others TO bob"],
        ["GRANT INSERT ON acme.orders TO bob"],
        ["GRANT SELECT ON acme.* TO bob", "REVOKE SELECT ON acme.orders FROM bob"],
        ["GRANT SELECT ON acme.* TO r"],
    ],
)
def test_who_may_not_read_the_table_is_not_named(grants: list[str]) -> None:
    of = rows(policy(), grants=grants)
    assert not found(of, "row-policy-all-rows")
    assert not found(of, "row-policy-no-rows", CLOSED)


def test_a_restrictive_policy_limits_but_shows_nothing() -> None:
    of = rows(policy(), policy("q", to=NameSet(("bob",)), restrictive=True))
    assert not found(of, "row-policy-all-rows")
    assert found(of, "row-policy-no-rows", CLOSED)


def test_administrators_are_named_only_where_they_see_nothing() -> None:
    of = rows(policy(), grants=["GRANT ALL ON *.* TO r", "GRANT r TO bob"])
    assert not found(of, "row-policy-all-rows")
    assert found(of, "row-policy-no-rows", CLOSED)
