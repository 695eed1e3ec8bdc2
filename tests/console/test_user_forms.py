"""What is typed into the forms of users, without a console."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.access.access_model import AccessModel, EntityKey
from core.access.entity_parts import EntityKind
from core.access.model import (
    ANY_HOST,
    EVERYONE,
    NOBODY,
    Authentication,
    AuthKind,
    Hosts,
    NameSet,
    Right,
    Role,
    SshKey,
    User,
)
from core.access_changes.present import PresentAccess
from core.clickhouse.access_survey import AccessSurvey
from core.errors import BadInputError, NotFoundError
from tui.screens import role_rows, user_rows
from tui.screens.access_reading import Access
from tui.screens.user_fields import read_grantees, read_hosts, read_until, written_grantees, written_hosts
from tui.screens.user_method_fields import HASH, NO_SIGN_IN, new_method
from tui.screens.user_methods import ADD, END, LIMIT, NEWEST, REMOVE, REPLACE, changed_methods

SALES = (Right("SELECT", database="sales"),)
LDAP = Authentication(AuthKind.LDAP, server="corp")
BY_NAME = Authentication(AuthKind.SSL_CERTIFICATE, names=("kate",), valid_until="x", grants=())
NEW = Authentication(AuthKind.NO_AUTHENTICATION)
JANUARY = "2027-01-31 00:00:00"
SSH_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIIh0D5QPzn0kR+bJEZkVTnb0LKsNQcGMnoIdB7h7vDbS"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("any", ANY_HOST),
        ("none", Hosts()),
        ("local, 10.0.0.0/8, etl.example", Hosts(local=True, addresses=("10.0.0.0/8",), names=("etl.example",))),
        ("2001:db8::/32", Hosts(addresses=("2001:db8::/32",))),
        ("LIKE '%.example', REGEXP '^etl'", Hosts(patterns=("^etl",), likes=("%.example",))),
    ],
)
def test_hosts_are_read_and_written(text: str, hosts: Hosts) -> None:
    assert read_hosts(text) == hosts
    assert read_hosts(written_hosts(hosts)) == hosts


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "1.2.3", "any, local", "x y;", "IP '10.0.0.1' SETTINGS a = 1", "NAME 'x"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        read_hosts(text)


def test_an_end_is_a_moment_of_the_server() -> None:
    assert read_until("2027-01-31") == "2027-01-31 00:00:00"
    assert read_until(" ") == read_until("infinity") == ""
    for text in ("soon", "2027-13-01", "2027-01-01T00:00:00+02:00"):
        with pytest.raises(BadInputError):
            read_until(text)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"do": REPLACE, "until": ""}, [NEW]),
        ({"do": REPLACE, "until": "", "grants": " "}, [NEW]),
        (
            {"do": ADD, "until": "2027-01-31", "grants": "SELECT ON sales.*"},
            [LDAP, BY_NAME, replace(NEW, valid_until=JANUARY, grants=SALES)],
        ),
        ({"do": NEWEST}, [BY_NAME]),
        ({"do": REMOVE, "which": "2 certificate until x, limited"}, [LDAP]),
        ({"do": END, "which": "1 ldap", "until": "2027-01-31"}, [replace(LDAP, valid_until=JANUARY), BY_NAME]),
        (
            {"do": END, "which": "2 certificate until x, limited", "until": ""},
            [LDAP, replace(BY_NAME, valid_until="")],
        ),
        ({"do": LIMIT, "limited": "2 certificate until x, limited", "grants.2": "USAGE ON *.*"}, [LDAP, BY_NAME]),
        (
            {"do": LIMIT, "limited": "2 certificate until x, limited", "grants.2": "SELECT ON sales.*"},
            [LDAP, replace(BY_NAME, grants=SALES)],
        ),
        (
            {"do": LIMIT, "limited": "2 certificate until x, limited", "grants.2": ""},
            [LDAP, replace(BY_NAME, grants=None)],
        ),
    ],
)
def test_what_becomes_of_the_ways_to_sign_in(values: dict[str, str], expected: list[Authentication]) -> None:
    new = NEW if values["do"] in (REPLACE, ADD) else None
    access = Access(None, 0, PresentAccess(AccessSurvey(AccessModel()), False, None, "", None), {})
    assert changed_methods(User("kate", (LDAP, BY_NAME)), values, new, access).methods == tuple(expected)


def test_grantees_are_read_and_written() -> None:
    model = AccessModel(roles={"reader": Role("reader"), "none of it": Role("none of it")})
    for text, grantees in (
        ("any", EVERYONE),
        ("none", NOBODY),
        ("reader, `none of it`", NameSet(("reader", "none of it"))),
        ("any EXCEPT reader", NameSet(everyone=True, excepted=("reader",))),
    ):
        assert read_grantees(text, model) == grantees
        assert written_grantees(grantees) == text
    assert read_grantees(" ", model) == EVERYONE
    for text in ("anybody", "any EXCEPT anybody"):
        with pytest.raises(NotFoundError, match="no user or role anybody"):
            read_grantees(text, model)
    with pytest.raises(BadInputError, match="May grant to"):
        read_grantees("reader HOST ANY", model)


DIGEST = "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8"


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ({"how": HASH, "kind": "sha256", "hash": f"{DIGEST.lower()}  -"}, Authentication(AuthKind.SHA256, hash=DIGEST)),
        (
            {"how": HASH, "kind": "scram", "hash": DIGEST, "salt": "AAAA"},
            Authentication(AuthKind.SCRAM_SHA256, hash=DIGEST, salt="AAAA"),
        ),
        (
            {"how": HASH, "kind": "bcrypt", "hash": f"$2a$12${'x' * 53}"},
            Authentication(AuthKind.BCRYPT, hash=f"$2a$12${'x' * 53}"),
        ),
        (
            {"how": "certificate", "names": "a, b ,a", "subject": "CN"},
            Authentication(AuthKind.SSL_CERTIFICATE, names=("a", "b")),
        ),
        (
            {"how": "ssh key", "keys": f"\nssh-ed25519 {SSH_KEY} me@host\n"},
            Authentication(AuthKind.SSH_KEY, keys=(SshKey(SSH_KEY, "ssh-ed25519"),)),
        ),
        ({"how": "kerberos", "realm": " "}, Authentication(AuthKind.KERBEROS)),
        ({"how": NO_SIGN_IN}, Authentication(AuthKind.NO_AUTHENTICATION)),
    ],
)
def test_what_is_typed_becomes_a_way_to_sign_in(values: dict[str, str], method: Authentication) -> None:
    assert new_method(values, "igor").method == method


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"how": HASH, "kind": "sha256", "hash": DIGEST[:-1]}, "64 hexadecimal digits"),
        ({"how": HASH, "kind": "double sha1", "hash": DIGEST}, "40 hexadecimal digits"),
        ({"how": HASH, "kind": "bcrypt", "hash": DIGEST}, "no bcrypt hash"),
        ({"how": HASH, "kind": "scram", "hash": DIGEST, "salt": "no!"}, "not base64"),
        ({"how": "certificate", "names": "job.example", "subject": "SAN"}, "DNS:host"),
        ({"how": "certificate", "names": " , ", "subject": "CN"}, "at least one"),
        ({"how": "ssh key", "keys": f"ssh-ed25519 {SSH_KEY}\n{SSH_KEY}"}, "Line 2 is no public key"),
        ({"how": "ssh key", "keys": "ssh-ed25519 AAA!"}, "line 1 is not base64"),
    ],
)
def test_what_is_no_way_to_sign_in_is_refused_and_never_repeats_a_hash(values: dict[str, str], words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        new_method(values, "igor")
    assert words in str(raised.value)
    assert DIGEST[:-1] not in str(raised.value)


def test_what_of_a_user_is_not_enforced_is_no_mark_of_a_role_of_its_name() -> None:
    model = AccessModel(users={"ann": User("ann")}, roles={"ann": Role("ann")})
    kept = {EntityKey(EntityKind.USER, "ann"): ("its end",)}
    access = Access(None, 0, PresentAccess(AccessSurvey(model), False, None, "", None), {}, kept)
    [user], [role] = user_rows.rows_of(access, datetime(2026, 11, 3, tzinfo=UTC)), role_rows.rows_of(access)
    assert (user.kept_only, role.kept_only) == (("its end",), ())
