"""The access of one node of a cluster, read from its system tables through `clusterAllReplicas`.

`SHOW ACCESS` answers for the node that is asked only. The tables tell all but passwords, and what a certificate or an
LDAP server is; both sides of a comparison must be read so, for some rights are spelled otherwise there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.access.access_model import AccessModel, Holder
from core.access.effective.privilege_tree import DEEPEST, PrivilegeTree, clickhouse_26_9
from core.access.model import (
    Authentication,
    AuthKind,
    EntityKind,
    Grant,
    Hosts,
    NameSet,
    Revoke,
    Right,
    Role,
    SettingElement,
    User,
)
from core.access.policies import PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from core.access.user_changes import normal_hosts
from core.clickhouse.engine import Engine
from core.clickhouse.errors import ServerError
from core.clickhouse.quoting import quote_string
from core.clickhouse.trying import READ_ONLY
from core.display import one_line
from core.errors import HousekeysError, RefusedError, UnreachableError

TABLES = (
    "users",
    "roles",
    "grants",
    "role_grants",
    "quotas",
    "quota_limits",
    "settings_profiles",
    "settings_profile_elements",
    "row_policies",
)
Row = Mapping[str, Any]
# In the order in which clusterAllReplicas numbers them as its shards; an address counts once.
_ADDRESSES = "SELECT host_name, port FROM system.clusters WHERE cluster = {name} ORDER BY shard_num, replica_num"
_SKIPPING = " SETTINGS skip_unavailable_shards = 1"


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A node of a cluster, by the host name that it gives itself; one that does not answer, by its address."""

    name: str
    answers: bool


async def cluster_nodes(engine: Engine, cluster: str) -> tuple[ClusterNode, ...]:
    """All nodes of a cluster, those that do not answer among them. Raises RefusedError where there is no cluster."""
    if not cluster:
        raise RefusedError(
            "The profile names no cluster, so there is no node to read.", advice="Add cluster = … to the profile."
        )
    rows = (await engine.query(_ADDRESSES.format(name=quote_string(cluster)))).rows
    if not rows:
        raise RefusedError(
            f"The server has no cluster {one_line(cluster, 60)}.",
            advice="See system.clusters, and correct the cluster of the profile.",
        )
    addresses = list(dict.fromkeys(f"{host}:{port}" for host, port in rows))
    asked = f"SELECT _shard_num, hostName() FROM clusterAllReplicas({quote_string(cluster)}, system.one)"  # noqa: S608
    names = {int(number): str(name) for number, name in await _answers(engine, asked)}
    found = (ClusterNode(names.get(at, address), at in names) for at, address in enumerate(addresses, start=1))
    return tuple(dict.fromkeys(found))  # one that is there by two addresses counts once, too


async def _answers(engine: Engine, asked: str) -> Sequence[Sequence[Any]]:
    """The answers of the nodes that answer. A user with `readonly = 1` may not ask so; then all must."""
    try:
        return (await engine.query(asked + _SKIPPING)).rows
    except ServerError as error:
        if error.code != READ_ONLY:
            raise
    return (await engine.query(asked)).rows


async def read_node_access(engine: Engine, cluster: str, node: str) -> AccessModel:
    """Read the access of a node, which other nodes that are dead do not hinder.

    Raises RefusedError when there is no such node, UnreachableError when it does not answer.
    """
    nodes = await cluster_nodes(engine, cluster)
    _check_answers(nodes, cluster, node)
    where = f"hostName() = {quote_string(node)}"
    found = {table: f"clusterAllReplicas({quote_string(cluster)}, system.{table})" for table in TABLES}
    if all(each.answers for each in nodes):
        return await read_tables(engine, found, where)
    read = await read_tables(engine, found, f"{where}{_SKIPPING}")
    # A node that died meanwhile was skipped as well, and would seem to hold nothing.
    _check_answers(await cluster_nodes(engine, cluster), cluster, node)
    return read


