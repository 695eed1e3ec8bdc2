"""ClickHouse's own errors in words an operator can act on.

`explain` turns a code and the server's text into one of the errors below. Both engines use it. The message says what is
wrong and names the thing when the server named it; the advice says what to do; the detail keeps the server's text
without its version trailer and stack, and without literals that can be secrets.

Codes: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.clickhouse.quoting import quote_identifier
from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError, UnreachableError

_SAID_LIMIT = 300  # characters of the server's own sentence that a message repeats; the detail keeps all of it

REDACTED: Final = "'[HIDDEN]'"


class ServerError(HousekeysError):
    """ClickHouse answered with an error. `code` is ClickHouse's (0 when it gave none), `name` its symbolic name."""

    def __init__(self, message: str, *, code: int, name: str = "", advice: str = "", detail: str = "") -> None:
        super().__init__(message, advice=advice, detail=detail)
        self.code = code
        self.name = name


class NoRightError(ServerError, RefusedError):
    """The connected user lacks a right (497). `missing` is the grant as ClickHouse words it: `SELECT ON db.*`."""

    def __init__(
        self, message: str, *, code: int, missing: str, name: str = "", advice: str = "", detail: str = ""
    ) -> None:
        super().__init__(message, code=code, name=name, advice=advice, detail=detail)
        self.missing = missing


class ReadOnlyServerError(ServerError, RefusedError):
    """The connection, the user's profile or the access storage is read-only (164, 242, 472, 495)."""


class AuthenticationError(ServerError, UnreachableError):
    """ClickHouse does not accept the user, the password or the address it comes from."""


class QuotaError(ServerError, RefusedError):
    """The user's quota or a limit on sessions is used up."""


class QueryTimeoutError(ServerError):
    """The statement ran longer than allowed."""


class QueryCancelledError(ServerError):
    """The statement was killed, by Housekeys or by somebody else."""


class UnknownNameError(ServerError, NotFoundError):
    """A database, table, user, role or other thing named in the statement does not exist."""


class AlreadyExistsError(ServerError):
    """A thing of that name is already there."""


class BadStatementError(ServerError, BadInputError):
    """ClickHouse does not understand the statement or refuses a value in it."""


class SettingRefusedError(ServerError, RefusedError):
    """A setting is constrained for the connected user (452)."""


