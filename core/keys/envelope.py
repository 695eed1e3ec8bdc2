"""The form in which a private key lies on disk: scrypt and AES-256-GCM, with an open header as associated data.

Three lines of ASCII, each ended by a line feed:

1. the header: one line of canonical JSON (`format`, `side`, `version`, `fingerprint`, `protection`);
2. the private key as PKCS#8 DER, encrypted together with the header as associated data, in base64;
3. the SHA-256 of the first two lines, in hex: it tells a damaged file from a wrong passphrase.

`protection` holds the scrypt parameters, the nonce and a check value of the passphrase, or is `{"name": "none"}` for a
key that its owner chose to leave in the open. A flipped bit anywhere is noticed. Sources: RFC 7914 (scrypt),
NIST SP 800-38D (GCM), OWASP Password Storage Cheat Sheet (n = 2^17, r = 8, p = 1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import load_der_private_key

from core.errors import HousekeysError, RefusedError
from core.keys.rsa_keys import WrongPassphraseError, fingerprint, passphrase_bytes, private_der
from core.secrets import Secret

FORMAT = "housekeys-key-1"
LONGEST_ENVELOPE = 16 * 1024  # bytes; an envelope of a 2048-bit key takes about 2 KiB
_KEY_BYTES, _CHECK_BYTES, _SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 16, 16, 12, 16


class DamagedKeyFileError(HousekeysError):
    """The file is not what was written: cut, altered, or of another program."""


class NotProtectedError(RefusedError):
    """A key would be written without a passphrase, and nobody insisted."""


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """The cost of trying one passphrase: 128 * n * r bytes of memory. Bounded: a file names it unproved."""

    n: int
    r: int = 8
    p: int = 1

    @property
    def acceptable(self) -> bool:
        """Whether a file may ask for it: 1 MiB to 256 MiB, at most 4 times over."""
        return self.n in {2**power for power in range(10, 19)} and self.r == 8 and 1 <= self.p <= 4


STRONG = ScryptCost(2**17)  # 128 MiB, a quarter to half a second


@dataclass(frozen=True, slots=True)
class Protection:
    """How the key in an envelope is encrypted, as its header says."""

    cost: ScryptCost
    salt: bytes
    nonce: bytes
    check: bytes  # 16 bytes of the derivation that are not the key: a wrong passphrase is told from an altered file


@dataclass(frozen=True, slots=True)
class Envelope:
    """One private key as it lies on disk. The header is open; `protection` is None for a key without passphrase."""

    side: str
    version: int
    fingerprint: str
    protection: Protection | None
    payload: bytes = field(repr=False)

    @property
    def encrypted(self) -> bool:
        """Whether a passphrase is needed to open it."""
        return self.protection is not None

    def to_bytes(self) -> bytes:
        """The content of the file."""
        lines = self._header() + b"\n" + b64encode(self.payload) + b"\n"
        return lines + hashlib.sha256(lines).hexdigest().encode("ascii") + b"\n"

    def _header(self) -> bytes:
        protection: dict[str, Any] = {"name": "none"}
        if self.protection is not None:
            cost = self.protection.cost
            protection = {
                "name": "scrypt-aes-256-gcm",
                "n": cost.n,
                "r": cost.r,
                "p": cost.p,
                "salt": b64encode(self.protection.salt).decode("ascii"),
                "nonce": b64encode(self.protection.nonce).decode("ascii"),
                "check": b64encode(self.protection.check).decode("ascii"),
            }
        header = {
            "format": FORMAT,
            "side": self.side,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "protection": protection,
        }
        return json.dumps(header, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, content: bytes) -> Envelope:
        """Read what `to_bytes` wrote, and nothing else. Raises DamagedKeyFileError."""
        if len(content) > LONGEST_ENVELOPE:
            raise _damaged(f"it is {len(content):,} bytes long")
        lines = content.split(b"\n")
        if len(lines) != 4 or lines[3] != b"":
            raise _damaged("it does not have three whole lines")
        body = lines[0] + b"\n" + lines[1] + b"\n"
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode("ascii"), lines[2]):
            raise _damaged("its checksum does not match")
        try:
            envelope = _from_header(json.loads(lines[0]), b64decode(lines[1], validate=True))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(f"its header cannot be read ({type(error).__name__})") from None
        if envelope.to_bytes() != content:  # one form only: nothing is hidden in an odd spelling
            raise _damaged("its header is not in the form this program writes")
        if envelope.protection is not None and not envelope.protection.cost.acceptable:
            raise _damaged("it asks for a cost of derivation outside of the bounds of this program")
        return envelope

    def open(self, passphrase: Secret | None) -> rsa.RSAPrivateKey:
        """The private key. Takes as long as the derivation costs: call it in a thread.

        Raises WrongPassphraseError, DamagedKeyFileError.
        """
        der = self.open_payload(passphrase)
        try:
            key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=False)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _damaged("there is no private key in it") from None
        finally:
            der[:] = bytes(len(der))  # as much wiping as Python allows; the key object itself is OpenSSL's to clear
        if not isinstance(key, rsa.RSAPrivateKey) or fingerprint(key.public_key()) != self.fingerprint:
            raise _damaged("it holds another key than its header says")
        return key

    def open_payload(self, passphrase: Secret | None) -> bytearray:
        """What the envelope holds, as bytes; the caller wipes them. Takes as long as the derivation: in a thread.

        Raises WrongPassphraseError, DamagedKeyFileError.
        """
        return bytearray(self.payload) if self.protection is None else self._decrypt(self.protection, passphrase)

    def _decrypt(self, protection: Protection, passphrase: Secret | None) -> bytearray:
        if passphrase is None:
            raise WrongPassphraseError("The key is kept under a passphrase, and none was given.")
        derived = _derive(passphrase, protection.salt, protection.cost)
        try:
            if not hmac.compare_digest(bytes(derived[_KEY_BYTES:]), protection.check):
                raise WrongPassphraseError("The passphrase does not open this key.", advice="Try another one.")
            plain = bytearray(max(len(self.payload) - _TAG_BYTES, 0))
            AESGCM(bytes(derived[:_KEY_BYTES])).decrypt_into(protection.nonce, self.payload, self._header(), plain)
        except (InvalidTag, ValueError):
            raise _damaged("it was altered after it was written") from None
        finally:
            derived[:] = bytes(len(derived))
        return plain


def seal(
    key: rsa.RSAPrivateKey, side: str, version: int, passphrase: Secret, cost: ScryptCost | None = None
) -> Envelope:
    """Put `key` into an envelope under `passphrase`. Raises NotProtectedError for an empty one. Call it in a thread."""
    return seal_payload(private_der(key), side, version, fingerprint(key.public_key()), passphrase, cost)


def seal_payload(
    payload: bytes, side: str, version: int, mark: str, passphrase: Secret, cost: ScryptCost | None = None
) -> Envelope:
    """Put any key, as bytes, into an envelope under `passphrase`; `mark` is its fingerprint. As `seal`."""
    if passphrase.empty:
        raise NotProtectedError("An empty passphrase protects nothing.", advice="Choose a long one.")
    cost = cost or STRONG
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    derived = _derive(passphrase, salt, cost)
    protection = Protection(cost, salt, nonce, bytes(derived[_KEY_BYTES:]))
    bare = Envelope(side, version, mark, protection, b"")
    encrypted = AESGCM(bytes(derived[:_KEY_BYTES])).encrypt(nonce, payload, bare._header())
    derived[:] = bytes(len(derived))
    return Envelope(side, version, mark, protection, encrypted)


def leave_open(key: rsa.RSAPrivateKey, side: str, version: int, *, insist: bool) -> Envelope:
    """Put `key` into an envelope without a passphrase. Raises NotProtectedError unless `insist`."""
    if not insist:
        raise NotProtectedError(
            "Without a passphrase everybody who can read the key file can issue tokens for every tenant.",
            advice="Give a passphrase, or insist with the second flag (--insecure).",
        )
    return Envelope(side, version, fingerprint(key.public_key()), None, private_der(key))


def _derive(passphrase: Secret, salt: bytes, cost: ScryptCost) -> bytearray:
    derived = bytearray(_KEY_BYTES + _CHECK_BYTES)
    scrypt = Scrypt(salt=salt, length=len(derived), n=cost.n, r=cost.r, p=cost.p)
    scrypt.derive_into(passphrase_bytes(passphrase), derived)
    return derived


def _from_header(header: Any, payload: bytes) -> Envelope:
    if header["format"] != FORMAT:
        raise ValueError("another format")
    version, side, mark = header["version"], header["side"], header["fingerprint"]
    if type(version) is not int or not isinstance(side, str) or not isinstance(mark, str):
        raise TypeError("wrong type")
    protection = header["protection"]
    if protection == {"name": "none"}:
        return Envelope(side, version, mark, None, payload)
    if protection["name"] != "scrypt-aes-256-gcm":
        raise ValueError("another protection")
    cost = ScryptCost(*(int(protection[name]) for name in ("n", "r", "p")))
    salt, nonce, check = (b64decode(protection[name], validate=True) for name in ("salt", "nonce", "check"))
    if (len(salt), len(nonce), len(check)) != (_SALT_BYTES, _NONCE_BYTES, _CHECK_BYTES):
        raise ValueError("wrong length")
    return Envelope(side, version, mark, Protection(cost, salt, nonce, check), payload)


def _damaged(why: str) -> DamagedKeyFileError:
    return DamagedKeyFileError(
        f"The key file is damaged: {why}.",
        advice="Restore it from a backup, or import the key again from its export.",
    )
