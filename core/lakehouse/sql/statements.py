"""The statements of the Lakehouse about API connections and the external functions that use them.

Values only: `core.lakehouse.sql.statement_rendering` writes them, `core.lakehouse.sql.statement_parsing` reads them.
Names are as SQL qualifies them: `connection` or `workspace.connection`, `function` or `schema.function`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from core.lakehouse.connections import ApiConnection, ExternalFunction


class Syntax(StrEnum):
    """The two forms of CREATE API CONNECTION."""

    CLAUSES = "clauses"  # PROVIDER='…' REGION='…' …: the documented one
    PROPERTIES = (
        "properties"  # WITH PROPERTIES('cloud_function.provider'='…', …): the older one, with room for a comment
    )


@dataclass(frozen=True, slots=True)
class CreateApiConnection:
    """CREATE API CONNECTION … TYPE CLOUD_FUNCTION."""

    connection: ApiConnection
    if_not_exists: bool = False
    syntax: Syntax = Syntax.CLAUSES


@dataclass(frozen=True, slots=True)
class ShowConnections:
    """SHOW CONNECTIONS: those of every category."""


@dataclass(frozen=True, slots=True)
class DescribeConnection:
    """DESC CONNECTION: the only statement that tells the external id."""

    name: str


@dataclass(frozen=True, slots=True)
class DropConnection:
    """DROP CONNECTION. What depends on the connection is broken by it, and no ALTER CONNECTION exists."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateExternalFunction:
    """CREATE EXTERNAL FUNCTION. There is no OR REPLACE."""

    function: ExternalFunction
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropFunction:
    """DROP FUNCTION."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowExternalFunctions:
    """SHOW EXTERNAL FUNCTIONS, those whose name matches a pattern if there is one."""

    like: str = ""


@dataclass(frozen=True, slots=True)
class OtherStatement:
    """A statement of another subject, kept as it stands. Its text may hold access keys, so only `subject` is shown."""

    subject: str  # its first words: CREATE STORAGE CONNECTION
    text: str = field(repr=False)


Statement: TypeAlias = (
    CreateApiConnection
    | ShowConnections
    | DescribeConnection
    | DropConnection
    | CreateExternalFunction
    | DropFunction
    | ShowExternalFunctions
    | OtherStatement
)
