"""Encrypted PKCS#8 under scrypt, for the export of a private key.

`cryptography` writes PKCS#8 with 2,048 rounds of PBKDF2 only, which a guesser goes through by the million. OpenSSL (and
`cryptography` itself) read scrypt just as well, up to 32 MiB of memory, hence n = 2^14; p = 5 makes up for it (OWASP
Password Storage Cheat Sheet). Sources: RFC 5958 (EncryptedPrivateKeyInfo), RFC 8018 (PBES2), RFC 7914, section 7.
"""

from __future__ import annotations

import os
from base64 import b64encode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7

_N, _R, _P, _KEY_BYTES = 2**14, 8, 5, 32
_PBES2 = bytes.fromhex("06092a864886f70d01050d")  # OID 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("06092b06010401da47040b")  # OID 1.3.6.1.4.1.11591.4.11
_AES_256_CBC = bytes.fromhex("060960864801650304012a")  # OID 2.16.840.1.101.3.4.1.42
_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02


def encrypted_pkcs8(der: bytes, passphrase: bytes) -> bytes:
    """`der`, a plain PKCS#8 key, as an encrypted PEM. Takes a quarter of a second."""
    salt, iv = os.urandom(16), os.urandom(16)
    key = Scrypt(salt=salt, length=_KEY_BYTES, n=_N, r=_R, p=_P).derive(passphrase)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    costs = b"".join(_value(_INTEGER, _integer(number)) for number in (_N, _R, _P, _KEY_BYTES))
    derivation = _value(_SEQUENCE, _SCRYPT + _value(_SEQUENCE, _value(_OCTETS, salt) + costs))
    scheme = _value(_SEQUENCE, _AES_256_CBC + _value(_OCTETS, iv))
    algorithm = _value(_SEQUENCE, _PBES2 + _value(_SEQUENCE, derivation + scheme))
    return _pem(_value(_SEQUENCE, algorithm + _value(_OCTETS, encrypted)))


def _value(tag: int, content: bytes) -> bytes:
    """One DER value: tag, length, content."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def _integer(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _pem(der: bytes) -> bytes:
    text = b64encode(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, b"-----END ENCRYPTED PRIVATE KEY-----", b""])
