"""What is typed about a password: made up by length and alphabet, or typed twice, and by which method it is hashed."""

from __future__ import annotations

from collections.abc import Callable

from core.access.model import AuthKind
from core.access.passwords import (
    ALPHABETS,
    GENERATED_LENGTH,
    LONGEST_GENERATED,
    SHORTEST,
    check_strength,
    generate_password,
)
from core.errors import BadInputError
from core.secrets import Secret
from tui.screens.access_words import kind_word
from tui.widgets.fields import Field, Values

GENERATED, TYPED = "made-up password", "typed password"
HASHES = {kind_word(kind): kind for kind in (
    AuthKind.SHA256, AuthKind.SCRAM_SHA256, AuthKind.BCRYPT, AuthKind.DOUBLE_SHA1
)}  # fmt: skip
SALTED = (kind_word(AuthKind.SHA256), kind_word(AuthKind.SCRAM_SHA256))  # those of them that take a salt
_OWN_CHARACTERS = "others"
_LENGTHS = range(SHORTEST, LONGEST_GENERATED + 1)


def password_fields(generated: Callable[[Values], bool], typed: Callable[[Values], bool]) -> tuple[Field, ...]:
    """What a password is made of, asked when one is `generated`, and its two entries, asked when it is `typed`."""
    return (
        Field("length", "Length", str(GENERATED_LENGTH), required=True, check=_length_problem, shown_if=generated,
              hint=f"{SHORTEST} to {LONGEST_GENERATED} characters; the fewer different ones, the more it takes."),
        Field("alphabet", "Made of", next(iter(ALPHABETS)), kind="choice", choices=(*ALPHABETS, _OWN_CHARACTERS),
              shown_if=generated, hint="signs: letters, digits and -._; none looks like another."),
        Field("characters", "Characters", required=True, hint="Each that it may be made of: abcdefgh23456789!?",
              shown_if=lambda values: generated(values) and values.get("alphabet") == _OWN_CHARACTERS),
        Field("password", "Type it", kind="secret", required=True, shown_if=typed,
              hint="12 or more: a digit, a small and a capital letter, a sign."),
        Field("again", "Again", kind="secret", required=True, shown_if=typed),
        Field("weak", "Weak as well", kind="flag", shown_if=typed,
              hint="Say yes to have it though it is weaker than ClickHouse Cloud would take."),
    )  # fmt: skip


def _length_problem(text: str) -> str:
    if text.strip().isdecimal() and int(text) in _LENGTHS:
        return ""
    return f"A password has {SHORTEST} to {LONGEST_GENERATED} characters."


def made_up_password(values: Values) -> Secret:
    """A random password as it was asked for. Raises BadInputError where that leaves too little to chance."""
    alphabet = values["alphabet"]
    characters = values["characters"] if alphabet == _OWN_CHARACTERS else ALPHABETS[alphabet]
    return generate_password(int(values["length"]), characters)


def typed_password(values: Values, user: str = "") -> Secret:
    """The password that was typed twice. Raises BadInputError when it is weak and that was not insisted on."""
    password = typed_twice(values)
    if not values.get("weak"):
        check_strength(password, user=user)
    return password


def typed_twice(values: Values) -> Secret:
    """The password that was typed twice. Raises BadInputError when the entries differ."""
    first, second = Secret(values["password"]), Secret(values["again"])
    if not first.matches(second):
        raise BadInputError("The two entries differ.", advice="Type the same password twice.")
    return first
