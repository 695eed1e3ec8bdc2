"""A client of the Lakehouse: log in, run one statement, read its rows, and cancel it there when it is cancelled here.

Instead of the vendor's connector, which blocks, brings 400 MB of packages and cannot live beside newer ones. aiohttp is
imported when a client is opened. A statement that changes something is never sent twice; after a broken connection it
is only asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core.display import one_line
from core.errors import HousekeysError, UnreachableError
from core.lakehouse.reaching.failures import (
    LakehouseBusyError,
    LakehouseLostError,
    explain,
    explain_network,
    foreign_answer,
    login_refused,
    too_slow,
)
from core.lakehouse.reaching.jobs import (
    CANCEL_PATH,
    GET_PATH,
    LOGIN_PATH,
    SUBMIT_PATH,
    JobAnswer,
    State,
    cancel_body,
    cancellation_missed,
    get_body,
    login_body,
    new_job_id,
    read_answer,
    session_refused,
    submit_body,
)
from core.lakehouse.reaching.result_rows import ARROW, LakehouseRows, decode, read_result, wanted_format
from core.lakehouse.reaching.tls import Trust, trust_of
from core.profiles.model import LakehouseSettings
from core.proxies import proxy_for
from core.secrets import MASK, Secret
from core.version import VERSION

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = logging.getLogger(__name__)

_READ = re.compile(r"\s*(?:SHOW|DESC|DESCRIBE|SELECT|WITH|EXPLAIN)\b", re.IGNORECASE)
_ATTEMPTS = 3  # of a read, of a look at a job, of a login
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 3.0  # seconds between two looks at a job, and before another attempt
_SESSION_SECONDS = 96 * 60.0  # as the connector: four fifths of the two hours that a session lasts
_CANCEL_SECONDS = 3.0
_ANSWER_SECONDS = 60.0  # for any one answer; longer than the Lakehouse keeps one back
_CONNECTIONS = 8


class LakehouseClient:
    """A session with one Lakehouse. Closed with `close`; safe to use from one event loop, for several statements."""

    def __init__(self, http: ClientSession, trust: Trust, settings: LakehouseSettings, password: Secret) -> None:
        self._http = http
        self._trust = trust
        self._settings = settings
        self._password = password
        self._token: Secret | None = None
        self._logged_in = 0.0
        self._login = asyncio.Lock()
        self._cancellations: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, settings: LakehouseSettings, password: Secret) -> LakehouseClient:
        """Connect and log in.

        Raises BadInputError: ca_file cannot be used; UnreachableError: no answer, TLS, another server;
        LakehouseLoginError: the login is refused.
        """
        trust = await asyncio.to_thread(trust_of, settings)
        client = cls(await _open_http(settings, trust), trust, settings, password)
        try:
            await client._current_token()
        except BaseException:
            await client.close()
            raise
        return client

    async def query(self, sql: str) -> LakehouseRows:
        """Run one statement and read what it gives; a read is sent again when the connection breaks.

        Raises LakehouseError and its kinds for what the Lakehouse says, UnreachableError when it cannot be asked.
        """
        for left in reversed(range(_ATTEMPTS if _READ.match(sql) else 1)):
            try:
                return await self._rows(await self._run(sql))
            except (LakehouseLostError, LakehouseBusyError):
                if not left:
                    raise
                await asyncio.sleep(_FIRST_PAUSE * 4 ** (_ATTEMPTS - left))
        raise AssertionError("the last attempt returns or raises")

    async def execute(self, sql: str) -> None:
        """Run one statement that changes something; never sent twice. Raises as `query`."""
        await self._run(sql)

    async def close(self) -> None:
        """Close the connections, after cancellations under way. Idempotent."""
        for task in tuple(self._cancellations):
            await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
        await self._http.close()

    async def _run(self, sql: str) -> JobAnswer:
        """Run a statement as a job, in time, and cancel the job on the server when this is cancelled."""
        job = new_job_id()
        failure: HousekeysError
        try:
            async with asyncio.timeout(self._settings.query_timeout):
                answer = await self._finished(job, sql)
        except asyncio.CancelledError:
            await self._cancel(job)
            raise
        except TimeoutError:
            await self._cancel(job)
            failure = too_slow(self._settings, f"job {job}")
        else:
            if answer.state is State.DONE:
                return answer
            failure = explain(answer.code, self._without_secrets(answer.text), sql, _ids(job, answer.request))
        raise failure

    async def _finished(self, job: str, sql: str) -> JobAnswer:
        """Submit a job and wait until it runs no more."""
        answer = await self._submitted(job, sql)
        pause = _FIRST_PAUSE
        while answer.state is State.RUNNING:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            answer = await self._look(job)
        if answer.state is State.MISSING:  # not to be taken for a name that is not there
            raise LakehouseLostError(
                "The Lakehouse knows the job of the statement no more. What became of the statement is not known.",
                advice="Look at what is there before you try again.",
                detail=_ids(job, answer.request),
            )
        return answer

    async def _submitted(self, job: str, sql: str) -> JobAnswer:
        """Send a statement, once. When the answer is lost, the job is asked for instead."""
        lost: LakehouseLostError
        body = submit_body(self._settings, job, sql, wanted_format())
        try:
            return self._job_answer(await self._call(SUBMIT_PATH, body))
        except LakehouseLostError as error:
            lost = error
        for pause in (_FIRST_PAUSE, _FIRST_PAUSE * 8):  # the statement may still be on its way
            await asyncio.sleep(pause)
            answer = await self._look(job)
            if answer.state is not State.MISSING:
                return answer
        raise LakehouseLostError(
            f"{lost.message} The Lakehouse has no job of the statement: it was not carried out.",
            advice=lost.advice,
            detail=f"{lost.detail}\njob {job}",
        )

    async def _look(self, job: str) -> JobAnswer:
        """Ask for a job, again when the connection breaks."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self._job_answer(await self._call(GET_PATH, get_body(self._settings, job)))
            except UnreachableError as error:
                if not left:
                    raise LakehouseLostError(
                        f"{error.message} What became of the statement is not known.",
                        advice="Look at what is there before you try again.",
                        detail=f"{error.detail}\njob {job}",
                    ) from None
                await asyncio.sleep(_FIRST_PAUSE * 4 ** (_ATTEMPTS - left))
        raise AssertionError("the last attempt returns or raises")

    def _job_answer(self, answer: Mapping[str, Any]) -> JobAnswer:
        if found := read_answer(answer):
            return found
        raise foreign_answer(200, self._without_secrets(json.dumps(answer)), self._settings)

    async def _cancel(self, job: str) -> None:
        """Wait until the job is cancelled on the server, unless cancelled once more; it goes on by itself then."""
        task = asyncio.create_task(self._send_cancel(job))
        self._cancellations.add(task)
        task.add_done_callback(self._cancellations.discard)
        await asyncio.shield(task)

    async def _send_cancel(self, job: str) -> None:
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                for attempt in range(_ATTEMPTS):  # a statement may reach the server after its cancellation does
                    await asyncio.sleep(2 * _FIRST_PAUSE * attempt)
                    if not cancellation_missed(await self._call(CANCEL_PATH, cancel_body(self._settings, job))):
                        return
        except (HousekeysError, TimeoutError) as error:
            log.warning("job %s could not be cancelled: %s", job, error)

    async def _rows(self, answer: JobAnswer) -> LakehouseRows:
        result = read_result(answer.result)
        pieces = [*result.pieces, *[await self._fetch(url) for url in result.urls]]
        if result.format == ARROW:  # its library is slow to import
            return await asyncio.to_thread(decode, result, pieces)
        return decode(result, pieces)

    async def _fetch(self, url: str) -> bytes:
        """A part of a large result, from the object store it was put in. No token goes there."""
        failure: HousekeysError
        if self._settings.secure and not url.startswith("https://"):
            raise UnreachableError("The Lakehouse points to a result without TLS, which is not fetched.")
        try:
            request = self._http.get(url, allow_redirects=False, proxy=proxy_for(url), ssl=self._trust.store)
            async with request as response:
                content = await response.read()
            if response.status == 200:
                return content
            reason = f"HTTP {response.status}"
        except (OSError, TimeoutError, _http_errors()) as error:
            reason = type(error).__name__  # no more of it: the URL lets anybody fetch
        failure = LakehouseLostError("A part of the result could not be fetched.", advice="Try again.", detail=reason)
        raise failure

    # The session

    async def _call(self, path: str, body: dict[str, Any]) -> Mapping[str, Any]:
        """Ask within the session, which is renewed once when it is not accepted any more."""
        for renewed in (False, True):
            token = await self._current_token()
            status, answer, text = await self._post(path, body, token)
            if not session_refused(status, answer):
                if answer is None or (status != 200 and read_answer(answer) is None):
                    raise foreign_answer(status, self._without_secrets(text), self._settings)
                return answer
            if self._token is token:
                self._token = None
            if renewed:
                said = self._without_secrets(text)
                raise login_refused("", f"a new session is not accepted: {one_line(said, 100)}", self._settings)
        raise AssertionError("the last attempt returns or raises")

    async def _current_token(self) -> Secret:
        """The token of the session; logs in when there is none, or an old one."""
        async with self._login:
            if self._token is None or time.monotonic() - self._logged_in > _SESSION_SECONDS:
                began = time.monotonic()
                self._token = await self._new_token()
                self._logged_in = began
            return self._token

    async def _new_token(self) -> Secret:
        body = login_body(self._settings, self._password.reveal())
        for left in reversed(range(_ATTEMPTS)):
            try:
                status, answer, text = await self._post(LOGIN_PATH, body, None)
                said = self._without_secrets(text)
                if answer is None or status in (404, 405, 429) or status >= 500:
                    raise foreign_answer(status, said, self._settings)
            except LakehouseLostError:
                if not left:
                    raise
                await asyncio.sleep(_FIRST_PAUSE * 4 ** (_ATTEMPTS - left))
                continue
            code, data = str(answer.get("code", "0")), answer.get("data")
            token = data.get("token") if isinstance(data, Mapping) else None
            if status != 200 or code not in ("0", "200") or not isinstance(token, str) or not token:
                reason = answer.get("msg") or answer.get("message")
                raise login_refused(code, self._without_secrets(str(reason or said)), self._settings)
            return Secret(token)
        raise AssertionError("the last attempt returns or raises")

    async def _post(
        self, path: str, body: dict[str, Any], token: Secret | None
    ) -> tuple[int, Mapping[str, Any] | None, str]:
        """The HTTP status of an answer, its JSON object if it is one, and its text."""
        failure: HousekeysError
        headers = {"instanceName": self._settings.instance, "requestId": f"housekeys-v{VERSION}-{uuid4().hex[:12]}"}
        if token is not None:
            headers["X-ClickZetta-Token"] = token.reveal()
        try:
            url = f"{self._settings.url}{path}"
            request = self._http.post(url, json=body, headers=headers, allow_redirects=False, proxy=proxy_for(url))
            async with request as response:
                text = (await response.read()).decode("utf-8", "replace")
            return response.status, _json_object(text), text
        except (OSError, TimeoutError, _http_errors()) as error:
            failure = explain_network(error, self._settings)
        raise failure  # outside of the handler: the HTTP client's exceptions can hold request headers

    def _without_secrets(self, text: str) -> str:
        """What the server says, without the password and the token, should it repeat them."""
        for secret in (self._password, self._token):
            if secret is not None and not secret.empty:
                value = secret.reveal()
                for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
                    text = text.replace(form, MASK)
        return text


async def _open_http(settings: LakehouseSettings, trust: Trust) -> ClientSession:
    def load() -> Any:
        import aiohttp

        return aiohttp

    aiohttp = await asyncio.to_thread(load)
    timeout = aiohttp.ClientTimeout(
        total=_ANSWER_SECONDS, connect=settings.connect_timeout, sock_connect=settings.connect_timeout
    )
    session: ClientSession = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust.lakehouse, limit=_CONNECTIONS),
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    return session


def _http_errors() -> type[Exception]:
    from aiohttp import ClientError

    return ClientError


def _json_object(text: str) -> Mapping[str, Any] | None:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _ids(job: str, request: str) -> str:
    return f"job {job}, request {request}" if request else f"job {job}"
