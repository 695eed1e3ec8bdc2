"""What the embedded engine does in its one thread: chDB, and the access storage that it lacks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.quoting import quote_string
from core.errors import HousekeysError
from core.files import FileLock, private_folder, write_private

_CONFIG = """<clickhouse>
    <users_config>{users}</users_config>{query_log}
</clickhouse>
"""
_QUERY_LOG = """
    <query_log>
        <database>system</database>
        <table>query_log</table>
        <flush_interval_milliseconds>1000</flush_interval_milliseconds>
    </query_log>"""
_USERS = """<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <no_password/>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
            <named_collection_control>1</named_collection_control>
            <show_named_collections_secrets>1</show_named_collections_secrets>
        </default>
    </users>
</clickhouse>
"""


class Worker:
    """The synchronous half of the embedded engine. All but `kill` runs in one thread."""

    def __init__(self, folder: Path, *, read_only: bool, settings: Mapping[str, SettingValue], query_log: bool) -> None:
        folder = folder.absolute()
        self.folder = folder
        self._query_log = query_log
        self._options = HandleOptions(
            data=folder / "data",
            config=folder / "config.xml",
            settings=dict(settings),
            comment=f"housekeys {uuid4()}",
            read_only=read_only,
        )
        self._lock = FileLock(folder / "lock", purpose=f"The data folder {folder}")
        self._handle: Handle | None = None
        self._killing = threading.Lock()

    @property
    def handle(self) -> Handle:
        assert self._handle is not None, "the engine is not open"  # noqa: S101  (a mistake of ours, never of a user)
        return self._handle

    def open(self) -> None:
        """Take the lock, write the configuration, start chDB."""
        private_folder(self.folder)
        self._lock.acquire()
        try:
            query_log = _QUERY_LOG if self._query_log else ""
            config = _CONFIG.format(users=self.folder / "users.xml", query_log=query_log)
            write_private(self._options.config, config.encode())
            write_private(self.folder / "users.xml", _USERS.encode())
            self._handle = Handle(self._options)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Stop chDB and let go of the lock. Idempotent."""
        with self._killing:
            handle, self._handle = self._handle, None
            if handle is not None:
                handle.close()
        self._lock.release()

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None, settings: Mapping[str, SettingValue] | None
    ) -> QueryResult:
        return self.handle.query(sql, parameters, settings)

    def command(self, sql: str, settings: Mapping[str, SettingValue] | None) -> None:
        self.handle.command(sql, settings)

    def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        stop_on_error: bool,
        cancelled: threading.Event,
    ) -> None:
        for index, sql in enumerate(statements):
            if cancelled.is_set():
                return
            try:
                self.handle.command(sql)
            except HousekeysError as error:
                done(index, error)
                if stop_on_error:
                    return
            else:
                done(index, None)

    def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.handle.insert(database, table, columns, rows)

    def kill(self, ended: threading.Event) -> None:
        """Kill the statement that runs, from another thread, unless its job has `ended`."""
        with self._killing:
            if ended.is_set() or self._handle is None:
                return
            options = HandleOptions(self._options.data, self._options.config, {}, comment="housekeys kill")
            second = Handle(options)
            try:
                second.command(f"KILL QUERY WHERE Settings['log_comment'] = {quote_string(self._options.comment)}")
            finally:
                second.close()

    def end(self, ended: threading.Event) -> None:
        """Say that a job has ended; waits for a KILL on its way, so that it cannot hit the next statement."""
        with self._killing:
            ended.set()
