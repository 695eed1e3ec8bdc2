"""Access statements in the embedded engine: judged by chDB, kept by the storage, loaded when somebody looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.access.model import Grant, Move, Right, Statement
from core.access.parser import parse_statement
from core.access.policies import AlterRowPolicy, CreateRowPolicy, DropPolicy
from core.access.preparing import needs_database, prepared
from core.access.state import AccessRefused, AccessState
from core.access.tokenizer import first_words
from core.clickhouse.access_storage import AccessStorage
from core.clickhouse.embedded_judging import Chdb, Judge
from core.clickhouse.errors import explain
from core.errors import HousekeysError, RefusedError

_KINDS = (
    ("USER",),
    ("ROLE",),
    ("QUOTA",),
    ("SETTINGS", "PROFILE"),
    ("PROFILE",),
    ("ROW", "POLICY"),
    ("POLICY",),
    ("MASKING", "POLICY"),
)
_WORDS = (
    ("GRANT",),
    ("REVOKE",),
    *((verb, *kind) for verb in ("CREATE", "ALTER", "DROP", "MOVE") for kind in _KINDS),
    ("SET", "DEFAULT", "ROLE"),
)
_RIGHTS_JUDGED_TOGETHER = 1000  # ClickHouse reads at most max_query_size (256 KiB) of a statement
_CHARACTERS_JUDGED_TOGETHER = 200_000


def is_access_statement(sql: str) -> bool:
    """Whether `sql` changes users, roles, grants, or what limits them."""
    first = first_words(sql, 3)
    return any(first[: len(words)] == words for words in _WORDS)


def no_place_for(sql: str) -> RefusedError:
    """The error for a statement about access that chDB cannot keep and that is not kept here either."""
    return RefusedError(
        "The embedded engine has no place to keep that, so it was not carried out.",
        advice="Users, roles, grants, quotas, settings profiles and row policies are kept; for the rest take a server.",
        detail=" ".join(sql.split()[:3]),
    )


class AccessStatements:
    """Carries out access statements. Used in the engine's thread only."""

    def __init__(self, path: Path, chdb: Chdb) -> None:
        self.storage = AccessStorage(path)
        self._chdb = chdb
        self._judge = Judge(chdb)
        self._accepted: list[tuple[int, Statement]] = []
        self.changed = False  # whether the state is ahead of what chDB has loaded
        self.rows_changed = False  # and whether row policies are

    def loaded(self) -> None:
        """Take note that chDB has read the state as it is now."""
        self._judge.loaded(self.storage.state)
        self.changed = self.rows_changed = False

    def carry_out(self, sql: str) -> None:
        """Judge one statement, apply it and make it durable."""
        statement = self._judged(sql)
        self._apply(statement)
        self._keep([statement])

    def accept(self, index: int, sql: str, judged: Mapping[int, Grant]) -> None:
        """Judge and apply statement `index` of many; those in `judged` are known as valid. `flush` makes it durable."""
        statement: Statement | None = judged.get(index)
        if statement is None:
            statement = self._judged(sql)
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
                    self._judge.judge(replace(shape, rights=rights), self._ahead)
                except HousekeysError:
                    continue
                valid.update(chunk)
        return valid

    @property
    def _ahead(self) -> AccessState | None:
        """The state, if chDB has not loaded it as it is."""
        return self.storage.state if self.changed else None

    def _judged(self, sql: str) -> Statement:
        """The statement as it is kept; raises ClickHouse's error if it is not valid."""
        statement = self._prepared(sql)
        if isinstance(statement, Move):
            raise RefusedError(
                "The embedded engine has one access storage, so nothing can be moved to another.",
                detail=" ".join(sql.split()[:3]),
            )
        self._judge.judge(statement, self._ahead)
        return self._judge.in_clickhouse_s_words(statement)

    def _prepared(self, sql: str) -> Statement:
        statement = parse_statement(sql)
        database = str(self._chdb.ask("SELECT currentDatabase()").first_cell()) if needs_database(statement) else ""
        return prepared(statement, database, datetime.now(UTC), self._moment)

    def _moment(self, text: str) -> str:
        ask = "SELECT formatDateTime(parseDateTime64BestEffort({text:String}, 0, 'UTC'), '%F %T', 'UTC')"
        return str(self._chdb.ask(ask, {"text": text}).first_cell())

    def _apply(self, statement: Statement) -> None:
        try:
            self.storage.state.apply(statement)
        except AccessRefused as refusal:
            raise explain(refusal.code, str(refusal)) from refusal
        self.changed = True
        self.rows_changed |= isinstance(statement, CreateRowPolicy | AlterRowPolicy | DropPolicy)


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
