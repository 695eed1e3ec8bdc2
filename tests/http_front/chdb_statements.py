"""Statements run on chDB: one handle and one thread for each, as a server has a context for each request.

`KILL QUERY WHERE query_id = …` works for real: a statement carries its query id as its `log_comment` setting.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import chdb

from core.clickhouse.quoting import quote_identifier, quote_string

_INSERT = re.compile(rb"\A\s*(INSERT\s+INTO\s.*?\s)FORMAT\s+(\w+)[ \t]*\r?\n", re.IGNORECASE | re.DOTALL)
_KILL = re.compile(r"\A\s*KILL\s+QUERY\b", re.IGNORECASE)
_DIRECTORIES = re.compile(r"\bsystem\.user_directories\b", re.IGNORECASE)
_WITH_STORAGE = """(SELECT * FROM system.user_directories UNION ALL
SELECT 'local_directory', 'local_directory', '{}', toUInt64(2))"""
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class StatementError(Exception):
    """ClickHouse's own error; the text begins with `Code: N.`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one request asks for. `text` is the statement, for an INSERT with the data behind it."""

    text: bytes
    query_id: str
    database: str = ""
    output_format: str = "TabSeparated"
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The statement without the data of an INSERT."""
        found = _INSERT.match(self.text)
        return (found.group(0) if found else self.text).decode("utf-8", "surrogateescape").strip()


class ChdbStatements:
    """Runs statements against the chDB at `data`, configured by `config`, which somebody else keeps open."""

    def __init__(self, data: Path, config: Path, *, storage: bool) -> None:
        """With `storage` the access storage of the embedded engine is shown as ClickHouse shows its own."""
        self._storage = storage
        self._address = f"{data.resolve()}?{urlencode({'config-file': str(config)})}"
        self._threads = ThreadPoolExecutor(max_workers=24, thread_name_prefix="front")

    async def run(self, statement: Statement) -> bytes:
        """The whole answer. Raises StatementError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, statement)

    async def stream(self, statement: Statement) -> AsyncIterator[bytes]:
        """The answer block by block, as it is made. Raises StatementError in the middle, as ClickHouse does."""
        loop = asyncio.get_running_loop()
        handle = await loop.run_in_executor(self._threads, self._handle, statement)
        try:
            blocks = handle.send_query(statement.sql, statement.output_format)
            while (block := await loop.run_in_executor(self._threads, _next_block, blocks)) is not None:
                yield block
        finally:
            handle.close()

    def close(self) -> None:
        """Wait for the statements that run."""
        self._threads.shutdown()

    def _handle(self, statement: Statement) -> Any:
        handle = chdb.connect(self._address)
        try:
            if not self._read_only(handle):
                handle.query(f"SET log_comment = {quote_string(statement.query_id)}")
            if statement.database:
                handle.query(f"USE {quote_identifier(statement.database)}")
            # readonly comes last: after it, no other setting could be changed under readonly = 1.
            for name, value in sorted(statement.settings.items(), key=lambda item: item[0] == "readonly"):
                if not _SETTING.match(name):
                    raise StatementError(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
                handle.query(f"SET {name} = {quote_string(value)}")
        except BaseException as error:
            handle.close()
            raise _statement_error(error) from error
        return handle

    @staticmethod
    def _read_only(handle: Any) -> bool:
        """Whether the user may change no setting at all; its statements cannot be killed then."""
        answer = handle.query("SELECT value FROM system.settings WHERE name = 'readonly'", "TabSeparated")
        return bool(answer.bytes().strip() == b"1")

    def _run(self, statement: Statement) -> bytes:
        handle = self._handle(statement)
        try:
            if found := _INSERT.match(statement.text):
                return _insert(handle, found.group(1), found.group(2), statement.text[found.end() :])
            sql = statement.sql
            if self._storage:
                sql = _DIRECTORIES.sub(_WITH_STORAGE, sql)
            if _KILL.match(sql):
                sql = re.sub(r"\bquery_id\b", "Settings['log_comment']", sql)
            answer = handle.query(sql, statement.output_format, params=dict(statement.parameters))
            return bytes(answer.bytes()) if answer.size() else b""
        except Exception as error:
            raise _statement_error(error) from error
        finally:
            handle.close()


def _insert(handle: Any, statement: bytes, data_format: bytes, data: bytes) -> bytes:
    if not data:
        return b""
    with tempfile.NamedTemporaryFile(suffix=".data") as file:
        file.write(data)
        file.flush()
        source = f"FROM INFILE {quote_string(file.name)} FORMAT {data_format.decode()}"
        handle.query(f"{statement.decode()} {source}")
    return b""


def _next_block(blocks: Any) -> bytes | None:
    try:
        for block in blocks:
            return bytes(block.bytes())
    except Exception as error:
        raise _statement_error(error) from error
    return None


def _statement_error(error: BaseException) -> StatementError:
    if isinstance(error, StatementError):
        return error
    text = str(error)
    start = text.find("Code: ")
    return StatementError(text[start:] if start >= 0 else f"Code: 1002. DB::Exception: {text} (UNKNOWN_EXCEPTION)")
