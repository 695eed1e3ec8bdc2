"""Passwords of the DataLens user."""

from __future__ import annotations

import hashlib

import pytest

from core.datalens.passwords import ALPHABET, check_password, generate_password, hash_password
from core.errors import BadInputError
from core.secrets import Secret


def test_generated_passwords_are_strong_and_different() -> None:
    values = {generate_password().reveal() for _ in range(50)}
    assert len(values) == 50
    for value in values:
        check_password(Secret(value), user="datalens")
        assert set(value) <= set(ALPHABET)
    assert len(generate_password(12).reveal()) == 12
    for length in (11, 129):
        with pytest.raises(BadInputError):
            generate_password(length)


@pytest.mark.parametrize(
    "weak", ["", "s3cret!", "aaaaaaaaaaaaaaaa", "DataLens-2026-x", " padded-out-well", "tab\there-and-there", "x1" * 65]
)
def test_weak_passwords_are_refused_without_repeating_them(weak: str) -> None:
    with pytest.raises(BadInputError) as caught:
        check_password(Secret(weak), user="datalens")
    assert not weak or weak not in f"{caught.value} {caught.value.detail}"


def test_the_hash_is_of_password_and_salt_and_does_not_show_itself() -> None:
    method = hash_password(Secret("correct horse 😀"))
    expected = hashlib.sha256("correct horse 😀".encode() + method.salt.encode()).hexdigest()
    assert method.hash == expected.upper()
    assert method.password is None
    assert hash_password(Secret("correct horse 😀")).salt != method.salt
    assert expected.upper() not in repr(method)
    assert method.salt not in repr(method)
