"""The text of tokens: built and parsed exactly, and every other text refused with what is wrong with it."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.versions import HIGHEST_VERSION
from core.tokens.text_format import Token, TokenFormatError, fingerprint_of, parse

versions = st.integers(0, HIGHEST_VERSION)
blocks = st.binary(min_size=256, max_size=256)
TOKEN = Token(12, 3, bytes(range(256)), bytes(reversed(range(256))))
PARTS = TOKEN.text.split(":")


@given(versions, versions, blocks, blocks)
def test_round_trip(datalens: int, partner: int, ciphertext: bytes, signature: bytes) -> None:
    token = Token(datalens, partner, ciphertext, signature)
    assert parse(token.text) == token
    assert token.text.isascii()
    assert len(token.text.split()) == 1


def test_the_length_that_is_documented() -> None:
    assert len(Token(1, 1, bytes(256), bytes(256)).text) == 693
    assert len(TOKEN.text) == 694


def test_the_fingerprint_is_the_sha_256_of_the_text() -> None:
    assert TOKEN.fingerprint == fingerprint_of(TOKEN.text) == hashlib.sha256(TOKEN.text.encode()).hexdigest()


def test_repr_shows_the_versions_only() -> None:
    assert repr(TOKEN) == "Token(datalens_version=12, partner_version=3)"


def joined(**other: str) -> str:
    names = ("datalens", "partner", "data", "signature")
    return ":".join(other.get(name, part) for name, part in zip(names, PARTS, strict=True))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has 1 part"),
        ("a:b:c", "has 3 parts"),
        (TOKEN.text + ":", "has 5 parts"),
        (" " + TOKEN.text, "around the token"),
        (TOKEN.text + "\n", "around the token"),
        (joined(datalens=""), "DataLens key version is empty"),
        (joined(partner="03"), "partner key version is written '03'"),
        (joined(datalens="+1"), "DataLens key version is written"),
        (joined(datalens="-1"), "DataLens key version is written"),
        (joined(datalens="1.0"), "DataLens key version is written"),
        (joined(partner=" 3"), "partner key version is written"),
        (joined(partner="٣"), "partner key version is written"),
        (joined(partner="3\n"), "partner key version is written"),
        (joined(partner="9" * 5000), "higher than any"),
        (joined(partner=str(HIGHEST_VERSION + 1)), "higher than any"),
        (joined(data=PARTS[2][:-4]), "encrypted data has 340 characters instead of 344"),
        (joined(data=PARTS[2].rstrip("=")), "has 342 characters"),
        (joined(data=""), "has 0 characters"),
        (joined(signature=PARTS[3] + "AAAA"), "signature has 348 characters"),
        (joined(signature="-" + PARTS[3][1:]), "URL-safe alphabet"),
        (joined(signature=PARTS[3][:9] + " " + PARTS[3][10:]), "at position 10, which is not base64"),
        (joined(signature=PARTS[3][:9] + "é" + PARTS[3][10:]), "not base64"),
        (joined(data="=" + PARTS[2][1:]), "padding"),
        (joined(data=PARTS[2][:-3] + "==="), "padding"),
        (joined(data=b64encode(bytes(257)).decode()), "257 bytes"),
        (joined(data=b64encode(bytes(258)).decode()), "258 bytes"),
        (joined(data=PARTS[2][:-3] + "x=="), "stray bits"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(TokenFormatError, match=reason):
        parse(text)


@given(st.text(max_size=800))
def test_any_other_text_is_refused_calmly(text: str) -> None:
    with pytest.raises(TokenFormatError):
        parse(text)


@given(st.integers(0, len(TOKEN.text) - 1), st.characters(codec="utf-8"))
def test_what_parses_is_canonical(place: int, character: str) -> None:
    text = TOKEN.text[:place] + character + TOKEN.text[place + 1 :]
    try:
        assert parse(text).text == text
    except TokenFormatError as error:
        assert PARTS[2] not in str(error)  # what is wrong is said without repeating the secret
        assert PARTS[3] not in str(error)
