"""How a user signs in, as it is typed: one authentication method, whose password is hashed here."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from core.access.model import Authentication, AuthKind, SshKey
from core.access.passwords import hash_password, weaknesses
from core.access.secret_texts import HIDDEN
from core.display import one_line
from core.errors import BadInputError, RefusedError
from core.secrets import Secret
from tui.screens.access_words import kind_word
from tui.screens.grant_forms import wrong
from tui.screens.password_fields import (
    GENERATED,
    HASHES,
    SALTED,
    TYPED,
    made_up_password,
    password_fields,
    typed_password,
)
from tui.widgets.fields import Field, Values

KEPT, HASH, NO_SIGN_IN, NO_PASSWORD = "as it is", "password hash", "no sign-in", "no password"
_EXTERNAL = {kind_word(kind): kind for kind in (
    AuthKind.SSL_CERTIFICATE, AuthKind.SSH_KEY, AuthKind.LDAP, AuthKind.KERBEROS, AuthKind.HTTP
)}  # fmt: skip
_WORD = {kind: word for word, kind in _EXTERNAL.items()}
_COMMON_NAME, _ALTERNATIVE_NAME = "CN", "SAN"
_HTTP_SCHEME = "BASIC"  # the only one that ClickHouse knows
_DIGITS = {AuthKind.SHA256: 64, AuthKind.SCRAM_SHA256: 64, AuthKind.DOUBLE_SHA1: 40}
_BCRYPT = re.compile(r"\$2[aby]\$[0-3][0-9]\$[./A-Za-z0-9]{53}")
_BCRYPT_PLACEHOLDER = "$2b$12$" + "." * 53
_KEY_TYPE = re.compile(r"(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+")


@dataclass(frozen=True, slots=True)
class NewMethod:
    """A method, the password that was made up for it and has to be shown once, and what a typed one lacks."""

    method: Authentication
    to_show: Secret | None = None
    lacks: tuple[str, ...] = ()


def _always(_values: Values) -> bool:
    return True


def method_fields(*, keep: bool, none: bool = True, asked: Callable[[Values], bool] = _always) -> tuple[Field, ...]:
    """How a user signs in. `keep`: or stays as it is; `none`: or needs no password; `asked`: whether it is asked."""
    ways = (GENERATED, TYPED, HASH, *_EXTERNAL)
    choices = (*((KEPT,) if keep else ()), *ways, *((NO_SIGN_IN, NO_PASSWORD) if none else ()))

    def when(*how: str) -> Callable[[Values], bool]:
        return lambda values: values.get("how") in how and asked(values)

    def salted(values: Values) -> bool:
        return when(HASH)(values) and values.get("kind") in SALTED

    return (
        Field("how", "Sign-in", choices[0], kind="choice", choices=choices, shown_if=asked,
              hint="A password, its hash, certificate, ssh key, ldap, kerberos, http. jwt: in ClickHouse Cloud only."),
        Field("insist", "Anybody may", kind="flag", shown_if=when(NO_PASSWORD),
              hint="Whoever knows the name comes in. Say yes to have it so."),
        *password_fields(when(GENERATED), when(TYPED)),
        Field("kind", "Kept as", "sha256", kind="choice", choices=tuple(HASHES), shown_if=when(GENERATED, TYPED, HASH)),
        Field("hash", "Hash", kind="secret", required=True, shown_if=when(HASH),
              hint="As it was handed over, so that nobody else knows the password."),
        Field("salt", "Salt", shown_if=salted, hint="Empty: it was hashed without one."),
        Field("names", "Names", required=True, shown_if=when(_WORD[AuthKind.SSL_CERTIFICATE]),
              check=lambda text: wrong(_names, text), hint="As in the certificate: job.example; SAN: DNS:job.example"),
        Field("subject", "Of its", _COMMON_NAME, kind="choice", choices=(_COMMON_NAME, _ALTERNATIVE_NAME),
              shown_if=when(_WORD[AuthKind.SSL_CERTIFICATE]), hint="Common name, or subject alternative name."),
        Field("keys", "Public keys", kind="lines", height=3, required=True, shown_if=when(_WORD[AuthKind.SSH_KEY]),
              check=lambda text: wrong(_ssh_keys, text), hint="One per line, as in a .pub file: ssh-ed25519 AAAA… me"),
        Field("server", "Server", required=True, shown_if=when(_WORD[AuthKind.LDAP], _WORD[AuthKind.HTTP]),
              hint="As it is called in ClickHouse's own configuration."),
        Field("realm", "Realm", shown_if=when(_WORD[AuthKind.KERBEROS]), hint="EXAMPLE.COM. Empty: every realm."),
    )  # fmt: skip


def chosen_kind(values: Values) -> AuthKind:
    """The method that was chosen; for those that ClickHouse itself verifies, just any."""
    return _EXTERNAL.get(values["how"], AuthKind.DEFAULT)


def new_method(values: Values, user: str) -> NewMethod:
    """The method that was asked for, its password hashed here. Bcrypt takes long by design.

    Raises BadInputError and RefusedError.
    """
    if values["how"] not in (GENERATED, TYPED):
        return NewMethod(_without_password(values))
    made = values["how"] == GENERATED
    password = made_up_password(values) if made else typed_password(values, user)
    method = hash_password(password, HASHES[values["kind"]])
    return NewMethod(method, password) if made else NewMethod(method, lacks=weaknesses(password, user=user))


def shown_method(values: Values) -> Authentication:
    """The same for a preview: a password has a hash that is hidden, whatever it will be."""
    if values["how"] not in (GENERATED, TYPED, HASH):
        return _without_password(values)
    if values["how"] == HASH:
        _hash(values)
    kind = HASHES[values["kind"]]
    return Authentication(kind, hash=_BCRYPT_PLACEHOLDER if kind is AuthKind.BCRYPT else HIDDEN)


def _without_password(values: Values) -> Authentication:
    """A method that was not made of a password here."""
    how = values["how"]
    if how == HASH:
        return _hash(values)
    if how == NO_SIGN_IN:
        return Authentication(AuthKind.NO_AUTHENTICATION)
    if how == NO_PASSWORD and not values.get("insist"):
        raise RefusedError(
            "A user without a password lets in whoever knows its name.",
            advice="Choose another way, or say yes to: Anybody may.",
        )
    if how == NO_PASSWORD:
        return Authentication(AuthKind.NO_PASSWORD)
    return _external(_EXTERNAL[how], values)


def _external(kind: AuthKind, values: Values) -> Authentication:
    match kind:
        case AuthKind.SSL_CERTIFICATE:
            alternative = values["subject"] == _ALTERNATIVE_NAME
            return Authentication(kind, names=_names(values["names"], alternative=alternative), alternative=alternative)
        case AuthKind.SSH_KEY:
            return Authentication(kind, keys=_ssh_keys(values["keys"]))
        case AuthKind.KERBEROS:
            return Authentication(kind, realm=values["realm"].strip())
    scheme = _HTTP_SCHEME if kind is AuthKind.HTTP else ""
    return Authentication(kind, server=values["server"].strip(), scheme=scheme)


# -- what is typed


def _hash(values: Values) -> Authentication:
    """A hash that was handed over. No error repeats it."""
    kind, salt = HASHES[values["kind"]], values.get("salt", "").strip()
    words = values["hash"].split()
    text = words[0] if words and words[1:] in ([], ["-"]) else ""  # sha256sum writes a hyphen behind it
    if kind is AuthKind.BCRYPT:
        if _BCRYPT.fullmatch(text) is None:
            raise BadInputError("This is no bcrypt hash.", advice="It has 60 characters and begins with $2a$ or $2b$.")
        return Authentication(kind, hash=text)
    digits = _DIGITS[kind]
    if re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", text) is None:
        raise BadInputError(f"This is no hash by {values['kind']}.", advice=f"It has {digits} hexadecimal digits.")
    if kind is AuthKind.SCRAM_SHA256:
        _check_base64(salt, "The salt of a SCRAM password")
    return Authentication(kind, hash=text.upper(), salt=salt)


def _check_base64(text: str, what: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInputError(f"{what} is not base64.") from None


def _names(text: str, *, alternative: bool = False) -> tuple[str, ...]:
    """The names in a certificate, comma-separated."""
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    if not names:
        raise BadInputError("Name at least one.")
    for name in names if alternative else ():
        if not name.startswith(("DNS:", "URI:")):
            raise BadInputError(
                f"{one_line(name, 60)} is no subject alternative name.", advice="Write DNS:host or URI:address."
            )
    return names


def _ssh_keys(text: str) -> tuple[SshKey, ...]:
    """Public keys, one on a line as in a `.pub` file. Raises BadInputError that names the line."""
    keys = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) < 2 or _KEY_TYPE.fullmatch(words[0]) is None:
            raise BadInputError(f"Line {number} is no public key.", advice="Write: ssh-ed25519 AAAA… name")
        _check_base64(words[1], f"The key on line {number}")
        keys.append(SshKey(words[1], words[0]))
    if not keys:
        raise BadInputError("There is no key in it.")
    return tuple(keys)
