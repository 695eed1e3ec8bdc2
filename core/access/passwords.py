"""Passwords: judged, generated, and turned into the hashes that ClickHouse keeps, so that it never sees a plaintext.

Source: ClickHouse's `AuthenticationData.cpp`: SHA-256 of password and salt; SHA-1 twice (the protocol of MySQL);
bcrypt; for SCRAM (RFC 5802, RFC 7677) the salted password, which is PBKDF2-HMAC-SHA-256 with 4096 rounds over the
base64-decoded salt. `plaintext_password` stays what its name says: whoever writes it in SQL asks for that. A password
in `users.xml` asks for nothing of the kind: there it may only be because that is how one is written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import secrets
import string
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from core.access.access_model import AccessModel
from core.access.model import AlterUser, Authentication, AuthKind, CreateUser, Statement
from core.errors import BadInputError, RefusedError
from core.secrets import Secret

SHORTEST = 12
GENERATED_LENGTH = 24
LONGEST_GENERATED = 256
LEAST_BITS = 64  # of chance in a generated password
BCRYPT_LONGEST = 72  # bytes; what comes after them bcrypt would not look at, and ClickHouse refuses it
BCRYPT_WORK_FACTOR = 12  # ClickHouse's own default
BCRYPT_WORK_FACTORS = range(4, 32)

_PLAIN_CHARACTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1Il")))
# No character that a reader could take for another; the signs mean nothing to shells, URLs, XML and SQL strings.
ALPHABETS = {
    "signs": f"{_PLAIN_CHARACTERS}-._",
    "alphanumeric": _PLAIN_CHARACTERS,
    "lowercase": "".join(sorted(set(_PLAIN_CHARACTERS) - set(string.ascii_uppercase))),
    "hex": "0123456789abcdef",
}

_LARGEST_ALPHABET = 200  # in a larger one, one of each class could take long to come up
_SALT_BYTES = 32
SCRAM_ROUNDS = 4096


def without_passwords(statement: Statement) -> Statement:
    """`statement` with every password to be hashed replaced by its hash, freshly salted.

    `IDENTIFIED BY` means SHA-256. Raises RefusedError for a bcrypt password where the library for it is missing.
    """
    if not isinstance(statement, CreateUser | AlterUser) or not statement.methods:
        return statement
    return replace(statement, methods=tuple(hashed(method) for method in statement.methods))


def kept_in_clear(method: Authentication) -> bool:
    """Whether a method keeps its password so that it can be read. An empty one is no secret."""
    return method.kind is AuthKind.PLAINTEXT and bool(method.password)


def none_in_clear(model: AccessModel) -> AccessModel:
    """`model` with passwords to be hashed by SHA-256 in the place of those kept in clear.

    They are not hashed yet, so that they can be compared with a hash that is there already, whatever its salt.
    """
    return _with_methods(
        model, lambda method: replace(method, kind=AuthKind.SHA256) if kept_in_clear(method) else method
    )


def with_hashes(model: AccessModel) -> AccessModel:
    """`model` with every password to be hashed replaced by its hash, freshly salted. Raises as `hashed`."""
    return _with_methods(model, hashed)


def _with_methods(model: AccessModel, change: Callable[[Authentication], Authentication]) -> AccessModel:
    users = dict(model.users)
    for name, user in model.users.items():
        methods = tuple(map(change, user.methods))
        if methods != user.methods:
            users[name] = replace(user, methods=methods)
    return replace(model, users=users)


def hash_password(
    password: Secret,
    kind: AuthKind = AuthKind.SHA256,
    *,
    salted: bool = True,
    work_factor: int = BCRYPT_WORK_FACTOR,
) -> Authentication:
    """`password` as a method of `kind` with its hash. Nothing of either is shown by repr.

    Without a salt the hash is one that `users.xml` can hold. Raises BadInputError for a password that the method
    cannot take, RefusedError for bcrypt without its library.
    """
    if kind not in (AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT, AuthKind.SCRAM_SHA256):
        raise ValueError(f"{kind.value} has no hash")
    return hashed(Authentication(kind, password=password.reveal()), salted=salted, work_factor=work_factor)


def hashed(method: Authentication, *, salted: bool = True, work_factor: int = BCRYPT_WORK_FACTOR) -> Authentication:
    """`method` with its password hashed as ClickHouse does it; as it is when it has no password, or a plaintext one.

    Raises BadInputError for a password that the method cannot take, RefusedError for bcrypt without its library.
    """
    password = method.password
    if password is None or method.kind is AuthKind.PLAINTEXT:
        return method
    kind = AuthKind.SHA256 if method.kind is AuthKind.DEFAULT else method.kind
    data = _utf8(password)
    if kind is AuthKind.BCRYPT:
        return replace(method, password=None, hash=_bcrypt(data, work_factor))
    salt = _salt(kind) if salted else ""
    return replace(method, kind=kind, password=None, hash=password_digest(kind, data, salt), salt=salt)


def password_digest(kind: AuthKind, password: bytes, salt: str = "") -> str:
    """The hash of a password in hexadecimal digits, for the kinds that can be computed again from their salt.

    Raises BadInputError when the salt of a SCRAM password is not base64.
    """
    if kind is AuthKind.SHA256:
        return hashlib.sha256(password + salt.encode()).hexdigest().upper()
    if kind is AuthKind.DOUBLE_SHA1:
        once = hashlib.sha1(password).digest()  # noqa: S324  (MySQL's protocol; ClickHouse's own format)
        return hashlib.sha1(once).hexdigest().upper()  # noqa: S324
    if kind is AuthKind.SCRAM_SHA256:
        try:
            raw = base64.b64decode(salt, validate=True)
        except (binascii.Error, ValueError):
            raise BadInputError("The salt of a SCRAM password is not base64.") from None
        return hashlib.pbkdf2_hmac("sha256", password, raw, SCRAM_ROUNDS).hex().upper()
    raise ValueError(f"{kind.value} has no hash that can be computed from password and salt")


def _salt(kind: AuthKind) -> str:
    if kind is AuthKind.SHA256:
        return secrets.token_hex(_SALT_BYTES).upper()
    if kind is AuthKind.SCRAM_SHA256:
        return base64.b64encode(secrets.token_bytes(_SALT_BYTES)).decode()
    return ""


def _bcrypt(password: bytes, work_factor: int) -> str:
    try:
        import bcrypt  # an extra
    except ImportError:
        raise RefusedError(
            "A bcrypt password cannot be hashed in this installation, and is not sent or kept as plaintext.",
            advice="Run: pip install 'housekeys[bcrypt]'. Or give its hash with bcrypt_hash, or use sha256_password.",
        ) from None
    if work_factor not in BCRYPT_WORK_FACTORS:
        low, high = BCRYPT_WORK_FACTORS[0], BCRYPT_WORK_FACTORS[-1]
        raise BadInputError(f"A work factor of bcrypt is {low} to {high}, not {work_factor}.")
    if len(password) > BCRYPT_LONGEST:
        raise BadInputError(
            f"The password has {len(password)} bytes, and bcrypt takes {BCRYPT_LONGEST}.",
            advice="Choose a shorter one, or use sha256_password.",
        )
    if b"\0" in password:
        # ClickHouse hands it to a function of C, which would stop reading there.
        raise BadInputError("The password holds a null character, and bcrypt would not look at what follows it.")
    return bcrypt.hashpw(
        password, bcrypt.gensalt(work_factor, prefix=b"2a")
    ).decode()  # the prefix that ClickHouse writes


def _utf8(password: str) -> bytes:
    try:
        return password.encode()
    except UnicodeEncodeError:
        # Not chained: the error carries the password.
        raise BadInputError("The password holds a character that is not text (a lone surrogate).") from None


# -- strength


def weaknesses(password: Secret, *, user: str = "") -> tuple[str, ...]:
    """What a password lacks, in words that follow "it"; empty when it is strong enough.

    These are the rules of ClickHouse Cloud (12 characters; a digit, a lower-case and an upper-case letter, a sign),
    with the name of the user kept out of it.
    """
    value = password.reveal()
    kinds = {unicodedata.category(character) for character in value}
    found = []
    if len(value) < SHORTEST:
        found.append(f"has fewer than {SHORTEST} characters")
    if not any(kind.startswith("N") for kind in kinds):
        found.append("has no digit")
    if "Ll" not in kinds:
        found.append("has no lower-case letter")
    if "Lu" not in kinds:
        found.append("has no upper-case letter")
    if all(kind.startswith(("L", "N")) for kind in kinds):
        found.append("has no sign (neither letter nor digit)")
    if user and user.lower() in value.lower():
        found.append("holds the name of the user")
    return tuple(found)


def check_strength(password: Secret, *, user: str = "") -> None:
    """Raise BadInputError, without repeating it, when a password is weaker than ClickHouse Cloud would take."""
    if found := weaknesses(password, user=user):
        raise BadInputError(
            f"The password is too weak: it {', '.join(found)}.",
            advice="Choose another, or let one be generated: housekeys password generate",
        )


# -- generation


def generate_password(length: int = GENERATED_LENGTH, alphabet: str = ALPHABETS["signs"]) -> Secret:
    """A random password of `length` characters of `alphabet`, with at least one of each class that the alphabet has
    (lower case, upper case, digits, signs), the first a letter or digit if there is one.

    Raises BadInputError for an alphabet that cannot be used, and for a length that leaves too little to chance.
    """
    characters = "".join(dict.fromkeys(alphabet))
    if not 2 <= len(characters) <= _LARGEST_ALPHABET:
        raise BadInputError(f"An alphabet has 2 to {_LARGEST_ALPHABET} different characters, not {len(characters)}.")
    if not all(character.isprintable() and not character.isspace() for character in characters):
        raise BadInputError("The alphabet holds a space, or a character that cannot be typed.")
    least = max(SHORTEST, math.ceil(LEAST_BITS / math.log2(len(characters))))
    if not least <= length <= LONGEST_GENERATED:
        raise BadInputError(
            f"A password from {len(characters)} different characters has {least} to {LONGEST_GENERATED} of them, "
            f"not {length}."
        )
    classes = {_class_of(character) for character in characters}
    starts = classes != {"sign"}
    while True:
        typed = "".join(secrets.choice(characters) for _ in range(length))
        if starts and _class_of(typed[0]) == "sign":
            continue  # a leading hyphen would be taken for an option
        if {_class_of(character) for character in typed} == classes:
            return Secret(typed)


def chance_bits(length: int, alphabet: str) -> int:
    """How many bits of chance are in a password of `length` characters, each drawn from `alphabet`."""
    return math.floor(length * math.log2(len(set(alphabet))))


def _class_of(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("N"):
        return "digit"
    if category.startswith("L"):
        return {"Ll": "lower", "Lu": "upper"}.get(category, "letter")
    return "sign"
