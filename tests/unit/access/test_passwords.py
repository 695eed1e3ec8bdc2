"""Passwords: hashes against independent oracles, strength, generation, and that nothing is shown."""

from __future__ import annotations

import base64
import builtins
import hashlib
import hmac
import subprocess
from typing import Any

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access.model import AlterUser, Authentication, AuthKind, CreateRole, CreateUser
from core.access.passwords import (
    ALPHABETS,
    BCRYPT_LONGEST,
    chance_bits,
    check_strength,
    generate_password,
    hash_password,
    hashed,
    password_digest,
    weaknesses,
    without_passwords,
)
from core.errors import BadInputError, HousekeysError, RefusedError
from core.secrets import Secret
from tests.examples import examples

STRONG = "Correct-horse1"
HASHED = (AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT, AuthKind.SCRAM_SHA256)


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


# -- hashes


def test_sha256_and_double_sha1_are_those_of_openssl() -> None:
    method = hash_password(Secret(STRONG))
    assert len(method.salt) == 64
    salted = openssl("dgst", "-sha256", "-binary", stdin=(STRONG + method.salt).encode())
    assert method.hash == salted.hex().upper()
    plain = hash_password(Secret(STRONG), salted=False)
    assert (plain.hash, plain.salt) == (openssl("dgst", "-sha256", "-binary", stdin=STRONG.encode()).hex().upper(), "")
    once = openssl("dgst", "-sha1", "-binary", stdin=STRONG.encode())
    twice = openssl("dgst", "-sha1", "-binary", stdin=once)
    assert hash_password(Secret(STRONG), AuthKind.DOUBLE_SHA1).hash == twice.hex().upper()


def test_the_recipes_of_users_xml() -> None:
    """Known answers: a comment in ClickHouse's users.xml has the hash of qwerty; the others are common knowledge."""
    qwerty = "65e84be33532fb784c48129675f9eff3a682b27168c0ea744b2cf58ee02337c5"
    assert password_digest(AuthKind.SHA256, b"qwerty") == qwerty.upper()
    assert password_digest(AuthKind.DOUBLE_SHA1, b"") == "BE1BDEC0AA74B4DCB079943E70528096CCA985F8"
    assert password_digest(AuthKind.DOUBLE_SHA1, b"password") == "2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # as MySQL


def test_scram_is_that_of_rfc_7677() -> None:
    """The exchange in section 3 of the RFC, worked out from our salted password."""
    salted = bytes.fromhex(password_digest(AuthKind.SCRAM_SHA256, b"pencil", "W22ZaJ0SNY7soEsUEjb6gQ=="))
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"

    def mac(key: bytes, text: str) -> bytes:
        return hmac.digest(key, text.encode(), "sha256")

    client_key = mac(salted, "Client Key")
    signature = mac(hashlib.sha256(client_key).digest(), message)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    assert base64.b64encode(proof) == b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    server = mac(mac(salted, "Server Key"), message)
    assert base64.b64encode(server) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@settings(max_examples=examples(10))
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_scram_is_pbkdf2_of_openssl(password: str) -> None:
    method = hash_password(Secret(password), AuthKind.SCRAM_SHA256)
    options = ("digest:SHA256", "iter:4096", f"hexpass:{password.encode().hex()}")
    words = [word for option in options for word in ("-kdfopt", option)]
    salt = base64.b64decode(method.salt).hex()
    derived = openssl("kdf", "-keylen", "32", *words, "-kdfopt", f"hexsalt:{salt}", "-binary", "PBKDF2")
    assert method.hash == derived.hex().upper()


def test_scram_with_a_salt_that_is_not_base64() -> None:
    with pytest.raises(BadInputError, match="base64"):
        password_digest(AuthKind.SCRAM_SHA256, b"x", "no base64!")


@pytest.mark.parametrize("password", [STRONG, "😀" * 18, "x"])
def test_bcrypt_is_checked_by_its_library(password: str) -> None:
    method = hash_password(Secret(password), AuthKind.BCRYPT, work_factor=4)
    assert method.hash is not None
    assert method.hash.startswith("$2a$04$")
    assert bcrypt.checkpw(password.encode(), method.hash.encode())
    assert not bcrypt.checkpw(password.encode()[:-1], method.hash.encode())


@pytest.mark.parametrize("password", ["x" * (BCRYPT_LONGEST + 1), "😀" * 19, "null\0inside"])
def test_bcrypt_refuses_what_it_would_cut_off(password: str) -> None:
    with pytest.raises(BadInputError) as caught:
        hash_password(Secret(password), AuthKind.BCRYPT, work_factor=4)
    assert password not in str(caught.value)


@pytest.mark.parametrize("factor", [3, 32])
def test_bcrypt_work_factors(factor: int) -> None:
    with pytest.raises(BadInputError, match="4 to 31"):
        hash_password(Secret(STRONG), AuthKind.BCRYPT, work_factor=factor)


