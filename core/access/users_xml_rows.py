"""Row policies in the projection to `users.xml`: one filter for each user and table, which lets rows through.

ClickHouse shows a row that fits any of the permissive policies and all of the restrictive ones; a filter says that in
one expression. A policy on `db.*` is a filter on the table without a name. ClickHouse takes the filters on a table and
on its database as permissive policies, and gives whoever has none, where others have one, a filter of `1`: where one
of these would show more than the policies do, there is no exact filter. Source: `UsersConfigParser.cpp`,
`RowPolicyCache.cpp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from core.access.policies import RowPolicy
from core.access.xml.elements import fits, kept_sql

Table = tuple[str, str]  # a database and a table, which is "" for every table


@dataclass(frozen=True, slots=True)
class FilteredTables:
    """The tables that policies of a state are on, by database: "" among them is `db.*`."""

    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)


def filtered_tables(policies: Iterable[RowPolicy]) -> FilteredTables:
    """The tables of those policies that filter anything."""
    tables: dict[str, set[str]] = {}
    for policy in policies:
        if policy.condition is not None:
            tables.setdefault(policy.name.database, set()).add(policy.name.table or "")
    return FilteredTables({database: frozenset(found) for database, found in tables.items()})


def filters_of(policies: Iterable[RowPolicy], everyones: FilteredTables) -> tuple[dict[Table, str], list[Table]]:
    """The filters of a user for whom `policies` hold, and the tables for which there is no exact one."""
    own: dict[str, dict[str, list[RowPolicy]]] = {}
    for policy in policies:
        if policy.condition is not None:
            own.setdefault(policy.name.database, {}).setdefault(policy.name.table or "", []).append(policy)
    filters: dict[Table, str] = {}
    missing: list[Table] = []
    for database, tables in own.items():
        found, hidden = _of_database(tables, everyones.tables.get(database, frozenset()))
        filters |= {(database, table): condition for table, condition in found.items()}
        missing += [(database, table) for table in hidden]
    for place in list(filters):
        if not (fits(place[0]) and (not place[1] or fits(place[1]))):
            del filters[place]
            missing.append(place)
    return filters, missing


def _of_database(
    tables: Mapping[str, Sequence[RowPolicy]], everyones: frozenset[str]
) -> tuple[dict[str, str], list[str]]:
    whole = tables.get("", ())
    filters = {table: condition(policies) for table, policies in tables.items()}
    if "" not in everyones:
        return filters, []
    own = [table for table in tables if table]
    if not whole:
        return {}, own  # the filter of `1` on the whole database would show everything
    needed = [policy for policy in whole if policy.restrictive]
    permissive = len(needed) < len(whole)
    hidden = [table for table in own if not permissive or any(policy.restrictive for policy in tables[table])]
    if hidden:
        return {}, hidden
    for table in everyones - {""}:
        # Shown is what fits this or that of the database; without policies of its own, that of the database again.
        filters[table] = condition([*tables[table], *needed]) if table in tables else filters[""]
    return filters, []


def condition(policies: Sequence[RowPolicy]) -> str:
    """The rows that `policies` on one table show, as SQL that a configuration keeps."""
    permissive = [policy.condition for policy in policies if not policy.restrictive and policy.condition is not None]
    needed = [f"({policy.condition})" for policy in policies if policy.restrictive and policy.condition is not None]
    if permissive:
        needed.insert(0, f"({' OR '.join(f'({each})' for each in permissive)})")
    return kept_sql(" AND ".join(needed))


def filter_lines(filters: Mapping[Table, str]) -> list[str]:
    """The `<databases>` of a user. Names stand in attributes: as elements some would mean something else."""
    databases: dict[str, list[str]] = {}
    for (database, table), shown in sorted(filters.items()):
        line = f"<table name={quoteattr(table)}><filter>{escape(shown)}</filter></table>"
        databases.setdefault(database, []).append(line)
    lines = [f"<database name={quoteattr(name)}>{''.join(inner)}</database>" for name, inner in databases.items()]
    return ["<databases>", *lines, "</databases>"] if lines else []
