"""Access models for plans, made up by hypothesis, and a state to run plans on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.assembling import assemble
from core.access.disassembling import statements_of
from core.access.model import (
    EVERYONE,
    Authentication,
    AuthKind,
    EntityKind,
    Grant,
    Hosts,
    NameSet,
    Revoke,
    Role,
    SettingElement,
    Statement,
    User,
)
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from core.access.state import AccessState
from tests.unit.access import strategies

USERS = ("u1", "u2", "u 3")
ROLES = ("r1", "r2", "r-3")
_SOME_USERS = st.lists(st.sampled_from(USERS), unique=True)
_SOME_ROLES = st.lists(st.sampled_from(ROLES), unique=True)
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
_TABLE = ["SELECT", "INSERT", "ALTER DELETE", "SHOW TABLES", "CREATE TABLE", "SHOW", "dictGet"]
_PRIVILEGES = [*_TABLE, "ALL", "ACCESS MANAGEMENT"]
_NAMES = st.sampled_from(["a", "ab", "abc", "b"])

rights = st.one_of(
    strategies.right(st.sampled_from([*_PRIVILEGES, "KILL QUERY", "SYSTEM"])),
    strategies.right(st.sampled_from(_PRIVILEGES), database=_NAMES, database_wildcard=st.booleans()),
    strategies.right(st.sampled_from(_PRIVILEGES), database=_NAMES, table=_NAMES, table_wildcard=st.booleans()),
    strategies.right(
        st.sampled_from(["SELECT", "INSERT", "ALTER UPDATE"]),
        columns=st.lists(_NAMES, min_size=1, max_size=2, unique=True).map(tuple),
        database=_NAMES,
        table=_NAMES,
    ),
    strategies.right(
        st.sampled_from(["CREATE USER", "SET DEFINER", "NAMED COLLECTION"]),
        parameter=st.one_of(st.just(""), _NAMES),
    ),
    strategies.right(st.sampled_from(["S3", "URL", "SOURCES"])),
)


@cache  # a strategy made anew is checked anew
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


@cache
def _granted_roles(roles: tuple[str, ...]) -> st.SearchStrategy[dict[str, bool]]:
    return st.dictionaries(st.sampled_from(roles), st.booleans(), max_size=2)


@st.composite
def models(draw: st.DrawFn) -> AccessModel:
    """Users, roles, what they are granted, and whom they name."""
    users = draw(_SOME_USERS)
    roles = draw(_SOME_ROLES)
    granted: dict[Holder, dict[str, bool]] = {}
    held: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    for holder in (*(Holder(EntityKind.USER, n) for n in users), *(Holder(EntityKind.ROLE, n) for n in roles)):
        others = [role for role in roles if role != holder.name or holder.kind is EntityKind.USER]
        if others:
            granted[holder] = draw(_granted_roles(tuple(others)))
        held[holder] = draw(rights_of(holder.name, 2))
    return AccessModel(
        users={
            name: draw(_user(name, tuple(sorted(granted.get(Holder(EntityKind.USER, name), {}))), (*users, *roles)))
            for name in users
        },
        roles={name: Role(name, draw(strategies.settings())) for name in roles},
        rights=held,
        granted_roles=granted,
        settings_profiles=PROFILES,
    )


_MODELS = models()
_LIMITS = st.dictionaries(st.sampled_from(QuotaLimit), st.integers(1, 9), max_size=2)
_INTERVALS = st.dictionaries(st.sampled_from([3600, 86400]), st.tuples(_LIMITS, st.booleans()), max_size=2).map(
    lambda found: tuple(
        QuotaInterval(seconds, tuple((one, limits[one]) for one in QuotaLimit if one in limits), randomized)
        for seconds, (limits, randomized) in found.items()
    )
)
_POLICIES = [PolicyName("p", "d", "t"), PolicyName("p", "d", None), PolicyName("p 2", "d", "t")]
_SOME_PROFILES = st.lists(st.sampled_from(["s1", "s2", "s 3"]), unique=True)
_SOME_QUOTAS = st.lists(st.sampled_from(["q1", "q 2"]), unique=True)
_SOME_POLICIES = st.lists(st.sampled_from(_POLICIES), unique=True)
_SOME_MASKS = st.lists(st.sampled_from(_POLICIES[:1]), max_size=1)


@st.composite
def whole_models(draw: st.DrawFn) -> AccessModel:
    """Models with entities of every kind."""
    model = draw(_MODELS)
    names = _names((*model.users, *model.roles))
    profiles = draw(_SOME_PROFILES)
    quotas = draw(_SOME_QUOTAS)
    policies = draw(_SOME_POLICIES)
    masks = draw(_SOME_MASKS)  # never on a whole database
    parents = st.lists(st.sampled_from([*profiles, "default"]), max_size=2, unique=True)

    def with_parents(name: str) -> tuple[SettingElement, ...]:
        inherited = tuple(SettingElement(profile=parent) for parent in draw(parents) if parent != name)
        return (*inherited, *draw(strategies.settings(None)))

    return replace(
        model,
        users={name: replace(user, settings=with_parents("")) for name, user in model.users.items()},
        settings_profiles={
            **PROFILES,
            **{name: SettingsProfile(name, with_parents(name), draw(names)) for name in profiles},
        },
        quotas={name: Quota(name, draw(st.sampled_from(QuotaKey)), draw(_INTERVALS), draw(names)) for name in quotas},
        row_policies={
            name: RowPolicy(name, draw(st.sampled_from([None, "a = 1", "b"])), draw(st.booleans()), draw(names))
            for name in policies
        },
        masking_policies={
            name: MaskingPolicy(
                name,
                draw(st.sampled_from(["a = 1", "a = 'x'"])),
                draw(st.sampled_from(["", "b = 2"])),
                draw(st.integers(0, 2)),
                draw(names.filter(lambda to: to.everyone or bool(to.names))),  # TO NONE is written as TO ALL
            )
            for name in masks
        },
    )


def rebuilt(model: AccessModel, statements: Iterable[Statement]) -> AccessModel:
    """What comes of `model` by statements about entities of every kind. None of them may fail to fit."""
    built, misfits = assemble([*statements_of(model), *statements])
    assert misfits == ()
    return built


@cache
def _user(name: str, roles: tuple[str, ...], everybody: tuple[str, ...]) -> st.SearchStrategy[User]:
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


@cache
def _names(names: tuple[str, ...]) -> st.SearchStrategy[NameSet]:
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
            if isinstance(statement, Grant):
                holdings.grant(statement.rights, option=statement.grant_option)
            else:
                holdings.revoke(statement.rights, option_only=statement.grant_option)
    for holder, roles in model.granted_roles.items():
        state.holdings(holder.kind, holder.name).roles.update(roles)
    return state


def model_of(state: AccessState) -> AccessModel:
    rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    for (kind, name), holdings in state.held.items():
        rights[Holder(kind, name)] = tuple(each for each in holdings.statements(name) if each.rights)
    granted = {Holder(kind, name): dict(holdings.roles) for (kind, name), holdings in state.held.items()}
    return AccessModel(dict(state.users), dict(state.roles), rights, granted, settings_profiles=PROFILES)
