"""RSA keys as DataLens wants them: 2048 bits, exponent 65537, nothing else.

Reads PEM in every usual form and says exactly why it does not take the rest. Source: "Creating a partner connector"
of DataLens; RFC 7468 (PEM), RFC 8017 (PKCS#1), RFC 5958 (PKCS#8), RFC 5280 (SubjectPublicKeyInfo).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from binascii import Error as Base64Error

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from core.display import one_line
from core.errors import BadInputError, RefusedError
from core.keys.pkcs8 import encrypted_pkcs8
from core.secrets import Secret

KEY_BITS = 2048
EXPONENT = 65537
MODULUS_BYTES = KEY_BITS // 8
LONGEST_PEM = 64 * 1024  # bytes; a 2048-bit key with a certificate chain before it is far below

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
_PRIVATE_LABELS = frozenset({b"RSA PRIVATE KEY", b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"})
_PUBLIC_LABELS = frozenset({b"RSA PUBLIC KEY", b"PUBLIC KEY"})
_FOREIGN_LABELS = {
    b"EC PRIVATE KEY": "an elliptic-curve key",
    b"EC PARAMETERS": "an elliptic-curve key",
    b"DSA PRIVATE KEY": "a DSA key",
    b"CERTIFICATE": "a certificate",
    b"CERTIFICATE REQUEST": "a certificate request",
    b"OPENSSH PRIVATE KEY": "a private key in OpenSSH's own form",
    b"SSH2 PUBLIC KEY": "a public key in SSH's own form",
    b"PGP PRIVATE KEY BLOCK": "a PGP key",
    b"PGP PUBLIC KEY BLOCK": "a PGP key",
}
_CONVERSIONS = {
    b"CERTIFICATE": "Take the key out of it: openssl x509 -in FILE -pubkey -noout",
    b"OPENSSH PRIVATE KEY": "Convert a copy of it: ssh-keygen -p -m PEM -f COPY",
    b"SSH2 PUBLIC KEY": "Convert it: ssh-keygen -e -m PKCS8 -f FILE",
}
_RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")  # OID 1.2.840.113549.1.1.10
_WANTED = f"DataLens takes RSA keys of {KEY_BITS} bits with exponent {EXPONENT} only."


class KeyFormatError(BadInputError):
    """A text that is not the key that was asked for; the message says what it is instead."""


class PassphraseMissingError(RefusedError):
    """The PEM is encrypted and no passphrase was given."""


class WrongPassphraseError(RefusedError):
    """The passphrase does not open the key."""


def generate() -> rsa.RSAPrivateKey:
    """A new private key. Takes about 0.1 s, much more on a bad day: call it in a thread."""
    return rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)


def load_private(pem: bytes, passphrase: Secret | None = None) -> rsa.RSAPrivateKey:
    """Read a private key: PKCS#8 or PKCS#1, encrypted or not. A passphrase given for a plain key is not used.

    Raises KeyFormatError, PassphraseMissingError, WrongPassphraseError.
    """
    label = _only_label(pem, _PRIVATE_LABELS, "private")
    encrypted = label == b"ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in pem
    if encrypted and passphrase is None:
        raise PassphraseMissingError("The key is encrypted.", advice="Give the passphrase it was exported with.")
    if not encrypted:
        _refuse_pss(pem)
    password = passphrase_bytes(passphrase) if encrypted and passphrase is not None else None
    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted and isinstance(error, ValueError):
            # One wrong passphrase in 256 decrypts to something with a valid padding, and no key comes out of it.
            raise WrongPassphraseError(
                "The passphrase does not open this key.", advice="Try another one; or the PEM is damaged."
            ) from None
        raise _unreadable("private", error) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyFormatError(f"This is not an RSA key ({_kind_of(key)}).", advice=_WANTED)
    _check_size(key.public_key())
    return key


def is_encrypted(pem: bytes) -> bool:
    """Whether a passphrase is needed to read this private PEM."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem or b"Proc-Type: 4,ENCRYPTED" in pem


def load_public(pem: bytes) -> rsa.RSAPublicKey:
    """Read a public key: SubjectPublicKeyInfo or PKCS#1. Raises KeyFormatError."""
    _only_label(pem, _PUBLIC_LABELS, "public")
    _refuse_pss(pem)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable("public", error) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyFormatError(f"This is not an RSA key ({_kind_of(key)}).", advice=_WANTED)
    _check_size(key)
    return key