def _check_answers(nodes: Sequence[ClusterNode], cluster: str, node: str) -> None:
    answering = ", ".join(one_line(each.name, 60) for each in nodes if each.answers) or "none"
    if ClusterNode(node, answers=True) in nodes:
        return
    named, of = one_line(node, 60), f"the cluster {one_line(cluster, 60)}"
    if ClusterNode(node, answers=False) in nodes:
        raise UnreachableError(f"The node {named} of {of} does not answer.", advice=f"These do: {answering}.")
    silent = ", ".join(one_line(each.name, 60) for each in nodes if not each.answers)
    more = f" These do not answer: {silent}." if silent else ""
    raise RefusedError(f"There is no node {named} in {of}.", advice=f"It has: {answering}.{more}")


async def read_own_access(engine: Engine) -> AccessModel:
    """The access of the connected server, read from the same tables."""
    return await read_tables(engine, {table: f"system.{table}" for table in TABLES}, "1")


async def read_tables(engine: Engine, sources: Mapping[str, str], where: str) -> AccessModel:
    """The access that some tables tell. Raises HousekeysError when one of them cannot be read.

    A node that a cluster names twice, by two addresses, tells all of it twice.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        try:
            query = f"SELECT DISTINCT * FROM {sources[table]} WHERE {where}"  # noqa: S608
            found[table] = (await engine.query(query)).as_dicts()
        except HousekeysError as error:
            raise type(error)(
                f"system.{table} cannot be read: {error.message}", advice=error.advice, detail=error.detail
            ) from error
    return model_of_tables(found)


def model_of_tables(tables: Mapping[str, Sequence[Row]], privileges: PrivilegeTree | None = None) -> AccessModel:
    """The model that the rows of the system tables tell. Raises RefusedError for what this program does not know."""
    users = [_user(row) for row in tables["users"]]
    elements = _Elements(tables["settings_profile_elements"])
    tree = privileges or clickhouse_26_9()
    return AccessModel(
        users={user.name: replace(user, settings=elements.of("user_name", user.name)) for user in users},
        roles={str(row["name"]): Role(str(row["name"]), elements.of("role_name", row["name"]))
               for row in tables["roles"]},
        rights=_rights(tables["grants"], tree),
        granted_roles=_granted_roles(tables["role_grants"]),
        quotas={quota.name: quota for quota in _quotas(tables["quotas"], tables["quota_limits"])},
        settings_profiles={
            str(row["name"]): SettingsProfile(
                str(row["name"]), elements.of("profile_name", row["name"]), _to(row)
            )
            for row in tables["settings_profiles"]
        },
        row_policies={policy.name: policy for policy in map(_row_policy, tables["row_policies"])},
    )  # fmt: skip


# -- users


def _user(row: Row) -> User:
    kinds, parameters, ends = row["auth_type"], row["auth_params"], row.get("valid_until") or []
    methods = tuple(
        _method(str(kind), str(parameters[place]) if place < len(parameters) else "{}",
                ends[place] if place < len(ends) else None)
        for place, kind in enumerate(kinds if isinstance(kinds, list | tuple) else [kinds])
    )  # fmt: skip
    hosts = Hosts(
        addresses=tuple(row["host_ip"]),
        names=tuple(row["host_names"]),
        patterns=tuple(row["host_names_regexp"]),
        likes=tuple(row["host_names_like"]),
    )
    return User(
        str(row["name"]),
        methods,
        normal_hosts(hosts),
        _names(row["default_roles_all"], row["default_roles_list"], row["default_roles_except"]),
        str(row["default_database"]),
        _names(row["grantees_any"], row["grantees_list"], row["grantees_except"]),
    )


def _method(kind: str, parameters: str, until: datetime | None) -> Authentication:
    try:
        known = AuthKind(kind)
        told = json.loads(parameters or "{}")
    except ValueError as error:
        raise RefusedError(
            f"A user of the node comes in by {one_line(kind, 40)}, which is not known here.",
            advice="Compare the nodes by connecting to each.",
        ) from error
    end = f"{until:%Y-%m-%d %H:%M:%S}" if until is not None and until.timestamp() > 0 else ""
    return Authentication(
        known, server=str(told.get("server", "")), realm=str(told.get("realm", "")), valid_until=end
    )  # fmt: skip


# -- rights


def _rights(rows: Iterable[Row], tree: PrivilegeTree) -> dict[Holder, tuple[Grant | Revoke, ...]]:
    found: dict[Holder, list[Grant | Revoke]] = {}
    for row in rows:
        holder = _holder(row)
        right, option = (_right(row, tree),), bool(row["grant_option"])
        statement: Grant | Revoke
        if row["is_partial_revoke"]:
            statement = Revoke(right, grantees=(holder.name,), grant_option=option)
        else:
            statement = Grant(right, grantees=(holder.name,), grant_option=option)
        found.setdefault(holder, []).append(statement)
    return {holder: tuple(statements) for holder, statements in found.items()}


def _right(row: Row, tree: PrivilegeTree) -> Right:
    privilege, wildcard = str(row["access_type"]), bool(row.get("is_wildcard", 0))
    known = tree.privileges.get(privilege)
    if known is not None and known.level and known.level not in DEEPEST:
        name = str(row.get("access_object") or "")
        return Right(privilege, parameter=name, parameter_wildcard=wildcard)
    database, table, column = (
        None if row[name] is None else str(row[name]) for name in ("database", "table", "column")
    )
    return Right(
        privilege,
        (column,) if column is not None else (),
        database,
        table,
        database_wildcard=wildcard and table is None,
        table_wildcard=wildcard and table is not None,
    )


def _granted_roles(rows: Iterable[Row]) -> dict[Holder, dict[str, bool]]:
    found: dict[Holder, dict[str, bool]] = {}
    for row in rows:
        found.setdefault(_holder(row), {})[str(row["granted_role_name"])] = bool(row["with_admin_option"])
    return found


def _holder(row: Row) -> Holder:
    if row["user_name"] is not None:
        return Holder(EntityKind.USER, str(row["user_name"]))
    return Holder(EntityKind.ROLE, str(row["role_name"]))


# -- settings, quotas, policies


class _Elements:
    """The settings of users, roles and profiles, those of each together."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            for column in ("user_name", "role_name", "profile_name"):
                if row[column] is not None:
                    self._rows.setdefault((column, str(row[column])), []).append(row)

    def of(self, column: str, name: object) -> tuple[SettingElement, ...]:
        """Those of one, in their order."""
        mine = sorted(self._rows.get((column, str(name)), ()), key=lambda row: int(row["index"]))
        return tuple(map(_element, mine))


