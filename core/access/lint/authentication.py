"""Lint of how users prove who they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey
from core.access.lint.changes import with_user
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.moments import expired
from core.access.lint.subject import Subject, disabled, named, sentence
from core.access.model import Authentication, AuthKind, EntityKind, Hosts, User
from core.access.passwords import hashed, kept_in_clear, password_digest
from core.errors import HousekeysError

PASSWORD_KINDS = frozenset(
    (
        AuthKind.DEFAULT,
        AuthKind.PLAINTEXT,
        AuthKind.SHA256,
        AuthKind.DOUBLE_SHA1,
        AuthKind.BCRYPT,
        AuthKind.SCRAM_SHA256,
    )
)
_ADVICE = "Give it a password: housekeys password generate, then ALTER USER … IDENTIFIED WITH sha256_hash BY …"


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the methods of each user."""
    for user in subject.model.users.values():
        if disabled(user.hosts):
            continue
        methods = [method for method in user.methods if not expired(method, subject.context.now)]
        yield from _empty(subject, user, methods)
        yield from _plaintext(subject, user)
        yield from _hashes(subject, user, methods)
        yield from _several(subject, user, methods)


def _empty(subject: Subject, user: User, methods: list[Authentication]) -> Iterator[Finding]:
    if not any(method.kind is AuthKind.NO_PASSWORD or has_empty_password(method) for method in methods):
        return
    local = user.hosts == Hosts(local=True)
    where = "from this machine" if local else "from wherever its hosts allow"
    yield subject.finding(
        "password-empty",
        Severity.WARNING if local else Severity.ERROR,
        EntityKey(EntityKind.USER, user.name),
        f"{sentence(named(_key(user)))} needs no password.",
        f"Whoever knows the name can log in {where}: with no_password ClickHouse accepts any password, with an empty "
        "one it asks for none.",
        advice=_ADVICE,
    )


def has_empty_password(method: Authentication) -> bool:
    """Whether the password of a method is empty, as far as its hash can tell (that of bcrypt cannot)."""
    if method.kind not in PASSWORD_KINDS:
        return False
    if method.password is not None:
        return method.password == ""
    if method.hash is None or method.kind in (AuthKind.BCRYPT, AuthKind.PLAINTEXT, AuthKind.DEFAULT):
        return False
    try:
        return method.hash.upper() == password_digest(method.kind, b"", method.salt)
    except HousekeysError:  # a salt that ClickHouse could not use either
        return False


def _plaintext(subject: Subject, user: User) -> Iterator[Finding]:
    found = [method for method in user.methods if kept_in_clear(method)]
    if not found:
        return
    key = _key(user)
    # users.xml has no place for a salt, and a hash with one would not open the user once it is written there.
    origin = subject.model.origins.get(key)
    salted = subject.model.storages.get(key) != "users_xml" and not (origin and origin.file.endswith(".xml"))
    yield subject.finding(
        "password-plaintext",
        Severity.WARNING,
        key,
        f"The password of {named(key)} is kept as plaintext.",
        "Whoever reads the file, the disk of the server, a backup or a preprocessed configuration reads the password. "
        "A hash logs in just as well.",
        fix=Fix(
            "Keep its SHA-256 hash instead (the password stays the same; the MySQL protocol cannot use it then)",
            lambda model: _hash_plaintext(model, user.name, salted=salted),
        ),
    )


def _hash_plaintext(model: AccessModel, name: str, *, salted: bool) -> AccessModel:
    def change(user: User) -> User:
        methods = (
            hashed(replace(method, kind=AuthKind.SHA256), salted=salted) if kept_in_clear(method) else method
            for method in user.methods
        )
        return replace(user, methods=tuple(methods))

    return with_user(model, name, change)


def _hashes(subject: Subject, user: User, methods: list[Authentication]) -> Iterator[Finding]:
    key = _key(user)
    if any(method.kind is AuthKind.DOUBLE_SHA1 and not has_empty_password(method) for method in methods):
        yield subject.finding(
            "password-hash-weak",
            Severity.WARNING,
            key,
            f"The password of {named(key)} is hashed by double SHA-1.",
            "SHA-1 without a salt is quickly searched for common passwords when the hash leaks, and two users with one "
            "password have one hash. Only clients of the MySQL protocol need it.",
            advice="Unless it comes by the MySQL protocol, set its password anew with sha256, scram or bcrypt.",
        )
    if any(method.kind is AuthKind.SHA256 and method.hash and not method.salt for method in methods):
        yield subject.finding(
            "password-hash-unsalted",
            Severity.NOTE,
            key,
            f"The SHA-256 hash of the password of {named(key)} has no salt.",
            "Without a salt the hashes of common passwords can be looked up, and equal passwords have equal hashes. "
            "users.xml cannot keep a salt; SQL can.",
            advice="In a server managed by SQL, set the password anew: housekeys password hash",
        )


def _several(subject: Subject, user: User, methods: list[Authentication]) -> Iterator[Finding]:
    count = sum(method.kind in PASSWORD_KINDS for method in methods)
    if count < 2:
        return
    yield subject.finding(
        "password-several",
        Severity.NOTE,
        _key(user),
        f"{sentence(named(_key(user)))} has {count} passwords.",
        "Each of them logs in. After a rotation the old one should go, or it stays good for ever.",
        advice="When all clients have the newest: ALTER USER … RESET AUTHENTICATION METHODS TO NEW",
    )


def _key(user: User) -> EntityKey:
    return EntityKey(EntityKind.USER, user.name)
