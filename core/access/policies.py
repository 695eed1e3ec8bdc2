"""Row policies and masking policies: which rows users see, and which columns they see altered.

Source: https://clickhouse.com/docs/sql-reference/statements/create/row-policy and /masking-policy (ClickHouse Cloud).
Conditions are kept as they stand in the statement.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.access.entity_parts import EVERYONE, NOBODY, EntityKind, NameSet


@dataclass(frozen=True, slots=True, order=True)
class PolicyName:
    """The name of a policy: its own, and the table it is on. A `table` of None is `db.*`, every table."""

    short: str
    database: str  # "" is the current database, in a statement as it was typed
    table: str | None


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """A row policy as it is defined. A `condition` of None filters nothing (USING NONE)."""

    name: PolicyName
    condition: str | None = None
    restrictive: bool = False
    to: NameSet = NOBODY


@dataclass(frozen=True, slots=True)
class CreateRowPolicy:
    """`CREATE ROW POLICY`. What is None was not written; `using` says whether a condition was."""

    names: tuple[PolicyName, ...]
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    using: bool = False
    condition: str | None = None
    restrictive: bool | None = None
    to: NameSet | None = None


@dataclass(frozen=True, slots=True)
class AlterRowPolicy:
    """`ALTER ROW POLICY`. What is None stays as it is; `using` says whether a condition is set (None: USING NONE)."""

    names: tuple[PolicyName, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""
    rename_to: str = ""
    using: bool = False
    condition: str | None = None
    restrictive: bool | None = None
    to: NameSet | None = None


@dataclass(frozen=True, slots=True)
class MaskingPolicy:
    """A masking policy as it is defined: `updates` is the text behind UPDATE, `condition` that behind WHERE."""

    name: PolicyName
    updates: str
    condition: str = ""
    priority: int = 0
    to: NameSet = NOBODY


@dataclass(frozen=True, slots=True)
class CreateMaskingPolicy:
    """`CREATE MASKING POLICY`. Where no TO is written it is for everyone, unlike any other entity.

    ClickHouse takes one name only.
    """

    names: tuple[PolicyName, ...]
    updates: str
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    condition: str = ""
    priority: int | None = None
    to: NameSet = EVERYONE


@dataclass(frozen=True, slots=True)
class AlterMaskingPolicy:
    """`ALTER MASKING POLICY`. What is None or empty stays as it is. ClickHouse takes one name only."""

    names: tuple[PolicyName, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""
    rename_to: str = ""
    updates: str = ""
    condition: str = ""
    priority: int | None = None
    to: NameSet | None = None


@dataclass(frozen=True, slots=True)
class DropPolicy:
    """`DROP ROW POLICY` or `DROP MASKING POLICY`; ClickHouse takes one name only of the latter."""

    kind: EntityKind
    names: tuple[PolicyName, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""
