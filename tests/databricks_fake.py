"""A workspace of Databricks to test against: a local HTTP server with its OAuth endpoints, and who one is.

databricks-sdk itself is driven against it (tests/databricks), which shows that it answers as Databricks does. It checks
what a client sends by code of its own. What is not known of the real Databricks is marked "assumed".
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.quiet_server import QuietServer

PRINCIPAL, PRINCIPAL_SECRET = "6a2e5b1c-0d3f-4a86-9b7e-1f2d3c4b5a69", "dose0123456789abcdef0123456789abcdef"
PUBLISHED_APP, WORKSPACE_APP = "partner-published", "a1b2c3d4-e5f6-4711-8899-aabbccddeeff"
PAT = f"dapi{'0123456789abcdef' * 2}"
WAREHOUSE = "0123456789abcdef"
REDIRECT = "http://localhost:8020/callback"
USER = "anna@customer.example"
STATEMENTS = "/api/2.0/sql/statements"
DISCOVERY = ("/oidc/.well-known/oauth-authorization-server", "/oidc/.well-known/openid-configuration")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def as_json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), (("Content-Type", "application/json"),))


_INVALID_TOKEN = as_json(401, {"error_code": "401", "message": "Invalid access token"})  # assumed: the words


class OAuthError(Exception):
    """An error as OAuth tells it."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.reply = as_json(status, {"error": code, "error_description": description})
        self.code = code


@dataclass(slots=True)
class Code:
    """An authorization code, and what it was given for."""

    client: str
    redirect: str
    challenge: str
    scope: str
    used: bool = False


@dataclass(slots=True)
class Refresh:
    """A refresh token. All that came of one code are of one `family`."""

    client: str
    scope: str
    family: str
    used: bool = False


