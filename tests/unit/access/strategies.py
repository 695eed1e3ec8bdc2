"""Hypothesis strategies for access statements, entities and states, hostile names included."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from hypothesis import strategies as st

from core.access.model import (
    AlterRole,
    AlterUser,
    Authentication,
    AuthKind,
    CreateRole,
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
    SetDefaultRole,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
    RowPolicy,
)
from core.access.quotas import SECONDS, AlterQuota, CreateQuota, Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile

# Words that mean something of their own where a name can stand; ClickHouse itself does not quote them all.
_OWN_MEANING = frozenset({"none", "any", "current_user", "currentuser", "all", "cluster"})
_HOSTILE = "aZ_09 .,;:*@$%'\"`\\/(){}[]-#\n\r\t\0\x01\x0b\x1b\x7f<&>éя漢😀\u202e\u200b\ufeff"

names = st.one_of(
    st.text(alphabet=_HOSTILE, min_size=1, max_size=12),
    st.sampled_from(["u", "acme_prod", "Select", "from", "to", "on", "with", "a b", "x@y", "role-1", "1a", "${HOME}"]),
).filter(lambda name: name.lower() not in _OWN_MEANING)
texts = st.text(alphabet=_HOSTILE, min_size=1, max_size=12)
plain_names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.lower() not in _OWN_MEANING
)

_TABLE_PRIVILEGES = ["SELECT", "INSERT", "ALTER DELETE", "CREATE TABLE", "SHOW TABLES", "OPTIMIZE", "ALL", "dictGet"]
_COLUMN_PRIVILEGES = ["SELECT", "INSERT", "ALTER UPDATE", "SHOW COLUMNS"]
_GLOBAL_PRIVILEGES = ["SYSTEM RELOAD CONFIG", "KILL QUERY", "SYSTEM FLUSH LOGS"]
_PARAMETRISED = ["CREATE USER", "IMPERSONATE", "SET DEFINER", "TABLE ENGINE", "NAMED COLLECTION"]


def right(*parts: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Right]:
    """A right of these parts: `builds` alone makes up the fields of a named tuple that are not given."""
    return st.builds(partial(Right), *parts, **more)


def rights(name: st.SearchStrategy[str] = names) -> st.SearchStrategy[Right]:
    """One right of any form that GRANT takes."""
    table_privilege = st.sampled_from(_TABLE_PRIVILEGES)
    return st.one_of(
        right(st.sampled_from(_GLOBAL_PRIVILEGES + _TABLE_PRIVILEGES)),
        right(table_privilege, database=name, database_wildcard=st.booleans()),
        right(table_privilege, database=name, table=name, table_wildcard=st.booleans()),
        right(
            st.sampled_from(_COLUMN_PRIVILEGES),
            columns=st.lists(name, min_size=1, max_size=3, unique=True).map(tuple),
            database=name,
            table=name,
        ),
        right(st.sampled_from(_PARAMETRISED), parameter=name, parameter_wildcard=st.booleans()),
        right(st.sampled_from(_PARAMETRISED), parameter=st.just("")),
    )


def _tuples(of: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, min_size=least, max_size=3, unique=True).map(tuple)


def grants(name: st.SearchStrategy[str] = names) -> st.SearchStrategy[Statement]:
    """GRANT and REVOKE of rights or roles."""
    # ClickHouse's parser folds what is said twice about one object.
    some_rights = st.lists(
        rights(name), min_size=1, max_size=4, unique_by=lambda right: (right.database, right.table, right.parameter)
    ).map(tuple)
    some = _tuples(name, 1)
    return st.one_of(
        st.builds(Grant, some_rights, grantees=some, grant_option=st.booleans(), replace_option=st.booleans()),
        st.builds(Grant, roles=some, grantees=some, admin_option=st.booleans()),
        st.builds(Revoke, some_rights, grantees=some, grant_option=st.booleans()),
        st.builds(Revoke, roles=some, grantees=some, admin_option=st.booleans()),
        st.builds(Revoke, some_rights, from_all=st.just(True), grantees_except=_tuples(name)),
        st.builds(Revoke, all_roles=st.just(True), roles_except=_tuples(name), grantees=some),
    )


_hex64 = st.from_regex(r"[0-9A-F]{64}", fullmatch=True)
_hex40 = st.from_regex(r"[0-9A-F]{40}", fullmatch=True)
_moments = st.sampled_from(["", "2030-01-01 00:00:00", "2031-12-31 23:59:59"])
_BCRYPT = "$2a$12$rz5iy2LhuwBezsM88ZzWiemOVUeJ94xHTzwAlLMDhTzwUxOHaY64q"


def authentications(text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Authentication]:
    """Every method that a user of ClickHouse can have beside others."""
    return st.one_of(
        st.builds(Authentication, st.just(AuthKind.PLAINTEXT), password=text, valid_until=_moments),
        st.builds(Authentication, st.just(AuthKind.SHA256), hash=_hex64, salt=st.one_of(st.just(""), _hex64)),
        st.builds(Authentication, st.just(AuthKind.DOUBLE_SHA1), hash=_hex40, valid_until=_moments),
        st.builds(Authentication, st.just(AuthKind.BCRYPT), hash=st.just(_BCRYPT)),
        st.builds(Authentication, st.just(AuthKind.SCRAM_SHA256), hash=_hex64, salt=st.just("c2FsdA==")),
        st.builds(Authentication, st.just(AuthKind.LDAP), server=text),
        st.builds(Authentication, st.just(AuthKind.KERBEROS), realm=st.one_of(st.just(""), text)),
        st.builds(Authentication, st.just(AuthKind.SSL_CERTIFICATE), names=_tuples(text, 1), alternative=st.booleans()),
        st.builds(Authentication, st.just(AuthKind.HTTP), server=text, scheme=st.sampled_from(["", "BASIC"])),
        st.builds(
            Authentication,
            st.just(AuthKind.SHA256),
            hash=_hex64,
            grants=st.one_of(st.none(), st.lists(rights(), min_size=1, max_size=2).map(tuple)),
        ),
    )


def methods(text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[tuple[Authentication, ...] | None]:
    """The methods of a user; `no_password` and `no_authentication` stand alone."""
    alone = st.sampled_from([(Authentication(),), (Authentication(AuthKind.NO_AUTHENTICATION),)])
    return st.one_of(st.none(), alone, st.lists(authentications(text), min_size=1, max_size=3).map(tuple))


def hosts(text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Hosts]:
    """Places to come from. A LIKE of `%` or a REGEXP of `.*` is HOST ANY and so never built."""
    return st.one_of(
        st.just(Hosts(any=True)),
        st.builds(
            Hosts,
            local=st.booleans(),
            addresses=_tuples(st.sampled_from(["1.2.3.4", "2001:db8::1", "10.0.0.0/8", "2001:db8::/32"])).map(
                lambda found: tuple(sorted(found, key=lambda address: ("/" in address, ":" in address)))
            ),
            names=_tuples(text),
            patterns=_tuples(text.filter(lambda pattern: pattern != ".*")),
            likes=_tuples(text.filter(lambda like: like != "%")),
        ),
    )


@cache  # a strategy made anew is checked anew
def settings(profile: str | None = "default") -> st.SearchStrategy[tuple[SettingElement, ...]]:
    """SETTINGS with values, limits and writability; at most one element for each setting."""
    number = st.integers(0, 100).map(str)
    threads = st.builds(
        SettingElement,
        st.just("max_threads"),
        value=number,
        min=st.one_of(st.none(), number),
        max=st.one_of(st.none(), number),
        writability=st.sampled_from(["", "CONST", "CHANGEABLE_IN_READONLY"]),
    )
    memory = st.builds(SettingElement, st.just("max_memory_usage"), min=number, writability=st.just("WRITABLE"))
    text = st.builds(SettingElement, st.just("log_comment"), value=st.sampled_from(["'a b'", r"'it\'s'", "'<&>'"]))
    parts: list[st.SearchStrategy[list[SettingElement]]] = [
        st.lists(element, max_size=1) for element in (threads, memory, text)
    ]
    if profile is not None:
        parts.insert(0, st.lists(st.just(SettingElement(profile=profile)), max_size=1))
    return st.tuples(*parts).map(lambda found: tuple(element for part in found for element in part))


_changes = st.builds(
    SettingsChange,
    drop_all_settings=st.booleans(),
    drop_all_profiles=st.booleans(),
    drop_settings=_tuples(st.sampled_from(["max_threads", "a.b"])),
    drop_profiles=_tuples(names),
    add=settings(),
    modify=settings(None),
).filter(lambda change: change != SettingsChange())
_name_sets = st.one_of(
    st.just(NameSet()),
    st.builds(NameSet, _tuples(names, 1)),
    st.builds(NameSet, everyone=st.just(True), excepted=_tuples(names)),
)
_grantee_sets = st.one_of(_name_sets, st.builds(NameSet, _tuples(names, 1), current_user=st.just(True)))
_spans = st.builds(Interval, st.integers(1, 400), st.sampled_from(["SECOND", "DAY", "MONTH", "YEAR"]))
_some = _tuples(names, 1)
_optional_names = st.one_of(st.just(""), names)
_databases = st.one_of(st.none(), st.just(""), names)

create_users = st.builds(
    CreateUser,
    _some,
    if_not_exists=st.booleans(),
    storage=_optional_names,
    cluster=_optional_names,
    methods=methods(),
    valid_until=_moments,
    hosts=st.one_of(st.none(), hosts()),
    default_database=_databases,
    roles=_tuples(names),
    default_roles=st.one_of(st.none(), _name_sets),
    settings=settings(),
    grantees=st.one_of(st.none(), _grantee_sets),
)
alter_users = st.builds(
    AlterUser,
    _some,
    if_exists=st.booleans(),
    cluster=_optional_names,
    methods=methods(),
    valid_for=st.one_of(st.none(), _spans),
    hosts=st.one_of(st.none(), hosts()),
    add_hosts=st.one_of(st.none(), hosts()),
    drop_hosts=st.one_of(st.none(), hosts()),
    default_database=_databases,
    default_roles=st.one_of(st.none(), _name_sets),
    settings=st.one_of(st.none(), _changes),
    grantees=st.one_of(st.none(), _grantee_sets),
).filter(lambda statement: statement != AlterUser(statement.names, statement.if_exists))
renames = st.builds(AlterUser, st.tuples(names), rename_to=names)

_optional_sets = st.one_of(st.none(), _grantee_sets)
# In a CREATE, ClickHouse does not write TO NONE.
_given_sets = _optional_sets.filter(lambda found: found != NameSet())
_head = {"storage": _optional_names, "cluster": _optional_names}
_create_options = st.sampled_from([{}, {"if_not_exists": True}, {"or_replace": True}])


def _whole_or_quarters(limit: QuotaLimit) -> st.SearchStrategy[tuple[QuotaLimit, int | float]]:
    # ClickHouse cuts other fractions of a second off where binary numbers do not hold them.
    if limit is QuotaLimit.EXECUTION_TIME:
        return st.tuples(st.just(limit), st.integers(0, 4 * 10**6).map(lambda quarters: _short(quarters / 4)))
    return st.tuples(st.just(limit), st.integers(0, 2**64 - 1))


def _short(number: float) -> int | float:
    return int(number) if number.is_integer() else number


_limits = st.lists(st.sampled_from(QuotaLimit), unique=True, max_size=4).flatmap(
    lambda chosen: st.tuples(*(_whole_or_quarters(limit) for limit in QuotaLimit if limit in chosen))
)
_lengths = st.one_of(
    st.integers(0, 10**8),
    st.builds(lambda unit, count: unit * count, st.sampled_from(list(SECONDS.values())), st.integers(1, 30)),
)
quota_intervals = st.lists(
    st.one_of(
        st.builds(QuotaInterval, _lengths, _limits, st.booleans()),
        st.builds(QuotaInterval, _lengths, randomized=st.booleans(), removed=st.just(True)),
    ),
    max_size=3,
    unique_by=lambda interval: interval.seconds,
).map(tuple)
_kept_intervals = quota_intervals.map(lambda found: tuple(one for one in found if not one.removed))
_bits = {
    "ipv4_prefix_bits": st.one_of(st.none(), st.integers(0, 32)),
    "ipv6_prefix_bits": st.one_of(st.none(), st.integers(0, 128)),
}
_ip_keys = st.sampled_from([QuotaKey.IP_ADDRESS, QuotaKey.FORWARDED_IP_ADDRESS])
_quota_keys = st.sampled_from(QuotaKey)
quotas = st.one_of(
    st.builds(Quota, names, _quota_keys, _kept_intervals, _name_sets),
    st.builds(Quota, names, _ip_keys, _kept_intervals, _name_sets, **_bits),
)
create_quotas = st.one_of(
    *(
        st.builds(
            lambda options, **clauses: CreateQuota(**options, **clauses),
            _create_options,
            names=_some,
            key=key,
            intervals=quota_intervals,
            to=_given_sets,
            **_head,
            **bits,
        )
        for key, bits in ((st.one_of(st.none(), _quota_keys), {}), (st.one_of(st.none(), _ip_keys), _bits))
    )
)
alter_quotas = st.one_of(
    st.builds(AlterQuota, _some, st.booleans(), key=_quota_keys, intervals=quota_intervals, to=_optional_sets, **_head),
    st.builds(AlterQuota, st.tuples(names), rename_to=names, key=st.one_of(st.none(), _ip_keys), **_bits),
)

_profile_elements = st.tuples(settings(None), st.lists(names, max_size=2, unique=True)).map(
    lambda found: (*found[0], *(SettingElement(profile=name) for name in found[1]))
)
settings_profiles = st.builds(SettingsProfile, names, _profile_elements, _name_sets)
create_profiles = st.builds(
    lambda options, **clauses: CreateSettingsProfile(**options, **clauses),
    _create_options,
    names=_some,
    settings=_profile_elements,
    to=_given_sets,
    **_head,
)
alter_profiles = st.one_of(
    st.builds(AlterSettingsProfile, _some, st.booleans(), settings=_changes, to=_optional_sets, **_head),
    st.builds(AlterSettingsProfile, st.tuples(names), rename_to=names, to=_optional_sets),
    st.builds(AlterSettingsProfile, _some, to=_grantee_sets),
)

# Expressions in ClickHouse's own form, words of clauses where they mean nothing of the kind included.
conditions = st.sampled_from(
    [
        "1",
        "tenant = currentUser()",
        "(a = 1) AND (b IN (1, 2))",
        "x IN (SELECT a FROM db.b WHERE c)",
        "1 = to",
        "a AND for AND t.as",
        r"concat(`TO x`, ' TO y AS z\\') != 'it\'s'",
        "if(a, 'AS', USING.`FOR SELECT`) = '漢😀'",
        "NOT (a IS NULL)",
        "CAST(a, 'UInt8') = 1",
        "(arr[1]) = 2",
    ]
)
_tables = st.tuples(st.one_of(st.just(""), names), st.one_of(st.none(), names))


def _policy_names(
    short: st.SearchStrategy[str], table: st.SearchStrategy[tuple[str, str | None]]
) -> st.SearchStrategy[tuple[PolicyName, ...]]:
    """Several names on a table, a name on several tables, or names with a table each."""
    shorts, tables = (st.lists(part, min_size=1, max_size=3, unique=True) for part in (short, table))
    return st.one_of(
        st.builds(lambda found, on: tuple(PolicyName(one, *on) for one in found), shorts, table),
        st.builds(lambda one, found: tuple(PolicyName(one, *on) for on in found), short, tables),
        st.lists(
            st.builds(lambda one, on: PolicyName(one, *on), short, table), min_size=1, max_size=3, unique=True
        ).map(tuple),
    )


policy_names = _policy_names(names, _tables)
row_policies = st.builds(
    RowPolicy,
    st.builds(PolicyName, names, names, st.one_of(st.none(), names)),
    st.one_of(st.none(), conditions),
    st.booleans(),
    _name_sets,
)
_filters: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), st.just({"using": True}), conditions.map(lambda found: {"using": True, "condition": found})
)
_restrictive = st.sampled_from([None, True, False])
create_row_policies = st.builds(
    lambda options, filtering, **clauses: CreateRowPolicy(**options, **filtering, **clauses),
    _create_options,
    _filters,
    names=policy_names,
    restrictive=_restrictive,
    to=_given_sets,
    **_head,
)
_one_policy_name = st.builds(lambda one, on: (PolicyName(one, *on),), names, _tables)
alter_row_policies = st.one_of(
    st.builds(
        lambda filtering, **clauses: AlterRowPolicy(**filtering, **clauses),
        _filters,
        names=policy_names,
        if_exists=st.booleans(),
        restrictive=st.booleans(),
        to=_optional_sets,
        **_head,
    ),
    st.builds(AlterRowPolicy, _one_policy_name, rename_to=names, using=st.just(True), condition=conditions),
)
_masked = st.builds(lambda one, *on: (PolicyName(one, *on),), names, st.one_of(st.just(""), names), names)
_updates = st.sampled_from(["a = 'x'", "a = NULL, b = concat(b, '*')", "where = where, `x TO` = 'TO u'"])
_priorities = st.one_of(st.none(), st.integers(1, 100))  # ClickHouse does not write PRIORITY 0
create_masking_policies = st.builds(
    lambda options, **clauses: CreateMaskingPolicy(**options, **clauses),
    _create_options,
    names=_masked,
    updates=_updates,
    condition=st.one_of(st.just(""), conditions),
    priority=_priorities,
    to=_grantee_sets.filter(lambda found: found != NameSet()),  # which ClickHouse leaves out, and reads as TO ALL
    **_head,
)
alter_masking_policies = st.builds(
    AlterMaskingPolicy,
    _masked,
    st.booleans(),
    rename_to=_optional_names,
    updates=_updates,
    condition=st.one_of(st.just(""), conditions),
    priority=_priorities,
    to=_optional_sets,
    **_head,
)

_plain_kinds = st.sampled_from([EntityKind.USER, EntityKind.ROLE, EntityKind.QUOTA, EntityKind.SETTINGS_PROFILE])
drops_and_moves = st.one_of(
    st.builds(Drop, _plain_kinds, _some, st.booleans(), _optional_names, _optional_names),
    st.builds(
        DropPolicy, st.just(EntityKind.ROW_POLICY), policy_names, st.booleans(), _optional_names, _optional_names
    ),
    st.builds(DropPolicy, st.just(EntityKind.MASKING_POLICY), _masked, st.booleans(), _optional_names, _optional_names),
    st.builds(Move, _plain_kinds, _some, names, _optional_names),
    st.builds(Move, st.just(EntityKind.ROW_POLICY), policy_names, names, _optional_names),
)
other_statements = st.one_of(
    create_quotas,
    alter_quotas,
    create_profiles,
    alter_profiles,
    create_row_policies,
    alter_row_policies,
    create_masking_policies,
    alter_masking_policies,
    drops_and_moves,
)

statements: st.SearchStrategy[Statement] = st.one_of(
    grants(),
    create_users,
    alter_users,
    renames,
    st.builds(CreateRole, _some, or_replace=st.booleans(), settings=settings(), cluster=_optional_names),
    st.builds(AlterRole, st.tuples(names), if_exists=st.booleans(), rename_to=names),
    st.builds(AlterRole, _some, settings=_changes),
    st.builds(SetDefaultRole, _name_sets, st.builds(NameSet, _some)),
    other_statements,
)
