"""Access statements in the embedded engine: judged by chDB, kept by the storage, loaded when somebody looks.

chDB parses a statement, resolves names and checks values, and only then finds that it has nowhere to keep the result:
error 514 or 495 means that it is valid. Every other error is ClickHouse's own and goes to the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from core.access.model import AlterUser, Drop, EntityKind, Grant, Revoke, Right, Statement
from core.access.parser import parse_statement
from core.access.preparing import needs_database, prepared
from core.access.renaming import renamed
from core.access.render import render
from core.access.settings_values import with_quoted_values
from core.access.state import FIXED_USER, AccessRefused
from core.access.tokenizer import first_words
from core.access.users_xml import element_name
from core.clickhouse.access_storage import AccessStorage
from core.clickhouse.embedded_handle import NOWHERE_TO_KEEP
from core.clickhouse.engine import QueryResult
from core.clickhouse.errors import ServerError, explain
from core.errors import BadInputError, HousekeysError, RefusedError

_WORDS = (
    ("GRANT",),
    ("REVOKE",),
    *((verb, kind) for verb in ("CREATE", "ALTER", "DROP") for kind in ("USER", "ROLE")),
    ("SET", "DEFAULT", "ROLE"),
)
_UNKNOWN_NAME = frozenset({192, 511})
_RIGHTS_JUDGED_TOGETHER = 1000  # ClickHouse reads at most max_query_size (256 KiB) of a statement
_CHARACTERS_JUDGED_TOGETHER = 200_000


class Chdb(Protocol):
    """What the access statements need of chDB. Errors are HousekeysErrors."""

    def ask(self, sql: str, parameters: dict[str, str] | None = None) -> QueryResult: ...

    def run(self, sql: str) -> None: ...

    def load_access(self) -> bool:
        """Make chDB read the state if it has changed; whether it had."""
        ...


def is_access_statement(sql: str) -> bool:
    """Whether `sql` is about users, roles or grants."""
    first = first_words(sql, 3)
    return any(first[: len(words)] == words for words in _WORDS)


def no_place_for(sql: str) -> RefusedError:
    """The error for a statement that chDB cannot keep and that is not about users, roles or grants."""
    return RefusedError(
        "The embedded engine keeps users, roles and grants only, so this was not carried out.",
        advice="Quotas, settings profiles and row policies need a server.",
        detail=" ".join(sql.split()[:3]),
    )


class AccessStatements:
    """Carries out access statements. Used in the engine's thread only."""

    def __init__(self, path: Path, chdb: Chdb) -> None:
        self.storage = AccessStorage(path)
        self._chdb = chdb
        self._accepted: list[tuple[int, Statement]] = []
        self._loaded: frozenset[str] = frozenset()  # the users and roles that chDB knows
        self._loaded_roles: tuple[str, ...] = ()
        self.changed = False  # whether the state is ahead of what chDB has loaded

    def loaded(self) -> None:
        """Take note that chDB has read the state as it is now."""
        state = self.storage.state
        self._loaded = frozenset((FIXED_USER, *state.users, *state.roles))
        self._loaded_roles = tuple(state.roles)
        self.changed = False

    def carry_out(self, sql: str) -> None:
        """Judge one statement, apply it and make it durable."""
        statement = self._prepared(sql)
        self._judge(statement)
        self._apply(statement)
        self._keep([statement])

    def accept(self, index: int, sql: str, judged: Mapping[int, Grant]) -> None:
        """Judge and apply statement `index` of many; those in `judged` are known as valid. `flush` makes it durable."""
        statement: Statement | None = judged.get(index)
        if statement is None:
            statement = self._prepared(sql)
            self._judge(statement)
        self._apply(statement)
        self._accepted.append((index, statement))

    @property
    def waiting(self) -> int:
        """How many accepted statements are not durable yet."""
        return len(self._accepted)

    def flush(self) -> list[tuple[int, HousekeysError | None]]:
        """Make the accepted statements durable together; their indexes with how that went."""
        accepted, self._accepted = self._accepted, []
        error: HousekeysError | None = None
        try:
            self._keep([statement for _, statement in accepted])
        except HousekeysError as refused:
            error = refused
        return [(index, error) for index, _ in accepted]

    def _keep(self, statements: Sequence[Statement]) -> None:
        try:
            self.storage.append(statements)
        except HousekeysError:
            self.changed = True  # the state is without them again, but chDB may have seen them
            raise

    def judge_together(self, statements: Iterable[tuple[int, str]]) -> dict[int, Grant]:
        """Those grants among `statements`, by index, that ClickHouse accepts when asked about many at once.

        Judging changes nothing, so grants may be judged ahead of the statements between them. Those that are not in
        the answer are to be judged one by one.
        """
        groups: dict[Grant, list[tuple[int, Grant]]] = {}
        for index, sql in statements:
            if is_access_statement(sql) and (grant := _simple_grant(sql)) is not None:
                groups.setdefault(replace(grant, rights=()), []).append((index, grant))
        valid: dict[int, Grant] = {}
        for shape, members in groups.items():
            for chunk in _chunks(members):
                rights = tuple(right for _, grant in chunk for right in grant.rights)
                try:
                    self._judge(replace(shape, rights=rights))
                except HousekeysError:
                    continue
                valid.update(chunk)
        return valid

    def _prepared(self, sql: str) -> Statement:
        statement = parse_statement(sql)
        database = str(self._chdb.ask("SELECT currentDatabase()").first_cell()) if needs_database(statement) else ""
        return prepared(statement, database, datetime.now(UTC), self._moment)

    def _moment(self, text: str) -> str:
        ask = "SELECT formatDateTime(parseDateTime64BestEffort({text:String}, 0, 'UTC'), '%F %T', 'UTC')"
        return str(self._chdb.ask(ask, {"text": text}).first_cell())

    def _judge(self, statement: Statement) -> None:
        """Raise ClickHouse's error if the statement is not valid.

        A number that SQL would convert (`max_threads = 1.5`) is refused, as users.xml would not load with it.
        """
        statement = self._with_loaded_names(statement)
        self._judge_names(statement)
        quoted = with_quoted_values(statement)
        if quoted != statement:
            try:
                self._judge_names(quoted)
            except ServerError as error:
                raise BadInputError(
                    "A value of a setting is not written as ClickHouse writes it, so it cannot be kept.",
                    advice="Write it as system.settings shows it: 2, not 1.5 or 0x2; and 1, not true, for a number.",
                    detail=error.detail,
                ) from error

    def _with_loaded_names(self, statement: Statement) -> Statement:
        """A statement with names that only the state knows yet replaced by others, which chDB has loaded.

        Its validity is the same, for names are checked when it is applied; and chDB need not be opened anew for every
        user or role that is made and then named. Where the two have to fit together (default roles), nothing is done.
        """
        if not self.changed:
            return statement
        state = self.storage.state
        match statement:
            case Grant() | Revoke():
                grantees = self._stand_ins(statement.grantees, state.knows, FIXED_USER)
                other = next((role for role in self._loaded_roles if role not in grantees), None)
                return replace(
                    statement,
                    grantees=grantees,
                    roles=self._stand_ins(statement.roles, state.roles.__contains__, other),
                )
            case AlterUser(default_roles=None):
                return replace(statement, names=self._stand_ins(statement.names, state.users.__contains__, FIXED_USER))
            case Drop(kind=EntityKind.USER):
                return replace(statement, names=self._stand_ins(statement.names, state.users.__contains__, FIXED_USER))
        return statement

    def _stand_ins(self, names: tuple[str, ...], known: Callable[[str], bool], other: str | None) -> tuple[str, ...]:
        if other is None:
            return names
        found = (other if name not in self._loaded and known(name) else name for name in names)
        return tuple(dict.fromkeys(found))

    def _judge_names(self, statement: Statement) -> None:
        aliases: dict[str, str] = {}

        def alias(name: str) -> str:
            aliases[element_name(name)] = name
            return element_name(name)

        sql = render(renamed(statement, alias))
        try:
            self._judge_text(sql)
        except ServerError as error:
            if error.code in _UNKNOWN_NAME and self._chdb.load_access():
                self._judge_again(sql, aliases)
            else:
                raise _with_names(error, aliases) from error

    def _judge_again(self, sql: str, aliases: dict[str, str]) -> None:
        try:
            self._judge_text(sql)
        except ServerError as error:
            raise _with_names(error, aliases) from error

    def _judge_text(self, sql: str) -> None:
        try:
            self._chdb.run(sql)
        except ServerError as error:
            if error.code not in NOWHERE_TO_KEEP:
                raise

    def _apply(self, statement: Statement) -> None:
        try:
            self.storage.state.apply(statement)
        except AccessRefused as refusal:
            raise explain(refusal.code, str(refusal)) from refusal
        self.changed = True


