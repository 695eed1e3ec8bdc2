"""Rights that nobody granted: those that follow from others, and those that everyone has (`WITH IMPLICIT`).

Source: ClickHouse's `ContextAccess::addImplicitAccessRights`. A right on columns shows the table, that the database,
and so on. What some table engines need follows from READ and WRITE on their source; that is left out here, as only a
server knows which engine has which source.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.access.effective.privilege_tree import Depth, PrivilegeTree
from core.access.effective.rights_tree import Flags, Rights, fold, modified, union
from core.access.effective.statements import grouped
from core.access.model import Grant, Right

_INFORMATION_SCHEMA = ("information_schema", "INFORMATION_SCHEMA")
# Tables of `system` that may always be read: constants, what hides rows by itself, and what is the session's own.
_OPEN_TABLES = (
    *("one", "contributors", "licenses", "time_zones", "collations", "formats", "privileges", "data_type_families"),
    *("database_engines", "table_engines", "table_functions", "disk_types", "dictionary_layouts"),
    *("aggregate_function_combinators", "completions", "functions", "databases", "tables", "columns", "settings"),
    *("current_roles", "enabled_roles", "quota_usage"),
)
_OPENED_BY = {
    "SHOW USERS": "users",
    "SHOW ROLES": "roles",
    "SHOW ROW POLICIES": "row_policies",
    "SHOW SETTINGS PROFILES": "settings_profiles",
    "SHOW QUOTAS": "quotas",
    "SHOW MASKING POLICIES": "masking_policies",
}
# The first brings the second along, wherever it is held.
_FOLLOWING = (
    ("CREATE TABLE", "CREATE VIEW"),
    ("DROP TABLE", "DROP VIEW"),
    ("ALTER TABLE", "ALTER VIEW"),
    ("ALTER TTL", "ALTER MATERIALIZE TTL"),
)
# The first on any object brings the second along.
_FOLLOWING_ANYWHERE = (
    ("CREATE TABLE", "CREATE TEMPORARY TABLE"),
    ("CREATE TABLE", "CREATE ARBITRARY TEMPORARY TABLE"),
    ("CREATE VIEW", "CREATE TEMPORARY VIEW"),
)


@dataclass(frozen=True, slots=True)
class ImplicitRules:
    """What a server gives to everyone, by its `access_control_improvements`; the defaults are those without any.

    `table_engines` are those that may be used without a grant: none if `table_engines_require_grant`.
    """

    system_requires_grant: bool = False
    information_schema_requires_grant: bool = False
    table_engines: tuple[str, ...] = ()


def with_implicit(rights: Rights, rules: ImplicitRules | None = None) -> Rights:
    """`rights` and those that come with them."""
    rules = rules or ImplicitRules()
    privileges = rights.privileges
    following = _Following(privileges)
    extended = modified(rights, following)
    given = _tables(rules)
    if rules.system_requires_grant:
        opened = [(privilege, table) for privilege, table in _OPENED_BY.items() if privileges.knows(privilege)]
        given += [
            Right("SELECT", database="system", table=table)
            for privilege, table in opened
            if privileges.mask(privilege) & following.met
        ]
    given += [Right("TABLE ENGINE", parameter=engine) for engine in rules.table_engines]
    known = tuple(right for right in given if privileges.knows(right.privilege))
    return union([extended, fold([Grant(known)], privileges)], privileges)


def implicit_rights(rights: Rights, rules: ImplicitRules | None = None) -> tuple[Right, ...]:
    """Those that come with `rights` and were not granted, by their object."""
    own = {right for kind, parts in grouped(rights) if not kind.revoked for right in parts}
    found = (parts for kind, parts in grouped(with_implicit(rights, rules)) if not kind.revoked)
    return tuple(dict.fromkeys(right for parts in found for right in parts if right not in own))


def _tables(rules: ImplicitRules) -> list[Right]:
    if not rules.system_requires_grant:
        found = [Right("SELECT", database="system")]
    else:
        found = [Right("SELECT", database="system", table=table) for table in _OPEN_TABLES]
    if not rules.information_schema_requires_grant:
        found += [Right("SELECT", database=name) for name in _INFORMATION_SCHEMA]
    return found


class _Following:
    """What follows from the rights on one object; `met` are all rights that were ever seen."""

    def __init__(self, privileges: PrivilegeTree) -> None:
        self.met = 0

        def mask(name: str) -> int:
            return privileges.mask(name) if privileges.knows(name) else 0

        self._following = tuple((mask(first), mask(second)) for first, second in _FOLLOWING)
        self._anywhere = tuple((mask(first), mask(second)) for first, second in _FOLLOWING_ANYWHERE)
        self._reload = (mask("SYSTEM RELOAD DICTIONARY"), mask("SYSTEM RELOAD EMBEDDED DICTIONARIES"))
        self._show_columns, self._show_tables = mask("SHOW COLUMNS"), mask("SHOW TABLES")
        self._show_dictionaries, self._show_databases = mask("SHOW DICTIONARIES"), mask("SHOW DATABASES")
        self._moving = (mask("ALTER DELETE") | mask("SELECT"), mask("ALTER MOVE PARTITION"))
        self._of_columns = privileges.at_level("COLUMN")
        self._of_tables = privileges.at_level("TABLE", "VIEW")
        self._of_dictionaries = privileges.at_level("DICTIONARY")
        self._of_databases = privileges.at_level("DATABASE")

    def __call__(self, flags: Flags, depth: Depth) -> int:
        found = flags.here
        for first, second in self._following:
            if first and found & first == first:
                found |= second
        if depth is Depth.GLOBAL:
            for first, second in self._anywhere:
                if flags.somewhere & first:
                    found |= second
            if flags.everywhere & self._reload[0]:
                found |= self._reload[1]
        found = self._shown(found, flags.somewhere, depth)
        needed, move = self._moving
        if found & needed == needed and depth <= Depth.TABLE:
            found |= move
        self.met |= found
        return found

    def _shown(self, found: int, somewhere: int, depth: Depth) -> int:
        if found & self._of_columns:
            found |= self._show_columns
        columns_shown = depth <= Depth.TABLE and found & self._show_columns
        if found & self._of_tables or columns_shown or (depth is Depth.TABLE and somewhere & self._show_columns):
            found |= self._show_tables
        if found & self._of_dictionaries:
            found |= self._show_dictionaries
        named = self._show_tables | self._show_dictionaries
        tables_shown = depth <= Depth.DATABASE and found & named
        if found & self._of_databases or tables_shown or (depth is Depth.DATABASE and somewhere & named):
            found |= self._show_databases
        return found
