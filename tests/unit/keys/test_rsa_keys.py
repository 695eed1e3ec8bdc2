"""Reading keys: every form that openssl writes, and a reason for every key that is not taken."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import rsa_keys
from core.keys.rsa_keys import KeyFormatError, PassphraseMissingError, WrongPassphraseError
from core.secrets import Secret
from tests.unit.keys.sample_keys import fingerprint, openssl, private_key, private_pem, public_pem

PASSPHRASE = "correct horse"
PRIVATE_FORMS = {
    "PKCS#8": ["pkey"],
    "PKCS#1": ["rsa", "-traditional"],
}
ENCRYPTED_FORMS = {
    "PKCS#8 PBES2": ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", f"pass:{PASSPHRASE}"],
    "PKCS#8 scrypt": ["pkcs8", "-topk8", "-scrypt", "-passout", f"pass:{PASSPHRASE}"],
    "PKCS#8 PBES1": ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", f"pass:{PASSPHRASE}"],
    "traditional AES": ["rsa", "-traditional", "-aes256", "-passout", f"pass:{PASSPHRASE}"],
    "traditional 3DES": ["rsa", "-traditional", "-des3", "-passout", f"pass:{PASSPHRASE}"],
}
PUBLIC_FORMS = {
    "SubjectPublicKeyInfo": ["pkey", "-pubout"],
    "PKCS#1": ["rsa", "-RSAPublicKey_out"],
}


@cache
def made(*words: str) -> bytes:
    return openssl(*words)


@pytest.mark.parametrize("form", PRIVATE_FORMS)
def test_every_plain_private_form_is_read(form: str) -> None:
    pem = openssl(*PRIVATE_FORMS[form], stdin=private_pem(1))
    key = rsa_keys.load_private(pem)
    assert rsa_keys.fingerprint(key.public_key()) == fingerprint(1)
    assert not rsa_keys.is_encrypted(pem)


def test_a_passphrase_for_a_plain_key_is_not_needed_and_not_minded() -> None:
    rsa_keys.load_private(private_pem(1), Secret(PASSPHRASE))


@pytest.mark.parametrize("form", ENCRYPTED_FORMS)
def test_every_encrypted_private_form_is_read(form: str) -> None:
    pem = openssl(*ENCRYPTED_FORMS[form], stdin=private_pem(1))
    assert rsa_keys.is_encrypted(pem)
    key = rsa_keys.load_private(pem, Secret(PASSPHRASE))
    assert rsa_keys.fingerprint(key.public_key()) == fingerprint(1)
    with pytest.raises(PassphraseMissingError):
        rsa_keys.load_private(pem)
    with pytest.raises(WrongPassphraseError):
        rsa_keys.load_private(pem, Secret("wrong"))


def test_a_wrong_passphrase_is_called_that_even_when_the_padding_happens_to_fit() -> None:
    pem = openssl(*ENCRYPTED_FORMS["traditional AES"], stdin=private_pem(1))  # the quickest derivation
    for number in range(1500):
        with pytest.raises(WrongPassphraseError):
            rsa_keys.load_private(pem, Secret(f"wrong {number}"))


@pytest.mark.parametrize("form", PUBLIC_FORMS)
def test_every_public_form_is_read(form: str) -> None:
    pem = openssl(*PUBLIC_FORMS[form], stdin=private_pem(2))
    assert rsa_keys.fingerprint(rsa_keys.load_public(pem)) == fingerprint(2)


def test_lines_around_the_pem_are_no_hindrance() -> None:
    pem = b"Bag Attributes\r\n  friendlyName: x\r\n" + public_pem(1).replace(b"\n", b"\r\n") + b"\r\nregards\r\n"
    assert rsa_keys.fingerprint(rsa_keys.load_public(pem)) == fingerprint(1)


def test_the_fingerprint_is_that_of_openssl() -> None:
    der = openssl("pkey", "-pubout", "-outform", "DER", stdin=private_pem(1))
    assert hashlib.sha256(der).hexdigest() == fingerprint(1)


def test_an_export_opens_with_openssl() -> None:
    pem = rsa_keys.encrypted_pem(private_key(1), Secret(PASSPHRASE))
    plain = openssl("pkey", "-passin", f"pass:{PASSPHRASE}", stdin=pem)
    assert rsa_keys.fingerprint(rsa_keys.load_private(plain).public_key()) == fingerprint(1)


RSA = ("genpkey", "-algorithm", "RSA", "-pkeyopt")
REFUSED_PRIVATE = {
    "1024 bits": (*RSA, "rsa_keygen_bits:1024"),
    "2047 bits": (*RSA, "rsa_keygen_bits:2047"),
    "3072 bits": (*RSA, "rsa_keygen_bits:3072"),
    "exponent 3.": (*RSA, "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"),
    "exponent 65539": (*RSA, "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:65539"),
    "elliptic curve": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "elliptic-curve": ("ecparam", "-name", "prime256v1", "-genkey"),
    "Ed25519": ("genpkey", "-algorithm", "ED25519"),
    "RSASSA-PSS": ("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
}


@pytest.mark.parametrize("reason", REFUSED_PRIVATE)
def test_another_key_is_refused_with_the_reason(reason: str) -> None:
    pem = made(*REFUSED_PRIVATE[reason])
    with pytest.raises(KeyFormatError, match=reason):
        rsa_keys.load_private(pem)
    if reason != "elliptic-curve":  # the public half of that one looks like the other curve's
        with pytest.raises(KeyFormatError, match=reason):
            rsa_keys.load_public(openssl("pkey", "-pubout", stdin=pem))


def test_the_wrong_half_is_refused() -> None:
    for encrypted in (False, True):
        pem = openssl(*ENCRYPTED_FORMS["PKCS#8 PBES2"], stdin=private_pem(1)) if encrypted else private_pem(1)
        with pytest.raises(KeyFormatError, match="private key; the public half is wanted"):
            rsa_keys.load_public(pem)
    with pytest.raises(KeyFormatError, match="public key; the private half is wanted"):
        rsa_keys.load_private(public_pem(1))


def test_a_certificate_an_ssh_key_and_two_keys_are_refused() -> None:
    key = made(*RSA, "rsa_keygen_bits:2048")
    certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(KeyFormatError, match="certificate") as caught:
        rsa_keys.load_public(certificate)
    assert "openssl x509" in caught.value.advice
    with pytest.raises(KeyFormatError, match="SSH"):
        rsa_keys.load_public(b"ssh-rsa AAAAB3NzaC1yc2E anna@bastion\n")
    with pytest.raises(KeyFormatError, match="OpenSSH"):
        rsa_keys.load_private(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(KeyFormatError, match="2 keys"):
        rsa_keys.load_private(key + private_pem(1))
    with pytest.raises(KeyFormatError, match="no key in PEM form"):
        rsa_keys.load_private(b"hello")
    with pytest.raises(KeyFormatError, match="too long"):
        rsa_keys.load_private(private_pem(1) + b" " * rsa_keys.LONGEST_PEM)


@given(st.data())
def test_a_damaged_pem_is_refused_or_another_key(data: st.DataObject) -> None:
    pem = bytearray(public_pem(1))
    place = data.draw(st.integers(0, len(pem) - 1))
    pem[place] ^= data.draw(st.integers(1, 255))
    try:
        rsa_keys.load_public(bytes(pem))
    except KeyFormatError:
        return  # nothing else may be raised


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_calmly(content: bytes) -> None:
    for load in (rsa_keys.load_private, rsa_keys.load_public):
        with pytest.raises((KeyFormatError, PassphraseMissingError)):
            load(content)
        with pytest.raises((KeyFormatError, PassphraseMissingError)):
            load(b"-----BEGIN PRIVATE KEY-----\n" + content + b"\n-----END PRIVATE KEY-----\n")
