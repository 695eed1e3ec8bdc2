"""The access state: built again from its statements, changed wholly or not at all."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ElementTree
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.model import (
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    SetDefaultRole,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.parser import parse_statement
from core.access.planning.plan import title
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota, QuotaKey
from core.access.render import render
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access.state import AccessRefused, AccessState
from core.access.users_xml import all_not_enforced, element_name, project
from tests.unit.access import strategies

_name = st.sampled_from(["a", "b", "c", "default"])
_some = st.lists(_name, min_size=1, max_size=2, unique=True).map(tuple)
_set = st.one_of(
    st.just(NameSet()), st.builds(NameSet, _some), st.builds(NameSet, everyone=st.just(True), excepted=_some)
)
_maybe_set = st.one_of(st.none(), _set)
_statements: st.SearchStrategy[Statement] = st.one_of(
    st.builds(
        CreateUser,
        _some,
        if_not_exists=st.booleans(),
        roles=st.one_of(st.just(()), _some),
        default_roles=_maybe_set,
        grantees=_maybe_set,
        settings=strategies.settings(),
    ),
    st.builds(CreateRole, _some, or_replace=st.booleans(), settings=strategies.settings()),
    st.builds(AlterUser, _some, default_roles=_maybe_set, grantees=_maybe_set, if_exists=st.booleans()),
    st.builds(AlterUser, st.tuples(_name), rename_to=_name),
    st.builds(AlterRole, st.tuples(_name), rename_to=_name),
    st.builds(Drop, st.sampled_from(EntityKind), _some, st.booleans()),
    st.builds(SetDefaultRole, _set, st.builds(NameSet, _some)),
    st.builds(Grant, roles=_some, grantees=_some, admin_option=st.booleans(), replace_option=st.booleans()),
    st.builds(Revoke, roles=_some, grantees=_some, admin_option=st.booleans()),
    st.builds(Revoke, all_roles=st.just(True), roles_except=_some, from_all=st.just(True), grantees_except=_some),
    st.builds(
        Grant,
        st.lists(strategies.rights(_name), min_size=1, max_size=2).map(tuple),
        grantees=_some,
        grant_option=st.booleans(),
        replace_option=st.booleans(),
    ),
    st.builds(
        Revoke,
        st.lists(strategies.rights(_name), min_size=1, max_size=2).map(tuple),
        grantees=_some,
        grant_option=st.booleans(),
    ),
)


_elements = st.lists(
    st.one_of(
        st.builds(SettingElement, profile=_name),
        st.builds(SettingElement, st.sampled_from(["max_threads", "readonly"]), st.just("1")),
    ),
    max_size=3,
).map(tuple)
_change = st.builds(
    SettingsChange, st.booleans(), st.booleans(), drop_profiles=st.one_of(st.just(()), _some), add=_elements
)
_policy_names = st.lists(
    st.builds(PolicyName, st.sampled_from(["p", "q"]), st.just("d"), st.sampled_from(["t", None])),
    min_size=1,
    max_size=2,
    unique=True,
).map(tuple)
_limits: st.SearchStrategy[Statement] = st.one_of(
    st.builds(CreateQuota, _some, if_not_exists=st.booleans(), key=st.just(QuotaKey.USER_NAME), to=_maybe_set),
    st.builds(AlterQuota, st.tuples(_name), rename_to=_name, to=_maybe_set),
    st.builds(CreateSettingsProfile, _some, or_replace=st.booleans(), settings=_elements, to=_maybe_set),
    st.builds(AlterSettingsProfile, st.tuples(_name), rename_to=st.just("") | _name, settings=_change, to=_maybe_set),
    st.builds(AlterUser, st.tuples(_name), settings=_change),
    st.builds(CreateRowPolicy, _policy_names, or_replace=st.booleans(), to=_maybe_set),
    st.builds(AlterRowPolicy, _policy_names, rename_to=st.sampled_from(["", "q"]), restrictive=st.booleans()),
    st.builds(CreateMaskingPolicy, _policy_names, st.just("a = 0"), or_replace=st.booleans(), to=_set),
    st.builds(AlterMaskingPolicy, _policy_names, rename_to=st.sampled_from(["", "q"]), priority=st.integers(1, 3)),
    st.builds(DropPolicy, st.sampled_from([EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY]), _policy_names),
)


@given(st.lists(st.one_of(_statements, _limits), max_size=25))
def test_a_state_is_built_again_from_its_statements(statements: list[Statement]) -> None:
    state = AccessState()
    for statement in statements:
        before = deepcopy(state)
        try:
            state.apply(statement)
        except AccessRefused:
            assert _known(state) == _known(before)
    again = AccessState()
    for statement in state.statements():
        again.apply(statement)
    assert _known(again) == _known(state)


def _known(state: AccessState) -> tuple[object, ...]:
    limits = state.quotas, state.settings_profiles, state.row_policies, state.masking_policies
    return state.users, state.roles, *limits, [render(statement) for statement in state.statements()]


@given(st.lists(st.one_of(_statements, _limits), max_size=25))
def test_everything_that_is_named_is_there(statements: list[Statement]) -> None:
    state = AccessState()
    for statement in statements:
        with contextlib.suppress(AccessRefused):
            state.apply(statement)
    sets = [user.grantees for user in state.users.values()]
    sets += [quota.to for quota in state.quotas.values()]
    sets += [profile.to for profile in state.settings_profiles.values()]
    sets += [policy.to for policy in state.row_policies.values()]
    sets += [policy.to for policy in state.masking_policies.values()]
    assert all(state.knows(name) for names in sets for name in (*names.names, *names.excepted))
    given_settings = [user.settings for user in state.users.values()]
    given_settings += [role.settings for role in state.roles.values()]
    given_settings += [profile.settings for profile in state.settings_profiles.values()]
    inherited = {element.profile for elements in given_settings for element in elements if element.profile}
    assert inherited <= {"default", *state.settings_profiles}


@given(st.lists(st.one_of(_statements, _limits), max_size=25))
def test_the_projection_of_any_state_is_whole(statements: list[Statement]) -> None:
    state = AccessState()
    for statement in statements:
        with contextlib.suppress(AccessRefused):
            state.apply(statement)
    tree = ElementTree.fromstring(project(state))  # noqa: S314  (our own text)
    for section, entities in (("users", state.users), ("roles", state.roles), ("quotas", state.quotas)):
        names = {element_name(name) for name in entities}
        assert {element.tag for element in tree.iterfind(f"{section}/*")} - {"default"} == names - {"default"}
    profiles = {element.tag for element in tree.iterfind("profiles/*")}
    assert {element.text for element in tree.iter("profile")} <= profiles
    quotas = {element.tag for element in tree.iterfind("quotas/*")}
    assert {element.text for element in tree.iterfind("users/*/quota")} <= quotas


def test_what_is_not_enforced_is_named_and_locks() -> None:
    state = AccessState()
    for sql in (
        "CREATE USER u, v, w, x",
        "CREATE QUOTA shared FOR INTERVAL 1 day MAX queries = 1 TO u, v",
        "CREATE QUOTA a KEYED BY user_name FOR INTERVAL 1 day MAX errors = 1 TO ALL EXCEPT u, v, x",
        "CREATE QUOTA b KEYED BY user_name FOR INTERVAL 1 hour MAX errors = 1 TO w",
        "CREATE QUOTA counted FOR INTERVAL 1 day TRACKING ONLY TO ALL EXCEPT default",
        "CREATE SETTINGS PROFILE dotted SETTINGS a.b = 1",
        "CREATE SETTINGS PROFILE below SETTINGS INHERIT dotted TO x",
        "CREATE ROW POLICY p ON d.* USING a = 1 TO v",
        "CREATE ROW POLICY q ON d.t AS RESTRICTIVE USING a = 2 TO v",
        "CREATE MASKING POLICY m ON d.t UPDATE a = 0 TO ALL",
    ):
        state.apply(parse_statement(sql))
    found = all_not_enforced(state)
    assert {title(key): words for key, words in found.items()} == {
        "user default": ("the quota a",),
        "user u": ("the quota shared",),
        "user v": ("the quota shared", "the row policies on d.t"),
        "user w": ("the quota a", "the quota b"),
        "user x": ("the settings profile dotted",),
        "quota counted": ("XML has no quota that is NOT KEYED",),
        "quota shared": ("XML has no quota that is NOT KEYED",),
        "settings profile dotted": ("the name of a setting cannot be that of an XML element",),
        "masking policy m ON d.t": ("the masking policy",),
    }
    tree = ElementTree.fromstring(project(state))  # noqa: S314  (our own text)
    locked = {user.tag for user in tree.iterfind("users/*") if user.findtext("password_sha256_hex") == "0" * 64}
    assert locked == {"u", "v", "w", "x"}


def test_what_comes_by_roles_and_profiles_is_told_of_those_who_have_it() -> None:
    state = AccessState()
    for sql in (
        "CREATE ROLE reader SETTINGS readonly = 2",
        "CREATE ROLE analyst, idle",
        "GRANT reader TO analyst",
        "CREATE USER anna, boris, cleo, reader",  # a user has none of what a role of its name has
        "CREATE ROLE cleo",
        "GRANT analyst, idle TO anna",
        "GRANT idle TO boris",
        "CREATE SETTINGS PROFILE low SETTINGS max_threads = 4 WRITABLE",
        "CREATE SETTINGS PROFILE below SETTINGS INHERIT low TO cleo",
    ):
        state.apply(parse_statement(sql))
    assert {title(key): words for key, words in all_not_enforced(state).items()} == {
        "role reader": ("settings of a role",),
        "role analyst": ("by role reader: settings",),
        "user anna": ("by role analyst > reader: settings",),
        "user cleo": ("by settings profile low: WRITABLE of max_threads",),
        "settings profile low": ("WRITABLE of max_threads",),
    }
    tree = ElementTree.fromstring(project(state))  # noqa: S314  (our own text)
    locked = {user.tag for user in tree.iterfind("users/*") if user.findtext("password_sha256_hex") == "0" * 64}
    assert locked == {"anna"}


def test_a_role_that_is_replaced_is_a_new_one_that_nobody_holds() -> None:
    state = AccessState()
    state.apply(CreateRole(("r",)))
    state.apply(CreateUser(("u", "v"), roles=("r",), default_roles=NameSet(("r",))))
    state.apply(AlterUser(("v",), grantees=NameSet(("u", "r"))))
    state.apply(CreateRole(("r",), or_replace=True))
    assert state.holdings(EntityKind.USER, "u").roles == {}
    assert state.users["u"].default_roles == NameSet()
    state.apply(CreateUser(("u",), or_replace=True))
    assert state.users["v"].grantees == NameSet()
    assert list(state.users) == ["v", "u"]


def test_a_role_is_not_granted_to_itself() -> None:
    state = AccessState()
    state.apply(CreateRole(("r", "s")))
    with pytest.raises(AccessRefused, match="to itself"):
        state.apply(Grant(roles=("s", "r"), grantees=("r",)))
    state.apply(CreateUser(("r",)))
    state.apply(Grant(roles=("r",), grantees=("r",)))  # the user of that name
    assert state.holdings(EntityKind.USER, "r").roles == {"r": False}
