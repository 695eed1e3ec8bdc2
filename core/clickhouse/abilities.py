"""What Housekeys may want to do in a ClickHouse, and which right each of it takes.

A right is asked for with CHECK GRANT, which knows roles and read-only connections too. Servers before 24.11 have no
CHECK GRANT: there SHOW GRANTS is read, and so is the grant option everywhere, which CHECK GRANT does not tell.
Source: https://clickhouse.com/docs/sql-reference/statements/check-grant and .../show#show-grants
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from core.access.model import Grant, Right
from core.access.parser import parse_statement
from core.clickhouse.quoting import quote_identifier
from core.errors import HousekeysError


@dataclass(frozen=True, slots=True)
class Ability:
    """Something to do, and the right it takes. `table` is the system table it reads, if any."""

    name: str
    privilege: str
    database: str | None = None  # None: *.*
    object_table: str | None = None  # None: every table of the database
    grant_option: bool = False
    table: str = ""
    changes: bool = True  # so that a read-only connection cannot do it

    @property
    def on(self) -> str:
        """The object as it is written in a GRANT."""
        if self.database is None:
            return "*.*"
        return f"{quote_identifier(self.database)}.{quote_identifier(self.object_table) if self.object_table else '*'}"

    @property
    def check(self) -> str:
        """The statement that asks ClickHouse whether the connected user has the right."""
        return f"CHECK GRANT {self.privilege} ON {self.on}"

    def grant_to(self, user: str) -> str:
        """The statement for an administrator."""
        option = " WITH GRANT OPTION" if self.grant_option else ""
        return f"GRANT {self.privilege} ON {self.on} TO {quote_identifier(user)}{option}"


def _reads(name: str, privilege: str, table: str) -> Ability:
    return Ability(name, privilege, table=table, changes=False)


def abilities(database: str) -> tuple[Ability, ...]:
    """Everything asked for, where the journal is kept in `database`."""
    logs = ("query_log", "session_log", "processes")
    return (
        Ability("create database", "CREATE DATABASE"),
        Ability("drop database", "DROP DATABASE"),
        Ability("create user", "CREATE USER"),
        Ability("alter user", "ALTER USER"),
        Ability("drop user", "DROP USER"),
        Ability("create role", "CREATE ROLE"),
        Ability("alter role", "ALTER ROLE"),
        Ability("drop role", "DROP ROLE"),
        *(
            Ability(f"{verb} {kind}", f"{verb} {kind}".upper())
            for kind in ("quota", "settings profile", "row policy")
            for verb in ("create", "alter", "drop")
        ),
        Ability("grant", "SELECT", grant_option=True),
        Ability("grant roles", "ROLE ADMIN"),
        Ability("kill queries", "KILL QUERY"),
        Ability("run on cluster", "CLUSTER"),
        Ability("create journal database", "CREATE DATABASE", database),
        Ability("create journal table", "CREATE TABLE", database, "journal"),
        Ability("write journal", "INSERT", database, "journal"),
        Ability("read journal", "SELECT", database, "journal", changes=False),
        Ability("read databases", "SHOW DATABASES", changes=False),
        Ability("read tables", "SHOW TABLES", changes=False),
        *(Ability(f"read {table}", "SELECT", "system", table, table=table, changes=False) for table in logs),
        _reads("read users", "SHOW USERS", "users"),
        _reads("read roles", "SHOW ROLES", "roles"),
        _reads("read quotas", "SHOW QUOTAS", "quotas"),
        _reads("read settings profiles", "SHOW SETTINGS PROFILES", "settings_profiles"),
        _reads("read row policies", "SHOW ROW POLICIES", "row_policies"),
        _reads("read grants", "SHOW ACCESS", "grants"),
    )


@dataclass(frozen=True, slots=True)
class HeldRights:
    """The rights that SHOW GRANTS lists, looked up with the groups of system.privileges.

    Roles are followed only when the server knows SHOW GRANTS FINAL; `by_roles` says that something may come from them.
    """

    grants: tuple[Grant, ...] = ()
    by_roles: bool = False
    parents: Mapping[str, str] = field(default_factory=dict, hash=False)  # privilege -> its group

    @classmethod
    def read(cls, statements: Iterable[str], parents: Mapping[str, str], *, final: bool) -> HeldRights:
        """From the lines of SHOW GRANTS. A line that is not understood counts as a role: it may give anything."""
        grants = []
        by_roles = False
        for statement in statements:
            try:
                parsed = parse_statement(statement)
            except HousekeysError:
                by_roles = True
                continue
            if isinstance(parsed, Grant):
                grants.append(parsed)
                by_roles = by_roles or bool(parsed.roles and not final)
        return cls(tuple(grants), by_roles, parents)

    def give(self, ability: Ability) -> bool:
        """Whether the right of `ability` is held, or may be."""
        if self.by_roles:
            return True
        names = self._groups(ability.privilege)
        return any(
            _covers(right, ability, names)
            for grant in self.grants
            if grant.grant_option or not ability.grant_option
            for right in grant.rights
        )

    def _groups(self, privilege: str) -> frozenset[str]:
        """`privilege` and every group it belongs to."""
        names = {privilege, "ALL"}
        while (parent := self.parents.get(privilege)) and parent not in names:
            names.add(parent)
            privilege = parent
        return frozenset(names)


def _covers(right: Right, ability: Ability, names: Collection[str]) -> bool:
    if right.privilege not in names or right.columns:
        return False
    if right.parameter is not None:
        return right.parameter == ""
    if right.database is None or (right.database_wildcard and not right.database):
        return True
    if ability.database is None:
        return False
    if right.database_wildcard:
        return ability.database.startswith(right.database)
    if right.database != ability.database:
        return False
    if right.table is None:
        return True
    if ability.object_table is None:
        return False
    if right.table_wildcard:
        return ability.object_table.startswith(right.table)
    return right.table == ability.object_table
