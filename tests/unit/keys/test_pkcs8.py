"""The export's own PKCS#8: openssl and cryptography read it, and see scrypt in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import rsa_keys
from core.keys.pkcs8 import _integer, _value, encrypted_pkcs8
from core.secrets import Secret
from tests.unit.keys.sample_keys import fingerprint, openssl, private_key


def test_openssl_reads_it_and_sees_scrypt() -> None:
    pem = rsa_keys.encrypted_pem(private_key(1), Secret("pass phrase"))
    plain = openssl("pkcs8", "-passin", "pass:pass phrase", stdin=pem)
    assert rsa_keys.fingerprint(rsa_keys.load_private(plain).public_key()) == fingerprint(1)
    structure = openssl("asn1parse", stdin=pem).decode()
    assert all(word in structure for word in ("PBES2", "scrypt", "aes-256-cbc", ":4000\n", ":08\n", ":05\n", ":20\n"))


@pytest.mark.parametrize("passphrase", ["x", "ключ \U0001f511", "a" * 200])
def test_it_comes_back(passphrase: str) -> None:
    pem = rsa_keys.encrypted_pem(private_key(1), Secret(passphrase))
    assert rsa_keys.fingerprint(rsa_keys.load_private(pem, Secret(passphrase)).public_key()) == fingerprint(1)
    with pytest.raises(rsa_keys.WrongPassphraseError):
        rsa_keys.load_private(pem, Secret(passphrase + "x"))


def test_two_exports_differ() -> None:
    assert encrypted_pkcs8(b"x", b"y") != encrypted_pkcs8(b"x", b"y")


@given(st.integers(0, 2**40))
def test_integers_are_der(number: int) -> None:
    content = _integer(number)
    assert int.from_bytes(content, "big", signed=True) == number
    assert len(content) == 1 or content[0] != 0 or content[1] >= 0x80


@given(st.integers(0, 70_000))
def test_lengths_are_der(length: int) -> None:
    value = _value(0x04, bytes(length))
    header = len(value) - length
    assert header == (2 if length < 0x80 else 3 if length < 0x100 else 4 if length < 0x10000 else 5)
