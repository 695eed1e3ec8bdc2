"""The Basic credentials by which Databricks identifies itself: several valid at once, only hashes of them kept.

A generated password has 256 random bits, so that one salted SHA-256 is enough at rest and cheap for every request; one
that a person chose is under scrypt, which is paid once per process and remembered under a key of this process.
Rotation: add a new credential, give it to Databricks, remove the old one when it is used no more.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.display import one_line
from core.errors import BadInputError, NotFoundError, RefusedError
from core.secrets import Secret

LONGEST_HEADER = 1024  # characters
SHORTEST_CHOSEN = 16  # characters of a password that a person chose
_SALT_BYTES = 16
_SCRYPT = {"n": 2**15, "r": 8, "p": 3, "maxmem": 64 * 1024 * 1024}  # OWASP Password Storage Cheat Sheet: 32 MiB
_SCHEME = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE | re.ASCII)
_USER = re.compile(r"[\x21-\x39\x3b-\x7e]{1,128}")  # printable ASCII without blank and colon
_USE_RECORDED_EVERY = timedelta(hours=1)


class Hashing(StrEnum):
    """How the hash of a credential was made."""

    SHA256 = "sha256"
    SCRYPT = "scrypt"


@dataclass(frozen=True, slots=True)
class Presented:
    """A user and a password as a request presents them."""

    user: str
    password: Secret = field(repr=False)

    def to_bytes(self) -> bytes:
        """Both as the Basic scheme joins them. No user has a colon in it."""
        return f"{self.user}:{self.password.reveal()}".encode()


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """One valid credential as it is kept. `last_used` is exact to an hour."""

    id: str
    user: str
    hashing: Hashing
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    created: datetime
    last_used: datetime | None = None

    def use_to_record(self, now: datetime) -> BasicCredential | None:
        """This credential as used now, when that is worth a record: not with every request."""
        if self.last_used is not None and now - self.last_used < _USE_RECORDED_EVERY:
            return None
        return replace(self, last_used=now)

    def to_record(self) -> dict[str, str]:
        """The form in which it is stored."""
        record = {
            "id": self.id,
            "user": self.user,
            "hash": f"{self.hashing}:{self.salt.hex()}:{self.digest.hex()}",
            "created": self.created.isoformat(),
        }
        return record if self.last_used is None else {**record, "last_used": self.last_used.isoformat()}

    @classmethod
    def from_record(cls, record: dict[str, str]) -> BasicCredential:
        """Read what `to_record` wrote. Raises BadInputError."""
        try:
            hashing, salt, digest = record["hash"].split(":")
            last_used = record.get("last_used")
            return cls(
                record["id"],
                record["user"],
                Hashing(hashing),
                bytes.fromhex(salt),
                bytes.fromhex(digest),
                datetime.fromisoformat(record["created"]),
                datetime.fromisoformat(last_used) if last_used else None,
            )
        except (KeyError, ValueError, AttributeError, TypeError):
            pass
        raise BadInputError("A stored Basic credential cannot be read.", advice="Remove it and make a new one.")


def parse_authorization(values: Sequence[str]) -> Presented | None:
    """What the Authorization headers of a request present; None unless it is exactly one, well-formed and Basic.

    RFC 7617 with UTF-8. Base64 must be canonical: one credential has one spelling.
    """
    if len(values) != 1 or len(values[0]) > LONGEST_HEADER:
        return None
    match = _SCHEME.fullmatch(values[0])
    try:
        decoded = b64decode(match[1], validate=True) if match else b""
        text = decoded.decode("utf-8")
    except (Base64Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    if match is None or b64encode(decoded).decode("ascii") != match[1]:
        return None
    if not colon or not _USER.fullmatch(user) or not password or not password.isprintable():
        return None
    return Presented(user, Secret(password, passing=True))


def header_value(presented: Presented) -> Secret:
    """The exact content of the Authorization header, to be handed to Databricks."""
    return Secret(f"Basic {b64encode(presented.to_bytes()).decode('ascii')}")


def generate(user: str, now: datetime) -> tuple[Presented, BasicCredential]:
    """A new random credential: to be shown once, and as it is kept. Raises BadInputError for the user."""
    presented = Presented(_checked_user(user), Secret(secrets.token_urlsafe(32)))
    return presented, _kept(presented, Hashing.SHA256, now)


def choose(user: str, password: Secret, now: datetime) -> BasicCredential:
    """A credential with a password that a person chose. Takes a key derivation: call it in a thread.

    Raises BadInputError.
    """
    text = password.reveal()
    if len(text) < SHORTEST_CHOSEN or not text.isprintable():
        raise BadInputError(
            f"The password must have {SHORTEST_CHOSEN} characters or more, and only visible ones.",
            advice="Let one be generated instead.",
        )
    presented = Presented(_checked_user(user), password)
    if len(header_value(presented).reveal()) > LONGEST_HEADER:
        raise BadInputError("The password is too long.", advice=f"The header holds {LONGEST_HEADER} characters.")
    return _kept(presented, Hashing.SCRYPT, now)


def added(credentials: Iterable[BasicCredential], new: BasicCredential) -> tuple[BasicCredential, ...]:
    """The credentials with a new one: those before stay valid until they are removed."""
    return (*credentials, new)


def removed(credentials: Sequence[BasicCredential], id: str) -> tuple[BasicCredential, ...]:
    """The credentials without one. Raises NotFoundError; RefusedError for the last, without which nobody can call."""
    left = tuple(credential for credential in credentials if credential.id != id)
    if len(left) == len(credentials):
        raise NotFoundError(f"There is no Basic credential {one_line(id, 40)!r}.")
    if not left:
        raise RefusedError("It is the last credential: Databricks could not call any more.", advice="Add another one.")
    return left


class CredentialCheck:
    """Checks what requests present against the credentials that are valid."""

    def __init__(self, credentials: Iterable[BasicCredential]) -> None:
        self._credentials = tuple(credentials)
        self._process_key = os.urandom(32)
        self._proved: dict[str, bytes] = {}  # by credential id: what has matched it, under the key of this process
        self._deriving = asyncio.Lock()  # one derivation at a time: a stranger's guesses get no more of the machine

    async def check(self, authorization: Sequence[str], *, derive: bool = True) -> BasicCredential | None:
        """The credential that the Authorization headers of a request present; None when it is none.

        Every credential is compared, whichever matches. Without `derive` a password that a person chose counts only
        when it has been proved before: so guesses cost nothing, and a generated one is never kept out by them.
        """
        presented = parse_authorization(authorization)
        if presented is None:
            return None
        text, user = presented.to_bytes(), presented.user.encode("ascii")
        found: BasicCredential | None = None
        for credential in self._credentials:
            if credential.hashing is Hashing.SHA256:
                matches = hmac.compare_digest(_sha256(credential.salt, text), credential.digest)
            else:
                same_user = hmac.compare_digest(credential.user.encode("utf-8"), user)
                # Not for any user: the derivation is dear, and a user is no secret.
                matches = same_user and await self._chosen_matches(credential, text, derive)
            found = credential if matches else found
        return found

    async def _chosen_matches(self, credential: BasicCredential, text: bytes, derive: bool) -> bool:
        mark = hmac.digest(self._process_key, text, "sha256")
        if hmac.compare_digest(self._proved.get(credential.id, b""), mark):
            return True
        if not derive:
            return False
        async with self._deriving:
            digest = await asyncio.to_thread(_scrypt, credential.salt, text)
        if not hmac.compare_digest(digest, credential.digest):
            return False
        self._proved[credential.id] = mark
        return True


def _kept(presented: Presented, hashing: Hashing, now: datetime) -> BasicCredential:
    salt = os.urandom(_SALT_BYTES)
    digest = _sha256 if hashing is Hashing.SHA256 else _scrypt
    return BasicCredential(secrets.token_hex(4), presented.user, hashing, salt, digest(salt, presented.to_bytes()), now)


def _sha256(salt: bytes, text: bytes) -> bytes:
    return hashlib.sha256(salt + text).digest()


def _scrypt(salt: bytes, text: bytes) -> bytes:
    return hashlib.scrypt(text, salt=salt, dklen=32, **_SCRYPT)


def _checked_user(user: str) -> str:
    if not _USER.fullmatch(user):
        raise BadInputError(
            f"{one_line(user, 40)!r} cannot be the user of a Basic credential.",
            advice="Up to 128 letters, digits and signs of ASCII, without blanks and colons.",
        )
    return user