def _element(row: Row) -> SettingElement:
    if row["inherit_profile"] is not None:
        return SettingElement(profile=str(row["inherit_profile"]))
    value, low, high = (None if row[name] is None else _literal(str(row[name])) for name in ("value", "min", "max"))
    writability = "" if row["writability"] in (None, "WRITABLE") else str(row["writability"])
    return SettingElement(str(row["setting_name"]), value, low, high, writability)


def _literal(text: str) -> str:
    return text if text.lstrip("-").isdigit() else quote_string(text)


def _quotas(rows: Iterable[Row], limits: Iterable[Row]) -> Iterable[Quota]:
    of_quota: dict[str, list[QuotaInterval]] = {}
    for each in limits:
        of_quota.setdefault(str(each["quota_name"]), []).append(_interval(each))
    for row in rows:
        name = str(row["name"])
        intervals = tuple(of_quota.get(name, ()))
        keys = ", ".join(str(key) for key in row["keys"])
        yield Quota(
            name,
            QuotaKey(keys) if keys else QuotaKey.NONE,
            intervals,
            _to(row),
            row.get("ipv4_prefix_bits"),
            row.get("ipv6_prefix_bits"),
        )


def _interval(row: Row) -> QuotaInterval:
    limits = tuple((limit, row[f"max_{limit}"]) for limit in QuotaLimit if row.get(f"max_{limit}") is not None)
    return QuotaInterval(int(row["duration"]), limits, bool(row["is_randomized_interval"]))


def _row_policy(row: Row) -> RowPolicy:
    table = str(row["table"]) or None
    name = PolicyName(str(row["short_name"]), str(row["database"]), None if table == "*" else table)
    condition = None if row["select_filter"] is None else str(row["select_filter"])
    return RowPolicy(name, condition, bool(row["is_restrictive"]), _to(row))


def _to(row: Row) -> NameSet:
    return _names(row["apply_to_all"], row["apply_to_list"], row["apply_to_except"])


def _names(everyone: object, listed: Iterable[object], excepted: Iterable[object]) -> NameSet:
    if everyone:
        return NameSet(everyone=True, excepted=tuple(map(str, excepted)))
    return NameSet(tuple(map(str, listed)))
