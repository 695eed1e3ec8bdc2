"""A Lakehouse to test against: a local HTTP server that speaks the wire protocol of the vendor's Python connector.

Standard library only (and pyarrow where a client asks for Arrow), so that it runs in the connector's environment too.
It reads statements by a few regular expressions of its own, on purpose not by those of `core.lakehouse`, and keeps
connections and functions in memory. What is not known of the real Lakehouse is marked "assumed".
Source: the packages clickzetta-connector-python 0.8.109 and clickzetta-connector 1.0.31.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.lakehouse_stub_sql import Rows, SqlError, Store, StubConnection, StubFunction
from tests.quiet_server import QuietServer

USER, PASSWORD = "operator", "pa$$ wörd \"'\\"
INSTANCE, WORKSPACE = "i7f2c1", "quickstart_ws"
SYNTAX_ERROR = "CZLH-42000"
JOB_NOT_EXIST, CANCELLED, JOB_ALREADY_EXIST = "CZLH-60005", "CZLH-60006", "CZLH-60007"
# What the Lakehouse has been seen to answer when the cloud's side is not right: statement, text.
CLOUD_ERRORS = {
    "alibaba trust": ("CREATE EXTERNAL FUNCTION", "HTTP_GENERAL_ERROR(640): invoke function failed"),
    "alibaba pass role": ("CREATE EXTERNAL FUNCTION", "NoPermission: the caller is not authorized to do ram:PassRole"),
    "aws trust": ("CREATE API CONNECTION", "AccessDenied: not authorized to perform: sts:AssumeRole on resource"),
    "aws bucket": ("CREATE EXTERNAL FUNCTION", "AccessDenied: not authorized to perform: s3:PutObject on resource"),
    "tencent bucket": ("CREATE EXTERNAL FUNCTION", "upload code failed: 403 Forbidden"),
    "tencent role": ("CREATE API CONNECTION", "role arn is not exist"),
    "cold start": ("CREATE EXTERNAL FUNCTION", "remote function timeout: cold start exceeded 30 s"),
}


@dataclass(slots=True)
class Job:
    """A statement that was submitted, and what came of it."""

    id: str
    sql: str
    format: str
    state: str = "RUNNING"
    error_code: str = ""
    message: str = ""
    rows: Rows | None = None
    polls: int = 0  # getJob answers that still say RUNNING


@dataclass(slots=True)
class Failure:
    """Statements that match `pattern` fail with a text and a code; `times` of them, or all."""

    pattern: re.Pattern[str]
    code: str
    text: str
    times: int | None = None


@dataclass(slots=True)
class LakehouseStub:
    """A running stub, used as a context manager. With `certificate`, a PEM file with its key, it speaks TLS."""

    certificate: Path | None = None
    polls: int = 0  # how often a job says RUNNING before it is done
    text_only: bool = False  # answers TEXT, whatever format is asked for
    stored: bool = False  # results are to be fetched from a store (here: from the stub), as large ones are
    store_refuses: bool = False  # lets nobody fetch
    store: Store = field(default_factory=lambda: Store(WORKSPACE))
    statements: list[str] = field(default_factory=list)  # as submitted, refused ones too
    requests: list[str] = field(default_factory=list)  # the paths asked for
    headers: set[str] = field(default_factory=set)  # the names of headers that came with a request
    cancelled: list[str] = field(default_factory=list)  # the statements of jobs that were cancelled
    logins: int = 0
    _jobs: dict[str, Job] = field(default_factory=dict)
    _store: dict[str, list[bytes]] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)
    _failures: list[Failure] = field(default_factory=list)
    _held: re.Pattern[str] | None = None
    _lost: dict[str, list[str]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        self._server = QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    def __enter__(self) -> LakehouseStub:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def service(self) -> str:
        """`host:port`: what a profile and the connector call service."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"{'https' if self.certificate else 'http'}://{self.service}"

    @property
    def connections(self) -> dict[str, StubConnection]:
        """The connections there are, by name."""
        return self.store.connections

    @property
    def functions(self) -> dict[str, StubFunction]:
        """The external functions there are, by schema.name."""
        return self.store.functions

    # Switches

    def fail(self, pattern: str, text: str, *, code: str = "CZLH-50000", times: int | None = None) -> None:
        """Have statements that match `pattern` (any case, any blanks) fail."""
        self._failures.append(Failure(_loose(pattern), code, text, times))

    def fail_as(self, name: str, *, times: int | None = None) -> None:
        """Have the statements of one of CLOUD_ERRORS fail as there."""
        pattern, text = CLOUD_ERRORS[name]
        self.fail(pattern, text, times=times)

    def heal(self) -> None:
        """Undo every `fail`."""
        self._failures.clear()

    def expire_sessions(self) -> None:
        """No token given out so far is accepted any more."""
        self._tokens.clear()

    def hold(self, pattern: str) -> None:
        """Keep statements that match `pattern` running until they are cancelled, or `release` is called."""
        self._held = _loose(pattern)

    def release(self) -> None:
        """Let the statements that are held go on."""
        self._held = None

    def lose(self, path: str, *ways: str) -> None:
        """Treat the next requests for `path` in these ways, one after the other: `before` breaks the connection off
        before the request is looked at, `after` when it was carried out; a number is an HTTP status answered instead.
        """
        self._lost.setdefault(path, []).extend(ways)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds, which is looked at after each request. At most ten seconds."""
        with self._changed:
            assert self._changed.wait_for(condition, 10), "the Lakehouse was never asked for it"

    # The protocol

    def answer(self, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the JSON that a request is answered with."""
        with self._changed:
            self.headers.update(headers)
            try:
                return self._answer(path, headers, body)
            finally:
                self._changed.notify_all()

    def way_to_lose(self, path: str) -> str:
        """How the next request for `path` is to be treated, and note that it came; empty: as it should be."""
        with self._changed:
            self.requests.append(path)
            self._changed.notify_all()
            ways = self._lost.get(path)
            return ways.pop(0) if ways else ""

    def _answer(self, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/clickzetta-portal/user/loginSingle":
            return 200, self._login(body)
        if path == "/lh/cancelJob":  # the connector sends no token here
            return 200, self._cancel(body["job_id"]["id"])
        if headers.get("X-ClickZetta-Token") not in self._tokens or headers.get("instanceName") != INSTANCE:
            return 401, {"code": 401, "message": "Illegal authorization"}  # assumed: the gateway's own words
        if path == "/lh/submitJob":
            return 200, self._submit(body["jobDesc"])
        if path == "/lh/getJob":
            return 200, self._get(body["get_result_request"]["job_id"]["id"])
        return 404, {"code": 404, "message": "no such path"}

    def _login(self, body: dict[str, Any]) -> dict[str, Any]:
        self.logins += 1
        if body.get("instanceName") != INSTANCE:
            return {"code": 1, "msg": "No such element", "data": None}
        if (body.get("username"), body.get("password")) != (USER, PASSWORD):
            return {"code": 100001, "msg": f"username or password is wrong: {body.get('username')}", "data": None}
        token = f"token-{self.logins}-{hashlib.sha256(str(self.logins).encode()).hexdigest()[:24]}"
        self._tokens.add(token)
        return {"code": 0, "success": True, "data": {"token": token, "expireTimeMs": 7_200_000}}

    def _submit(self, description: dict[str, Any]) -> dict[str, Any]:
        id = description["jobId"]["id"]
        if id in self._jobs:
            return _status(Job(id, "", "", "FAILED", JOB_ALREADY_EXIST, "job already exists"))
        (sql,) = description["sqlJob"]["query"]
        sql = sql.strip().removesuffix(";").strip()
        self.statements.append(sql)
        hint = description["sqlJob"]["sqlConfig"]["hint"]
        wanted = "TEXT" if self.text_only else hint.get("cz.sql.adhoc.default.format", "ARROW").upper()
        assert description["sqlJob"]["defaultNamespace"][0] == WORKSPACE, "another workspace"
        assert description["virtualCluster"] and description["type"] == "SQL_JOB"
        job = self._jobs[id] = Job(id, sql, wanted, polls=self.polls)
        self._go_on(job)
        return self._told(job)

    def _get(self, id: str) -> dict[str, Any]:
        job = self._jobs.get(id)
        if job is None:
            return _status(Job(id, "", "", "FAILED", JOB_NOT_EXIST, "job not exists"))
        self._go_on(job)
        return self._told(job)

    def _cancel(self, id: str) -> dict[str, Any]:
        job = self._jobs.get(id)
        if job is None:
            return {"respStatus": {"errorCode": JOB_NOT_EXIST, "errorMsg": "job not exists"}}
        if job.state == "RUNNING":
            job.state, job.error_code, job.message = "CANCELLED", CANCELLED, "Job is cancelled by user"
            self.cancelled.append(job.sql)
        return {"respStatus": {}}

    def _go_on(self, job: Job) -> None:
        """Carry a job out, unless it is held or has to say RUNNING some times more."""
        if job.state != "RUNNING" or (self._held and self._held.match(job.sql)):
            return
        if job.polls:
            job.polls -= 1
            return
        for failure in self._failures:
            if failure.times != 0 and failure.pattern.match(job.sql):
                failure.times = None if failure.times is None else failure.times - 1
                job.state, job.error_code, job.message = "FAILED", failure.code, failure.text
                return
        try:
            job.rows = self.store.run(job.sql)
        except SqlError as error:
            job.state, job.error_code, job.message = "FAILED", error.code, str(error)
        else:
            job.state = "SUCCEED"

    def _told(self, job: Job) -> dict[str, Any]:
        told = _status(job)
        if job.state == "SUCCEED":
            told["resultSet"] = result = _result_set(job.rows, job.format)
            if self.stored and "data" in result:
                pieces = result.pop("data")["data"]
                self._store[job.id] = [base64.b64decode(piece) for piece in pieces]
                urls = [f"{self.url}/store/{job.id}/{number}?signature=s3cret" for number in range(len(pieces))]
                result["location"] = {"fileSystem": "OSS", "presignedUrls": urls, "stsAkId": "a", "stsAkSecret": "b"}
        return told

    def from_store(self, path: str) -> bytes | None:
        """A part of a stored result; None where there is none."""
        match = re.fullmatch(r"/store/(\d+)/(\d+)\?signature=s3cret", path)
        with self._changed:
            return self._store[match[1]][int(match[2])] if match and match[1] in self._store else None


def _loose(pattern: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(pattern.split()), re.IGNORECASE | re.DOTALL)


def _status(job: Job) -> dict[str, Any]:
    return {
        "requestId": f"r-{job.id}",
        "status": {
            "jobId": {"id": job.id, "workspace": WORKSPACE, "instanceId": "100"},
            "state": job.state,
            "errorCode": job.error_code,
            "errorMessage": job.message,
            "message": job.message,
        },
    }


def _result_set(rows: Rows | None, wanted: str) -> dict[str, Any]:
    if rows is None:
        return {"metadata": {"format": wanted, "type": "RESULT"}}
    fields = [{"name": name, "type": {"category": "STRING", "nullable": True}} for name in rows.columns]
    encode = _arrow if wanted == "ARROW" else _text
    data = [base64.b64encode(encode(rows)).decode()] if rows.rows else []
    return {"metadata": {"format": wanted, "fields": fields, "timeZone": "UTC"}, "data": {"data": data}}


def _arrow(rows: Rows) -> bytes:
    import pyarrow as pa

    columns = [pa.array([row[index] for row in rows.rows], pa.string()) for index in range(len(rows.columns))]
    batch = pa.RecordBatch.from_arrays(columns, names=list(rows.columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def _text(rows: Rows) -> bytes:
    """Rows as lines, values parted by commas, in double quotes where they must be; NULL is `\\N`."""

    def value(text: str | None) -> str:
        if text is None:
            return r"\N"
        return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text

    return "".join(",".join(map(value, row)) + "\n" for row in rows.rows).encode()


class _Handler(BaseHTTPRequestHandler):
    stub: LakehouseStub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: the second would wait 40 ms for the client

    def do_POST(self) -> None:
        path = re.sub(r"\Ahttp://[^/]+", "", self.path)  # as a client asks that takes this for its proxy
        way = self.stub.way_to_lose(path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if way == "before":
            self.close_connection = True
            return
        if way.isdigit():
            self._send(int(way), b"<html><title>Bad Gateway</title></html>", "text/html")
            return
        status, answer = self.stub.answer(path, self.headers, json.loads(body))
        if way == "after":
            self.close_connection = True
            return
        self._send(status, json.dumps(answer).encode(), "application/json")

    def do_GET(self) -> None:
        content = self.stub.from_store(self.path)
        if (
            content is None or self.stub.store_refuses or self.headers.get("X-ClickZetta-Token")
        ):  # the token is no business of the store
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        else:
            self._send(200, content, "application/octet-stream")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on the terminal."""
