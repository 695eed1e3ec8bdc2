"""The engine behind a server profile: ClickHouse over HTTP(S), through clickhouse-connect's asynchronous client.

The driver is imported by `open`, in a thread: importing this module costs nothing, and the console stays responsive.
Reads are sent again when the connection broke; nothing else ever is. A cancelled call is cancelled on the server too,
by KILL QUERY with the query id that every statement is sent under.
Source: https://clickhouse.com/docs/interfaces/http
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import uuid4

from core.clickhouse.driver import leave_data_frames_out
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import QueryTimeoutError, ServerError, SettingRefusedError
from core.clickhouse.quoting import quote_identifier, quote_string, require_encodable
from core.clickhouse.server_diagnosis import look_closer
from core.clickhouse.server_failures import ConnectionLostError, explain_failure, no_answer
from core.clickhouse.server_options import ServerOptions
from core.display import one_line
from core.errors import BadInputError, HousekeysError
from core.version import VERSION

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient
    from clickhouse_connect.driver.insert import InsertContext

__all__ = ["ServerEngine", "ServerOptions"]

log = logging.getLogger(__name__)
T = TypeVar("T")

_READ = re.compile(r"[\s(]*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN|CHECK)\b", re.IGNORECASE)
_CHECK = re.compile(r"\s*CHECK\b", re.IGNORECASE)
_READ_ATTEMPTS = 3
_SAME_QUERY_ID = 216  # QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: the driver's own repetition met the first one
_STATEMENTS_AT_ONCE = 16
_CONNECTIONS = _STATEMENTS_AT_ONCE + 4  # so that KILL QUERY always finds a free one
_KILL_SECONDS = 3.0
_KILL_TRIES = 3  # a statement may reach the server after its KILL QUERY does
_OPENING_BUDGET = 3.0  # opening takes several answers; in units of connect_timeout


class ServerEngine:
    """A connected ClickHouse server. See `core.clickhouse.engine.Engine`."""

    def __init__(self, client: AsyncClient, options: ServerOptions) -> None:
        self._client = client
        self._options = options
        self._places = asyncio.Semaphore(_STATEMENTS_AT_ONCE)
        self._kills: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def open(cls, options: ServerOptions) -> ServerEngine:
        """Connect and log in.

        Raises BadInputError (a certificate file cannot be read, a name cannot be sent), UnreachableError (no answer,
        TLS, a wrong port, a refused login) or RefusedError (a setting of the profile is not allowed).
        """
        await asyncio.to_thread(_check_files, options)
        connect = await asyncio.to_thread(_import_driver)
        failure: HousekeysError
        try:
            async with asyncio.timeout(options.connect_timeout * _OPENING_BUDGET):
                client = await connect(**_client_arguments(options))
        except TimeoutError:
            failure = no_answer(options)
        except Exception as error:
            failure = explain_failure(error, options)
        else:
            engine = cls(client, options)
            try:
                engine._send_always(options)
            except BaseException:
                await engine.close()
                raise
            return engine
        if isinstance(failure, ConnectionLostError):
            closer = await asyncio.to_thread(look_closer, options)
            raise closer or failure
        raise failure  # outside of the handler: the driver's exceptions can hold request headers

    @property
    def home(self) -> Literal["server", "embedded"]:
        return "server"

    @property
    def address(self) -> str:
        """`host:port`."""
        return self._options.address

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        """Run a statement that reads; sent again when the connection breaks. See `Engine.query`."""
        require_encodable(sql, parameters)
        for left in reversed(range(_READ_ATTEMPTS if _READ.match(sql) else 1)):
            try:
                return await self._run(lambda query_id: self._read(sql, parameters, settings, query_id))
            except ConnectionLostError:
                if not left:
                    raise
            except ServerError as error:
                if not left or error.code != _SAME_QUERY_ID:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        """Run a statement that changes something; never sent twice. See `Engine.command`."""
        require_encodable(sql)

        async def act(query_id: str) -> None:
            # The whole answer is waited for: an error of ON CLUSTER comes after the first hosts' rows.
            await self._client.command(sql, settings=_sent(settings, query_id, wait_end_of_query=1), use_database=False)

        await self._run(act)

    async def commands(
        self,
        statements: Sequence[str],
        done: Callable[[int, Exception | None], None],
        *,
        stop_on_error: bool,
    ) -> None:
        """Run statements one after the other. See `Engine.commands`."""
        for index, statement in enumerate(statements):
            failure: HousekeysError | None = None
            try:
                await self.command(statement)
            except HousekeysError as error:
                failure = error
            done(index, failure)
            if failure is not None and stop_on_error:
                return

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in one batch; never sent twice. See `Engine.insert`."""
        if not rows:
            return
        target = f"{quote_identifier(database)}.{quote_identifier(table)}"
        context = await self._run(lambda _: self._client.create_insert_context(target, list(columns)))
        compression = self._client.write_compression
        body = await asyncio.to_thread(_encode, context, rows, compression)

        async def act(query_id: str) -> None:
            # Not the driver's insert: it sends a batch again when the connection breaks.
            await self._client.command(
                "",
                data=body,
                settings=_sent(None, query_id, wait_end_of_query=1),
                use_database=False,
                transport_settings={"Content-Encoding": compression} if compression else None,
            )

        await self._run(act)

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for task in tuple(self._kills):
            await asyncio.wait({task}, timeout=_KILL_SECONDS)
        await self._client.close()

    async def _run(self, act: Callable[[str], Awaitable[T]]) -> T:
        """Do `act` under a query id of its own, in time, and kill what it started when it is cancelled."""
        query_id = f"housekeys-{uuid4()}"
        failure: HousekeysError
        async with self._places:
            try:
                async with asyncio.timeout(self._options.query_timeout):
                    return await act(query_id)
            except asyncio.CancelledError:
                await self._kill(query_id)
                raise
            except TimeoutError:
                await self._kill(query_id)
                failure = self._too_slow()
            except Exception as error:
                failure = explain_failure(error, self._options)
        raise failure  # outside of the handler: the driver's exceptions can hold request headers

    async def _read(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None,
        settings: Mapping[str, SettingValue] | None,
        query_id: str,
    ) -> QueryResult:
        bound = dict(parameters) if parameters else None
        if _CHECK.match(sql):  # has no FORMAT clause, so that the driver sends it as a command
            value = await self._client.command(sql, bound, settings=_sent(settings, query_id), use_database=False)
            return QueryResult(("result",), ((value,),))
        answer = await self._client.query(sql, bound, settings=_sent(settings, query_id), query_tz="UTC")
        # SHOW GRANTS names its column after its own text, to which the driver adds a FORMAT.
        columns = tuple(name.removesuffix(" FORMAT Native") for name in answer.column_names)
        return QueryResult(columns, [tuple(row) for row in answer.result_rows])

    async def _kill(self, query_id: str) -> None:
        """Wait for the KILL QUERY, unless cancelled once more; it goes on by itself then."""
        task = asyncio.create_task(self._send_kill(query_id))
        self._kills.add(task)
        task.add_done_callback(self._kills.discard)
        await asyncio.shield(task)

    async def _send_kill(self, query_id: str) -> None:
        statement = f"KILL QUERY WHERE query_id = {quote_string(query_id)} ASYNC"
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                for attempt in range(_KILL_TRIES):
                    await asyncio.sleep(0.1 * attempt)
                    answer = await self._client.command(statement, use_database=False)
                    if answer and isinstance(answer, str | list):
                        return
        except Exception as error:
            failure = explain_failure(error, self._options)
            log.warning("KILL QUERY of %s did not work: %s %s", query_id, failure, failure.detail)

    def _too_slow(self) -> QueryTimeoutError:
        seconds = self._options.query_timeout
        return QueryTimeoutError(
            f"No answer from {self.address} within {seconds:g} s; the statement was cancelled.",
            code=159,
            name="TIMEOUT_EXCEEDED",
            advice="Raise query_timeout in the profile. A statement that changes something may have been carried out.",
        )

    def _send_always(self, options: ServerOptions) -> None:
        """Have the client send the settings of the profile, and readonly, with every statement from now on."""
        wanted: dict[str, SettingValue] = dict(options.settings)
        readonly = self._client.server_settings.get("readonly")
        if options.read_only and (readonly is None or readonly.value == "0"):
            wanted["readonly"] = 2
        for name, value in wanted.items():
            refused = False
            try:
                self._client.set_client_setting(name, value)
            except Exception:  # the driver's ProgrammingError, which is not imported at module level
                refused = True
            if refused:
                raise SettingRefusedError(
                    f"The profile sets {name}, which user {options.user} may not change on {options.address}.",
                    code=452,
                    advice="Leave the setting out of the profile, or have the user's settings profile changed.",
                )


