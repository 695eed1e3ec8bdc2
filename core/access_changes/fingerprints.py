"""One number for what an access entity is, by ClickHouse's own system tables: to see whether somebody altered it.

Every column of every row that tells of an entity goes into its number, whatever the server's version has; passwords do
not, for no table shows them. An entity that is not there has the number 0.
"""

# ruff: noqa: S608 - every name in here goes through quote_string

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import starmap

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.policies import PolicyName
from core.access.users_xml import GENERATED, element_name
from core.changes import Guard
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_string

_WRAPS = 1 << 64  # sums in ClickHouse are UInt64
_POLICY = "concat(short_name, ' ON ', database, '.', if(table = '', '*', table))"
# For each kind: a table, the expression for an entity's name in it, and the rows of it that are of that kind.
_TABLES: dict[EntityKind, tuple[tuple[str, str, str], ...]] = {
    EntityKind.USER: (
        ("users", "name", "1"),
        *((table, "assumeNotNull(user_name)", "user_name IS NOT NULL") for table in ("grants", "role_grants")),
        ("settings_profile_elements", "assumeNotNull(user_name)", "user_name IS NOT NULL"),
    ),
    EntityKind.ROLE: (
        ("roles", "name", "1"),
        *((table, "assumeNotNull(role_name)", "role_name IS NOT NULL") for table in ("grants", "role_grants")),
        ("settings_profile_elements", "assumeNotNull(role_name)", "role_name IS NOT NULL"),
    ),
    EntityKind.QUOTA: (("quotas", "name", "1"), ("quota_limits", "quota_name", "1")),
    EntityKind.SETTINGS_PROFILE: (
        ("settings_profiles", "name", "1"),
        ("settings_profile_elements", "assumeNotNull(profile_name)", "profile_name IS NOT NULL"),
    ),
    EntityKind.ROW_POLICY: (("row_policies", _POLICY, "1"),),
    EntityKind.MASKING_POLICY: (("masking_policies", _POLICY, "1"),),
}
# The embedded engine numbers the profiles of its own anew when a user comes or goes.
_OWN_PROFILE = f"ifNull(inherit_profile, '') NOT LIKE {quote_string(GENERATED + '%')}"
EVERY_KIND = tuple(kind for kind in EntityKind if kind is not EntityKind.MASKING_POLICY)  # which few servers have


def fingerprints_query(kinds: Collection[EntityKind] = EVERY_KIND) -> str:
    """The query for the numbers of all entities of some kinds: kind, name, number."""
    return f"SELECT kind, name, sum(hash) FROM ({_rows(kinds, {})}) GROUP BY kind, name"


async def read_fingerprints(engine: Engine, kinds: Collection[EntityKind] = EVERY_KIND) -> dict[tuple[str, str], int]:
    """The numbers of all entities of some kinds, by kind and name. Read them before the model that is planned from."""
    rows = (await engine.query(fingerprints_query(kinds))).rows
    return {(str(kind), str(name)): int(number) for kind, name, number in rows}


def guard(keys: Iterable[EntityKey], fingerprints: Mapping[tuple[str, str], int]) -> Guard:
    """The condition that none of these entities was altered, made or dropped since `fingerprints` were read."""
    names: dict[EntityKind, list[str]] = {}
    total = 0
    for key in dict.fromkeys(keys):
        for name in shown_names(key):
            names.setdefault(key.kind, []).append(name)
            total += fingerprints.get((str(key.kind), name), 0)
    query = f"SELECT sum(hash) = {total % _WRAPS} FROM ({_rows(names, names)})"
    return Guard(query, "Somebody has altered what this change is about since it was planned. Look again.")


def shown_names(key: EntityKey) -> tuple[str, ...]:
    """The names under which system tables may have an entity: the embedded engine has an alias where XML needs one."""
    if isinstance(key.name, PolicyName):
        name = key.name
        return (f"{name.short} ON {name.database}.{'*' if name.table is None else name.table}",)
    if key.kind in (EntityKind.USER, EntityKind.ROLE):
        return tuple(dict.fromkeys((key.name, element_name(key.name))))
    return (key.name,)


def _rows(kinds: Collection[EntityKind], names: Mapping[EntityKind, Collection[str]]) -> str:
    """What is read of each table once, for all kinds that have rows in it: planning takes most of the time."""
    by_table: dict[str, list[tuple[str, str, str]]] = {}
    for kind in kinds:
        for table, name, condition in _TABLES[kind]:
            if kind in names:
                condition = f"{condition} AND {name} IN ({', '.join(map(quote_string, names[kind]))})"
            by_table.setdefault(table, []).append((quote_string(kind), name, condition))
    return " UNION ALL ".join(starmap(_rows_of, by_table.items()))


def _rows_of(table: str, parts: Sequence[tuple[str, str, str]]) -> str:
    kind, name, _ = parts[-1]
    if len(parts) > 1:
        kind = f"multiIf({', '.join(f'{condition}, {kind}' for kind, _, condition in parts[:-1])}, {kind})"
        name = f"multiIf({', '.join(f'{condition}, {name}' for _, name, condition in parts[:-1])}, {name})"
    where = " OR ".join(f"({condition})" for _, _, condition in parts)
    if table == "settings_profile_elements":
        where = f"({where}) AND {_OWN_PROFILE}"
    return (
        f"SELECT {kind} AS kind, {name} AS name, cityHash64(formatRow('JSONEachRow', *)) AS hash"
        f" FROM system.{table} WHERE {where}"
    )
