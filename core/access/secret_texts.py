"""What is secret in access statements, and the statements without it: for previews, journals and comparisons."""

from __future__ import annotations

from dataclasses import replace

from core.access.model import AlterUser, Authentication, AuthKind, CreateUser, Statement
from core.access.passwords import password_digest

HIDDEN = "[HIDDEN]"  # ClickHouse's own word
PASSWORD_KINDS = frozenset(
    {
        AuthKind.DEFAULT,
        AuthKind.PLAINTEXT,
        AuthKind.SHA256,
        AuthKind.DOUBLE_SHA1,
        AuthKind.BCRYPT,
        AuthKind.SCRAM_SHA256,
    }
)
_COMPUTED_AGAIN = frozenset({AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.SCRAM_SHA256})


def secret_known(method: Authentication) -> bool:
    """Whether a method can be written as it is: it has its password or hash, or is of a kind that has none."""
    return method.kind not in PASSWORD_KINDS or method.password is not None or method.hash is not None


def has_secret(statement: Statement) -> bool:
    """Whether the text of `statement` holds a password or a hash."""
    return without_secrets(statement) != statement


def without_secrets(statement: Statement) -> Statement:
    """`statement` with `[HIDDEN]` in the place of every password and hash."""
    if not isinstance(statement, CreateUser | AlterUser) or not statement.methods:
        return statement
    return replace(statement, methods=tuple(map(_hidden, statement.methods)))


def _hidden(method: Authentication) -> Authentication:
    if method.password is not None:
        return replace(method, password=HIDDEN)
    if method.hash is not None:
        return replace(method, hash=HIDDEN, salt=HIDDEN if method.salt else "")
    return method


def same_secret(first: Authentication, second: Authentication) -> bool | None:
    """Whether two methods of one kind have the same password; None where one of them does not tell."""
    if not secret_known(first) or not secret_known(second):
        return None
    if first.hash is not None and second.hash is not None:
        return _comparable(first) == _comparable(second)
    if first.hash is None and second.hash is None:
        return first.password == second.password
    known, typed = (first, second) if first.hash is not None else (second, first)
    if known.kind not in _COMPUTED_AGAIN:
        return False
    return password_digest(known.kind, (typed.password or "").encode(), known.salt) == (known.hash or "").upper()


def _comparable(method: Authentication) -> tuple[str, str]:
    digest = method.hash or ""
    return (digest if method.kind is AuthKind.BCRYPT else digest.upper()), method.salt
