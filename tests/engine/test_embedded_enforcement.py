"""What the projection lets a user do, tried as that user: never more than the stored state says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.access.parser import parse_statement
from core.access.state import AccessState
from core.access.users_xml import project
from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.errors import NoRightError, ServerError
from core.errors import HousekeysError, UnreachableError

SELECT_ALL = "GRANT SELECT ON d.* TO u"
BCRYPT = "$2a$12$rz5iy2LhuwBezsM88ZzWiemOVUeJ94xHTzwAlLMDhTzwUxOHaY64q"


@contextmanager
def as_user(folder: Path, statements: Sequence[str], *, with_settings: bool = True) -> Iterator[Handle]:
    """chDB with table `d.t`, connected as the user `u` that `statements` make: its definition stands at `default`."""
    state = AccessState()
    for statement in statements:
        state.apply(parse_statement(statement))
    tree = ElementTree.fromstring(project(state, with_settings=with_settings))  # noqa: S314  (our own text)
    options = HandleOptions(folder / "data", folder / "config.xml", {}, comment="test")
    (folder / "config.xml").write_text(f"<clickhouse><users_config>{folder}/users.xml</users_config></clickhouse>")
    users = tree.find("users")
    assert users is not None
    (folder / "users.xml").write_bytes(ElementTree.tostring(tree))
    first = Handle(options)
    for statement in ("CREATE DATABASE d", "CREATE TABLE d.t (a Int32, b Int32) ENGINE = MergeTree ORDER BY a"):
        first.command(statement)
    first.close()
    fixed, user = users.find("default"), users.find("u")
    assert fixed is not None and user is not None
    users.remove(fixed)
    user.tag = "default"
    (folder / "users.xml").write_bytes(ElementTree.tostring(tree))
    handle = Handle(options)
    try:
        yield handle
    finally:
        handle.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE USER u HOST NONE"],
        ["CREATE USER u HOST IP '10.0.0.0/8', NAME 'elsewhere.example'"],
        ["CREATE USER u", "ALTER USER u DROP HOST ANY"],
        ["CREATE USER u VALID UNTIL '2020-01-01 00:00:00'"],
        ["CREATE USER u VALID UNTIL '2050-01-01 00:00:00'"],
        ["CREATE USER u IDENTIFIED WITH no_password GRANTS (SELECT ON d.x)"],
        [f"CREATE USER u IDENTIFIED WITH bcrypt_hash BY '{BCRYPT}'"],
        ["CREATE USER u", "CREATE ROLE r", "GRANT r TO u", "ALTER USER u DEFAULT ROLE NONE"],
        ["CREATE USER u GRANTEES NONE"],
        ["CREATE USER u SETTINGS max_memory_usage = 1000000000 MAX 2000000000, max_memory_usage = 2000000000"],
        ["CREATE USER u SETTINGS log_comment = '${x}' CONST"],
        ["CREATE ROLE a", "CREATE ROLE b SETTINGS readonly = 1", "CREATE USER u", "GRANT b TO a", "GRANT a TO u"],
    ],
)
def test_who_should_not_come_in_or_is_limited_in_ways_xml_cannot_hold_is_locked_out(
    statements: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UnreachableError, match="does not start"), as_user(tmp_path, [*statements, SELECT_ALL]):
        pass


def test_without_its_settings_a_user_is_locked(tmp_path: Path) -> None:
    statements = ["CREATE USER u SETTINGS readonly = 2", SELECT_ALL]
    with pytest.raises(UnreachableError, match="does not start"), as_user(tmp_path, statements, with_settings=False):
        pass


def _refused(handle: Handle, sql: str, error: type[HousekeysError] = NoRightError) -> bool:
    try:
        handle.command(sql)
    except error:
        return True
    return False


def test_a_user_who_comes_in_has_its_rights_and_no_others(tmp_path: Path) -> None:
    statements = [
        "CREATE USER u HOST LOCAL",
        "CREATE ROLE r",
        "GRANT SELECT ON *.* TO u",
        "REVOKE SELECT(b) ON d.t FROM u",
        "REVOKE SELECT ON system.* FROM u",
        "GRANT SOURCES ON *.* TO u",
        "REVOKE READ ON URL FROM u",
        "GRANT READ ON FILE TO u",
        "REVOKE SOURCES ON *.* FROM u",
        "GRANT INSERT ON d.t TO r",
        "GRANT r TO u",
        "REVOKE INSERT ON d.t FROM r",
    ]
    with as_user(tmp_path, statements) as handle:
        assert not _refused(handle, "SELECT a FROM d.t")
        assert _refused(handle, "SELECT a, b FROM d.t")
        assert _refused(handle, "INSERT INTO d.t VALUES (1, 2)")
        assert _refused(handle, "SELECT * FROM file('x.csv', 'CSV', 'a String')")
        assert _refused(handle, "SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')")
        assert _refused(handle, "CREATE USER v")


def test_settings_and_their_limits_hold(tmp_path: Path) -> None:
    statements = ["CREATE USER u SETTINGS max_threads = 2 CONST, max_block_size = 10, max_block_size = 11", SELECT_ALL]
    with as_user(tmp_path, statements) as handle:
        assert _refused(handle, "SET max_threads = 8", ServerError)
        assert handle.query("SELECT getSetting('max_threads'), getSetting('max_block_size')").rows == [(2, 11)]
