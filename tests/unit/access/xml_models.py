"""Hypothesis strategies for access models: those that a configuration holds whole, and any others.

Names come from small pools, so that entities meet each other; what refers to an entity is drawn before it is known
which entities there are, which is much faster than to build strategies for each model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.model import (
    ANY_HOST,
    EVERYONE,
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
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.render_grants import string
from core.access.settings_profiles import SettingsProfile

_ELEMENT_NAMES = ["u", "Пользователь", "漢字", "é-1", "users", "profile", "constraints", "_", "database", "xmlish", "r"]
_OTHER_NAMES = [
    "a.b",
    "include",
    "d[1]",
    "a:b",
    "1a",
    "a b",
    "x@y",
    "😀",
    "<&>'\"",
    "a\n",
    "${u}",
    "`",
    "\\",
    "-a",
    "\x01",
]
_TEXTS = ["a", "b c", " x ", "<&>\"'", "a\nb\t", "漢😀é", "$", "$x {", "\\'`", "a.b:c", "]]>"]
_OTHER_TEXTS = [*_TEXTS, "\x00", "a\rb", "${users}", "\ufffe", "%.example.com", "10.%.%.%", "h_st", "::1", "localhost"]
element_names = st.sampled_from(_ELEMENT_NAMES)
hostile_names = st.sampled_from([*_ELEMENT_NAMES, *_OTHER_NAMES])
texts = st.sampled_from(_TEXTS)
hostile_texts = st.sampled_from(_OTHER_TEXTS)


def _tuples(of: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, min_size=least, max_size=2, unique=True).map(tuple)


_HASH = "AB" * 32
expressible_methods = st.one_of(
    st.just(Authentication()),
    st.builds(Authentication, st.just(AuthKind.PLAINTEXT), password=st.one_of(st.just(""), texts)),
    st.just(Authentication(AuthKind.SHA256, hash=_HASH)),
    st.just(Authentication(AuthKind.DOUBLE_SHA1, hash=_HASH[:40])),
    st.just(Authentication(AuthKind.SCRAM_SHA256, hash=_HASH)),
    st.builds(Authentication, st.just(AuthKind.LDAP), server=element_names),
    st.builds(Authentication, st.just(AuthKind.KERBEROS), realm=st.one_of(st.just(""), element_names)),
    st.builds(
        Authentication,
        st.just(AuthKind.SSL_CERTIFICATE),
        names=_tuples(element_names, 1).map(lambda names: tuple(sorted(names, key=str.encode))),
        alternative=st.booleans(),
    ),
    st.builds(Authentication, st.just(AuthKind.HTTP), server=element_names, scheme=st.just("BASIC")),
)
_awkward_methods = st.one_of(
    expressible_methods,
    st.builds(Authentication, st.just(AuthKind.PLAINTEXT), password=hostile_texts),
    st.builds(Authentication, st.sampled_from([AuthKind.DEFAULT, AuthKind.SHA256]), password=texts),
    st.builds(Authentication, st.just(AuthKind.LDAP), server=hostile_texts),
    st.sampled_from(
        [
            Authentication(AuthKind.SHA256),
            Authentication(AuthKind.SHA256, hash=_HASH, salt="AB"),
            Authentication(AuthKind.SHA256, hash=_HASH, valid_until="2030-01-01 00:00:00"),
            Authentication(AuthKind.SHA256, hash=_HASH, grants=(Right("SELECT"),)),
            Authentication(AuthKind.PLAINTEXT, password="x", valid_for=Interval(1, "DAY")),
            Authentication(AuthKind.BCRYPT, hash="$2a$12$rz5iy2LhuwBezsM88ZzWiemOVUeJ94xHTzwAlLMDhTzwUxOHaY64q"),
            Authentication(AuthKind.NO_AUTHENTICATION),
        ]
    ),
)
_addresses = st.lists(
    st.sampled_from(["1.2.3.4", "2001:db8::1", "10.0.0.0/8", "2001:db8::/32"]),
    max_size=3,
    unique=True,
).map(lambda found: tuple(sorted(found, key=lambda address: "/" in address)))
expressible_hosts = st.one_of(
    st.just(ANY_HOST),
    st.builds(Hosts, local=st.booleans(), addresses=_addresses, names=_tuples(texts), patterns=_tuples(texts)),
)
_awkward_hosts = st.one_of(
    expressible_hosts,
    st.builds(
        Hosts,
        addresses=st.sampled_from([(), ("10.0.0.1", "no address")]),
        names=_tuples(hostile_texts),
        likes=_tuples(hostile_texts),
    ),
)

_numbers = st.sampled_from(["1", "64", "1000000"])  # 0 threads are as many as there are processors
_limited = st.builds(
    SettingElement,
    st.just("max_threads"),
    st.one_of(st.none(), _numbers),
    st.one_of(st.none(), _numbers),
    st.one_of(st.none(), _numbers),
    st.sampled_from(["", "CONST"]),
).filter(lambda element: element != SettingElement("max_threads"))
_elements = st.tuples(
    *(
        st.lists(strategy, max_size=1)
        for strategy in (
            _limited,
            st.builds(SettingElement, st.just("log_comment"), texts.map(string)),
            st.sampled_from([SettingElement("max_execution_time", text) for text in ("1.5", "0.25")]),
            st.just(SettingElement("readonly", writability="CONST")),
        )
    )
).map(lambda parts: tuple(element for part in parts for element in part))
_profiles = st.sampled_from(["default", *_ELEMENT_NAMES[:4]])
expressible_settings = st.builds(
    lambda parents, elements: (*(SettingElement(profile=name) for name in parents), *elements),
    _tuples(_profiles),
    _elements,
)
_awkward_settings = st.one_of(
    st.just(()),
    expressible_settings,
    st.builds(
        lambda first, last: (*first, last),
        expressible_settings,
        st.sampled_from(
            [
                SettingElement("a.b", "1"),
                SettingElement("log_comment", string("a\rb")),
                SettingElement("max_threads", "0x10"),
                SettingElement("max_threads", "3"),
                SettingElement("max_threads", min="1", writability="CHANGEABLE_IN_READONLY"),
                SettingElement("max_threads", writability="WRITABLE"),
                SettingElement(profile="漢字"),
                SettingElement(profile="a b"),
            ]
        ),
    ),
)

_limits = st.dictionaries(st.sampled_from(QuotaLimit), st.integers(0, 2**64 - 1), max_size=3).map(
    lambda found: tuple(
        (limit, found[limit] % 10**6 / 4 if limit is QuotaLimit.EXECUTION_TIME else found[limit])
        for limit in QuotaLimit
        if limit in found
    )
)
_intervals = st.lists(
    st.builds(QuotaInterval, st.integers(1, 2**31 - 1), _limits, st.booleans()),
    max_size=2,
    unique_by=lambda interval: interval.seconds,
).map(tuple)
_bits = st.one_of(st.none(), st.integers(0, 32))
_no_one = st.just(NameSet())
_name = st.just("")
_by_address = st.sampled_from([QuotaKey.IP_ADDRESS, QuotaKey.FORWARDED_IP_ADDRESS])
_by_name = st.sampled_from([QuotaKey.USER_NAME, QuotaKey.CLIENT_KEY_OR_USER_NAME, QuotaKey.NORMALIZED_QUERY_HASH])
_quotas = st.one_of(
    st.builds(Quota, _name, _by_address, _intervals, _no_one, _bits, _bits),
    st.builds(Quota, _name, _by_name, _intervals),
)

conditions = st.sampled_from(["1", "a = 1", "x < 'y' AND (1 OR z)", "name = currentUser()", "s = 'TO ALL -- no'"])
_rights = st.sampled_from(
    [
        Right("ALL"),
        Right("SELECT", database="d"),
        Right("SELECT", ("x", "a b"), "d", "t"),
        Right("INSERT", database="a b", table="$\x00'`\\"),
        Right("SELECT", database="d", database_wildcard=True),
        Right("CREATE USER", parameter="x@y"),
        Right("KILL QUERY"),
    ]
)
_own_database = Right("SELECT", database="")
_statements = st.lists(
    st.one_of(st.builds(Grant, st.tuples(_rights), grant_option=st.booleans()), st.builds(Revoke, st.tuples(_rights))),
    max_size=2,
)
_awkward_statements = st.lists(
    st.one_of(
        st.builds(Grant, st.tuples(st.one_of(_rights, st.just(_own_database))), grant_option=st.booleans()),
        st.builds(Revoke, st.tuples(_rights)),
        st.just(Revoke((_own_database,))),
        st.just(Grant((Right("SELECT"),), current=True)),
    ),
    max_size=2,
)
_granted = st.dictionaries(element_names, st.booleans(), max_size=2)
_sets = st.one_of(
    st.just(NameSet()),
    st.just(EVERYONE),
    st.builds(NameSet, _tuples(hostile_names, 1)),
    st.builds(NameSet, everyone=st.just(True), excepted=_tuples(hostile_names, 1)),
)
_policy_places = st.builds(PolicyName, st.just(""), st.sampled_from(["d", "d 1", "d.1"]), st.sampled_from(["t", "<t>"]))

_users = st.builds(
    User,
    _name,
    st.tuples(expressible_methods),
    expressible_hosts,
    default_database=st.one_of(st.just(""), texts),
    settings=st.one_of(st.just(()), st.builds(SettingElement, profile=_profiles).map(lambda element: (element,))),
)
_awkward_users = st.builds(
    User,
    _name,
    st.lists(_awkward_methods, min_size=1, max_size=2).map(tuple),
    _awkward_hosts,
    _sets,
    st.one_of(st.just(""), hostile_texts),
    st.one_of(st.just(EVERYONE), _sets),
    _awkward_settings,
)


def _holdings(
    users: Iterable[str],
    roles: Iterable[str],
    statements: st.SearchStrategy[list[Grant | Revoke]],
) -> st.SearchStrategy[list[tuple[list[Grant | Revoke], dict[str, bool]]]]:
    count = len([*users, *roles])
    return st.lists(st.tuples(statements, _granted), min_size=count, max_size=count)


def _with_holdings(model: AccessModel, holdings: list[tuple[list[Grant | Revoke], dict[str, bool]]]) -> AccessModel:
    holders = [Holder(EntityKind.USER, name) for name in model.users]
    holders += [Holder(EntityKind.ROLE, name) for name in model.roles]
    rights = {}
    granted = {}
    for holder, (statements, roles) in zip(holders, holdings, strict=True):
        if statements:
            rights[holder] = tuple(replace(statement, grantees=(holder.name,)) for statement in statements)
        if known := {role: option for role, option in roles.items() if role in model.roles}:
            granted[holder] = known
    return replace(model, rights=rights, granted_roles=granted)


@st.composite
def expressible_models(draw: st.DrawFn) -> AccessModel:
    """Models that a configuration holds whole."""
    users = draw(st.dictionaries(element_names, st.tuples(_users, element_names), max_size=3))
    quotas = draw(st.dictionaries(element_names, _quotas, max_size=2))
    profiles = draw(st.dictionaries(_profiles, expressible_settings, max_size=3))
    profiles.setdefault("default", ())
    roles = draw(st.sets(element_names, max_size=3))
    policies = draw(st.dictionaries(st.tuples(element_names, _policy_places), conditions, max_size=3))
    names = {replace(place, short=user): condition for (user, place), condition in policies.items() if user in users}
    model = AccessModel(
        {
            name: replace(user, name=name, settings=_without_unknown(user.settings, profiles))
            for name, (user, _) in users.items()
        },
        {name: Role(name) for name in sorted(roles)},
        quotas={
            name: replace(
                quota,
                name=name,
                to=NameSet(tuple(sorted((user for user in users if users[user][1] == name), key=str.encode))),
            )
            for name, quota in quotas.items()
        },
        settings_profiles={
            name: SettingsProfile(name, _without_unknown(elements, profiles)) for name, elements in profiles.items()
        },
        row_policies={name: RowPolicy(name, condition, to=NameSet((name.short,))) for name, condition in names.items()},
    )
    return _with_holdings(model, draw(_holdings(model.users, model.roles, _statements)))


def _without_unknown(elements: tuple[SettingElement, ...], profiles: Iterable[str]) -> tuple[SettingElement, ...]:
    return tuple(element for element in elements if not element.profile or element.profile in profiles)


@st.composite
def models(draw: st.DrawFn) -> AccessModel:
    """Models of any kind, with names and features that no configuration holds."""
    users = draw(st.dictionaries(hostile_names, _awkward_users, min_size=1, max_size=3))
    roles = draw(st.dictionaries(hostile_names, _awkward_settings, max_size=2))
    quotas = draw(st.dictionaries(hostile_names, st.tuples(st.sampled_from(QuotaKey), _intervals, _sets), max_size=2))
    profiles = draw(
        st.dictionaries(st.one_of(_profiles, hostile_names), st.tuples(_awkward_settings, _sets), max_size=3)
    )
    policies = draw(
        st.dictionaries(
            st.builds(PolicyName, hostile_names, st.sampled_from(["d", "a\x01"]), st.sampled_from(["t", "t.1", None])),
            st.tuples(st.one_of(st.none(), conditions, st.just("a\r")), st.booleans(), _sets),
            max_size=2,
        )
    )
    masked = draw(st.one_of(st.none(), _sets))
    masking = PolicyName("m", "d", "t")
    model = AccessModel(
        {name: replace(user, name=name) for name, user in users.items()},
        {name: Role(name, settings) for name, settings in roles.items()},
        quotas={name: Quota(name, key, intervals, to) for name, (key, intervals, to) in quotas.items()},
        settings_profiles={name: SettingsProfile(name, elements, to) for name, (elements, to) in profiles.items()},
        row_policies={
            name: RowPolicy(name, condition, restrictive, to) for name, (condition, restrictive, to) in policies.items()
        },
        masking_policies={} if masked is None else {masking: MaskingPolicy(masking, "x = 1", to=masked)},
    )
    return _with_holdings(model, draw(_holdings(model.users, model.roles, _awkward_statements)))
