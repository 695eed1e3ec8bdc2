"""Lint of users: how they prove who they are, from where, until when, and under which names."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from core.access.access_model import AccessModel, EntityKey, Origin
from core.access.lint.findings import Severity
from core.access.lint.linting import fixed
from core.access.model import Authentication, AuthKind, EntityKind, Hosts, Interval, NameSet
from core.access.passwords import password_digest
from tests.unit.access.lint_models import CONTEXT, GOOD, INSIDE, found, model, user

LOCAL = Hosts(local=True)
ANYWHERE = Hosts(any=True)
NO_PASSWORD = Authentication()
PLAIN = Authentication(AuthKind.PLAINTEXT, password="Correct-horse1")


def empty(kind: AuthKind, salt: str = "") -> Authentication:
    return Authentication(kind, hash=password_digest(kind, b"", salt), salt=salt)


# -- authentication


@pytest.mark.parametrize(
    "method",
    [
        NO_PASSWORD,
        Authentication(AuthKind.PLAINTEXT, password=""),
        empty(AuthKind.SHA256),
        empty(AuthKind.SHA256, "SALT"),
        empty(AuthKind.DOUBLE_SHA1),
        empty(AuthKind.SCRAM_SHA256, "c2FsdA=="),
    ],
)
def test_password_empty(method: Authentication) -> None:
    for hosts in (ANYWHERE, INSIDE, Hosts(local=True, names=("a.example",))):
        [finding] = found(model([user(methods=(GOOD, method), hosts=hosts)]), "password-empty")
        assert finding.severity is Severity.ERROR
        assert "alice" in finding.title
    [finding] = found(model([user(methods=(method,), hosts=LOCAL)]), "password-empty")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "method",
    [
        GOOD,
        PLAIN,
        Authentication(AuthKind.NO_AUTHENTICATION),  # lets nobody in at all
        Authentication(AuthKind.SHA256),  # the server does not show it
        Authentication(AuthKind.LDAP, server="ldap"),
        Authentication(AuthKind.SCRAM_SHA256, hash="AB" * 32, salt="not base64"),
        replace(NO_PASSWORD, valid_until="2020-01-01 00:00:00"),  # over
    ],
)
def test_no_password_empty(method: Authentication) -> None:
    assert not found(model([user(methods=(method,))]), "password-empty")
    assert not found(model([user(methods=(NO_PASSWORD,), hosts=Hosts())]), "password-empty")  # disabled


def test_password_plaintext_becomes_a_hash_of_the_same_password() -> None:
    of = model([user(methods=(GOOD, replace(PLAIN, valid_until="2030-01-01 00:00:00")))])
    [finding] = found(of, "password-plaintext")
    [kept, method] = fixed(of, [finding]).users["alice"].methods
    assert kept == GOOD
    assert (method.kind, method.password, method.valid_until) == (AuthKind.SHA256, None, "2030-01-01 00:00:00")
    assert method.hash == hashlib.sha256(("Correct-horse1" + method.salt).encode()).hexdigest().upper()
    assert method.salt


@pytest.mark.parametrize("how", ["origin", "storage"])
def test_the_hash_for_users_xml_has_no_salt(how: str) -> None:
    key = EntityKey(EntityKind.USER, "alice")
    of = model([user(methods=(PLAIN,))])
    of = replace(
        of, **({"origins": {key: Origin("x.xml", 1)}} if how == "origin" else {"storages": {key: "users_xml"}})
    )
    [method] = fixed(of, found(of, "password-plaintext")).users["alice"].methods
    assert (method.hash, method.salt) == (hashlib.sha256(b"Correct-horse1").hexdigest().upper(), "")


def test_no_password_plaintext() -> None:
    assert not found(model([user(methods=(GOOD, Authentication(AuthKind.PLAINTEXT)))]), "password-plaintext")
    assert not found(model([user(methods=(PLAIN,), hosts=Hosts())]), "password-plaintext")


@pytest.mark.parametrize(
    ("method", "id_"),
    [
        (Authentication(AuthKind.DOUBLE_SHA1, hash="AB" * 20), "password-hash-weak"),
        (Authentication(AuthKind.DOUBLE_SHA1), "password-hash-weak"),
        (replace(GOOD, salt=""), "password-hash-unsalted"),
    ],
)
def test_weak_hashes(method: Authentication, id_: str) -> None:
    assert len(found(model([user(methods=(method,))]), id_)) == 1
    for sound in (GOOD, Authentication(AuthKind.SHA256), Authentication(AuthKind.BCRYPT, hash="$2a$12$")):
        assert not found(model([user(methods=(sound,))]), id_)


def test_password_several() -> None:
    [finding] = found(
        model([user(methods=(GOOD, GOOD, Authentication(AuthKind.LDAP, server="x")))]), "password-several"
    )
    assert "2 passwords" in finding.title
    over = replace(GOOD, valid_until="2020-01-01 00:00:00")
    for methods in ((GOOD,), (GOOD, Authentication(AuthKind.KERBEROS)), (GOOD, over)):
        assert not found(model([user(methods=methods)]), "password-several")


# -- hosts


@pytest.mark.parametrize(
    "hosts",
    [
        ANYWHERE,
        Hosts(addresses=("10.0.0.0/8", "::/0")),
        Hosts(addresses=("0.0.0.0/0.0.0.0",)),
        Hosts(patterns=(".*",)),
        Hosts(likes=("%",)),
    ],
)
def test_host_any(hosts: Hosts) -> None:
    [finding] = found(model([user(hosts=hosts)]), "host-any")
    assert finding.severity is Severity.WARNING
    certificate = Authentication(AuthKind.SSL_CERTIFICATE, names=("alice",))
    [finding] = found(model([user(hosts=hosts, methods=(certificate,))]), "host-any")
    assert finding.severity is Severity.NOTE
    assert not found(model([user(hosts=hosts, methods=(Authentication(AuthKind.NO_AUTHENTICATION),))]), "host-any")


@pytest.mark.parametrize("hosts", [INSIDE, LOCAL, Hosts(), Hosts(likes=("%.example",)), Hosts(addresses=("nonsense",))])
def test_no_host_any(hosts: Hosts) -> None:
    assert not found(model([user(hosts=hosts)]), "host-any")


def test_user_disabled() -> None:
    [finding] = found(model([user(hosts=Hosts())]), "user-disabled")
    assert finding.severity is Severity.NOTE
    assert not found(model([user(hosts=LOCAL)]), "user-disabled")


# -- validity


@pytest.mark.parametrize(
    "until", ["2026-11-25 12:00:00", "2026-11-25 14:00:00 +0300", "2026-11-25T11:00:00Z", "2020-01-01"]
)
def test_user_expired(until: str) -> None:
    of = model([user(methods=(replace(GOOD, valid_until=until),))])
    assert len(found(of, "user-expired")) == 1
    assert not found(of, "method-expired")
    assert not found(of, "expires-soon")


def test_method_expired_and_its_removal() -> None:
    over = replace(GOOD, valid_until="2020-01-01 00:00:00")
    of = model([user(methods=(over, GOOD, over))])
    [finding] = found(of, "method-expired")
    assert "2 of the 3 methods" in finding.title
    assert not found(of, "user-expired")
    assert fixed(of, [finding]).users["alice"].methods == (GOOD,)
    assert not found(model([user()]), "method-expired")
    assert not found(model([user()]), "user-expired")


@pytest.mark.parametrize(
    ("until", "soon"),
    [
        ("2026-12-09 12:00:00", True),
        ("2026-12-09 12:00:01", False),
        ("2026-11-25 12:00:01", True),
        ("2026-11-25 12:00:00", False),  # that is over
        ("infinity", False),
        ("some day", False),
    ],
)
def test_expires_soon(until: str, soon: bool) -> None:
    of = model([user(methods=(replace(GOOD, valid_until=until),))])
    assert bool(found(of, "expires-soon")) is soon
    later = replace(CONTEXT, expiring_days=15)
    assert bool(found(of, "expires-soon", later)) is (soon or until == "2026-12-09 12:00:01")


def test_a_moment_without_a_zone_is_in_that_of_now() -> None:
    of = model([user(methods=(replace(GOOD, valid_until="2026-11-25 13:00:00"),))])
    assert not found(of, "user-expired")
    assert not found(of, "user-expired", replace(CONTEXT, now=CONTEXT.now.replace(tzinfo=None)))
    assert found(of, "user-expired", replace(CONTEXT, now=CONTEXT.now.replace(hour=14, tzinfo=None)))


def test_password_never_expires() -> None:
    for until in ("", "infinity"):
        assert found(model([user(methods=(replace(GOOD, valid_until=until),))]), "password-never-expires")
    spanned = replace(GOOD, valid_until="", valid_for=Interval(30, "DAY"))
    for method in (GOOD, spanned, Authentication(AuthKind.LDAP, server="x")):
        assert not found(model([user(methods=(method,))]), "password-never-expires")


# -- names


@pytest.mark.parametrize("name", ["sql_console_role:a@b.example", "SQL-Console-Role:a@b.example"])
def test_sql_console_role_typo(name: str) -> None:
    def named(role: str) -> AccessModel:
        return model(
            [user(default_roles=NameSet((role,)), grantees=NameSet((role,)))],
            [role, "developer"],
            [f"GRANT `{role}` TO alice", f"GRANT developer TO `{role}`", f"GRANT SELECT ON a.* TO `{role}`"],
        )

    of = named(name)
    findings = found(of, "sql-console-role-typo")
    assert len(findings) == 1
    after, expected = fixed(of, findings), named("sql-console-role:a@b.example")
    assert (after.users, after.roles) == (expected.users, expected.roles)
    assert (after.rights, after.granted_roles) == (expected.rights, expected.granted_roles)


@pytest.mark.parametrize("name", ["sql-console-role:a@b.example", "sql_console_admin", "analyst", "console_role"])
def test_no_sql_console_role_typo(name: str) -> None:
    assert not found(model(roles=[name]), "sql-console-role-typo")
    assert not found(model(roles=[name]), "sql-console-role-email")


def test_a_mistyped_role_is_not_renamed_to_one_that_is_there() -> None:
    of = model(roles=["sql_console_role:a@b.example", "sql-console-role:a@b.example"])
    [finding] = found(of, "sql-console-role-typo")
    assert finding.fix is None
    assert "Move its grants" in finding.advice


def test_sql_console_role_orphan() -> None:
    of = model(roles=["sql-console-role:a@b.example", "sql-console-role:c@d.example"])
    members = replace(CONTEXT, console_emails=frozenset(("a@b.example",)))
    [finding] = found(of, "sql-console-role-orphan", members)
    assert finding.entity.name == "sql-console-role:c@d.example"
    assert "did you mean" not in finding.advice
    mistyped = model(roles=["sql-console-role:anna.b@d.example"])
    members = replace(CONTEXT, console_emails=frozenset(("ana.b@d.example", "zoe@d.example")))
    [finding] = found(mistyped, "sql-console-role-orphan", members)
    assert finding.advice.startswith("Rename it to sql-console-role:ana.b@d.example if that member is meant")
    members = replace(CONTEXT, console_emails=frozenset(("a@b.example",)))
    assert not found(of, "sql-console-role-orphan")  # the members are not known
    for name in ("sql-console-role:alice", "sql-console-role: a@b.example", "sql-console-role:"):
        assert found(model(roles=[name]), "sql-console-role-email", members)


def test_names_with_characters_that_are_not_seen() -> None:
    for name in (" alice", "alice\t", "a\u202eb", "a\u200bb"):
        assert found(model([user(name)]), "name-unseen-characters")
    for name in ("alice", "x y", "漢字", "😀", "a`b"):
        assert not found(model([user(name)]), "name-unseen-characters")


def test_names_that_xml_cannot_hold_are_a_note_when_asked() -> None:
    asked = replace(CONTEXT, for_users_xml=True)
    for name in ("a@b", "a:b", "a b", "1a", "a'b", "😀"):
        assert not found(model([user(name)]), "name-not-xml")
        [finding] = found(model([user(name)]), "name-not-xml", asked)
        assert finding.severity is Severity.NOTE
    for name in ("alice", "a.b-c_d", "анна", "漢字"):
        assert not found(model([user(name)]), "name-not-xml", asked)


def test_an_empty_model_is_left_alone_by_every_fix() -> None:
    over = replace(GOOD, valid_until="2020-01-01 00:00:00")
    of = model([user(methods=(over, PLAIN))], ["sql_console_role:a@b.example"])
    findings = [f for id_ in ("password-plaintext", "method-expired", "sql-console-role-typo") for f in found(of, id_)]
    assert len(findings) == 3
    assert fixed(AccessModel(), findings) == AccessModel()