def _sent(
    settings: Mapping[str, SettingValue] | None, query_id: str, **transport: SettingValue
) -> dict[str, SettingValue]:
    return {**(settings or {}), "query_id": query_id, **transport}


def _import_driver() -> Callable[..., Awaitable[AsyncClient]]:
    from clickhouse_connect import common
    from clickhouse_connect.driver import asyncclient, create_async_client

    leave_data_frames_out()
    common.set_setting("max_error_size", 16_384)  # characters; a missing grant must not be cut off
    log.debug("driver %s loaded", asyncclient.__name__)
    return create_async_client


def _client_arguments(options: ServerOptions) -> dict[str, Any]:
    """What `create_async_client` is called with. Raises BadInputError when the login cannot be sent."""
    password = options.password.reveal() if options.password else ""
    arguments: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "interface": "https" if options.secure else "http",
        "username": options.user,
        "password": password,
        "compress": True,
        "connect_timeout": options.connect_timeout,
        "send_receive_timeout": options.query_timeout + 5.0,  # ours ends first, and kills the statement
        "client_name": f"housekeys/{VERSION}",
        "verify": options.verify,
        "connector_limit": _CONNECTIONS,
        "connector_limit_per_host": _CONNECTIONS,
        "tz_mode": "aware",
        "autogenerate_session_id": False,
        "query_retries": 0,
        "show_clickhouse_errors": True,
    }
    if options.secure and options.ca_file:
        arguments["ca_cert"] = str(options.ca_file)
    if options.secure and options.client_certificate:
        arguments["client_cert"] = str(options.client_certificate)
        arguments["client_cert_key"] = str(options.client_key) if options.client_key else None
        arguments["tls_mode"] = "strict" if password else "mutual"
    elif ":" in options.user:  # HTTP's basic login ends the name at the first colon
        arguments |= {"username": None, "password": "", "headers": _login_headers(options.user, password)}
    return arguments


