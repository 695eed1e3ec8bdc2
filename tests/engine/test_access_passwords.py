"""Passwords hashed here, judged by ClickHouse: it loads, shows, computes and logs in with the same hashes.

chDB logs in as `default` with an empty password, so that one password of each method is tried for real.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chdb.session import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.model import AlterUser, Authentication, AuthKind, CreateUser
from core.access.parser import parse_statement
from core.access.passwords import hash_password, hashed, password_digest
from core.access.render import render
from core.secrets import Secret
from tests.examples import examples

PASSWORD = "Correct-horse 😀 'battery'"
HASHED = (AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT, AuthKind.SCRAM_SHA256)
ELEMENTS = {
    AuthKind.SHA256: "password_sha256_hex",
    AuthKind.DOUBLE_SHA1: "password_double_sha1_hex",
    AuthKind.SCRAM_SHA256: "password_scram_sha256_hex",
}
CONFIG = """<clickhouse><users_config>{users}</users_config>
<display_secrets_in_show_and_select>1</display_secrets_in_show_and_select></clickhouse>"""
ADMINISTRATOR = """<no_password/><access_management>1</access_management>
<named_collection_control>1</named_collection_control><show_named_collections_secrets>1</show_named_collections_secrets>"""


@contextmanager
def chdb(folder: Path, default: str, others: str = "") -> Iterator[Any]:
    """chDB with a `users.xml` of these elements for the user `default`, and more users."""
    users, config = folder / "users.xml", folder / "config.xml"
    users.write_text(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>"
        f"<default>{default}<networks><ip>::/0</ip></networks></default>{others}</users></clickhouse>"
    )
    config.write_text(CONFIG.format(users=users))
    opened: Any = Session  # it has no types
    session = opened(f"{folder / 'data'}?config-file={config}")
    try:
        yield session
    finally:
        session.close()


def answer(session: Any, sql: str) -> str:
    return str(session.query(sql, "TSVRaw")).removesuffix("\n")


def element(kind: AuthKind, password: str) -> str:
    method = hash_password(Secret(password), kind, salted=False)
    return f"<{ELEMENTS[kind]}>{method.hash}</{ELEMENTS[kind]}>"


@pytest.mark.parametrize("kind", list(ELEMENTS))
def test_the_password_logs_in_and_another_does_not(kind: AuthKind, tmp_path: Path) -> None:
    with chdb(tmp_path, element(kind, "")) as session:
        assert answer(session, "SELECT currentUser()") == "default"
    with pytest.raises(Exception, match="Authentication failed"), chdb(tmp_path, element(kind, " ")):
        pass


@pytest.fixture(scope="module")
def administrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """chDB as an administrator, with a user of each method that `users.xml` has."""
    others = "".join(f"<{kind.name}>{element(kind, PASSWORD)}</{kind.name}>" for kind in ELEMENTS)
    with chdb(tmp_path_factory.mktemp("chdb"), ADMINISTRATOR, others) as session:
        answer(session, "SET format_display_secrets_in_show_and_select = 1")
        yield session


@pytest.mark.parametrize("kind", list(ELEMENTS))
def test_clickhouse_shows_the_hash_that_we_wrote(kind: AuthKind, administrator: Any) -> None:
    shown = parse_statement(answer(administrator, f"SHOW CREATE USER {kind.name}"))
    assert isinstance(shown, CreateUser)
    assert shown.methods == (hash_password(Secret(PASSWORD), kind, salted=False),)


@pytest.mark.parametrize("kind", HASHED)
@pytest.mark.parametrize("salted", [True, False])
def test_clickhouse_accepts_the_clause(kind: AuthKind, salted: bool, administrator: Any) -> None:
    method = hash_password(Secret(PASSWORD), kind, salted=salted, work_factor=4)
    sql = render(CreateUser(("u",), methods=(method,)))
    [shown] = answer(administrator, f"SELECT formatQuerySingleLine({_literal(sql)})").splitlines()
    assert shown == sql
    # "Nowhere to keep it" is what chDB says when the statement, hash included, is valid.
    with pytest.raises(Exception, match=r"ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND|ACCESS_STORAGE_READONLY|Code: 514"):
        answer(administrator, sql)


@pytest.mark.parametrize("kind", [AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT])
def test_clickhouse_refuses_what_has_another_length(kind: AuthKind, administrator: Any) -> None:
    sql = render(AlterUser(("DOUBLE_SHA1",), methods=(Authentication(kind, hash="00" * 29),)))
    with pytest.raises(Exception, match="BAD_ARGUMENTS"):
        answer(administrator, sql)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_the_digests_are_those_of_clickhouse_s_functions(administrator: Any, password: str) -> None:
    salted = hashed(Authentication(AuthKind.SHA256, password=password))
    text, salt = f"unhex('{password.encode().hex()}')", f"unhex('{salted.salt.encode().hex()}')"
    computed = answer(administrator, f"SELECT hex(SHA256(concat({text}, {salt}))), hex(SHA1(SHA1({text})))")
    assert computed.split("\t") == [salted.hash, password_digest(AuthKind.DOUBLE_SHA1, password.encode())]


def _literal(sql: str) -> str:
    return "'" + sql.replace("\\", "\\\\").replace("'", "\\'") + "'"
