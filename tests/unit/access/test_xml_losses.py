"""What a configuration cannot hold: each such thing locks, narrows or leaves out what it must, and is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access.access_model import AccessModel, Holder
from core.access.model import (
    Authentication,
    AuthKind,
    EntityKind,
    Grant,
    Hosts,
    Interval,
    NameSet,
    Revoke,
    Right,
    Role,
    SettingElement,
    SshKey,
    User,
)
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from core.access.xml.losses import Effect
from core.access.xml.reading import XmlFile, read_files
from core.access.xml.writing import Layout, WritingOptions, Written, write

LOCKED = (Authentication(AuthKind.SHA256, hash="0" * 64),)
HASHED = Authentication(AuthKind.SHA256, hash="AB" * 32)
EVERYBODY = NameSet(everyone=True)
TO_U = NameSet(("u",))
U = Holder(EntityKind.USER, "u")
R = Holder(EntityKind.ROLE, "r")
BASE = AccessModel({"u": User("u", (HASHED,))}, {"r": Role("r")}, granted_roles={U: {"r": False}})
TABLE = PolicyName("u", "d", "t")
SELECT = Grant((Right("SELECT"),), grantees=("u",))


def read(written: Written) -> AccessModel:
    reading = read_files([XmlFile(path, text.encode()) for path, text in written.files.items()])
    assert reading.loads, reading.problems
    return reading.model


def user(**changes: object) -> AccessModel:
    return replace(BASE, users={"u": replace(BASE.users["u"], **changes)})  # type: ignore[arg-type]


def policy(name: PolicyName = TABLE, to: NameSet = TO_U, restrictive: bool = False) -> AccessModel:
    return replace(BASE, row_policies={name: RowPolicy(name, "x = 1", restrictive, to)})


def quota(key: QuotaKey = QuotaKey.USER_NAME, to: NameSet = TO_U, *names: str) -> AccessModel:
    return replace(BASE, quotas={name: Quota(name, key, (), to) for name in names or ("q",)})


def profile(to: NameSet, *elements: SettingElement, name: str = "p") -> AccessModel:
    return replace(BASE, settings_profiles={name: SettingsProfile(name, elements, to)})


LOCKING = {
    "bcrypt": user(methods=(Authentication(AuthKind.BCRYPT, hash="$2a$12$x"),)),
    "a salt": user(methods=(replace(HASHED, salt="AB"),)),
    "an end": user(methods=(replace(HASHED, valid_until="2030-01-01 00:00:00"),)),
    "a span": user(methods=(replace(HASHED, valid_for=Interval(1, "DAY")),)),
    "grants of a credential": user(methods=(replace(HASHED, grants=(Right("SELECT"),)),)),
    "no_authentication": user(methods=(Authentication(AuthKind.NO_AUTHENTICATION),)),
    "a secret that is not known": user(methods=(Authentication(AuthKind.PLAINTEXT),)),
    "a password that XML cannot hold": user(methods=(Authentication(AuthKind.PLAINTEXT, password="\x01"),)),
    "certificates of nobody": user(methods=(Authentication(AuthKind.SSL_CERTIFICATE),)),
    "no method": user(methods=()),
    "settings of a role": replace(BASE, roles={"r": Role("r", (SettingElement("readonly", "1"),))}),
    "settings of a role of a role": replace(
        BASE,
        roles={"r": Role("r"), "s": Role("s", (SettingElement("readonly", "1"),))},
        granted_roles={U: {"r": False}, R: {"s": False}},
    ),
    "grantees with something to grant": replace(
        user(grantees=NameSet(("x",))), rights={U: (replace(SELECT, grant_option=True),)}
    ),
    "grantees with a role to grant": replace(user(grantees=NameSet()), granted_roles={U: {"r": True}}),
    "grantees with something to grant by a role": replace(
        user(grantees=replace(EVERYBODY, excepted=("x",))),
        rights={R: (Grant((Right("SELECT"),), grantees=("r",), grant_option=True),)},
    ),
    "a revoke without a database": replace(
        BASE, rights={U: (SELECT, Revoke((Right("SELECT", database=""),), grantees=("u",)))}
    ),
    "a profile that is not there": user(settings=(SettingElement(profile="gone"),)),
    "a profile that XML cannot hold": replace(
        profile(NameSet(), SettingElement("a.b", "1")), users=user(settings=(SettingElement(profile="p"),)).users
    ),
    "a profile for all that XML cannot hold": profile(EVERYBODY, SettingElement("a.b", "1")),
    "the profile of everybody that XML cannot hold": profile(NameSet(), SettingElement("a.b", "1"), name="default"),
    "a profile of a role": profile(NameSet(("r",)), SettingElement("readonly", "1")),
    "settings that XML cannot hold": user(settings=(SettingElement("log_comment", "'\x01'"),)),
    "a setting twice": user(settings=(SettingElement("readonly", "1"), SettingElement("readonly", "2"))),
    "a quota for all together": quota(QuotaKey.NONE),
    "a quota by client key for all": quota(QuotaKey.CLIENT_KEY, EVERYBODY),
    "two quotas": quota(QuotaKey.USER_NAME, TO_U, "q", "q2"),
    "a quota of another and one of a role": replace(
        quota(), quotas={"q": Quota("q", to=NameSet(("r",))), "q2": Quota("q2", QuotaKey.USER_NAME, to=EVERYBODY)}
    ),
    "a quota whose name XML cannot hold": quota(QuotaKey.USER_NAME, TO_U, "a b"),
    "a restrictive policy": policy(restrictive=True),
    "a policy for a database": policy(PolicyName("u", "d", None)),
    "a policy on a table that XML cannot name": policy(PolicyName("u", "d", "\x01")),
    "two policies on one table": replace(
        BASE,
        row_policies={
            name: RowPolicy(name, "x = 1", to=to)
            for name, to in ((TABLE, TO_U), (PolicyName("p", "d", "t"), NameSet(("r",))))
        },
    ),
    "a masking policy": replace(BASE, masking_policies={TABLE: MaskingPolicy(TABLE, "x = 1", to=NameSet(("r",)))}),
}


@pytest.mark.parametrize("model", LOCKING.values(), ids=LOCKING)
@pytest.mark.parametrize("layout", Layout)
def test_a_user_who_would_have_more_is_locked(model: AccessModel, layout: Layout) -> None:
    written = write(model, WritingOptions(layout))
    assert read(written).users["u"].methods == LOCKED
    effects = [loss.effect for loss in written.losses if loss.entity.name == "u"]
    assert Effect.LOCKED in effects


NARROWING = {
    "a second method": user(methods=(HASHED, Authentication(AuthKind.LDAP, server="s"))),
    "a host": user(hosts=Hosts(names=("a", "\x01"))),
    "an address that is none": user(hosts=Hosts(addresses=("nowhere",))),
    "the default database": user(default_database="a\rb"),
    "grantees with nothing to grant": user(grantees=NameSet(("x",))),
    "roles that are not active": user(default_roles=NameSet()),
    "roles but one": user(default_roles=replace(EVERYBODY, excepted=("r",))),
    "a role whose name XML cannot hold": replace(BASE, roles={"a b": Role("a b")}, granted_roles={U: {"a b": False}}),
    "a grant without a database": replace(
        BASE, rights={U: (Grant((Right("SELECT", database="", table="t"),), grantees=("u",)),)}
    ),
    "current grants": replace(BASE, rights={U: (replace(SELECT, current=True),)}),
    "WRITABLE": user(settings=(SettingElement("readonly", writability="WRITABLE"), SettingElement("max_threads", "1"))),
}


@pytest.mark.parametrize("model", NARROWING.values(), ids=NARROWING)
def test_a_user_who_would_have_less_is_open_and_it_is_told(model: AccessModel) -> None:
    written = write(model)
    found = read(written)
    assert found.users["u"].methods == (HASHED,)
    assert Effect.NARROWED in [loss.effect for loss in written.losses if loss.entity.name == "u"]
    assert not found.rights.get(U)


def test_roles_that_are_not_default_roles_are_not_written() -> None:
    model = replace(
        user(default_roles=NameSet(("r",))),
        roles={name: Role(name, settings) for name, settings in (("r", ()), ("s", (SettingElement("readonly", "1"),)))},
        granted_roles={U: {"r": True, "s": False}},
    )
    found = read(write(model))
    assert found.granted_roles[U] == {"r": True}
    assert found.users["u"].methods == (HASHED,)


def test_a_role_that_would_have_more_is_left_out_with_its_grants() -> None:
    model = replace(
        BASE,
        rights={R: (replace(SELECT, grantees=("r",)), Revoke((Right("SELECT", database=""),), grantees=("r",)))},
    )
    written = write(model)
    assert read(written).roles == {}
    assert read(written).granted_roles == {}
    assert {(loss.entity.name, loss.effect) for loss in written.losses} == {
        ("r", Effect.LEFT_OUT),
        ("u", Effect.NARROWED),
    }


def test_what_reaches_a_user_by_another_way_becomes_its_own() -> None:
    model = replace(
        BASE,
        quotas={"q": Quota("q", QuotaKey.USER_NAME, to=NameSet(("r",)))},
        row_policies={TABLE: RowPolicy(TABLE, "x = 1", to=replace(EVERYBODY, excepted=("w",)))},
        users={**BASE.users, "w": User("w")},
    )
    written = write(model)
    found = read(written)
    assert found.quotas["q"].to == TO_U
    assert {name: each.to for name, each in found.row_policies.items()} == {TABLE: TO_U}
    assert found.users["u"].methods == (HASHED,)
    assert {loss.effect for loss in written.losses} == {Effect.CHANGED}


def test_a_user_and_a_role_of_one_name_are_two() -> None:
    model = replace(
        BASE,
        users={**BASE.users, "r": User("r")},
        quotas={"q": Quota("q", QuotaKey.USER_NAME, to=NameSet(("r",)))},
    )
    written = write(model)
    assert read(written).quotas["q"].to == NameSet(("r",))
    assert written.losses == ()


def test_users_whose_names_have_dots_are_written_where_they_work() -> None:
    model = AccessModel({"a.b": User("a.b"), "c.d": User("c.d"), "e f": User("e f")}, quotas=quota().quotas)
    model = replace(model, quotas={"q": Quota("q", QuotaKey.USER_NAME, to=NameSet(("c.d",)))})
    written = write(model)
    assert set(read(written).users) == {"a.b"}
    assert {(loss.entity.name, loss.effect) for loss in written.losses} >= {
        ("c.d", Effect.LEFT_OUT),
        ("e f", Effect.LEFT_OUT),
    }


def test_profiles_that_inherit_from_what_is_left_out_are_left_out() -> None:
    profiles = {
        "a": SettingsProfile("a", (SettingElement("x.y", "1"),)),
        "b": SettingsProfile("b", (SettingElement(profile="a"),)),
        "c": SettingsProfile("c", (SettingElement(profile="b"), SettingElement("readonly", "1"))),
        "d": SettingsProfile("d"),
    }
    written = write(AccessModel(settings_profiles=profiles))
    assert set(read(written).settings_profiles) == {"d", "default"}
    assert {loss.entity.name for loss in written.losses} == {"a", "b", "c"}


def test_a_limit_of_nothing_stays_one() -> None:
    interval = QuotaInterval(60, ((QuotaLimit.QUERIES, 0), (QuotaLimit.EXECUTION_TIME, 0.25)), randomized=True)
    model = replace(BASE, quotas={"q": Quota("q", QuotaKey.USER_NAME, (interval,), TO_U)})
    assert read(write(model)).quotas == model.quotas


@pytest.mark.parametrize(
    "broken",
    [
        Quota("q", QuotaKey.USER_NAME, ipv4_prefix_bits=8),
        Quota("q", QuotaKey.USER_NAME, (QuotaInterval(2**31),)),
        Quota("q", QuotaKey.USER_NAME, (QuotaInterval(60, ((QuotaLimit.QUERIES, 2**64),)),)),
        Quota("q", QuotaKey.USER_NAME, (QuotaInterval(60, ((QuotaLimit.EXECUTION_TIME, 1e12),)),)),
    ],
)
def test_a_quota_that_clickhouse_would_not_load_is_left_out(broken: Quota) -> None:
    written = write(replace(BASE, quotas={"q": replace(broken, to=TO_U)}))
    assert read(written).quotas == {}
    assert read(written).users["u"].methods == LOCKED


def test_an_ssh_key_is_written() -> None:
    method = Authentication(AuthKind.SSH_KEY, keys=(SshKey("AAAA", "ssh-ed25519"),))
    written = write(user(methods=(method,)))
    assert read(written).users["u"].methods == (method,)
    assert written.losses == ()


def test_a_policy_that_filters_nothing_is_not_written_and_limits_nobody() -> None:
    model = replace(BASE, row_policies={TABLE: RowPolicy(TABLE, None, to=TO_U)})
    written = write(model)
    assert read(written).row_policies == {}
    assert read(written).users["u"].methods == (HASHED,)
    assert [loss.effect for loss in written.losses] == [Effect.IGNORED]


def test_where_users_without_policies_read_nothing_the_others_get_a_filter_or_a_lock() -> None:
    options = WritingOptions(users_without_row_policies_can_read_rows=False)
    other = User("w", (HASHED,))
    model = replace(policy(), users={**BASE.users, "w": other})
    found = read(write(model, options))
    assert found.row_policies[PolicyName("w", "d", "t")].condition == "0"
    for wide in (policy(PolicyName("u", "d", None)), policy(PolicyName("u", "d", "\x01"))):
        model = replace(wide, users={**BASE.users, "w": other})
        assert read(write(model, options)).users["w"].methods == LOCKED
    left_out = replace(policy(restrictive=True), users={**BASE.users, "w": other})
    assert read(write(left_out, options)).row_policies[PolicyName("w", "d", "t")].condition == "0"


def test_no_secret_is_in_a_loss_or_in_what_is_shown_of_the_files() -> None:
    secret = Authentication(AuthKind.PLAINTEXT, password="hunter2")
    for model in (user(methods=(secret,)), user(methods=(replace(secret, valid_for=Interval(1, "DAY")),))):
        assert "hunter2" not in f"{write(model)!r}"
