"""kill -9 at any moment: what was reported done is there afterwards, and the engine opens."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.access.model import CreateUser, Drop, EntityKind, Grant, Revoke, Right, Statement
from core.access.render import render
from core.access.state import AccessState
from core.clickhouse import embedded_repair
from core.clickhouse.access_storage import AccessStorage
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import HousekeysError, UnreachableError

_WRITER = """
import asyncio, sys
from pathlib import Path
from core.clickhouse.embedded import EmbeddedEngine

async def main(folder, start):
    engine = await EmbeddedEngine.open(Path(folder))
    print("open", flush=True)
    number = start
    while True:
        batch = list(range(number, number + 7))
        number += 7
        statements = [sql for n in batch for sql in (
            f"CREATE USER `u {n}` IDENTIFIED WITH sha256_hash BY '{n:064x}'",
            f"GRANT SELECT ON `d{n}`.* TO `u {n}`",
            f"CREATE DATABASE `d{n}`",
            f"CREATE QUOTA `q {n}` FOR INTERVAL 1 day MAX errors = {n + 1} TO `u {n}`",
            f"CREATE ROW POLICY `p {n}` ON `d{n}`.t USING a = {n} TO `u {n}`",
        )]
        words = [f"{what} {n}" for n in batch for what in ("user", "grant", "database", "quota", "policy")]
        def done(index, error):
            print(words[index] if error is None else f"error {error!r}", flush=True)
        await engine.commands(statements, done, stop_on_error=False)
        await engine.query("SHOW USERS")

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def _write_and_kill(folder: Path, start: int, lines: int) -> list[str]:
    """What a process that was killed in mid-work had reported done."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder), str(start)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        found.append(line.strip())
        if len(found) == lines:
            process.send_signal(signal.SIGKILL)
    process.wait()
    return [line for line in found if line != "open"]


async def test_a_killed_process_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    reported: list[str] = []
    chance = random.Random(20261122)
    for round_ in range(3):
        reported += _write_and_kill(tmp_path, round_ * 100_000, chance.randint(2, 70))
        engine = await EmbeddedEngine.open(tmp_path)
        try:
            users = {row[0] for row in (await engine.query("SHOW USERS")).rows}
            grants = {row[0] for row in (await engine.query("SHOW ACCESS")).rows}
            names = {row[0] for row in (await engine.query("SELECT name FROM system.databases")).rows}
        finally:
            await engine.close()
        for what, number in (line.split() for line in reported):
            if what == "user":
                assert f"u {number}" in users
            elif what == "grant":
                assert f"GRANT SELECT ON d{number}.* TO `u {number}`" in grants
            elif what == "quota":
                quota = f"CREATE QUOTA `q {number}` FOR INTERVAL 1 day MAX errors = {int(number) + 1} TO `u {number}`"
                assert quota in grants
            elif what == "policy":
                policy = f"CREATE ROW POLICY `p {number}` ON d{number}.t FOR SELECT USING a = {number} TO `u {number}`"
                assert policy in grants
            else:
                assert what == "database"
                assert f"d{number}" in names
    assert len(reported) > 20


async def test_another_process_is_named(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, str(tmp_path), "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        with pytest.raises(UnreachableError, match=f"pid {process.pid}"):
            await EmbeddedEngine.open(tmp_path)
    finally:
        process.kill()
        await process.communicate()


def _stored(path: Path, *statements: Statement) -> bytes:
    storage = AccessStorage(path)
    storage.open()
    for statement in statements:
        storage.state.apply(statement)
        storage.append([statement])
    storage.close()
    return path.read_bytes()


def _read(path: Path) -> AccessState:
    storage = AccessStorage(path)
    storage.open()
    storage.close()
    return storage.state


def test_a_torn_end_is_dropped_wherever_it_tears(tmp_path: Path) -> None:
    path = tmp_path / "access" / "access.sql"
    content = _stored(path, CreateUser(("a",)), CreateUser(("b\n漢",)))
    first = content.index(b"\n", content.index(b"CREATE USER a")) + 1
    for end in range(first, len(content)):
        path.write_bytes(content[:end])
        state = _read(path)
        assert set(state.users) == {"a"}
        assert path.read_bytes() == content[:first]
    for zeros in (content[:first] + bytes(9), content[:-20] + bytes(19) + b"\n", content[:first] + b"\0\n" * 3):
        path.write_bytes(zeros)  # what a power cut leaves
        assert set(_read(path).users) == {"a"}
        assert path.read_bytes() == content[:first]
    storage = AccessStorage(path)
    storage.open()
    storage.state.apply(CreateUser(("c",)))
    storage.append([CreateUser(("c",))])
    storage.close()
    assert set(_read(path).users) == {"a", "c"}


def test_damage_in_the_middle_is_reported_and_nothing_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "access" / "access.sql"
    content = _stored(path, CreateUser(("a",)), CreateUser(("b",))).replace(b"USER a", b"USER x")
    path.write_bytes(content)
    with pytest.raises(HousekeysError, match="damaged in line 2"):
        _read(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", [b"", bytes(300), b"\xff\x00" * 150, b"CREATE USER intruder\n", None])
async def test_a_file_that_is_gone_or_another_is_no_engine_without_users(tmp_path: Path, damage: bytes | None) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    await engine.command("CREATE USER u")
    await engine.close()
    path = tmp_path / "access" / "access.sql"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with pytest.raises(HousekeysError, match="saved users and grants are gone"):
        await EmbeddedEngine.open(tmp_path)
    assert (path.read_bytes() if path.exists() else None) == damage


def test_a_last_line_that_was_altered_is_damage_and_no_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "access" / "access.sql"
    right = (Right("SELECT", database="secret"),)
    grant, revoke = Grant(right, grantees=("a",)), Revoke(right, grantees=("a",))
    content = _stored(path, CreateUser(("a",)), grant, revoke)
    path.write_bytes(content[:-3] + b"0\n" if content[-2:] != b"0\n" else content[:-3] + b"1\n")
    with pytest.raises(HousekeysError, match="damaged in line 4"):  # dropped, it would give the right back
        _read(path)


def test_a_long_file_that_cannot_be_written_anew_is_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "access" / "access.sql"
    content = _stored(path, CreateUser(("a",)), *[Drop(EntityKind.USER, ("x",), if_exists=True)] * 300)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("core.clickhouse.access_storage.write_private", refuse)
        assert set(_read(path).users) == {"a"}
    assert path.read_bytes() == content
    assert set(_read(path).users) == {"a"}
    assert len(path.read_bytes()) < len(content)


async def test_a_folder_that_cannot_be_used_is_no_traceback(tmp_path: Path) -> None:
    for path in ("access/access.sql", "users.xml", "config.xml"):
        (tmp_path / path / path).mkdir(parents=True)
        with pytest.raises(UnreachableError, match="cannot be used: Is a directory"):
            await EmbeddedEngine.open(tmp_path / path)
    (tmp_path / "file").touch()
    with pytest.raises(UnreachableError, match="cannot be used: Not a directory"):
        await EmbeddedEngine.open(tmp_path / "file" / "below")


async def test_after_a_reload_that_failed_the_next_one_is_tried(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.command("CREATE DATABASE d")
    await engine.command("USE d")
    await engine.command("CREATE USER u")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("core.clickhouse.embedded_worker.write_private", refuse)
        with pytest.raises(HousekeysError, match="cannot be loaded"):
            await engine.query("SELECT 1")
    with monkeypatch.context() as patched:
        patched.setattr("core.clickhouse.embedded_handle._connect", _no_chdb)
        with pytest.raises(UnreachableError, match="does not start"):
            await engine.query("SELECT 1")
    assert [row[0] for row in (await engine.query("SHOW USERS")).rows] == ["default", "u"]
    assert (await engine.query("SELECT currentDatabase()")).first_cell() == "d"


def _no_chdb(*_: object) -> None:
    raise UnreachableError("The embedded engine does not start.")


def test_a_long_file_is_written_anew_with_the_same_meaning(tmp_path: Path) -> None:
    path = tmp_path / "access" / "access.sql"
    storage = AccessStorage(path)
    storage.open()
    statements: list[Statement] = [CreateUser(("u",))]
    for number in range(300):
        statements.append(Grant((Right("SELECT", database=f"d{number}"),), grantees=("u",)))
        if number % 3:
            statements.append(Revoke((Right("SELECT", database=f"d{number}"),), grantees=("u",)))
    for statement in statements:
        storage.state.apply(statement)
    storage.append(statements)
    storage.close()
    before = path.read_bytes()
    built = [render(statement) for statement in storage.state.statements()]
    assert [render(statement) for statement in _read(path).statements()] == built
    assert len(path.read_bytes()) < len(before) / 4
    assert [render(statement) for statement in _read(path).statements()] == built


def test_a_disk_that_refuses_takes_the_statement_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "access" / "access.sql"
    storage = AccessStorage(path)
    storage.open()
    storage.state.apply(CreateUser(("a",)))
    storage.append([CreateUser(("a",))])
    storage.state.apply(CreateUser(("b",)))

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("core.clickhouse.access_storage.os.fsync", refuse)
        with pytest.raises(HousekeysError, match="cannot be saved"):
            storage.append([CreateUser(("b",))])
    assert set(storage.state.users) == {"a"}
    storage.close()
    assert set(_read(path).users) == {"a"}


async def test_a_database_whose_definition_a_full_disk_left_empty_keeps_nothing_closed(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    await engine.command("CREATE DATABASE whole")
    await engine.close()
    (tmp_path / "data" / "metadata" / "torn%20name.sql").touch()
    engine = await EmbeddedEngine.open(tmp_path)
    try:
        await engine.command("CREATE DATABASE `torn name`")
        found = await engine.query(
            "SELECT name FROM system.databases WHERE name IN ('whole', 'torn name') ORDER BY name"
        )
        assert found.rows == [("torn name",), ("whole",)]
    finally:
        await engine.close()


async def test_nothing_is_changed_on_a_disk_that_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    try:
        monkeypatch.setattr(embedded_repair, "LEAST_ROOM", 1 << 60)
        for attempt in (
            engine.command("CREATE DATABASE d"),
            engine.commands(["CREATE DATABASE d"], lambda index, error: None, stop_on_error=True),
            engine.insert("d", "t", ["c"], [[1]]),
        ):
            with pytest.raises(HousekeysError, match="nearly full"):
                await attempt
        assert not (await engine.query("SELECT 1 FROM system.databases WHERE name = 'd'")).rows
    finally:
        await engine.close()
