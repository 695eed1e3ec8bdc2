"""Models for lint: made from statements by hand, and generated with names that meet and names that nobody has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from core.access.access_model import AccessModel, EntityKey, Holder, Origin
from core.access.lint.findings import Finding, LintContext
from core.access.lint.linting import lint
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
    User,
)
from core.access.parser import parse_statement
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.privileges import PARAMETRISED
from core.access.quotas import Quota, QuotaInterval, QuotaLimit
from core.access.settings_profiles import SettingsProfile

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTEXT = LintContext(NOW, version=(26, 9), tenants=frozenset(("acme", "globex")), datalens_user="datalens")
GOOD = Authentication(AuthKind.SHA256, hash="AB" * 32, salt="CD" * 32, valid_until="2030-01-01 00:00:00")
INSIDE = Hosts(addresses=("10.0.0.0/8",))


def user(name: str = "alice", **parts: Any) -> User:
    """A user without fault, but for `parts`."""
    return User(name, **{"methods": (GOOD,), "hosts": INSIDE, **parts})


def model(
    users: Iterable[User] = (),
    roles: Iterable[str | Role] = (),
    grants: Iterable[str] = (),
    quotas: Iterable[Quota] = (),
    profiles: Iterable[SettingsProfile] = (),
    policies: Iterable[RowPolicy] = (),
    masking: Iterable[MaskingPolicy] = (),
    origins: Mapping[EntityKey, Origin] = MappingProxyType({}),
) -> AccessModel:
    """A model of entities, and of GRANT and REVOKE statements in their order."""
    found_users = {entity.name: entity for entity in users}
    found_roles = {role.name: role for role in (Role(r) if isinstance(r, str) else r for r in roles)}
    rights: dict[Holder, tuple[Grant | Revoke, ...]] = {}
    granted: dict[Holder, dict[str, bool]] = {}
    for sql in grants:
        statement = parse_statement(sql)
        assert isinstance(statement, Grant | Revoke)
        [name] = statement.grantees
        holder = Holder(EntityKind.USER if name in found_users else EntityKind.ROLE, name)
        if statement.rights:
            rights[holder] = (*rights.get(holder, ()), statement)
        for role in statement.roles:
            granted.setdefault(holder, {})[role] = isinstance(statement, Grant) and statement.admin_option
    return AccessModel(
        found_users,
        found_roles,
        rights,
        granted,
        {quota.name: quota for quota in quotas},
        {profile.name: profile for profile in profiles},
        {policy.name: policy for policy in policies},
        {policy.name: policy for policy in masking},
        origins=origins,
    )


def found(of: AccessModel, id_: str, context: LintContext = CONTEXT) -> list[Finding]:
    """The findings of one kind."""
    return [finding for finding in lint(of, context) if finding.id == id_]


# Pools instead of strategies all the way down: a whole model is drawn in a few milliseconds.
_user_names = ("alice", "bob", "datalens", "x y", "both", " ", "\u202etrap")
_role_names = ("analyst", "base", "owner", "sql_console_role:a@b.example", "sql-console-role:x", "both")
_names = st.sampled_from((*_user_names, *_role_names, "ghost"))
_privileges = (
    *("ALL", "SELECT", "INSERT", "ALTER UPDATE", "DELETE", "SHOW", "URL", "SYSTEM", "SYSTEM RELOAD"),
    *("ACCESS MANAGEMENT", "READ", "USAGE"),
)
_places: tuple[dict[str, Any], ...] = (
    {"database": None},
    {"database": "acme"},
    {"database": "ac", "database_wildcard": True},
    {"database": "shop"},
    {"database": ""},
    {"database": "", "table": "orders"},
    {"database": "acme", "table": "orders"},
    {"database": "acme", "table": "ord", "table_wildcard": True},
    {"database": "acme", "table": "orders", "columns": ("a",)},
    {"parameter": ""},
    {"parameter": "acme"},
    {"parameter": "S3", "source_filter": ".*"},
    {"parameter": "ac", "parameter_wildcard": True},
)
_rights = st.sampled_from(
    [
        Right(privilege, **place)
        for privilege in _privileges
        for place in _places
        # As ClickHouse has them; of two rights that are written alike a finding could not be told from the other.
        if (privilege in PARAMETRISED) == ("parameter" in place)
    ]
)


def _few(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


_name_sets = st.one_of(
    st.sampled_from((NameSet(), NameSet(everyone=True))),
    st.builds(NameSet, _few(_names, 2), st.booleans(), _few(_names, 1)),
)
_validities = ("", "2020-01-01 00:00:00", "2026-11-30 00:00:00 +0300", "infinity", "some day", "2030-01-01")
_methods = st.sampled_from(
    [Authentication(kind, valid_until=until) for kind in AuthKind for until in _validities]
    + [
        Authentication(AuthKind.PLAINTEXT, password=word, valid_until=until)
        for word in ("", "x")
        for until in _validities
    ]
    + [Authentication(AuthKind.SCRAM_SHA256, hash="AB", salt="not base64"), Authentication(AuthKind.BCRYPT, hash="$")]
    + [Authentication(AuthKind.SHA256, hash=hashlib.sha256(b"").hexdigest()), GOOD, replace(GOOD, salt="")]
    + [Authentication(AuthKind.DOUBLE_SHA1, hash="AB" * 20, valid_for=Interval(3, "DAY"))]
)
_hosts = st.sampled_from(
    (
        Hosts(),
        Hosts(any=True),
        Hosts(local=True),
        INSIDE,
        Hosts(addresses=("::/0",)),
        Hosts(addresses=("nonsense",), names=("a.example",), likes=("%",)),
    )
)
_settings = st.sampled_from(
    [()]
    + [(SettingElement("readonly", value),) for value in (None, "0", "1", "2", "'1'")]
    + [(SettingElement(profile=name),) for name in ("default", "p", "q", "gone")]
    + [(SettingElement(profile="p"), SettingElement("readonly", "1", writability="CONST"))]
)
_intervals = st.builds(
    QuotaInterval,
    st.sampled_from((1, 3600)),
    st.sampled_from(
        (
            (),
            ((QuotaLimit.QUERIES, 0),),
            ((QuotaLimit.QUERIES, 5), (QuotaLimit.ERRORS, 0)),
            ((QuotaLimit.QUERIES, 3), (QuotaLimit.EXECUTION_TIME, 2.5)),
        )
    ),
    removed=st.booleans(),
)
_policy_names = st.builds(
    PolicyName, st.sampled_from(("p", "q")), st.sampled_from(("acme", "shop")), st.sampled_from((None, "orders"))
)


@cache  # a strategy made anew is checked anew
def _statements(name: str) -> st.SearchStrategy[tuple[Grant | Revoke, ...]]:
    some = _few(_rights, 3)
    return _few(
        st.builds(
            lambda kind, rights, option: kind(rights, grantees=(name,), grant_option=option),
            st.sampled_from((Grant, Grant, Revoke)),
            some,
            st.booleans(),
        )
    )


# Made once: a strategy made anew is checked anew.
_users = st.lists(st.sampled_from(_user_names), unique=True, max_size=3)
_roles = st.lists(st.sampled_from(_role_names), unique=True, max_size=3)
_parts = st.tuples(_few(_methods, 2), _hosts, _name_sets, _name_sets, _settings)
_quotas = st.dictionaries(st.sampled_from(("q1", "q2")), st.tuples(_few(_intervals), _name_sets), max_size=2)
_profiles = st.dictionaries(st.sampled_from(("p", "q")), st.tuples(_settings, _name_sets), max_size=2)
_policies = st.dictionaries(_policy_names, st.tuples(st.booleans(), _name_sets), max_size=3)
_masking = st.dictionaries(_policy_names, _name_sets, max_size=1)
_granted_roles = st.dictionaries(_names, st.booleans(), max_size=3)
_storages = st.sampled_from(("local_directory", "users_xml"))


@st.composite
def models(draw: st.DrawFn) -> AccessModel:
    """Any model, sound or not: names that nobody has, circles, the same right granted and revoked."""
    users = draw(_users)
    roles = draw(_roles)
    holders = [Holder(EntityKind.USER, name) for name in users] + [Holder(EntityKind.ROLE, name) for name in roles]
    keys = [EntityKey(holder.kind, holder.name) for holder in holders]
    quotas = draw(_quotas)
    profiles = draw(_profiles)
    policies = draw(_policies)
    masking = draw(_masking)
    return AccessModel(
        {
            name: User(name, methods, hosts, default, "", to, elements)
            for name in users
            for methods, hosts, default, to, elements in (draw(_parts),)
        },
        {name: Role(name, draw(_settings)) for name in roles},
        {holder: draw(_statements(holder.name)) for holder in holders},
        {holder: draw(_granted_roles) for holder in holders},
        {name: Quota(name, intervals=intervals, to=to) for name, (intervals, to) in quotas.items()},
        {name: SettingsProfile(name, elements, to) for name, (elements, to) in profiles.items()},
        {name: RowPolicy(name, "1", restrictive, to) for name, (restrictive, to) in policies.items()},
        {name: MaskingPolicy(name, "a = 1", to=to) for name, to in masking.items()},
        {key: draw(_storages) for key in keys},
        {key: Origin("users.xml", line) for line, key in enumerate(keys, 1)},
    )


contexts = st.builds(
    LintContext,
    st.just(NOW),
    version=st.sampled_from(((), (24, 3), (26, 9))),
    tenants=st.sampled_from((frozenset(), frozenset(("acme",)), frozenset(("acme", "globex")))),
    users_without_row_policies_can_read_rows=st.booleans(),
    datalens_user=st.sampled_from(("", "datalens")),
    known_privileges=st.sampled_from((frozenset(), frozenset(("SELECT", "ALL", "SHOW")))),
    privilege_groups=st.sampled_from(({}, {"ALL": "", "SELECT": "ALL", "SYSTEM": "ALL", "SYSTEM RELOAD": "SYSTEM"})),
    console_emails=st.sampled_from((None, frozenset(("a@b.example",)))),
    for_users_xml=st.booleans(),
    many_users=st.integers(1, 3),
)