class ServerBusyError(ServerError, UnreachableError):
    """The server has no room for another statement now; later it may."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[ServerError]
    message: str  # `{said}` is the server's own sentence
    advice: str = ""


_NO_LOGIN = _Meaning(
    AuthenticationError,
    "ClickHouse refused the login: {said}",
    "Check the user and the password reference of the profile; ClickHouse does not say which of the two is wrong.",
)
_ADDRESS = _Meaning(
    AuthenticationError,
    "ClickHouse does not let this user in from this address: {said}",
    "Have the HOST clause of the user extended by this address.",
)
_READ_ONLY = _Meaning(
    ReadOnlyServerError,
    "The connection is read-only, so ClickHouse refused the statement.",
    "Use a profile without read_only, or --write; if it stays, the user's settings profile sets readonly.",
)
_UNKNOWN = _Meaning(UnknownNameError, "{said}", "Check the name; refresh if it was removed meanwhile.")
_EXISTS = _Meaning(AlreadyExistsError, "{said}", "Choose another name, or adopt what is there.")
_STATEMENT = _Meaning(BadStatementError, "ClickHouse does not accept the statement: {said}")
_VALUE = _Meaning(BadStatementError, "ClickHouse does not accept a value: {said}")
_OLDER = _Meaning(
    ServerError, "This ClickHouse cannot do that: {said}", "The server may be older than the feature, or built without."
)
_BUSY = _Meaning(ServerBusyError, "ClickHouse is too busy for another statement: {said}", "Try again in a moment.")
_MEMORY = _Meaning(ServerError, "The statement needs more memory than it may use: {said}", "Ask for less at once.")
_KEEPER = _Meaning(
    ServerError, "ClickHouse cannot reach its Keeper, so nothing replicated can change now: {said}", "Try again later."
)
_REPLICAS = _Meaning(
    ServerError,
    "A host of the cluster did not answer ClickHouse: {said}",
    "Look at the hosts of the cluster; some may have carried the statement out already.",
)
_CLUSTER = _Meaning(UnknownNameError, "{said}", "Check the cluster in the profile against system.clusters.")
_TIMEOUT = _Meaning(
    QueryTimeoutError, "The statement ran longer than allowed: {said}", "Raise query_timeout in the profile."
)
_CANCELLED = _Meaning(QueryCancelledError, "The statement was cancelled.")
_QUOTA = _Meaning(QuotaError, "{said}", "Wait until the interval of the quota ends, or have the quota raised.")
_FULL = _Meaning(ServerError, "ClickHouse has no room on its disk: {said}", "Free some space on the server.")
_READ_ONLY_TABLE = _Meaning(
    ReadOnlyServerError, "The table is read-only now: {said}", "A replica without its Keeper is; look at the server."
)
_MATCHES = {
    1: _OLDER,
    36: _VALUE,
    46: _OLDER,
    47: _STATEMENT,
    48: _OLDER,
    50: _OLDER,
    56: _OLDER,
    57: _EXISTS,
    60: _UNKNOWN,
    62: _STATEMENT,
    73: _OLDER,
    81: _UNKNOWN,
    82: _EXISTS,
    115: _Meaning(
        BadStatementError,
        "ClickHouse does not know a setting: {said}",
        "Check the settings of the profile; the server may be older than the setting.",
    ),
    159: _TIMEOUT,
    160: _TIMEOUT,
    164: _READ_ONLY,
    180: _UNKNOWN,
    192: _UNKNOWN,
    193: _NO_LOGIN,
    194: _NO_LOGIN,
    195: _ADDRESS,
    199: _UNKNOWN,
    201: _QUOTA,
    202: _BUSY,
    209: _REPLICAS,
    210: _REPLICAS,
    219: _Meaning(ServerError, "The database is not empty: {said}"),
    225: _KEEPER,
    241: _MEMORY,
    242: _READ_ONLY_TABLE,
    243: _FULL,
    252: _BUSY,
    279: _REPLICAS,
    285: _REPLICAS,
    291: _Meaning(
        ServerError, "ClickHouse keeps this database from the user: {said}", "Look at allow_databases in users.xml."
    ),
    336: _OLDER,
    341: _Meaning(
        ServerError,
        "A statement for the cluster was not finished on every host: {said}",
        "It may still run; look at system.distributed_ddl_queue.",
    ),
    344: _OLDER,
    359: _Meaning(
        ServerError,
        "The table is too large to be dropped without a special permission: {said}",
        "Raise max_table_size_to_drop on the server, or drop it there.",
    ),
    373: _BUSY,
    392: _READ_ONLY,
    394: _CANCELLED,
    395: _VALUE,
    401: _OLDER,
    452: _Meaning(
        SettingRefusedError,
        "The user may not use a setting with this value: {said}",
        "Leave the setting out of the profile, or have the constraint changed.",
    ),
    456: _STATEMENT,
    457: _VALUE,
    471: _VALUE,
    472: _READ_ONLY,
    492: _UNKNOWN,
    493: _EXISTS,
    495: _Meaning(
        ReadOnlyServerError,
        "It is kept in an access storage that SQL cannot change: {said}",
        "What users.xml defines is changed in users.xml.",
    ),
    496: _QUOTA,
    508: _OLDER,
    511: _UNKNOWN,
    514: _Meaning(
        ServerError,
        "ClickHouse has no access storage that can be written by SQL: {said}",
        "Have a local_directory or replicated storage configured in user_directories.",
    ),
    516: _NO_LOGIN,
    523: _UNKNOWN,
    571: _REPLICAS,
    700: _QUOTA,
    701: _CLUSTER,
    720: _Meaning(AuthenticationError, "The user has expired: {said}", "Have its VALID UNTIL moved."),
    735: _CANCELLED,
    745: _BUSY,
    749: _BUSY,
    762: _BUSY,
    765: _UNKNOWN,
    999: _KEEPER,
}

# `(version 26.2.4.23 (official build))` at the end, and everything from a stack trace on.
_TRAILER = re.compile(r"\s*\(version\s+(?:[^()]|\([^()]*\))*\)\s*\Z")
_STACK = re.compile(r"[,.]?\s*Stack trace(?: \([^)\n]*\))?:.*\Z", re.DOTALL)
_CODE = re.compile(r"\bCode:\s*(\d+)\b")
_PREFIX = re.compile(r"\A(?:.*?\bCode:\s*\d+\.?,?\s*(?:e\.displayText\(\) = )?)?(?:DB::Exception:\s*)*", re.DOTALL)
_NAME = re.compile(r"\s*\(([A-Z][A-Z0-9_]{2,})\)\s*\Z")
_EXPECTED = re.compile(r"\.? Expected (?:one of:|end of query).*\Z", re.DOTALL)

# A literal, closed or cut off by the end of the text. Doubled quotes are ClickHouse's second way to escape.
_LITERAL = r"'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)"
_AFTER_SECRET_WORD = re.compile(
    r"\b(BY|SALT|password\w*|passwd|secret\w*|token|private_key|access_key\w*|sas)(\s*(?:=|:|,)?\s*)" + _LITERAL,
    re.IGNORECASE | re.DOTALL,
)
_URL_LOGIN = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://[^\s/@:'\"]*):[^\s/@'\"]+@")
_LONG_HEX = re.compile(r"\b[0-9A-Fa-f]{40,}\b")

_GRANT = re.compile(
    r"necessary to have (?:the )?(?:at least )?grants? (.+?)"
    r"(?:\. \(Missing permissions:.*|\. \([A-Z_]+\)|,? or (?:to )?.*|\.)?\s*\Z",
    re.DOTALL,
)
_WHO = re.compile(r"\A(.+?): (?:Not enough privileges|Authentication failed|Cannot execute)", re.DOTALL)


def explain(code: int | None, text: str) -> HousekeysError:
    """The error for ClickHouse's `code` (read from the text when None) and the text it came with.

    Always a `ServerError`; one of its subclasses where the code says which. Raises nothing.
    """
    detail = redact(without_trailer(text))
    if code is None:
        found = _CODE.search(detail)
        code = int(found.group(1)) if found else 0
    named = _NAME.search(without_trailer(text))
    name = named.group(1) if named else ""
    sentence = _sentence(detail)
    if code == 497:
        return _no_right(sentence, name or "ACCESS_DENIED", detail)
    if meaning := _MATCHES.get(code):
        said = one_line(_EXPECTED.sub("", sentence) if code == 62 else sentence, _SAID_LIMIT)
        message = meaning.message.format(said=said or f"error {code}")
        return meaning.kind(message, code=code, name=name, advice=meaning.advice, detail=detail)
    said = one_line(sentence, _SAID_LIMIT) or "it gave no reason."
    label = f"error {code} {name}".strip() if code else "an error"
    return ServerError(f"ClickHouse answered with {label}: {said}", code=code, name=name, detail=detail)


def without_trailer(text: str) -> str:
    """The server's text without its version trailer and stack trace."""
    text = _STACK.sub("", text.strip())
    return _TRAILER.sub("", text).strip()