def _simple_grant(sql: str) -> Grant | None:
    """A grant of rights that can be judged together with others, or None."""
    try:
        statement = parse_statement(sql)
    except HousekeysError:
        return None
    if not isinstance(statement, Grant) or not statement.rights:
        return None
    special = statement.replace_option or statement.current or statement.to_current_user or statement.cluster
    return None if special or needs_database(statement) else statement


def _chunks(members: Sequence[tuple[int, Grant]]) -> list[list[tuple[int, Grant]]]:
    """Members in groups small enough for one statement."""
    chunks: list[list[tuple[int, Grant]]] = [[]]
    rights = characters = 0
    for member in members:
        rights += len(member[1].rights)
        characters += sum(map(_length, member[1].rights))
        if chunks[-1] and (rights > _RIGHTS_JUDGED_TOGETHER or characters > _CHARACTERS_JUDGED_TOGETHER):
            chunks.append([])
            rights, characters = len(member[1].rights), sum(map(_length, member[1].rights))
        chunks[-1].append(member)
    return chunks


def _length(right: Right) -> int:
    """At most so many characters of SQL: every one of a name may become an escape of two."""
    names = (right.database, right.table, right.parameter, right.source_filter, *right.columns)
    return len(right.privilege) + 20 + sum(2 * len(name.encode()) + 4 for name in names if name)


def _with_names(error: ServerError, aliases: dict[str, str]) -> HousekeysError:
    """The same error with the names that the operator knows instead of those in the projection."""
    text = error.detail or str(error)
    for alias, name in aliases.items():
        if alias != name:
            text = text.replace(alias, name)
    return explain(error.code, text) if text != (error.detail or str(error)) else error
