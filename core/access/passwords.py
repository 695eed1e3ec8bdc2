"""Passwords turned into the hashes that ClickHouse keeps, so that no statement with a plaintext goes any further.

Source: ClickHouse's `AuthenticationData.cpp`: SHA-256 of password and salt, SHA-1 twice, PBKDF2-HMAC-SHA256 with 4096
rounds over the base64-decoded salt. `plaintext_password` stays what its name says: whoever writes it asks for that.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace

from core.access.model import AlterUser, Authentication, AuthKind, CreateUser, Statement
from core.errors import RefusedError

_SALT_BYTES = 32
_SCRAM_ROUNDS = 4096


def without_passwords(statement: Statement) -> Statement:
    """`statement` with every password to be hashed replaced by its hash, freshly salted.

    `IDENTIFIED BY` means SHA-256. Raises RefusedError for a bcrypt password, which cannot be hashed here.
    """
    if not isinstance(statement, CreateUser | AlterUser) or not statement.methods:
        return statement
    return replace(statement, methods=tuple(hashed(method) for method in statement.methods))


def hashed(method: Authentication) -> Authentication:
    """`method` with its password hashed as ClickHouse does it."""
    password = method.password
    if password is None or method.kind is AuthKind.PLAINTEXT:
        return method
    data = password.encode()
    if method.kind in (AuthKind.DEFAULT, AuthKind.SHA256):
        salt = secrets.token_hex(_SALT_BYTES).upper()
        digest = hashlib.sha256(data + salt.encode())
        return replace(method, kind=AuthKind.SHA256, password=None, hash=digest.hexdigest().upper(), salt=salt)
    if method.kind is AuthKind.DOUBLE_SHA1:
        twice = hashlib.sha1(hashlib.sha1(data).digest())  # noqa: S324  (MySQL's protocol; ClickHouse's own format)
        return replace(method, password=None, hash=twice.hexdigest().upper())
    if method.kind is AuthKind.SCRAM_SHA256:
        raw = secrets.token_bytes(_SALT_BYTES)
        key = hashlib.pbkdf2_hmac("sha256", data, raw, _SCRAM_ROUNDS)
        return replace(method, password=None, hash=key.hex().upper(), salt=base64.b64encode(raw).decode())
    raise RefusedError(
        "A bcrypt password cannot be hashed here, and is not kept as plaintext.",
        advice="Give its hash with bcrypt_hash, or use sha256_password.",
    )