def redact(text: str) -> str:
    """`text` with every literal that can be a secret replaced: after BY, SALT, `password =` and the like.

    A syntax error repeats the statement, cut somewhere, from the place it was not understood; there everything from the
    first quote on is replaced, as pairs of quotes cannot be trusted.
    """
    head, marker, statement = text.partition("failed at position")
    if marker and (quote := statement.find("'")) >= 0:
        expected = statement.rfind(" Expected one of:")
        text = head + marker + statement[:quote] + REDACTED + (statement[expected:] if expected > quote else "")
    text = _AFTER_SECRET_WORD.sub(lambda match: f"{match.group(1)}{match.group(2)}{REDACTED}", text)
    text = _URL_LOGIN.sub(r"\1:[HIDDEN]@", text)
    return _LONG_HEX.sub("[HIDDEN]", text)


def _sentence(detail: str) -> str:
    """What the server says, without `Code: N. DB::Exception:` before and the symbolic name after."""
    return _NAME.sub("", _PREFIX.sub("", detail, count=1)).strip()


def _no_right(sentence: str, name: str, detail: str) -> NoRightError:
    found = _GRANT.search(sentence)
    missing = one_line(found.group(1).strip()) if found else ""
    if not missing:
        said = one_line(sentence, _SAID_LIMIT)
        return NoRightError(
            f"The user has not enough rights: {said}",
            code=497,
            missing="",
            name=name,
            advice="Ask an administrator for the right.",
            detail=detail,
        )
    who = _WHO.search(sentence)
    user = quote_identifier(who.group(1)) if who else "<user>"
    right, with_option, _ = missing.partition(" WITH GRANT OPTION")
    instead = "CURRENT GRANTS gives what may be passed on of it. Or ask" if with_option else "Ask"
    return NoRightError(
        f"The user lacks the right {missing}.",
        code=497,
        missing=missing,
        name=name,
        advice=f"{instead} an administrator to run: GRANT {right} TO {user}{with_option}",
        detail=detail,
    )
