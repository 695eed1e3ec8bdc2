"""The access state: built again from its statements, changed wholly or not at all."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
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
    Statement,
)
from core.access.render import render
from core.access.state import AccessRefused, AccessState
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


@given(st.lists(_statements, max_size=25))
@settings(max_examples=150)
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
    return state.users, state.roles, [render(statement) for statement in state.statements()]


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
