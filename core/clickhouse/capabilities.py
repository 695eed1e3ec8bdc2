"""What a connected ClickHouse is and what the connected user may do there, asked once when a session opens.

Nothing here fails because a table is denied or missing: what cannot be learned is left out, and an ability that
cannot be judged counts as there, for ClickHouse itself refuses what must not be.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.clickhouse.abilities import Ability, HeldRights, abilities
from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.display import one_line
from core.errors import HousekeysError

# The tables of the database `system` that Housekeys reads.
SYSTEM_TABLES = (
    *("users", "roles", "grants", "role_grants", "quotas", "quota_limits", "quotas_usage", "row_policies"),
    *("settings_profiles", "settings_profile_elements", "masking_policies", "user_directories", "privileges"),
    *("databases", "tables", "parts", "columns", "processes", "query_log", "session_log", "clusters", "replicas"),
    *("distributed_ddl_queue", "settings"),
)
_WRITABLE = frozenset({"local_directory", "local directory", "replicated", "memory"})
_CHECK_GRANT_SINCE = (24, 10)  # https://github.com/ClickHouse/ClickHouse/pull/68885


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The answer. `may` holds the names of `core.clickhouse.abilities`; `missing` says why one is not in it."""

    version: str
    version_tuple: tuple[int, ...]
    user: str
    home: Literal["server", "embedded"]
    latency_seconds: float
    host: str = ""
    read_only: bool = False
    clusters: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)  # name -> host:port
    user_directories: tuple[tuple[str, str, int], ...] | None = None  # name, type, precedence; None: not told
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)  # of `system` -> its columns
    may: frozenset[str] = frozenset()
    _reasons: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)

    def missing(self, ability: str) -> str:
        """Why `ability` is not there, with the statement for an administrator; empty when it is there.

        Raises ValueError for a word that is no ability.
        """
        if ability not in self.may and ability not in self._reasons:
            raise ValueError(f"no ability is called {ability!r}")
        return self._reasons.get(ability, "")

    @property
    def writable_storage(self) -> bool:
        """Whether users and roles can be kept by SQL; True when the server does not tell."""
        if self.home == "embedded" or not self.user_directories:
            return True
        return any(kind in _WRITABLE for _, kind, _ in self.user_directories)


async def probe(engine: Engine, *, database: str, cluster: str | None) -> Capabilities:
    """Ask everything, at once on a server. `database` is the journal's, `cluster` the profile's.

    Raises what the first question raises: without an answer to that there is no connection.
    """
    begun = time.perf_counter()
    first = await engine.query("SELECT version(), currentUser(), hostName()")
    latency = time.perf_counter() - begun
    version, user, host = (str(cell) for cell in first.rows[0])
    version_tuple = tuple(int(part) for part in re.findall(r"\d+", version)[:4])
    asked = abilities(database)
    (held, absent), (readonly, directories, hosts, columns) = await asyncio.gather(
        asyncio.gather(_held(engine, asked, version_tuple), _absent_tables(engine, asked)),
        asyncio.gather(
            _answer(engine, "SELECT getSetting('readonly')"),
            _answer(engine, "SELECT name, type, precedence FROM system.user_directories ORDER BY precedence"),
            _answer(engine, "SELECT cluster, host_name, port FROM system.clusters ORDER BY shard_num, replica_num"),
            _answer(engine, _COLUMNS, {"tables": list(SYSTEM_TABLES)}),
        ),
    )
    tables = {str(row[0]): frozenset(map(str, row[1])) for row in columns.rows} if columns else {}
    if engine.home == "embedded" and tables:
        absent = frozenset(SYSTEM_TABLES) - tables.keys()
    known = Capabilities(
        version=version,
        version_tuple=version_tuple,
        user=user,
        home=engine.home,
        latency_seconds=latency,
        host=host,
        read_only=readonly is not None and str(readonly.first_cell() or "0") != "0",
        clusters=_clusters(hosts),
        user_directories=_directories(directories),
        tables=tables,
    )
    reasons = {}
    for ability, held_now in zip(asked, held, strict=True):
        if reason := _reason(known, ability, held_now, cluster, absent):
            reasons[ability.name] = reason
    return _with_abilities(known, asked, reasons)


_COLUMNS = (
    "SELECT table, groupArray(name) FROM system.columns WHERE database = 'system' AND table IN {tables:Array(String)} "
    "GROUP BY table"
)