@dataclass(slots=True)
class DatabricksFake:
    """A running fake, used as a context manager."""

    single_use: bool = True  # refresh tokens are good for one use
    access_seconds: int = 3600
    denies: bool = False  # the user does not consent
    offline: bool = True  # gives refresh tokens
    forgives_reuse: bool = False  # a refresh token that is used again ends nothing but this attempt
    requests: list[str] = field(default_factory=list)  # the paths asked for
    grants: list[str] = field(default_factory=list)  # the grant types asked for
    agents: set[str] = field(default_factory=set)
    documents: dict[str, Any] = field(default_factory=dict)  # what a discovery document says otherwise
    replies: dict[str, list[Reply]] = field(default_factory=dict)  # by path: what is answered instead, one by one
    endless: bool = False  # the token endpoint sends blanks for ever
    warehouse: str = "RUNNING"  # or "STARTING", "DENIED"
    _codes: dict[str, Code] = field(default_factory=dict)
    _refreshes: dict[str, Refresh] = field(default_factory=dict)
    _access: dict[str, tuple[str, float]] = field(default_factory=dict)  # token: whose, until when
    _open: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        self._open.set()
        self._access[PAT] = USER, math.inf
        self._server = QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": self}))

    def __enter__(self) -> DatabricksFake:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # Switches

    def hold_tokens(self) -> None:
        """Keep every request for a token waiting until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Answer the requests that are held."""
        self._open.set()

    def end_access_tokens(self) -> None:
        """No token given out so far opens anything any more."""
        with self._changed:
            self._access.clear()

    def end_refresh_tokens(self) -> None:
        """No refresh token given out so far is good any more."""
        with self._changed:
            self._refreshes.clear()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds, which is looked at with each request. At most ten seconds."""
        with self._changed:
            assert self._changed.wait_for(condition, 10), "the workspace was never asked for it"

    def expect(self, path: str, *replies: Reply) -> None:
        """Answer the next requests for `path` with these."""
        self.replies.setdefault(path, []).extend(replies)

    def consent(self, url: str) -> list[tuple[str, str]]:
        """What a browser brings back to the redirect URI that is sent to `url`; the user says no by `denies`."""
        parts = urlsplit(url)
        reply = self.answer("GET", f"{parts.path}?{parts.query}", {}, b"")
        location = dict(reply.headers).get("Location", "")
        assert reply.status == 302, reply.body.decode()
        return parse_qsl(urlsplit(location).query, keep_blank_values=True)

    # The protocol

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        """The answer to a request."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self._changed:
            self.requests.append(parts.path)
            self.agents.add(headers.get("User-Agent", ""))
            form = parse_qsl(body.decode("ascii"), keep_blank_values=True)  # of JSON, nothing that is used
            if parts.path == "/oidc/v1/token":
                self.grants.append(dict(form).get("grant_type", ""))
            self._changed.notify_all()
        if parts.path == "/oidc/v1/token":
            self._open.wait(10)
        with self._changed:
            if planned := self.replies.get(parts.path):
                return planned.pop(0)
            try:
                if (method, parts.path) == ("POST", STATEMENTS):
                    return self._statement(headers, json.loads(body))
                return self._route(method, parts.path, query, headers, form)
            except OAuthError as error:
                return error.reply

    def _route(self, method: str, path: str, query: dict[str, str], headers: Any, form: list[tuple[str, str]]) -> Reply:
        if method == "POST" and path == "/oidc/v1/token":
            return self._token(headers, form)
        if method != "GET":
            return Reply(404)
        if path == "/.well-known/databricks-config":
            return as_json(200, {"oidc_endpoint": f"{self.url}/oidc", "workspace_id": "1234567890123456"})
        if path in DISCOVERY:
            return as_json(200, self._document())
        if path == "/oidc/v1/authorize":
            return self._authorize(query)
        if path == "/api/2.0/preview/scim/v2/Me":
            return self._me(headers.get("Authorization", ""))
        return Reply(404)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": f"{self.url}/oidc",
            "authorization_endpoint": f"{self.url}/oidc/v1/authorize",
            "token_endpoint": f"{self.url}/oidc/v1/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["all-apis", "sql", "offline_access"],
            **self.documents,
        }

    def _bearer(self, authorization: str) -> str:
        """Whose token a request brings; empty when it is not good."""
        whose, until = self._access.get(authorization.removeprefix("Bearer "), ("", 0.0))
        return whose if authorization.startswith("Bearer ") and time.monotonic() < until else ""

    def _statement(self, headers: Any, asked: dict[str, Any]) -> Reply:
        if not self._bearer(headers.get("Authorization", "")):
            return _INVALID_TOKEN
        if headers.get("Content-Type") != "application/json" or asked.get("statement") != "SELECT 1":
            return as_json(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "no statement"})
        if asked.get("warehouse_id") != WAREHOUSE:  # assumed: the code and the words
            return as_json(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such SQL warehouse"})
        if self.warehouse == "DENIED":  # assumed: the words
            return as_json(403, {"error_code": "PERMISSION_DENIED", "message": "You may not use <this>\x1b[2J"})
        answer: dict[str, Any] = {"statement_id": "01ef", "status": {"state": "SUCCEEDED"}}
        if self.warehouse == "STARTING":  # it is cancelled, for that is what was asked for
            answer["status"] = {"state": "CANCELED" if asked.get("on_wait_timeout") == "CANCEL" else "PENDING"}
        else:
            answer["result"] = {"chunk_index": 0, "row_count": 1, "row_offset": 0, "data_array": [["1"]]}
        return as_json(200, answer)

    def _me(self, authorization: str) -> Reply:
        whose = self._bearer(authorization)
        if not whose:
            return _INVALID_TOKEN
        return as_json(200, {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": whose})

    def _authorize(self, query: dict[str, str]) -> Reply:
        redirect, client = query.get("redirect_uri", ""), query.get("client_id", "")
        if client not in (PUBLISHED_APP, WORKSPACE_APP) or redirect != REDIRECT:
            return Reply(400, b"<html>the app or its redirect URI is not known</html>")  # never sent on to it
        back = {"state": query.get("state", "")}
        challenge = query.get("code_challenge", "")
        if query.get("response_type") != "code":
            back["error"] = "unsupported_response_type"
        elif query.get("code_challenge_method") != "S256" or len(challenge) != 43:
            back |= {"error": "invalid_request", "error_description": "PKCE is required"}
        elif self.denies:
            back |= {"error": "access_denied", "error_description": "the user said <no>\x1b[2J"}
        else:
            back["code"] = f"dcod{secrets.token_hex(16)}"
            self._codes[back["code"]] = Code(client, redirect, challenge, query.get("scope", ""))
        return Reply(302, b"", (("Location", f"{redirect}?{urlencode(back)}"),))

    def _token(self, headers: Any, form: list[tuple[str, str]]) -> Reply:
        values = dict(form)
        if len(values) != len(form):
            raise OAuthError("invalid_request", "a parameter is there twice")
        match values.get("grant_type"):
            case "client_credentials":
                return self._for_principal(headers.get("Authorization", ""), values)
            case "authorization_code":
                return self._for_code(values)
            case "refresh_token":
                return self._for_refresh(values)
        raise OAuthError("unsupported_grant_type", "no such grant")

    def _for_principal(self, authorization: str, values: dict[str, str]) -> Reply:
        scheme, _, given = authorization.partition(" ")
        pair = f"{PRINCIPAL}:{PRINCIPAL_SECRET}".encode()
        if scheme != "Basic" or given != base64.b64encode(pair).decode():
            raise OAuthError("invalid_client", "Client authentication failed", 401)
        if values.get("scope") != "all-apis":
            raise OAuthError("invalid_scope", "the scope must be all-apis")
        return self._grant(PRINCIPAL, "all-apis", None)

    def _for_code(self, values: dict[str, str]) -> Reply:
        code = self._codes.get(values.get("code", ""))
        verifier = values.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if code is None or code.used:
            raise OAuthError("invalid_grant", "the code is not valid")
        if (values.get("client_id"), values.get("redirect_uri")) != (code.client, code.redirect):
            raise OAuthError("invalid_grant", "the code was given to another app or redirect URI")
        if not 43 <= len(verifier) <= 128 or digest != code.challenge:
            raise OAuthError("invalid_grant", "the verifier does not match")
        code.used = True
        return self._grant(USER, code.scope, Refresh(code.client, code.scope, secrets.token_hex(4)))

    def _for_refresh(self, values: dict[str, str]) -> Reply:
        given = values.get("refresh_token", "")
        refresh = self._refreshes.get(given)
        if refresh is None or refresh.client != values.get("client_id"):
            raise OAuthError("invalid_grant", "the refresh token is not valid")
        if refresh.used:
            if not self.forgives_reuse:  # somebody has stolen it: the whole family ends (assumed; RFC 9700 asks for it)
                self._refreshes = {
                    token: other for token, other in self._refreshes.items() if other.family != refresh.family
                }
            raise OAuthError("invalid_grant", f"the refresh token {given} was used before")
        if not self.single_use:
            return self._grant(USER, refresh.scope, None)
        refresh.used = True
        return self._grant(USER, refresh.scope, Refresh(refresh.client, refresh.scope, refresh.family))

    def _grant(self, whose: str, scope: str, refresh: Refresh | None) -> Reply:
        token = f"eyJfake.{secrets.token_urlsafe(24)}.x"
        self._access[token] = whose, time.monotonic() + self.access_seconds
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": self.access_seconds, "scope": scope}
        if refresh is not None and self.offline and "offline_access" in scope.split():
            given = f"doau{secrets.token_hex(16)}"
            granted["refresh_token"] = given
            self._refreshes[given] = refresh
        return as_json(200, granted)


class _Handler(BaseHTTPRequestHandler):
    fake: DatabricksFake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: the second would wait 40 ms for the client

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _answer(self, body: bytes) -> None:
        reply = self.fake.answer(self.command, self.path, self.headers, body)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if self.fake.endless and body:
            self.send_header("Connection", "close")
            self.end_headers()
            while True:  # until the client has gone
                self.wfile.write(b" " * 65_536)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on the terminal."""
