"""Reads the statements that ClickHouse prints: there are tens of thousands, most of them alike but for their names.

What is written around its names is the shape of a statement. The grammar is the parser's alone: it reads the first
statement of a shape, and if it takes for names what was taken for names here, the others of that shape are that
statement with other names in it. It reads as well whatever has another form.

Neighbours that give rights to one grantee, or define entities alike, become one statement, as a model is built faster
of few: `GRANT SELECT ON a.*, INSERT ON b.t TO u`, `CREATE USER u, v`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from core.access.model import CreateRole, CreateUser, Grant, Revoke, Right, Statement
from core.access.parser import parse_statement
from core.access.quotas import CreateQuota
from core.access.settings_profiles import CreateSettingsProfile
from core.errors import HousekeysError

# A bare word that the parser looks for where a name can stand is not taken for a name, nor is a quoted name with an
# escape or with half of a character in it, which is the tokenizer's to read.
_WORDS = "ALL|CLUSTER|CURRENT_?USER|NONE|ON"
_NAME = rf"(?:(?!(?i:{_WORDS})\b)[A-Za-z_][A-Za-z0-9_]*|`[^`\\\ud800-\udfff]+`)"
_EACH_NAME = re.compile(_NAME)
_ON_TABLE = re.compile(
    rf"((?:GRANT|REVOKE) [A-Za-z ,]+ ON )({_NAME})\.(\*|{_NAME})( TO | FROM )({_NAME})((?: WITH GRANT OPTION)?)",
    re.ASCII,
)
_ROLES = re.compile(rf"GRANT ({_NAME}(?:, {_NAME})*) TO ({_NAME})((?: WITH ADMIN OPTION)?)")
# No quote, no comment: the same words, whatever name follows.
_RIGHTS = re.compile(
    rf"((?:GRANT|REVOKE) [A-Za-z0-9_ ,.*()]+ (?:TO|FROM) )({_NAME})((?: WITH GRANT OPTION)?)",
)
_DEFINITION = re.compile(rf"CREATE (USER|ROLE|QUOTA|SETTINGS PROFILE) ({_NAME})((?: .*)?)", re.DOTALL)


def read_printed(lines: Iterable[str]) -> tuple[list[Statement], list[str]]:
    """The statements of `lines`, each of which has one, and the lines that cannot be read."""
    reading = _Reading()
    for line in lines:
        reading.take(line)
    reading.close()
    return reading.statements, reading.unread


class _Rights(NamedTuple):
    """Rights that are given to their holder, or taken from it."""

    done: type[Grant] | type[Revoke]
    grant_option: bool

    def statement(self, holder: str, rights: Sequence[Right]) -> Statement:
        return self.done(tuple(rights), (), (holder,), self.grant_option)


class _Roles(NamedTuple):
    """Roles that are granted to their holder."""

    admin_option: bool

    def statement(self, holder: str, roles: Sequence[str]) -> Statement:
        return Grant((), tuple(roles), (holder,), admin_option=self.admin_option)


@dataclass(frozen=True, slots=True, eq=False)
class _Definition:
    """Entities that are defined alike, as the first of them is."""

    first: CreateUser | CreateRole | CreateQuota | CreateSettingsProfile

    def statement(self, _: str, names: Sequence[str]) -> Statement:
        return replace(self.first, names=tuple(names))


_Shape = tuple[object, ...]


class _Reading:
    """What was read so far, and what the parser makes of the shapes met: None when it must read each such statement."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.unread: list[str] = []
        self._on_tables: dict[_Shape, tuple[_Rights, Sequence[str]] | None] = {}
        self._rights: dict[_Shape, tuple[_Rights, Sequence[Right]] | None] = {}
        self._definitions: dict[_Shape, _Definition | None] = {}
        # The statement that the next line may belong to: what it is, whose, and its rights, roles or names.
        self._open: _Rights | _Roles | _Definition | None = None
        self._holder = ""
        self._pieces: list[Any] = []

    def take(self, line: str) -> None:
        if not (self._on_table(line) or self._roles(line) or self._same_rights(line) or self._defined(line)):
            self.close()
            try:
                self.statements.append(parse_statement(line))
            except HousekeysError:
                self.unread.append(line)

    def close(self) -> None:
        """Nothing more belongs to the statement read last."""
        if self._open is not None:
            self.statements.append(self._open.statement(self._holder, self._pieces))
            self._open = None

    def _begin(self, whole: _Rights | _Roles | _Definition, holder: str) -> None:
        """What is added now belongs to this statement: to the one that is open, if that is the same."""
        if whole != self._open or holder != self._holder:
            self.close()
            self._open, self._holder, self._pieces = whole, holder, []

    def _on_table(self, line: str) -> bool:
        """`GRANT SELECT, INSERT ON db.t TO u`, or `ON db.*`: all three names differ."""
        if (match := _ON_TABLE.fullmatch(line)) is None:
            return False
        head, database, table, between, holder, option = match.groups()
        shape = head, table == "*", between, option
        table = None if table == "*" else table
        if "`" in line:
            database, table, holder = _unquoted(database), table and _unquoted(table), _unquoted(holder)
        try:
            known = self._on_tables[shape]
        except KeyError:
            known = self._on_tables[shape] = _read_on_table(line, database, table, holder)
        if known is None:
            return False
        whole, privileges = known
        self._begin(whole, holder)
        for privilege in privileges:
            self._pieces.append(Right(privilege, (), database, table))
        return True

    def _roles(self, line: str) -> bool:
        """`GRANT r TO u`, with one role or several."""
        if (match := _ROLES.fullmatch(line)) is None:
            return False
        roles, holder, option = match.groups()
        self._begin(_Roles(option != ""), _unquoted(holder))
        if "," in roles:
            self._pieces += map(_unquoted, _EACH_NAME.findall(roles))
        else:
            self._pieces.append(_unquoted(roles))
        return True

    def _same_rights(self, line: str) -> bool:
        """`REVOKE SELECT(a) ON db.t FROM u`, and rights on anything else: only the holder differs."""
        if (match := _RIGHTS.fullmatch(line)) is None:
            return False
        head, holder, option = match.groups()
        holder = _unquoted(holder)
        if (shape := (head, option)) not in self._rights:
            self._rights[shape] = _read_rights(line, holder)
        if (known := self._rights[shape]) is None:
            return False
        whole, rights = known
        self._begin(whole, holder)
        self._pieces += rights
        return True

    def _defined(self, line: str) -> bool:
        """`CREATE USER u SETTINGS …`: only the name of what is defined differs."""
        if (match := _DEFINITION.fullmatch(line)) is None:
            return False
        kind, name, rest = match.groups()
        name = _unquoted(name)
        if (shape := (kind, rest)) not in self._definitions:
            self._definitions[shape] = _read_definition(line, name)
        if (known := self._definitions[shape]) is None:
            return False
        self._begin(known, "")
        self._pieces.append(name)
        return True


def _read_rights(line: str, holder: str) -> tuple[_Rights, Sequence[Right]] | None:
    read = _parsed(line)
    if not isinstance(read, Grant | Revoke) or not read.rights:
        return None
    whole = _Rights(type(read), read.grant_option)
    return (whole, read.rights) if read == whole.statement(holder, read.rights) else None


def _read_on_table(line: str, database: str, table: str | None, holder: str) -> tuple[_Rights, Sequence[str]] | None:
    if (found := _read_rights(line, holder)) is None:
        return None
    whole, rights = found
    privileges = [right.privilege for right in rights]
    as_taken = tuple(Right(privilege, (), database, table) for privilege in privileges)
    return (whole, privileges) if rights == as_taken else None


def _read_definition(line: str, name: str) -> _Definition | None:
    read = _parsed(line)
    if not isinstance(read, CreateUser | CreateRole | CreateQuota | CreateSettingsProfile):
        return None
    return _Definition(read) if read.names == (name,) else None


def _unquoted(name: str) -> str:
    return name[1:-1] if name[0] == "`" else name


def _parsed(line: str) -> Statement | None:
    try:
        return parse_statement(line)
    except HousekeysError:
        return None
