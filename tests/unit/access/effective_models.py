"""Hypothesis strategies for whole access models: users, roles that hold each other, rights given and taken back."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.model import EVERYONE, NOBODY, EntityKind, Grant, NameSet, Revoke, Right, Role, User
from tests.unit.access import strategies

# Few names with common starts, so that wildcards, prefixes of each other and exact names meet.
_OVERLAPPING = ("a", "ab", "abc", "b", "ba")
# SHOW GRANTS of ClickHouse 26.9 leaves out grant options where names in one place share their start, and on wildcards
# on which the right is held without the option or not at all.
_APART = ("a", "b", "c")
_columns = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=2, unique=True).map(tuple)
_TABLE = ["SELECT", "INSERT", "ALTER DELETE", "CREATE TABLE", "SHOW TABLES", "OPTIMIZE", "dictGet", "SHOW", "ALTER"]
_ANYWHERE = [*_TABLE, "ALL", "SYSTEM", "DROP", "CREATE", "ACCESS MANAGEMENT"]
_GLOBAL = [*_ANYWHERE, "KILL QUERY", "SOURCES", "S3", "ARROW FLIGHT", "INTROSPECTION"]
_COLUMN = ["SELECT", "INSERT", "ALTER UPDATE", "SHOW COLUMNS", "ALTER COLUMN"]
_PARAMETRISED = ["CREATE USER", "IMPERSONATE", "SET DEFINER", "TABLE ENGINE", "NAMED COLLECTION", "DROP ROLE"]


@cache  # a strategy made anew is checked anew
def rights(*, options: bool) -> st.SearchStrategy[Right]:
    """One right of any form; without wildcards if grant options are to be compared with what ClickHouse shows."""
    names = st.sampled_from(_APART if options else _OVERLAPPING)
    wildcard = st.just(False) if options else st.booleans()
    sources = st.sampled_from(["READ", "WRITE"])
    patterns = st.sampled_from(["s3://a.*", "t3://b.*"])
    return st.one_of(
        strategies.right(st.sampled_from(_GLOBAL)),
        strategies.right(st.sampled_from(_ANYWHERE), database=names, database_wildcard=wildcard),
        strategies.right(st.sampled_from(_ANYWHERE), database=names, table=names, table_wildcard=wildcard),
        strategies.right(st.sampled_from(_COLUMN), _columns, names, names),
        strategies.right(st.sampled_from(_PARAMETRISED), parameter=names, parameter_wildcard=wildcard),
        strategies.right(st.sampled_from(["NAMED COLLECTION ADMIN", *_PARAMETRISED]), parameter=st.just("")),
        strategies.right(sources, parameter=st.sampled_from(["", "S3", "URL"])),
        strategies.right(sources, parameter=st.just("S3"), source_filter=patterns),
    )


@cache
def held(name: str, *, options: bool = True) -> st.SearchStrategy[tuple[Grant | Revoke, ...]]:
    """What one holder was granted and had taken back, in this order."""
    some = st.lists(rights(options=options), min_size=1, max_size=2).map(tuple)
    option = st.booleans() if options else st.just(False)
    grant = st.builds(Grant, some, grantees=st.just((name,)), grant_option=option)
    revoke = st.builds(Revoke, some, grantees=st.just((name,)), grant_option=option)
    return st.lists(st.one_of(grant, grant, revoke), max_size=6).map(tuple)


@cache
def _granted_roles(roles: tuple[str, ...]) -> st.SearchStrategy[dict[str, bool]]:
    return st.dictionaries(st.sampled_from(roles), st.booleans(), max_size=3)


USERS = tuple(f"u{number}" for number in range(4))
ROLES = tuple(f"r{number}" for number in range(5))
_FEW_ROLES = st.sets(st.sampled_from(ROLES), max_size=2)


@st.composite
def models(draw: st.DrawFn, *, default_roles: bool = True, options: bool = True) -> AccessModel:
    """A model in which every user and role may hold any role, also in a circle, but no role itself."""
    holders = [Holder(EntityKind.USER, name) for name in USERS] + [Holder(EntityKind.ROLE, name) for name in ROLES]
    rights_ = {holder: draw(held(holder.name, options=options)) for holder in holders}
    granted = {holder: draw(_granted_roles(tuple(role for role in ROLES if role != holder.name))) for holder in holders}
    users = {}
    for name in USERS:
        roles = EVERYONE
        if default_roles:
            some = tuple(sorted(draw(_FEW_ROLES)))
            roles = draw(st.sampled_from([EVERYONE, NOBODY, NameSet(some), NameSet(everyone=True, excepted=some)]))
        users[name] = User(name, default_roles=roles)
    return AccessModel(users, {name: Role(name) for name in ROLES}, rights_, granted)
