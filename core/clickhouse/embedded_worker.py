"""What the embedded engine does in its one thread: chDB's life, and which statement goes where."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from core.access.access_model import EntityKey
from core.access.model import EntityKind, Grant
from core.access.state import FIXED_USER, unknown
from core.access.tokenizer import first_words
from core.access.users_xml import all_not_enforced, project
from core.access.users_xml_trial import asks_who, trial_of
from core.clickhouse.embedded_access import AccessStatements, is_access_statement, no_place_for
from core.clickhouse.embedded_answers import answer, show_question
from core.clickhouse.embedded_handle import NOWHERE_TO_KEEP, Handle, HandleOptions
from core.clickhouse.embedded_repair import remove_unborn_databases
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import ServerError, explain
from core.clickhouse.quoting import quote_identifier, quote_string
from core.clickhouse.trying import READ_ONLY, Tried, reads_only, refused_by_own_settings, scratch, tried
from core.display import one_line
from core.errors import BadInputError, HousekeysError, RefusedError, UnreachableError
from core.files import FileLock, exposure, private_folder, write_private

_log = logging.getLogger(__name__)
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
# A statement run for its effect that may look at users, roles or grants; every query is taken for one, for a view can
# read with the rights of another user. Taking one too many costs a reload, taking one too few a lie.
_LOOKS_AT_ACCESS = re.compile(
    r"\b(?:SHOW|GRANTS?|EXECUTE|DEFINER|users|roles|\w+_roles|\w*grants|settings_profiles|settings_profile_elements"
    r"|row_policies|quotas?|quotas?_\w+)\b",
    re.IGNORECASE,
)
_FLUSHED_TOGETHER = 200  # access statements made durable by one fsync


class Worker:
    """The synchronous half of the embedded engine. All but `kill` and `end` runs in one thread."""

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
        self._access = AccessStatements(folder / "access" / "access.sql", self)
        self._handle: Handle | None = None
        self._killing = threading.Lock()
        self._database = "default"  # the current one

    # -- life ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the lock, read the stored access, write chDB's configuration, start chDB. Raises UnreachableError."""
        try:
            private_folder(self.folder)
            self._lock.acquire()
            self._access.storage.open(must_exist=self._users_file.is_file())  # users.xml is only written after it
            query_log = _QUERY_LOG if self._query_log else ""
            config = _CONFIG.format(users=escape(str(self._users_file)), query_log=query_log)
            _write_changed(self._options.config, config.encode())
            self._write_users()
            remove_unborn_databases(self._options.data)
            self._handle = self._start()
        except OSError as error:
            self.close()
            raise UnreachableError(
                f"The data folder {one_line(str(self.folder))} cannot be used: {error.strerror}.",
                advice="Check the folder, its owner and the space on the disk.",
                detail=str(error),
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop chDB and let go of the files and the lock. Idempotent."""
        with self._killing:
            handle, self._handle = self._handle, None
            if handle is not None:
                handle.close()
        self._access.storage.close()
        self._lock.release()

    def kill(self, ended: threading.Event) -> None:
        """Kill the statement that runs, from another thread, unless its job has `ended`."""
        with self._killing:
            if ended.is_set() or self._handle is None:
                return
            second = Handle(HandleOptions(self._options.data, self._options.config, {}, comment="housekeys kill"))
            try:
                second.command(f"KILL QUERY WHERE Settings['log_comment'] = {quote_string(self._options.comment)}")
            finally:
                second.close()

    def end(self, ended: threading.Event) -> None:
        """Say that a job has ended; waits for a KILL on its way, so that it cannot hit the next statement."""
        with self._killing:
            ended.set()

    # -- statements ---------------------------------------------------------------------------------------------

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None, settings: Mapping[str, SettingValue] | None
    ) -> QueryResult:
        """Run a statement that reads; what it may see of access is loaded first."""
        if is_access_statement(sql):
            self._access.carry_out(sql)
            return QueryResult((), [])
        self.load_access()
        if (question := show_question(sql)) is not None:
            return answer(question, self._access.storage.state, self.ask)
        return self._chdb.query(sql, parameters, settings)

    def command(self, sql: str, settings: Mapping[str, SettingValue] | None = None) -> None:
        """Run a statement for its effect."""
        if is_access_statement(sql):
            self._access.carry_out(sql)
            return
        if self._access.rows_changed or _LOOKS_AT_ACCESS.search(sql):
            self.load_access()
        try:
            self._chdb.command(sql, settings)
        except ServerError as error:
            if error.code in NOWHERE_TO_KEEP:
                raise no_place_for(sql) from error
            raise

    def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        stop_on_error: bool,
        cancelled: threading.Event,
    ) -> None:
        """Run statements in order; many access statements are judged and made durable together.

        `done` is called for an access statement once it is durable, which may be after statements that follow it.
        """
        judged: Mapping[int, Grant] | None = None
        try:
            for index, sql in enumerate(statements):
                if cancelled.is_set():
                    return
                if is_access_statement(sql) and judged is None:
                    judged = self._access.judge_together(enumerate(statements[index:], index))
                error = self._one_of_many(index, sql, judged or {})
                failed = error is not None
                if failed or self._access.waiting >= _FLUSHED_TOGETHER:
                    failed = not self._flush(done) or failed
                if error is not None or not is_access_statement(sql):
                    done(index, error)
                if failed and stop_on_error:
                    return
        finally:
            self._flush(done)

    def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in one batch."""
        self._chdb.insert(database, table, columns, rows)

    def _one_of_many(self, index: int, sql: str, judged: Mapping[int, Grant]) -> HousekeysError | None:
        try:
            if is_access_statement(sql):
                self._access.accept(index, sql, judged)
            else:
                self.command(sql)
        except HousekeysError as error:
            return error
        return None

    def _flush(self, done: Callable[[int, Exception | None], None]) -> bool:
        """Make the accepted access statements durable and say so; whether that went well."""
        outcomes = self._access.flush()
        for index, error in outcomes:
            done(index, error)
        return all(error is None for _, error in outcomes)

    def not_enforced(self) -> dict[EntityKey, tuple[str, ...]]:
        """What is kept but not enforced, in words."""
        return all_not_enforced(self._access.storage.state)

    def try_as(self, user: str, sql: str, really: bool) -> Tried:
        """Run a statement as `user` would; one that would change something only `really`, else it is checked."""
        state = self._access.storage.state
        if user != FIXED_USER and user not in state.users:
            refusal = unknown(EntityKind.USER, user)
            raise explain(refusal.code, str(refusal))
        self.load_access()
        syntax = self._syntax(sql)
        reading = reads_only(sql, syntax)
        if user != FIXED_USER and asks_who(sql):
            raise BadInputError(
                "The statement asks for the name of the user, which would be that of chDB's own.",
                advice=f"Write the name in the place of the function: '{one_line(user, 60)}'.",
            )
        if really and not reading and self._options.read_only:
            raise explain(READ_ONLY, f"Code: {READ_ONLY}. DB::Exception: Cannot execute query in readonly mode.")
        checking = not reading and not really
        trial = trial_of(state, user, reading_only=checking)
        if trial.missing:
            raise RefusedError(
                f"The user {one_line(user)} cannot be tried, because the embedded engine does not enforce what limits "
                f"it: {', '.join(trial.missing)}.",
                advice="Try it on a server.",
            )
        place, data = self.folder / "trying", self._options.data
        with self._away():
            with scratch(place, data, trial.users) as connection:
                found = tried(connection, sql, user)
            if not checking or getattr(found.error, "code", 0) != READ_ONLY:
                return found
            with scratch(place, data, trial_of(state, user, reading_only=False).users) as connection:
                return found if refused_by_own_settings(connection, syntax) else Tried()

    def _syntax(self, sql: str) -> str:
        """What kind of statement it is, in ClickHouse's word."""
        if first_words(sql, 1) == ("SYSTEM",):
            return "SYSTEM"  # the driver writes the format of the answer behind it, which SYSTEM does not take
        return str(self.ask(f"EXPLAIN AST {sql}").first_cell())

    # -- what the access statements need of chDB ------------------------------------------------------------------

    def ask(self, sql: str, parameters: Mapping[str, str] | None = None) -> QueryResult:
        """Run a statement that reads, as it is."""
        return self._chdb.query(sql, parameters)

    def run(self, sql: str) -> None:
        """Run a statement for its effect, as it is."""
        self._chdb.command(sql)

    def load_access(self) -> bool:
        """Make chDB read the access state if it has changed (about 0.1 s); whether it had.

        Raises HousekeysError when the projection cannot be written; chDB then goes on with the one before.
        """
        if not self._access.changed:
            return False
        try:
            self._write_users()
        except OSError as error:
            raise HousekeysError(
                "Users and grants were changed and cannot be loaded: their file cannot be written.",
                advice="Free some space on the disk and try again.",
                detail=f"{self._users_file}: {error}",
            ) from error
        with self._away():
            pass
        return True

    @contextmanager
    def _away(self) -> Iterator[None]:
        """Close chDB, and start it again afterwards as it was."""
        with self._killing:
            if self._handle is not None:  # else an earlier start failed
                self._database = str(self._handle.query("SELECT currentDatabase()").first_cell())
                self._handle.close()
                self._handle = None
            try:
                yield
            finally:
                self._handle = self._start()
                if self._database != "default":
                    self._handle.command(f"USE {quote_identifier(self._database)}")

    def _write_users(self) -> None:
        _write_changed(self._users_file, project(self._access.storage.state).encode())

    def _start(self) -> Handle:
        """Start chDB on the projection of the access state, without its settings if it does not load with them.

        What is accepted is judged so that this does not happen; but an engine that does not open cannot be repaired.
        """
        try:
            handle = Handle(self._options)
        except UnreachableError as error:
            without_settings = project(self._access.storage.state, with_settings=False).encode()
            if without_settings == self._users_file.read_bytes():
                raise
            _log.warning("the embedded engine starts without the settings of its users: %s", error.detail)
            write_private(self._users_file, without_settings)
            handle = Handle(self._options)
        self._access.loaded()
        return handle

    @property
    def _users_file(self) -> Path:
        return self.folder / "users.xml"

    @property
    def _chdb(self) -> Handle:
        if self._handle is None:
            raise UnreachableError("The embedded engine is closed.", detail=str(self.folder))
        return self._handle


def _write_changed(path: Path, content: bytes) -> None:
    """Write a private file, unless it is there already as it should be. OSError is the caller's."""
    if not (path.exists() and path.read_bytes() == content and not exposure(path)):
        write_private(path, content)
