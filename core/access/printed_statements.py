"""Reads the statements that ClickHouse prints: there are tens of thousands, most of them alike but for their names.

What is written around its names is the shape of a statement. The grammar is the parser's alone: it reads the first
statement of a shape, and if it takes for names what was taken for names here, the others of that shape are that
statement with other names in it (and a row policy with other literals in its condition). It reads as well whatever has
another form.

No statement is made of the others: rights and roles are handed to those who hold them, and neighbours that define
entities alike are one `CREATE USER u, v`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.access.access_model import AccessModel
from core.access.assembling import Assembly
from core.access.holdings import Holdings
from core.access.model import CreateRole, CreateUser, Grant, NameSet, Revoke, Right, Statement
from core.access.parser import parse_statement
from core.access.policies import CreateMaskingPolicy, CreateRowPolicy, PolicyName
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
_SAME_RIGHTS = re.compile(rf"((?:GRANT|REVOKE) [A-Za-z0-9_ ,.*()]+ (?:TO|FROM) )({_NAME})((?: WITH GRANT OPTION)?)")
# Whom it is for differs as well; of a policy, the table it is on.
_FOR_SOME = re.compile(
    rf"CREATE (QUOTA|SETTINGS PROFILE|(?:ROW|MASKING) POLICY) ({_NAME})(?: ON ({_NAME})\.(\*|{_NAME}))?((?: .*)?)"
    rf" TO ({_NAME}(?:, {_NAME})*)",
    re.DOTALL,
)
_LITERAL = re.compile(r"'[^']*'|\b[0-9]+\b")
# With none of these a string is what is between two quotes, and half a character is the tokenizer's to read.
_OTHER_QUOTES = re.compile(r"[\x00-\x08\"`\\#$\ud800-\udfff]|--|/\*|''")
_DEFINITION = re.compile(rf"CREATE (USER|ROLE|QUOTA|SETTINGS PROFILE) ({_NAME})((?: .*)?)", re.DOTALL)


def model_of_printed(lines: Iterable[str]) -> tuple[AccessModel, list[str]]:
    """The model that the statements of `lines`, one a line, build in order, and the lines that cannot be read.

    What does not fit what came before it is left out.
    """
    assembly = Assembly()
    unread = take_printed(lines, assembly)
    return assembly.model(), unread


def take_printed(lines: Iterable[str], assembly: Assembly) -> list[str]:
    """Carry out the statements of `lines`; returned are those that cannot be read."""
    reading = _Reading(assembly)
    for line in lines:
        reading.take(line)
    reading.define()
    return reading.unread


class _Way(NamedTuple):
    """How what is held changes: rights are given or taken, and with (or only) the option to pass them on, or not."""

    done: type[Grant] | type[Revoke]
    grant_option: bool

    def hand(self, rights: Sequence[Right], holdings: Holdings) -> None:
        if self.done is Grant:
            holdings.grant(rights, option=self.grant_option)
        else:
            holdings.revoke(rights, option_only=self.grant_option)


_Definition = CreateUser | CreateRole | CreateQuota | CreateSettingsProfile
_ForSome = CreateQuota | CreateSettingsProfile | CreateRowPolicy | CreateMaskingPolicy
_Shape = tuple[object, ...]


class _Reading:
    """What was met so far. Of a shape: what the parser makes of it, None when it must read each such statement."""

    def __init__(self, assembly: Assembly) -> None:
        self.unread: list[str] = []
        self._assembly = assembly
        self._on_tables: dict[_Shape, tuple[_Way, Sequence[str]] | None] = {}
        self._rights: dict[_Shape, tuple[_Way, Sequence[Right]] | None] = {}
        self._definitions: dict[_Shape, _Definition | None] = {}
        self._for_some: dict[_Shape, _ForSome | None] = {}
        self._holder = ""  # of the statement read last, if it was about rights or roles, and what is held
        self._holdings: Holdings | None = None
        self._defined: _Definition | None = None  # what comes next may be defined alike
        self._names: list[str] = []

    def take(self, line: str) -> None:
        rights = self._on_table(line) or self._roles(line) or self._same_rights(line)
        if not (rights or self._definition_for_some(line) or self._definition(line)):
            self.define()
            try:
                self._assembly.take(parse_statement(line))
            except HousekeysError:
                self.unread.append(line)
            self._holder = ""

    def define(self) -> None:
        """Carry out the definition that neighbours share, behind the last of them."""
        if self._defined is not None:
            self._assembly.take(replace(self._defined, names=tuple(self._names)))
            self._defined = None
            self._names.clear()

    def _held_by(self, holder: str) -> Holdings | None:
        """What is held by the user or role of that name; None when there is none, and nothing can be given to it."""
        if holder != self._holder:
            self.define()
            self._holder, self._holdings = holder, self._assembly.holdings(holder)
        return self._holdings

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
        way, privileges = known
        if (holdings := self._held_by(holder)) is not None:
            way.hand([Right(privilege, (), database, table) for privilege in privileges], holdings)
        return True

    def _roles(self, line: str) -> bool:
        """`GRANT r TO u`, with one role or several."""
        if (match := _ROLES.fullmatch(line)) is None:
            return False
        roles, holder, option = match.groups()
        if (holdings := self._held_by(_unquoted(holder))) is not None:
            names = [_unquoted(name) for name in _EACH_NAME.findall(roles)] if "," in roles else [_unquoted(roles)]
            holdings.grant_roles(names, option=option != "")
        return True

    def _same_rights(self, line: str) -> bool:
        """`REVOKE SELECT(a) ON db.t FROM u`, and rights on anything else: only the holder differs."""
        if (match := _SAME_RIGHTS.fullmatch(line)) is None:
            return False
        head, holder, option = match.groups()
        holder = _unquoted(holder)
        if (shape := (head, option)) not in self._rights:
            self._rights[shape] = _read_rights(line, holder)
        if (known := self._rights[shape]) is None:
            return False
        way, rights = known
        if (holdings := self._held_by(holder)) is not None:
            way.hand(rights, holdings)
        return True

    def _definition_for_some(self, line: str) -> bool:
        """`CREATE ROW POLICY p ON db.t … TO u, v`, and the like of quotas: names and whom it is for differ."""
        if (match := _FOR_SOME.fullmatch(line)) is None:
            return False
        kind, name, database, table, rest, holders = match.groups()
        named = _defined_name(name, database, table)
        to = NameSet(tuple(map(_unquoted, _EACH_NAME.findall(holders))))
        around, literals = _around_literals(rest) if kind == "ROW POLICY" else (rest, [])
        if (shape := (kind, database is None, table == "*", around, len(literals))) not in self._for_some:
            self._for_some[shape] = _read_for_some(line, named, to, literals)
        if (known := self._for_some[shape]) is None:
            return False
        made = replace(known, names=(named,), to=to)  # type: ignore[arg-type]  # as its kind has it
        if literals and isinstance(made, CreateRowPolicy):
            made = replace(made, condition=_with_literals(made.condition or "", literals))
        self.define()
        self._assembly.take(made)
        self._holder = ""
        return True

    def _definition(self, line: str) -> bool:
        """`CREATE USER u SETTINGS …`: only the name of what is defined differs."""
        if (match := _DEFINITION.fullmatch(line)) is None:
            return False
        kind, name, rest = match.groups()
        name = _unquoted(name)
        if (shape := (kind, rest)) not in self._definitions:
            self._definitions[shape] = _read_definition(line, name)
        if (known := self._definitions[shape]) is None:
            return False
        if known is not self._defined:
            self.define()
            self._defined = known
        self._names.append(name)
        self._holder = ""
        return True


def _read_rights(line: str, holder: str) -> tuple[_Way, Sequence[Right]] | None:
    read = _parsed(line)
    if not isinstance(read, Grant | Revoke) or not read.rights:
        return None
    same = type(read)(read.rights, grantees=(holder,), grant_option=read.grant_option)
    return (_Way(type(read), read.grant_option), read.rights) if read == same else None


def _read_on_table(line: str, database: str, table: str | None, holder: str) -> tuple[_Way, Sequence[str]] | None:
    if (found := _read_rights(line, holder)) is None:
        return None
    way, rights = found
    privileges = [right.privilege for right in rights]
    as_taken = tuple(Right(privilege, (), database, table) for privilege in privileges)
    return (way, privileges) if rights == as_taken else None


def _read_definition(line: str, name: str) -> _Definition | None:
    read = _parsed(line)
    return read if isinstance(read, _Definition) and read.names == (name,) else None


def _read_for_some(line: str, name: str | PolicyName, to: NameSet, literals: list[str]) -> _ForSome | None:
    read = _parsed(line)
    if not isinstance(read, _ForSome) or (read.names, read.to) != ((name,), to):
        return None
    within = _LITERAL.findall(read.condition or "") if isinstance(read, CreateRowPolicy) else []
    return read if not literals or within == literals else None


def _around_literals(text: str) -> tuple[str, list[str]]:
    """What is around the literals of a policy's condition, and these: each customer may have its own."""
    if _OTHER_QUOTES.search(text) is not None:
        return text, []
    return _LITERAL.sub("\0", text), _LITERAL.findall(text)


def _with_literals(condition: str, literals: list[str]) -> str:
    """A condition, which is kept as it stands, with other literals in it."""
    others = iter(literals)
    return _LITERAL.sub(lambda _: next(others), condition)


def _defined_name(name: str, database: str | None, table: str | None) -> str | PolicyName:
    if database is None or table is None:
        return _unquoted(name)
    return PolicyName(_unquoted(name), _unquoted(database), None if table == "*" else _unquoted(table))


def _unquoted(name: str) -> str:
    return name[1:-1] if name[0] == "`" else name


def _parsed(line: str) -> Statement | None:
    try:
        return parse_statement(line)
    except HousekeysError:
        return None
