"""Passwords of the DataLens user: generated or judged here, and hashed here, so that none is sent to ClickHouse."""

from __future__ import annotations

from core.access import passwords
from core.access.model import Authentication
from core.errors import BadInputError
from core.secrets import Secret

SHORTEST = 12
LONGEST = 128  # of Yandex Managed Service for ClickHouse
GENERATED_LENGTH = 32
ALPHABET = passwords.ALPHABETS["alphanumeric"]  # nothing that a form could refuse: 32 of these 57 are 186 bits
_DIFFERENT_AT_LEAST = 6


def generate_password(length: int = GENERATED_LENGTH) -> Secret:
    """A random password of `length` letters and digits, at least one of each case and one digit.

    Raises BadInputError for a length that `check_password` would refuse.
    """
    if not SHORTEST <= length <= LONGEST:
        raise BadInputError(f"A password has {SHORTEST} to {LONGEST} characters, not {length}.")
    return passwords.generate_password(length, ALPHABET)


def check_password(password: Secret, *, user: str) -> None:
    """Raise BadInputError, without repeating it, when `password` is too weak or cannot be typed in DataLens."""
    value = password.reveal()
    if len(value) < SHORTEST:
        raise BadInputError(f"The password is shorter than {SHORTEST} characters.", advice="Let one be generated.")
    if len(value) > LONGEST:
        raise BadInputError(f"The password is longer than {LONGEST} characters.")
    if not value.isprintable() or value != value.strip():
        raise BadInputError("The password holds a character that cannot be typed, or begins or ends with a space.")
    if len(set(value)) < _DIFFERENT_AT_LEAST:
        raise BadInputError(f"The password has fewer than {_DIFFERENT_AT_LEAST} different characters.")
    if user and user.lower() in value.lower():
        raise BadInputError("The password holds the name of the user.")


def hash_password(password: Secret) -> Authentication:
    """`password` as ClickHouse keeps it: SHA-256 of it and a fresh salt. Nothing of either is shown by repr."""
    return passwords.hash_password(password)