def test_without_the_library_bcrypt_is_refused_and_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *rest: Any, **options: Any) -> Any:
        if name == "bcrypt":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(RefusedError) as caught:
        hash_password(Secret(STRONG), AuthKind.BCRYPT)
    assert "pip install 'housekeys[bcrypt]'" in caught.value.advice
    assert STRONG not in str(caught.value)
    assert hash_password(Secret(STRONG), AuthKind.SCRAM_SHA256).hash


@pytest.mark.parametrize("kind", HASHED)
def test_hashes_differ_each_time_and_nothing_is_shown(kind: AuthKind) -> None:
    first, second = (hash_password(Secret(STRONG), kind, work_factor=4) for _ in range(2))
    assert (first == second) is (kind is AuthKind.DOUBLE_SHA1)
    assert first.password is None
    assert first.kind is kind
    for secret in (STRONG, first.hash, first.salt):
        assert not secret or secret not in repr(first)


@pytest.mark.parametrize("kind", [AuthKind.PLAINTEXT, AuthKind.NO_PASSWORD, AuthKind.LDAP])
def test_kinds_without_a_hash(kind: AuthKind) -> None:
    with pytest.raises(ValueError, match=kind.value):
        hash_password(Secret(STRONG), kind)


@pytest.mark.parametrize("kind", HASHED)
def test_a_lone_surrogate_is_refused_without_being_repeated(kind: AuthKind) -> None:
    with pytest.raises(BadInputError) as caught:
        hash_password(Secret("Correct-horse1\udc80"), kind, work_factor=4)
    assert "Correct-horse1" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_statements_go_on_with_hashes_only() -> None:
    plain = Authentication(AuthKind.PLAINTEXT, password="as it is")
    by_default = Authentication(AuthKind.DEFAULT, password=STRONG, valid_until="2030-01-01 00:00:00")
    done = without_passwords(CreateUser(("u",), methods=(by_default, plain)))
    assert isinstance(done, CreateUser) and done.methods is not None
    first, second = done.methods
    assert second == plain
    assert (first.kind, first.password, first.valid_until) == (AuthKind.SHA256, None, "2030-01-01 00:00:00")
    assert first.hash == password_digest(AuthKind.SHA256, STRONG.encode(), first.salt)
    for statement in (CreateRole(("r",)), AlterUser(("u",), rename_to="v"), done):
        assert without_passwords(statement) == statement
    ready = Authentication(AuthKind.SHA256, hash="AB")
    assert hashed(ready) is ready


# -- strength


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Short-1", "12 characters"),
        ("No-digit-in-this", "digit"),
        ("NO-LOWER-CASE-1", "lower-case"),
        ("no-upper-case-1", "upper-case"),
        ("NoSignInThis123", "sign"),
        ("Alice-likes-1-cat", "name of the user"),
        ("", "12 characters"),
    ],
)
def test_weak_passwords_are_refused_for_what_they_lack(password: str, lacks: str) -> None:
    assert any(lacks in weakness for weakness in weaknesses(Secret(password), user="alice"))
    with pytest.raises(BadInputError) as caught:
        check_strength(Secret(password), user="alice")
    assert lacks in caught.value.message
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize("password", [STRONG, "пароль-ПАРОЛЬ-١٢٣", "12 Aa        "])
def test_strong_passwords_pass(password: str) -> None:
    assert weaknesses(Secret(password), user="alice") == ()
    check_strength(Secret(password))


# -- generation


@pytest.mark.parametrize("name", list(ALPHABETS))
def test_generated_passwords_are_from_their_alphabet_and_differ(name: str) -> None:
    values = {generate_password(alphabet=ALPHABETS[name]).reveal() for _ in range(50)}
    assert len(values) == 50
    for value in values:
        assert len(value) == 24
        assert set(value) <= set(ALPHABETS[name])
        assert value[0].isalnum()


def test_those_of_the_default_alphabet_are_strong_at_every_length() -> None:
    for length in (12, 13, 24, 256):
        value = generate_password(length)
        assert len(value.reveal()) == length
        check_strength(value)


@given(st.text(min_size=0, max_size=20), st.integers(-1, 300))
def test_an_alphabet_of_one_s_own(alphabet: str, length: int) -> None:
    try:
        value = generate_password(length, alphabet).reveal()
    except HousekeysError as error:
        assert isinstance(error, BadInputError)
        return
    assert len(value) == length
    assert set(value) <= set(alphabet)
    assert chance_bits(length, alphabet) >= 64


@pytest.mark.parametrize(
    ("length", "alphabet", "why"),
    [
        (24, "a", "2 to 200"),
        (24, "aaaa", "2 to 200"),
        (24, "a b", "space"),
        (24, "ab\0", "typed"),
        (15, ALPHABETS["hex"], "16 to 256"),
        (11, ALPHABETS["signs"], "12 to 256"),
        (257, ALPHABETS["signs"], "not 257"),
        (24, "".join(map(chr, range(0x4E00, 0x4E00 + 201))), "2 to 200"),
    ],
)
def test_too_little_chance_is_refused(length: int, alphabet: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        generate_password(length, alphabet)
