"""Users, roles and grants in the embedded engine: judged by ClickHouse, kept across reopens, shown in its words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.access.model import AuthKind, CreateUser, Hosts, SettingElement, Statement
from core.access.readable import readable_databases
from core.clickhouse.access_reading import grants_of, user_definition
from core.clickhouse.access_storage import AccessStorage
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.embedded_handle import Handle
from core.clickhouse.embedded_worker import Worker
from core.clickhouse.errors import (
    AlreadyExistsError,
    BadStatementError,
    NoRightError,
    ReadOnlyServerError,
    UnknownNameError,
)
from core.clickhouse.quoting import quote_identifier
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.files import exposure

HOSTILE = ["a b@c", "x`y'\\z", "новый", "😀\n\t\x01", "sql-console:op@ex.com", "$1 ${HOME} &<>"]


async def shown(engine: EmbeddedEngine, sql: str) -> list[str]:
    return [row[0] for row in (await engine.query(sql)).rows]


async def run(engine: EmbeddedEngine, *statements: str) -> list[Exception | None]:
    """The outcome of each statement."""
    outcomes: dict[int, Exception | None] = {}
    await engine.commands(statements, outcomes.__setitem__, stop_on_error=False)
    return [outcomes[index] for index in range(len(statements))]


async def done(engine: EmbeddedEngine, *statements: str) -> None:
    assert await run(engine, *statements) == [None] * len(statements)


async def reopened(engine: EmbeddedEngine) -> EmbeddedEngine:
    await engine.close()
    return await EmbeddedEngine.open(Path(engine.address))


async def test_users_roles_and_grants_survive_a_reopen(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE ROLE reader, `role 2` SETTINGS max_threads = 2",
        "CREATE USER u IDENTIFIED WITH double_sha1_password BY 'x' HOST IP '10.0.0.0/8', LOCAL, LIKE '%.ex' "
        "DEFAULT DATABASE d SETTINGS readonly = 2, max_threads = 4 MIN 1 MAX 8 CONST",
        "GRANT reader TO u, `role 2` WITH ADMIN OPTION",
        "GRANT SELECT ON a.*, INSERT(x, `y z`) ON a.t TO u WITH GRANT OPTION",
        "REVOKE SELECT ON a.secret FROM u",
        "SET DEFAULT ROLE reader TO u",
        "ALTER USER u GRANTEES reader ADD HOST NAME 'ex.com'",
    )
    wanted = [
        "CREATE USER default IDENTIFIED WITH no_password SETTINGS PROFILE `default`",
        "CREATE USER u IDENTIFIED WITH double_sha1_password HOST LOCAL, IP '10.0.0.0/8', NAME 'ex.com', LIKE '%.ex' "
        "DEFAULT DATABASE d DEFAULT ROLE reader SETTINGS readonly = 2, max_threads = 4 MIN 1 MAX 8 CONST "
        "GRANTEES reader",
        "CREATE ROLE reader SETTINGS max_threads = 2",
        "CREATE ROLE `role 2` SETTINGS max_threads = 2",
        "CREATE SETTINGS PROFILE `default`",
        "CREATE QUOTA default KEYED BY user_name TO default",
        "GRANT ALL ON *.* TO default WITH GRANT OPTION",
        "GRANT SELECT ON a.* TO u WITH GRANT OPTION",
        "REVOKE SELECT ON a.secret FROM u",
        "GRANT INSERT(x, `y z`) ON a.t TO u WITH GRANT OPTION",
        "GRANT reader TO u WITH ADMIN OPTION",
        "GRANT reader TO `role 2` WITH ADMIN OPTION",
    ]
    assert await shown(engine, "SHOW ACCESS") == wanted
    again = await reopened(engine)
    try:
        assert await shown(again, "SHOW ACCESS") == wanted
        assert await shown(again, "SHOW USERS") == ["default", "u"]
        assert await shown(again, "SHOW ROLES") == ["reader", "role 2"]
    finally:
        await again.close()


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_kept_exactly(engine: EmbeddedEngine, name: str) -> None:
    quoted, role = quote_identifier(name), quote_identifier(f"role of {name}")
    await done(
        engine,
        f"CREATE ROLE {role}",
        f"CREATE USER {quoted}",
        f"GRANT SELECT ON {quoted}.{quoted} TO {role}",
        f"GRANT {role} TO {quoted}",
        f"GRANT SELECT ON {quoted}.* TO {quoted}",
    )
    again = await reopened(engine)
    try:
        assert await shown(again, "SHOW USERS") == sorted(["default", name])
        grants = await grants_of(again, name)
        assert readable_databases(grants).names == {name}
        assert grants[-1].roles == (f"role of {name}",)
        assert (await grants_of(again, f"role of {name}"))[0].rights[0].table == name
        user = await user_definition(again, name)
        assert user is not None and user.name == name
        await again.command(f"DROP USER {quoted}")
        with pytest.raises(NotFoundError):
            await grants_of(again, name)
    finally:
        await again.close()


async def test_alter_rename_and_drop(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE USER u, v",
        "CREATE ROLE r",
        "GRANT r TO u",
        "ALTER USER u DEFAULT ROLE r GRANTEES v, r",
        "ALTER USER v RENAME TO w",
        "ALTER ROLE r RENAME TO s",
        "ALTER USER u ADD SETTINGS max_threads = 2 HOST NONE",
    )
    assert await shown(engine, "SHOW CREATE USER u") == [
        "CREATE USER u IDENTIFIED WITH no_password HOST NONE DEFAULT ROLE s SETTINGS max_threads = 2 GRANTEES w, s"
    ]
    assert await shown(engine, "SHOW GRANTS FOR u") == ["GRANT s TO u"]
    await done(engine, "DROP ROLE s", "DROP USER w", "DROP USER IF EXISTS w, u2")
    assert await shown(engine, "SHOW CREATE USER u") == [
        "CREATE USER u IDENTIFIED WITH no_password HOST NONE DEFAULT ROLE NONE SETTINGS max_threads = 2 GRANTEES NONE"
    ]
    assert await shown(engine, "SHOW GRANTS FOR u") == []
    await done(engine, "CREATE USER OR REPLACE u", "CREATE USER IF NOT EXISTS u HOST NONE")
    assert await shown(engine, "SHOW CREATE USERS") == [
        "CREATE USER default IDENTIFIED WITH no_password SETTINGS PROFILE `default`",
        "CREATE USER u IDENTIFIED WITH no_password",
    ]


async def test_wrong_statements_get_clickhouse_s_errors_and_change_nothing(engine: EmbeddedEngine) -> None:
    await done(engine, "CREATE USER u", "CREATE ROLE r")
    before = await shown(engine, "SHOW ACCESS")
    wrong: Sequence[tuple[str, type[HousekeysError]]] = [
        ("CREATE USER u", AlreadyExistsError),
        ("CREATE USER v, u", AlreadyExistsError),
        ("DROP USER nobody", UnknownNameError),
        ("DROP USER u, nobody", UnknownNameError),
        ("ALTER USER u RENAME TO default", AlreadyExistsError),
        ("GRANT SELECT ON a.* TO nobody", UnknownNameError),
        ("GRANT SELECT ON a.* TO `no body`", UnknownNameError),
        ("GRANT nothing TO u", UnknownNameError),
        ("GRANT FLY ON a.* TO u", BadStatementError),
        ("GRANT SELECT ON TO u", BadInputError),
        ("SET DEFAULT ROLE r TO u", HousekeysError),
        ("CREATE USER v GRANTEES nobody", UnknownNameError),
        ("CREATE USER v SETTINGS no_such_setting = 1", BadStatementError),
        ("CREATE USER v SETTINGS max_threads = 'many'", HousekeysError),
        ("CREATE USER v SETTINGS max_threads = 1.5", BadInputError),
        ("ALTER USER u ADD SETTING readonly = true", BadInputError),
        ("ALTER USER u SETTINGS max_threads MAX 0x10", BadInputError),
        ("CREATE USER v SETTINGS PROFILE 'housekeys-settings-1'", UnknownNameError),
        ("CREATE USER v IDENTIFIED WITH sha256_hash BY '00'", BadStatementError),
        (f"CREATE USER v IDENTIFIED WITH bcrypt_password BY '{'x' * 73}'", BadInputError),
        ("CREATE USER v HOST IP 'nonsense'", HousekeysError),
        ("CREATE USER v VALID UNTIL 'nonsense'", HousekeysError),
        ("CREATE USER v ON CLUSTER c", HousekeysError),
        ("CREATE USER v IN users_xml", ReadOnlyServerError),
        ("ALTER USER default HOST NONE", ReadOnlyServerError),
        ("GRANT SELECT ON a.* TO default", ReadOnlyServerError),
        ("MOVE USER u TO users_xml", RefusedError),
    ]
    outcomes = await run(engine, *(sql for sql, _ in wrong))
    for (sql, kind), outcome in zip(wrong, outcomes, strict=True):
        assert isinstance(outcome, kind), (sql, outcome)
        assert "housekeys-alias" not in str(outcome)
    assert await shown(engine, "SHOW ACCESS") == before


async def test_passwords_are_hashed_and_never_written(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path, query_log=True)
    secret = "geheim-und-noch-viel-mehr"
    by = f"BY '{secret}'"
    await done(
        engine,
        f"CREATE USER u IDENTIFIED WITH sha256_password {by}",
        f"CREATE USER v IDENTIFIED {by}, scram_sha256_password {by}, double_sha1_password {by}",
        "CREATE USER w IDENTIFIED WITH no_password",
    )
    for sql in (f"ALTER USER u IDENTIFIED WITH sha256_password {by} FLY", f"CREATE USER u IDENTIFIED BY '{secret}"):
        with pytest.raises(HousekeysError) as caught:
            await engine.command(sql)
        assert secret not in f"{caught.value}{caught.value.detail}"
    await engine.command("SYSTEM FLUSH LOGS")
    await engine.command("CREATE TABLE seen ENGINE = Log AS SELECT query FROM system.query_log")
    assert (await engine.query("SELECT count() > 0 FROM seen")).first_cell() == 1
    await engine.close()
    log = (tmp_path / "access" / "access.sql").read_text()
    digest, _, salt = log.split("sha256_hash BY '")[1].split("'")[:3]
    assert hashlib.sha256(f"{secret}{salt}".encode()).hexdigest().upper() == digest
    assert files_holding(tmp_path, secret.encode()) == []
    assert exposure(tmp_path / "access" / "access.sql") == exposure(tmp_path / "users.xml") == ""


def files_holding(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


async def test_reads_see_what_was_just_changed(engine: EmbeddedEngine) -> None:
    await done(engine, "CREATE USER u", "GRANT SELECT ON a.* TO u")
    ask = "SELECT database FROM system.grants WHERE user_name = 'u' ORDER BY database"
    assert await shown(engine, ask) == ["a"]
    await done(engine, "GRANT SELECT ON b.* TO u", "CREATE USER v", "GRANT SELECT ON c.* TO v")
    assert await shown(engine, ask) == ["a", "b"]
    assert await shown(engine, "SELECT name FROM system.users ORDER BY name") == ["default", "u", "v"]
    await done(engine, "REVOKE SELECT ON a.* FROM u", "REVOKE SELECT ON zz.* FROM u")
    assert await shown(engine, "SHOW GRANTS FOR u") == ["GRANT SELECT ON b.* TO u"]


async def test_access_management_on_a_database_stays_there(engine: EmbeddedEngine) -> None:
    """It is about its row policies, and about users and roles called like it, as in ClickHouse itself."""
    await done(engine, "CREATE USER u", "GRANT ACCESS MANAGEMENT ON d.* TO u")
    assert await shown(engine, "SHOW GRANTS FOR u") == [
        "GRANT CREATE ROW POLICY, ALTER ROW POLICY, DROP ROW POLICY, SHOW ROW POLICIES ON d.* TO u",
        "GRANT CREATE USER, ALTER USER, DROP USER, CREATE ROLE, ALTER ROLE, DROP ROLE, IMPERSONATE ON d TO u",
    ]


async def test_a_view_of_another_user_sees_what_was_just_revoked(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a Int32) ENGINE = MergeTree ORDER BY a",
        "CREATE USER u",
        "GRANT SELECT ON d.t TO u",
    )
    await done(engine, "CREATE VIEW d.v DEFINER = u SQL SECURITY DEFINER AS SELECT * FROM d.t")
    assert await shown(engine, "SELECT * FROM d.v") == []
    await engine.command("REVOKE SELECT ON d.t FROM u")
    with pytest.raises(NoRightError):
        await engine.query("SELECT * FROM d.v")


@pytest.mark.parametrize("comment", ["-- a\n", "/* a /* b */ */ ", "# a\n", "#! a\n", "// a\n", "\t\n\u00a0"])
async def test_comments_and_blanks_do_not_hide_a_statement(engine: EmbeddedEngine, comment: str) -> None:
    await done(engine, f"{comment}create {comment}user{comment} u ;; ")
    assert await shown(engine, f"{comment}show {comment} users ;") == ["default", "u"]


async def test_grants_of_all_have_the_real_names(engine: EmbeddedEngine) -> None:
    await done(engine, "CREATE USER `a@b`", "GRANT SELECT ON d.* TO `a@b`")
    assert (await shown(engine, "SHOW GRANTS FOR ALL"))[1:] == ["GRANT SELECT ON d.* TO `a@b`"]


async def test_what_is_made_and_then_named_does_not_open_chdb_anew(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[Worker] = []
    start = Worker._start

    def counted(worker: Worker) -> Handle:
        starts.append(worker)
        return start(worker)

    monkeypatch.setattr(Worker, "_start", counted)
    made = [
        sql.format(number)
        for number in range(20)
        for sql in (
            "CREATE ROLE r{0}",
            "GRANT SELECT ON d{0}.* TO r{0}",
            "CREATE USER u{0}, gone{0}",
            "GRANT r{0} TO u{0}",
            "ALTER USER u{0} HOST LOCAL",
            "REVOKE SELECT ON d{0}.t FROM u{0}, r{0}",
            "DROP USER gone{0}",
        )
    ]
    await done(engine, *made)
    assert len(starts) <= 1  # the first role that is granted: chDB knows no other that could stand for it
    outcomes = await run(
        engine, "CREATE ROLE x", "GRANT x TO x", "GRANT SELECT ON d.* TO x, nobody", "GRANT FLY ON d.* TO x"
    )
    assert [getattr(outcome, "code", outcome) for outcome in outcomes] == [None, 36, 511, 62]
    assert await shown(engine, "SHOW GRANTS FOR u7, r7") == [
        "GRANT r7 TO u7",
        "GRANT SELECT ON d7.* TO r7",
        "REVOKE SELECT ON d7.t FROM r7",
    ]
    assert await shown(engine, "SHOW CREATE USER u7") == ["CREATE USER u7 IDENTIFIED WITH no_password HOST LOCAL"]


async def test_the_current_database_outlives_a_reload(engine: EmbeddedEngine) -> None:
    await done(engine, "CREATE DATABASE `d 1`", "USE `d 1`", "CREATE USER u", "GRANT SELECT ON * TO u")
    await done(engine, "GRANT INSERT ON t TO u")
    assert await shown(engine, "SHOW GRANTS FOR u") == ["GRANT SELECT ON `d 1`.* TO u", "GRANT INSERT ON `d 1`.t TO u"]
    assert await shown(engine, "SELECT currentDatabase()") == ["d 1"]


async def test_many_grants_between_other_statements(engine: EmbeddedEngine) -> None:
    await engine.command("CREATE USER u")
    statements = [
        sql for number in range(300) for sql in (f"CREATE DATABASE `t{number}`", f"GRANT SELECT ON `t{number}`.* TO u")
    ]
    statements.insert(201, "GRANT FLY ON a.* TO u")
    statements.insert(401, "GRANT SELECT ON a.* TO nobody")
    outcomes = await run(engine, *statements)
    assert [index for index, outcome in enumerate(outcomes) if outcome is not None] == [201, 401]
    grants = await grants_of(engine, "u")
    assert readable_databases(grants).names == {f"t{number}" for number in range(300)}


async def test_stopping_at_the_first_error_runs_nothing_behind_it(engine: EmbeddedEngine) -> None:
    outcomes: dict[int, Exception | None] = {}
    statements = ["CREATE USER u", "GRANT SELECT ON a.* TO u", "GRANT x TO u", "CREATE USER v", "CREATE DATABASE d"]
    await engine.commands(statements, outcomes.__setitem__, stop_on_error=True)
    assert {index: error is None for index, error in outcomes.items()} == {0: True, 1: True, 2: False}
    assert await shown(engine, "SHOW USERS") == ["default", "u"]


async def test_what_the_disk_refuses_is_not_there(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await done(engine, "CREATE USER u")

    def refuse(storage: AccessStorage, statements: Sequence[Statement]) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("core.clickhouse.access_storage.os.fsync", no_space)
            append(storage, statements)

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    append = AccessStorage.append
    with monkeypatch.context() as patched:
        patched.setattr(AccessStorage, "append", refuse)
        outcomes = await run(engine, "CREATE USER v", "CREATE DATABASE d", "SELECT count() FROM system.users")
        with pytest.raises(HousekeysError, match="cannot be saved"):
            await engine.command("CREATE USER w")
    assert [outcome is None for outcome in outcomes] == [False, True, True]
    assert await shown(engine, "SHOW USERS") == ["default", "u"]
    assert await shown(engine, "SELECT name FROM system.users ORDER BY name") == ["default", "u"]


async def test_read_only_refuses_access_statements(engine: EmbeddedEngine) -> None:
    await engine.command("CREATE USER u")
    await engine.close()
    reading = await EmbeddedEngine.open(Path(engine.address), read_only=True)
    try:
        for sql in ("CREATE USER v", "GRANT SELECT ON a.* TO u", "DROP USER u", "DROP USER IF EXISTS v"):
            with pytest.raises(ReadOnlyServerError):
                await reading.command(sql)
        assert await shown(reading, "SHOW USERS") == ["default", "u"]
    finally:
        await reading.close()


async def test_definitions_are_read(engine: EmbeddedEngine) -> None:
    await engine.command("CREATE USER u IDENTIFIED BY 'x' HOST IP '10.0.0.0/8' SETTINGS readonly = 2")
    user = await user_definition(engine, "u")
    assert user is not None
    assert [method.kind for method in user.methods] == [AuthKind.SHA256]
    assert user.hosts == Hosts(addresses=("10.0.0.0/8",))
    assert user.settings == (SettingElement("readonly", "2"),)
    assert await user_definition(engine, "nobody") is None
    assert await grants_of(engine, "default") != ()


async def test_validity_is_kept_in_utc(engine: EmbeddedEngine) -> None:
    await done(
        engine,
        "CREATE USER u IDENTIFIED BY 'x' VALID UNTIL '2030-01-01 12:00:00 +0300', bcrypt_hash BY "
        "'$2a$12$rz5iy2LhuwBezsM88ZzWiemOVUeJ94xHTzwAlLMDhTzwUxOHaY64q'",
    )
    assert await shown(engine, "SHOW CREATE USER u") == [
        "CREATE USER u IDENTIFIED WITH sha256_password VALID UNTIL '2030-01-01 09:00:00', bcrypt_password"
    ]
    await done(engine, "ALTER USER u VALID UNTIL '2031-01-01'")
    assert "bcrypt_password VALID UNTIL '2031-01-01 00:00:00'" in (await shown(engine, "SHOW CREATE USER u"))[0]
    await done(engine, "ALTER USER u VALID UNTIL 'infinity'", "ALTER USER u RESET AUTHENTICATION METHODS TO NEW")
    assert await shown(engine, "SHOW CREATE USER u") == ["CREATE USER u IDENTIFIED WITH bcrypt_password"]


async def test_an_engine_opens_even_with_settings_that_do_not_load(tmp_path: Path) -> None:
    storage = AccessStorage(tmp_path / "access" / "access.sql")
    storage.open()
    broken = CreateUser(("u",), settings=(SettingElement("max_threads", "1.5"),))
    storage.state.apply(broken)
    storage.append([broken])
    storage.close()
    engine = await EmbeddedEngine.open(tmp_path)
    try:
        await done(engine, "GRANT SELECT ON a.* TO u")
        assert await shown(engine, "SHOW GRANTS FOR u") == ["GRANT SELECT ON a.* TO u"]
        await done(engine, "ALTER USER u SETTINGS max_threads = 2")
        assert await shown(engine, "SELECT value FROM system.settings_profile_elements WHERE value != ''") == ["2"]
    finally:
        await engine.close()
