"""Statements tried as another user: what would ClickHouse say to it?

chDB is opened on the same data with the user's definition in the place of its own user's, and closed again. It is asked
without the driver, whose own questions at every start would count against the user's quota, or be refused to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from core.access.state import FIXED_USER
from core.access.tokenizer import AccessSyntaxError, Kind, tokenize
from core.clickhouse.driver import import_chdb
from core.clickhouse.embedded_access import is_access_statement
from core.clickhouse.engine import QueryResult
from core.clickhouse.errors import explain
from core.errors import BadInputError, HousekeysError
from core.files import private_folder, remove_file, write_private

READ_ONLY: Final = 164  # ClickHouse's code for a change in read-only mode
_CODE = re.compile(r"Code: ([0-9]+)\.")
_CONFIG = "<clickhouse><users_config>{users}</users_config></clickhouse>"
_FORMAT = "JSONCompactEachRowWithNamesAndTypes"
# The first word of EXPLAIN AST for statements that change nothing, whoever runs them.
_READING = re.compile(r"SelectWithUnionQuery|Show\w*|SHOW|Describe\w*|Exists\w*|CheckGrantQuery|Explain|Check\w*")
# Statements that ClickHouse refuses under readonly = 1 after it has looked at the rights (asked of chDB 26.9).
_REFUSED_WHEN_READ_ONLY = re.compile(
    r"InsertQuery|Create\w*|Drop\w*|Alter\w*|Delete\w*|Update\w*|Truncate\w*|Optimize\w*|Rename|Detach\w*|Attach\w*"
    r"|Undrop\w*|SYSTEM"
)
_DDL = re.compile(r"Create\w*|Drop\w*|Alter\w*|Truncate\w*|Rename|Detach\w*|Attach\w*|Undrop\w*")
_OWN_LIMITS = "SELECT toUInt64(getSetting('readonly')), toUInt64(getSetting('allow_ddl'))"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: `result` of what was run, or ClickHouse's `error`.

    Neither: it is allowed, would change something, and was not carried out.
    """

    result: QueryResult | None = None
    error: HousekeysError | None = None

    @property
    def allowed(self) -> bool:
        return self.error is None

    @property
    def carried_out(self) -> bool:
        return self.result is not None


def reads_only(sql: str, syntax: str) -> bool:
    """Whether a statement changes nothing. `syntax` is the first line of its EXPLAIN AST.

    Raises BadInputError for what cannot be tried: what writes files here, and what read-only mode lets pass.
    """
    if is_access_statement(sql):
        raise BadInputError(
            "Statements about access cannot be tried.", advice="Look at the effective rights of the user."
        )
    if any(token.kind is Kind.WORD and token.text.upper() == "OUTFILE" for token in _tokens(sql)):
        raise BadInputError("A statement with INTO OUTFILE cannot be tried: it would write a file here.")
    if _READING.match(syntax):
        return True
    if _REFUSED_WHEN_READ_ONLY.match(syntax):
        return False
    raise BadInputError(
        "ClickHouse cannot check this kind of statement without carrying it out.",
        advice="Try one that reads or changes tables, or try it really.",
        detail=syntax,
    )


def _tokens(sql: str) -> list[Any]:
    try:
        return tokenize(sql)
    except AccessSyntaxError as error:
        raise BadInputError(f"The statement cannot be tried: {error.message}") from error


@contextmanager
def scratch(folder: Path, data: Path, users: str) -> Iterator[Scratch]:
    """chDB on `data` with another configuration of users, whose files are in `folder` meanwhile.

    No other connection to chDB may be open in this process.
    """
    private_folder(folder)
    users_file, config_file = folder / "users.xml", folder / "config.xml"
    try:
        write_private(users_file, users.encode())
        write_private(config_file, _CONFIG.format(users=escape(str(users_file))).encode())
        opened = Scratch(data, config_file)
        try:
            yield opened
        finally:
            opened.close()
    finally:
        remove_file(users_file)
        remove_file(config_file)


class Scratch:
    """One connection to chDB without the driver. Nothing is set on it and nothing asked but what is run."""

    def __init__(self, data: Path, config: Path) -> None:
        import_chdb()
        from chdb.state.sqlitelike import connect

        try:
            self._connection = connect(f"{data}?config-file={config}")
        except (RuntimeError, OSError) as error:
            raise _explained(str(error)) from error

    def run(self, sql: str) -> QueryResult:
        """Run a statement. Values come back as JSON has them."""
        try:
            answer = self._connection.query(sql, _FORMAT)
        except RuntimeError as error:
            raise _explained(str(error)) from error
        return _result(answer.bytes() if answer is not None else b"")

    def close(self) -> None:
        """Let go of chDB."""
        self._connection.close()


def tried(connection: Scratch, sql: str, user: str) -> Tried:
    """A statement run as it is, with what ClickHouse says of its own user said of `user`."""
    try:
        return Tried(result=connection.run(sql))
    except HousekeysError as error:
        text = (error.detail or str(error)).replace(f"user `{FIXED_USER}`", f"user `{user}`")
        text = text.replace(f"Exception: {FIXED_USER}: ", f"Exception: {user}: ", 1)
        return Tried(error=explain(getattr(error, "code", 0), text))


def refused_by_own_settings(connection: Scratch, syntax: str) -> bool:
    """Whether the user's own settings would stop a statement that only read-only mode has stopped."""
    read_only, allow_ddl = connection.run(_OWN_LIMITS).rows[0]
    return bool(int(read_only)) or (not int(allow_ddl) and _DDL.match(syntax) is not None)


def _explained(text: str) -> HousekeysError:
    code = _CODE.search(text)
    return explain(int(code[1]) if code else 0, text)


def _result(answer: bytes) -> QueryResult:
    lines = answer.decode("utf-8", "replace").split("\n")[:-1]
    try:
        columns, _, *rows = (json.loads(line) for line in lines)
        return QueryResult(tuple(columns), [tuple(row) for row in rows])
    except ValueError:
        # No answer at all, or one in the format that the statement asked for.
        return QueryResult(("answer",), [(line,) for line in lines]) if lines else QueryResult((), [])
