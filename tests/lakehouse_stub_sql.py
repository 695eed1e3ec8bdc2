"""The statements that the Lakehouse stub understands, and what it keeps: connections and external functions."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_NAME = r"(?P<name>(?:`(?:[^`]|``)+`|\w+)(?:\.(?:`(?:[^`]|``)+`|\w+))*)"
_STRING = r"'((?:[^'\\]|\\.|'')*)'"
_CREATE = re.compile(
    rf"CREATE\s+API\s+CONNECTION\s+(?P<there>IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+TYPE\s*=?\s*CLOUD_FUNCTION\b(?P<rest>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_FUNCTION = re.compile(
    rf"CREATE\s+EXTERNAL\s+FUNCTION\s+(?P<there>IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+AS\s+{_STRING}\s+"
    rf"USING\s+(?P<using>.+?)\s+CONNECTION\s+(?P<connection>`(?:[^`]|``)+`|[\w.]+)(?P<rest>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_DROP = re.compile(rf"DROP\s+(?P<kind>CONNECTION|FUNCTION)\s+(?P<there>IF\s+EXISTS\s+)?{_NAME}\Z", re.IGNORECASE)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+CONNECTION\s+{_NAME}\Z", re.IGNORECASE)
_SHOW = re.compile(r"SHOW\s+CONNECTIONS\Z", re.IGNORECASE)
_FUNCTIONS = re.compile(rf"SHOW\s+EXTERNAL\s+FUNCTIONS(?:\s+LIKE\s+{_STRING})?\Z", re.IGNORECASE)
_CLAUSE = re.compile(rf"\s*(\w+)\s*=\s*{_STRING}")
_PROPERTIES = re.compile(r"\s*WITH\s+PROPERTIES\s*\((?P<all>.*)\)\s*(?:COMMENT\s+(?P<comment>.*))?\Z", re.I | re.DOTALL)
_PROPERTY = re.compile(rf"\s*'cloud_function\.(\w+)'\s*=\s*{_STRING}\s*,?")
_KEYS = ("provider", "region", "role_arn", "namespace", "code_bucket")


class SqlError(Exception):
    """A statement that is refused."""

    def __init__(self, text: str, code: str = "CZLH-42000") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rows:
    """A result."""

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]


@dataclass(slots=True)
class StubConnection:
    """A connection as the stub keeps it; `info` has provider, region, role_arn, namespace and code_bucket."""

    name: str
    external_id: str
    created: str
    info: dict[str, str]
    comment: str = ""
    category: str = "API"
    type: str = "CLOUD_FUNCTION"


@dataclass(slots=True)
class StubFunction:
    """An external function: `name` has its schema."""

    name: str
    handler: str
    connection: str
    using: str
    created: str


@dataclass(slots=True)
class Store:
    """What the stub keeps. Times and external ids come from a counter: the same statements give the same ones."""

    workspace: str
    connections: dict[str, StubConnection] = field(default_factory=dict)
    functions: dict[str, StubFunction] = field(default_factory=dict)
    id_key: str = "ExternalId"  # how DESC CONNECTION spells it; None of it when empty
    _creations: int = 0

    def add_storage_connection(self, name: str) -> None:
        """A connection of another category, made by somebody else."""
        info = {"endpoint": "oss-cn-hangzhou.aliyuncs.com"}
        self.connections[name] = StubConnection(name, "", self._moment(), info, category="STORAGE", type="OSS")

    def run(self, sql: str) -> Rows | None:
        """Carry a statement out. None: it gives no rows."""
        if match := _CREATE.match(sql):
            self._create(match)
            return None
        if match := _FUNCTION.match(sql):
            self._create_function(match)
            return None
        if match := _DROP.match(sql):
            self._drop(match)
            return None
        if match := _DESCRIBE.match(sql):
            return self._describe(self._plain(match["name"]))
        if _SHOW.match(sql):
            columns = ("name", "category", "type", "enabled", "created_time")
            kept = self.connections.values()
            return Rows(columns, [(kept.name, kept.category, kept.type, "true", kept.created) for kept in kept])
        if match := _FUNCTIONS.match(sql):
            return self._show_functions(match[1])
        raise SqlError(f"Syntax error at or near {sql[:20]!r}")

    def _moment(self) -> str:
        self._creations += 1
        moment = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(minutes=self._creations)
        return f"{moment:%Y-%m-%d %H:%M:%S}.000"

    def _plain(self, name: str) -> str:
        """A name without backticks and without the workspace."""
        parts = [
            part[1:-1].replace("``", "`") if part[0] == "`" else part
            for part in re.findall(r"`(?:[^`]|``)+`|\w+", name)
        ]
        return ".".join(parts[1:] if len(parts) > 1 and parts[0] == self.workspace else parts)

    def _create(self, match: re.Match[str]) -> None:
        name = self._plain(match["name"])
        info, comment = _clauses(match["rest"])
        for key in ("provider", "region", "role_arn", "code_bucket"):
            if not info.get(key):
                raise SqlError(f"{key.upper()} is required")
        if info["provider"].lower() not in ("aliyun", "tencent", "aws"):
            raise SqlError(f"unsupported provider {info['provider']}")
        if info["provider"].lower() == "tencent" and not info.get("namespace"):
            raise SqlError("Namespace is required")
        if name in self.connections:
            if match["there"]:
                return
            raise SqlError(f"AlreadyExist: connection {self.workspace}.{name} already exists", "CZLH-42710")
        created = self._moment()
        digest = hashlib.sha256(f"{name}/{self._creations}".encode()).digest()
        external_id = base64.b64encode(digest).decode().replace("+", "a").replace("/", "b")[:16]
        self.connections[name] = StubConnection(name, external_id, created, info, comment)

    def _create_function(self, match: re.Match[str]) -> None:
        name, connection = self._plain(match["name"]), self._plain(match["connection"])
        name = name if "." in name else f"public.{name}"
        if connection not in self.connections:
            raise SqlError(f"NotFound: connection {self.workspace}.{connection} is not found", "CZLH-42704")
        if name in self.functions:
            if match["there"]:
                return
            raise SqlError(f"AlreadyExist: function {name} already exists", "CZLH-42710")
        self.functions[name] = StubFunction(name, _unescaped(match[3]), connection, match["using"], self._moment())

    def _drop(self, match: re.Match[str]) -> None:
        kind, name = match["kind"].lower(), self._plain(match["name"])
        kept: dict[str, StubConnection] | dict[str, StubFunction] = self.connections
        if kind == "function":
            kept, name = self.functions, name if "." in name else f"public.{name}"
        if name in kept:
            del kept[name]
        elif not match["there"]:
            raise SqlError(f"NotFound: {kind} {self.workspace}.{name} is not found", "CZLH-42704")

    def _describe(self, name: str) -> Rows:
        if name not in self.connections:
            raise SqlError(f"NotFound: connection {self.workspace}.{name} is not found", "CZLH-42704")
        kept = self.connections[name]
        rows: list[tuple[str | None, ...]] = [
            ("name", f"{self.workspace}.{name}"),
            ("type", kept.type),
            ("enabled", "true"),
            ("creator", "operator"),
            ("created_time", kept.created),
            ("last_modified_time", kept.created),
            ("comment", kept.comment or None),
            *((key, value) for key, value in kept.info.items()),
        ]
        if kept.external_id and self.id_key:
            rows.append((self.id_key, kept.external_id))
        return Rows(("info_name", "info_value"), rows)

    def _show_functions(self, like: str | None) -> Rows:
        """The columns are assumed: the vendor's documentation shows none."""
        pattern = re.compile(re.escape(_unescaped(like or "%")).replace("%", ".*"), re.IGNORECASE)
        rows: list[tuple[str | None, ...]] = []
        for kept in self.functions.values():
            schema, _, name = kept.name.rpartition(".")
            if pattern.fullmatch(name):
                rows.append((schema, name, "EXTERNAL", kept.connection, kept.handler, kept.created))
        return Rows(("schema_name", "function_name", "category", "connection", "handler", "created_time"), rows)


def _clauses(text: str) -> tuple[dict[str, str], str]:
    """The clauses of either syntax, and the comment."""
    comment = ""
    pattern = _CLAUSE
    if match := _PROPERTIES.match(text):
        pattern, text = _PROPERTY, match["all"]
        if match["comment"]:
            comment = _unescaped(match["comment"].strip()[1:-1])
    info: dict[str, str] = {}
    while text.strip():
        clause = pattern.match(text)
        if clause is None or clause[1].lower() not in _KEYS:
            raise SqlError(f"Syntax error at or near {text.strip()[:20]!r}")
        info[clause[1].lower()] = _unescaped(clause[2])
        text = text[clause.end() :]
    return info, comment


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)|''", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]) if match[1] else "'", text)