def fingerprint(key: rsa.RSAPublicKey) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo: 64 lower-case hex digits."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def public_pem(key: rsa.RSAPublicKey) -> str:
    """The key as SubjectPublicKeyInfo PEM, ending in a newline."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def private_der(key: rsa.RSAPrivateKey) -> bytes:
    """The private key as unencrypted PKCS#8 DER: only ever handed to the envelope."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def passphrase_bytes(passphrase: Secret) -> bytes:
    """What a key is derived from: UTF-8, or the very bytes of the environment. Raises BadInputError for no text."""
    try:
        return passphrase.reveal().encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Not chained: the error carries the passphrase.
        raise BadInputError("The passphrase is not text that can be encoded in UTF-8.") from None


def encrypted_pem(key: rsa.RSAPrivateKey, passphrase: Secret) -> bytes:
    """The private key as encrypted PKCS#8 PEM (PBES2 with scrypt), which OpenSSL and `cryptography` read. Slow."""
    return encrypted_pkcs8(private_der(key), passphrase_bytes(passphrase))


def _only_label(pem: bytes, wanted: frozenset[bytes], half: str) -> bytes:
    """The label of the one key in `pem`, which must be among `wanted`."""
    if len(pem) > LONGEST_PEM:
        raise KeyFormatError(f"This is too long for a key ({len(pem):,} bytes).", advice="Give a file with one key.")
    labels = _LABEL.findall(pem)
    if not labels:
        ssh = pem.lstrip().startswith((b"ssh-", b"ecdsa-"))
        what = "This is a public key in SSH's own form" if ssh else "There is no key in PEM form here"
        advice = "Convert it: ssh-keygen -e -m PKCS8 -f FILE" if ssh else "PEM begins with -----BEGIN … KEY-----."
        raise KeyFormatError(f"{what}.", advice=advice)
    keys = [label for label in labels if label in _PRIVATE_LABELS | _PUBLIC_LABELS]
    if len(keys) > 1:
        raise KeyFormatError(f"There are {len(keys)} keys here.", advice="Give a file with exactly one.")
    if not keys:
        raise _foreign(labels[0])
    if keys[0] not in wanted:
        if half == "public":
            raise KeyFormatError(
                "This is a private key; the public half is wanted.",
                advice="A private key must not leave its owner: if DataLens sent it, ask for another key.",
            )
        raise KeyFormatError("This is a public key; the private half is wanted.", advice="Give the private key file.")
    only: bytes = keys[0]
    return only


def _foreign(label: bytes) -> KeyFormatError:
    what = _FOREIGN_LABELS.get(label, f"a {one_line(label.decode('ascii'))}")
    return KeyFormatError(f"This is {what}, not an RSA key in PEM form.", advice=_CONVERSIONS.get(label, _WANTED))


def _unreadable(half: str, error: Exception) -> KeyFormatError:
    return KeyFormatError(
        f"The {half} key cannot be read: the PEM is damaged or of a kind this program does not know.",
        advice="Export it again, without line breaks or blanks lost on the way.",
        detail=str(error),
    )


def _refuse_pss(pem: bytes) -> None:
    # The library drops the restriction of an RSASSA-PSS key silently, yet its owner's software may insist on it.
    body = pem.partition(b"KEY-----")[2].partition(b"-----END")[0]
    try:
        start = b64decode(b"".join(body.split())[:80])
    except (Base64Error, ValueError):
        return  # damaged, or PKCS#1 with headers: for the real parser to say
    if _RSASSA_PSS in start:
        raise KeyFormatError("This key is for RSASSA-PSS signatures only.", advice="DataLens needs a plain RSA key.")


def _check_size(key: rsa.RSAPublicKey) -> None:
    exponent = key.public_numbers().e
    if key.key_size != KEY_BITS:
        raise KeyFormatError(f"This RSA key has {key.key_size} bits.", advice=_WANTED)
    if exponent != EXPONENT:
        raise KeyFormatError(f"This RSA key has the exponent {exponent}.", advice=_WANTED)


def _kind_of(key: object) -> str:
    name = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")
    return {"EllipticCurve": "elliptic curve", "EC": "elliptic curve"}.get(name, name)
