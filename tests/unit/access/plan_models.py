"""Access models for plans, made up by hypothesis, and a state to run plans on."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.model import (
    EVERYONE,
    Authentication,
    AuthKind,
    EntityKind,
    Grant,
    Hosts,
    NameSet,
    Revoke,
    Right,
    Role,
    Statement,
    User,
)
from core.access.settings_profiles import SettingsProfile
from core.access.state import AccessState
from tests.unit.access import strategies

USERS = ("u1", "u2", "u 3")
ROLES = ("r1", "r2", "r-3")
PROFILES = {"default": SettingsProfile("default")}  # which every ClickHouse has
_HOSTS = st.sampled_from(
    [
        Hosts(any=True),
        Hosts(),
        Hosts(local=True),
        Hosts(addresses=("10.0.0.0/8",), likes=("%.ex",)),
        Hosts(names=("a.ex",)),
    ]
)
_METHODS = st.sampled_from(
    [
        (Authentication(),),
        (Authentication(AuthKind.SHA256, hash="AB" * 32, salt="CD" * 32),),
        (Authentication(AuthKind.SHA256, hash="EF" * 32), Authentication(AuthKind.LDAP, server="l")),
        (Authentication(AuthKind.LDAP, server="l", valid_until="2030-01-01 00:00:00"),),
        (Authentication(AuthKind.LDAP, server="l"),),
    ]
)
_PRIVILEGES = ["SELECT", "INSERT", "ALTER DELETE", "SHOW TABLES", "ALL", "CREATE TABLE", "SHOW", "dictGet"]
_NAMES = st.sampled_from(["a", "ab", "abc", "b"])

rights = st.one_of(
    st.builds(Right, st.sampled_from([*_PRIVILEGES, "KILL QUERY", "SYSTEM", "ACCESS MANAGEMENT"])),
    st.builds(Right, st.sampled_from(_PRIVILEGES), database=_NAMES, database_wildcard=st.booleans()),
    st.builds(Right, st.sampled_from(_PRIVILEGES), database=_NAMES, table=_NAMES, table_wildcard=st.booleans()),
    st.builds(
        Right,
        st.sampled_from(["SELECT", "INSERT", "ALTER UPDATE"]),
        columns=st.lists(_NAMES, min_size=1, max_size=2, unique=True).map(tuple),
        database=_NAMES,
        table=_NAMES,
    ),
    st.builds(
        Right,
        st.sampled_from(["CREATE USER", "SET DEFINER", "NAMED COLLECTION"]),
        parameter=st.one_of(st.just(""), _NAMES),
    ),
    st.builds(Right, st.sampled_from(["S3", "URL", "SOURCES"])),
)


def rights_of(holder: str, largest: int = 4) -> st.SearchStrategy[tuple[Grant | Revoke, ...]]:
    """Grants and revokes of one holder."""
    some = st.lists(rights, min_size=1, max_size=2).map(tuple)
    who = st.just((holder,))
    return st.lists(
        st.one_of(
            st.builds(Grant, some, grantees=who, grant_option=st.booleans()),
            st.builds(Revoke, some, grantees=who, grant_option=st.booleans()),
        ),
        max_size=largest,
    ).map(tuple)


@st.composite
def models(draw: st.DrawFn) -> AccessModel:
    """Users, roles, what they are granted, and whom they name."""
    users = draw(st.lists(st.sampled_from(USERS), unique=True))
    roles = draw(st.lists(st.sampled_from(ROLES), unique=True))
    granted: dict[Holder, dict[str, bool]] = {}
    held: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    for holder in (*(Holder(EntityKind.USER, n) for n in users), *(Holder(EntityKind.ROLE, n) for n in roles)):
        others = [role for role in roles if role != holder.name or holder.kind is EntityKind.USER]
        if others:
            granted[holder] = draw(st.dictionaries(st.sampled_from(others), st.booleans(), max_size=2))
        held[holder] = draw(rights_of(holder.name, 2))
    return AccessModel(
        users={
            name: draw(_user(name, sorted(granted.get(Holder(EntityKind.USER, name), {})), [*users, *roles]))
            for name in users
        },
        roles={name: Role(name, draw(strategies.settings())) for name in roles},
        rights=held,
        granted_roles=granted,
        settings_profiles=PROFILES,
    )


def _user(name: str, roles: list[str], everybody: list[str]) -> st.SearchStrategy[User]:
    return st.builds(
        User,
        st.just(name),
        _METHODS,
        _HOSTS,
        _names(roles),
        st.sampled_from(["", "d", "d b"]),
        _names(everybody),
        strategies.settings(),
    )


def _names(names: list[str]) -> st.SearchStrategy[NameSet]:
    if not names:
        return st.sampled_from([EVERYONE, NameSet()])
    some = st.lists(st.sampled_from(names), max_size=2, unique=True).map(tuple)
    return st.one_of(st.builds(NameSet, some), st.builds(NameSet, everyone=st.just(True), excepted=some))


def applied(model: AccessModel, statements: Iterable[Statement]) -> AccessModel:
    """What ClickHouse makes of `model` by statements about users, roles and grants."""
    state = state_of(model)
    for statement in statements:
        state.apply(statement)
    return model_of(state)


def state_of(model: AccessModel) -> AccessState:
    state = AccessState(dict(model.users), dict(model.roles))
    for holder, statements in model.rights.items():
        holdings = state.holdings(holder.kind, holder.name)
        for statement in statements:
            for right in statement.rights:
                if isinstance(statement, Grant):
                    holdings.grant(right, option=statement.grant_option)
                else:
                    holdings.revoke(right, option_only=statement.grant_option)
    for holder, roles in model.granted_roles.items():
        state.holdings(holder.kind, holder.name).roles.update(roles)
    return state


def model_of(state: AccessState) -> AccessModel:
    rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    for (kind, name), holdings in state.held.items():
        rights[Holder(kind, name)] = tuple(each for each in holdings.statements(name) if each.rights)
    granted = {Holder(kind, name): dict(holdings.roles) for (kind, name), holdings in state.held.items()}
    return AccessModel(dict(state.users), dict(state.roles), rights, granted, settings_profiles=PROFILES)
