"""What the stubs of Alibaba Cloud and Tencent Cloud share: an HTTP server in threads, and an account in memory.

Kept apart from `core.lakehouse.clouds`, so that nothing judges itself.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

MOST_VERSIONS = 5
LONGEST_DOCUMENT = 6144


class StubError(Exception):
    """The cloud refuses a request: its code, its sentence, its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass(slots=True)
class StubPolicy:
    """A policy with its versions, oldest first. `provided` is the cloud's own."""

    name: str
    number: int
    provided: bool = False
    versions: dict[str, str] = field(default_factory=dict)  # version to the document's text
    default: str = ""
    made: int = 0  # versions ever made

    def add(self, text: str) -> str:
        """Another version, in force from now on."""
        self.made += 1
        self.default = f"v{self.made}"
        self.versions[self.default] = text
        return self.default

    @property
    def document(self) -> Any:
        """The document in force."""
        return json.loads(self.versions[self.default])


@dataclass(slots=True)
class StubRole:
    """A role: its trust policy's text and the numbers of the policies attached."""

    name: str
    number: int
    trust_text: str
    attached: list[int] = field(default_factory=list)

    @property
    def trust(self) -> Any:
        return json.loads(self.trust_text)


@dataclass(slots=True)
class Request:
    """An HTTP request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(slots=True)
class Fault:
    """What calls of an action get instead of an answer, `times` of them."""

    action: str
    error: StubError
    times: int
    carried_out: bool  # the call is done, and its answer lost


class CloudStub:
    """A running cloud with one account, used as a context manager.

    `policies` and `roles` are the account's, by name; `provided` are the cloud's own policies. `calls` are the names of
    the calls that came with a good signature; `fail` makes some of them fail.
    """

    account = ""
    key_id = ""
    key_secret = ""

    def __init__(self) -> None:
        self.policies: dict[str, StubPolicy] = {}
        self.provided: dict[str, StubPolicy] = {}
        self.roles: dict[str, StubRole] = {}
        self.calls: list[str] = []
        self.rejected: list[str] = []  # the codes of requests with a wrong signature
        self.requests: list[Request] = []  # every one, as it came
        self.token: str | None = None  # what a session's requests must bring
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1001)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The endpoint, of all the cloud's services."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def provide(self, name: str, document: Mapping[str, Any]) -> StubPolicy:
        """Add a policy of the cloud's own."""
        policy = StubPolicy(name, next(self._numbers), provided=True)
        policy.add(json.dumps(document))
        self.provided[name] = policy
        return policy

    def fail(
        self, action: str, code: str, message: str = "", *, status: int = 400, times: int = 1, carried_out: bool = False
    ) -> None:
        """Let the next calls of an action fail. With `carried_out` they are done all the same."""
        self._faults.append(Fault(action, StubError(code, message, status), times, carried_out))

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the JSON that answer a request."""
        raise NotImplementedError

    # --- for the stubs themselves ---

    def perform(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Carry a call out, or let it fail as was asked for."""
        with self._lock:
            self.calls.append(action)
            fault = next((each for each in self._faults if each.action == action and each.times), None)
            if fault is not None:
                fault.times -= 1
                if fault.carried_out:
                    self.carry_out(action, parameters)
                raise fault.error
            return self.carry_out(action, parameters)

    def carry_out(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a call. Raises StubError."""
        raise NotImplementedError

    def new_policy(self, name: str, text: str) -> StubPolicy:
        policy = StubPolicy(name, next(self._numbers))
        policy.add(text)
        self.policies[name] = policy
        return policy

    def new_role(self, name: str, trust_text: str) -> StubRole:
        role = StubRole(name, next(self._numbers), trust_text)
        self.roles[name] = role
        return role

    def every_policy(self) -> Iterator[StubPolicy]:
        yield from self.policies.values()
        yield from self.provided.values()

    def numbered(self, number: int) -> StubPolicy | None:
        return next((each for each in self.every_policy() if each.number == number), None)


def _handler(stub: CloudStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: otherwise each waits for an acknowledgement

        def do_POST(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.requests.append(Request(self.command, path, query, headers, body))
            status, answer = stub.answer(stub.requests[-1])
            written = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

    return Handler