async def _answer(engine: Engine, sql: str, parameters: Mapping[str, Any] | None = None) -> QueryResult | None:
    """The answer to a question that may be denied; None then."""
    try:
        return await engine.query(sql, parameters)
    except HousekeysError:
        return None


async def _held(engine: Engine, asked: Sequence[Ability], version: tuple[int, ...]) -> list[bool | None]:
    """Whether each right is held; None where that cannot be learned."""
    if engine.home == "embedded":
        return [True] * len(asked)  # its user is defined by Housekeys itself, with every right there is
    listed, checked = await asyncio.gather(_listed(engine), _check_all(engine, asked, version))
    return [
        listed.give(ability) if answer is None and listed else answer
        for ability, answer in zip(asked, checked, strict=True)
    ]


async def _check_all(engine: Engine, asked: Sequence[Ability], version: tuple[int, ...]) -> list[bool | None]:
    """What CHECK GRANT says of each right; None where it cannot."""

    async def check(ability: Ability) -> bool | None:
        answer = None if ability.grant_option or version < _CHECK_GRANT_SINCE else await _answer(engine, ability.check)
        return None if answer is None else bool(answer.first_cell())

    return list(await asyncio.gather(*(check(ability) for ability in asked)))


async def _listed(engine: Engine) -> HeldRights | None:
    """The rights that SHOW GRANTS lists, of the roles as well where the server can say so."""
    final = await _answer(engine, "SHOW GRANTS FINAL")
    grants = final or await _answer(engine, "SHOW GRANTS")
    if grants is None:
        return None
    groups = await _answer(engine, "SELECT privilege, parent_group FROM system.privileges")
    parents = {str(row[0]): str(row[1]) for row in groups.rows if row[1]} if groups else {}
    return HeldRights.read((str(row[0]) for row in grants.rows), parents, final=final is not None)


async def _absent_tables(engine: Engine, asked: Sequence[Ability]) -> frozenset[str]:
    """The tables of `system` that abilities read and that are not there: logs are made only where configured.

    They are asked themselves, for system.columns does not show them to everybody who may read them: but the embedded
    engine hides nothing from its user.
    """
    if engine.home == "embedded":
        return frozenset()

    async def absent(table: str) -> bool:
        try:
            await engine.query(f"SELECT 1 FROM system.{quote_identifier(table)} WHERE 0")  # noqa: S608  (quoted)
        except UnknownNameError:
            return True
        except HousekeysError:
            return False
        return False

    tables = [ability.table for ability in asked if ability.table]
    answers = await asyncio.gather(*(absent(table) for table in tables))
    return frozenset(table for table, gone in zip(tables, answers, strict=True) if gone)


def _clusters(hosts: QueryResult | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cluster, host, port in hosts.rows if hosts else ():
        found[str(cluster)] = (*found.get(str(cluster), ()), f"{host}:{port}")
    return found


def _directories(answer: QueryResult | None) -> tuple[tuple[str, str, int], ...] | None:
    if answer is None:
        return None
    return tuple((str(name), str(kind), int(precedence)) for name, kind, precedence in answer.rows)


_KEPT_IN_STORAGE = re.compile(r"(create|alter|drop) (user|role|quota|settings profile|row policy)|grant|grant roles")


def _reason(
    known: Capabilities, ability: Ability, held: bool | None, cluster: str | None, absent: frozenset[str]
) -> str:
    """Why `known` cannot do `ability`, in words; empty when it can, or when nothing speaks against it."""
    if ability.name == "run on cluster" and cluster and known.clusters and cluster not in known.clusters:
        names = ", ".join(one_line(name) for name in sorted(known.clusters))
        return f"The server knows no cluster {one_line(cluster)}. It knows: {names}."
    if ability.changes and known.read_only:
        return "The connection is read-only."
    if _KEPT_IN_STORAGE.fullmatch(ability.name) and not known.writable_storage:
        return (
            "The server keeps users and roles only where SQL cannot change them. "
            "Have a local_directory or replicated storage added to user_directories."
        )
    if held is False:
        option = " with grant option" if ability.grant_option else ""
        return (
            f"User {one_line(known.user)} lacks the right {ability.privilege} ON {ability.on}{option}. "
            f"Ask an administrator to run: {ability.grant_to(known.user)}"
        )
    if ability.table in absent:
        return f"This server has no table system.{ability.table}."
    return ""


def _with_abilities(known: Capabilities, asked: Sequence[Ability], reasons: Mapping[str, str]) -> Capabilities:
    may = frozenset(ability.name for ability in asked if ability.name not in reasons)
    return replace(known, may=may, _reasons=reasons)