def _login_headers(user: str, password: str) -> dict[str, str]:
    if not (user + password).isprintable():
        raise BadInputError(
            "The user or the password cannot be sent over HTTP: it has a control character, and the user has a colon.",
            advice="Use another user for this profile.",
        )
    return {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}


def _encode(context: InsertContext, rows: Sequence[Sequence[Any]], compression: str | None) -> bytes:
    """The INSERT and its rows in Native format, compressed. Raises BadInputError when a value does not fit."""
    from clickhouse_connect.driver.transform import NativeTransform

    problems: list[Exception] = []
    body = b""
    try:
        context.compression = compression
        context.data = rows
        body = b"".join(NativeTransform.build_insert(context, problems.append))
    except Exception as error:
        problems.append(error)
    if problems:
        raise BadInputError(
            f"A value cannot be stored in column {context.column_name} of {context.table}.",
            detail=type(problems[0]).__name__,
        )
    return body


def _check_files(options: ServerOptions) -> None:
    """Raises BadInputError when a certificate file of the options cannot be read or used."""
    if not options.secure:
        return
    named = {
        "ca_file": options.ca_file,
        "client_certificate": options.client_certificate,
        "client_key": options.client_key,
    }
    for key, path in named.items():
        if path is None:
            continue
        try:
            path.open("rb").close()
        except OSError as error:
            raise BadInputError(
                f"{key} of the profile cannot be read: {path}: {error.strerror}.",
                advice="Correct the path in the tls part of the profile.",
            ) from None
    _try_certificates(options)


def _try_certificates(options: ServerOptions) -> None:
    key = "ca_file"
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if options.ca_file:
            context.load_verify_locations(options.ca_file)
        key = "client_certificate and client_key"
        if options.client_certificate:
            # A callback instead of OpenSSL's own question on the terminal.
            context.load_cert_chain(options.client_certificate, options.client_key, password=lambda: "")
    except ssl.SSLError as error:
        raise BadInputError(
            f"{key} of the profile cannot be used: {one_line(error.reason or str(error))}.",
            advice="They must be PEM files; a client key must belong to its certificate and have no passphrase.",
        ) from None
