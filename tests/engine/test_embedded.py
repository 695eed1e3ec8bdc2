"""The embedded engine: queries, values, cancelling, locks, read-only."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import BadStatementError, QueryCancelledError, ReadOnlyServerError, UnknownNameError
from core.errors import HousekeysError, UnreachableError

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"


async def test_values_come_back_as_python_values(engine: EmbeddedEngine) -> None:
    result = await engine.query(
        "SELECT {name:String} AS name, {number:Int64} AS number", {"name": "a'\\`\0😀", "number": -3}
    )
    assert result.columns == ("name", "number")
    assert result.as_dicts() == [{"name": "a'\\`\0😀", "number": -3}]


async def test_instants_are_aware_and_in_utc(engine: EmbeddedEngine) -> None:
    result = await engine.query(
        "SELECT toDateTime('2026-11-03 14:05:09'), toDateTime64('2026-11-03 14:05:09.5', 6, 'Asia/Tokyo')"
    )
    first, second = result.rows[0]
    assert first == datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC)
    assert second == datetime(2026, 11, 3, 5, 5, 9, 500_000, tzinfo=UTC)
    assert first.utcoffset() is not None


async def test_rows_inserted_are_read_back(engine: EmbeddedEngine) -> None:
    await engine.command("CREATE DATABASE d")
    await engine.command(
        "CREATE TABLE d.t (id UUID, at DateTime64(6, 'UTC'), `a``b` String) ENGINE = MergeTree ORDER BY id"
    )
    row = (UUID(int=7), datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), "tab\tquote'null\0")
    await engine.insert("d", "t", ["id", "at", "a`b"], [row])
    assert list((await engine.query("SELECT * FROM d.t")).rows) == [row]


async def test_settings_hold_for_one_statement(engine: EmbeddedEngine) -> None:
    ask = "SELECT toString(getSetting('max_block_size'))"
    usual = (await engine.query(ask)).first_cell()
    assert (await engine.query(ask, settings={"max_block_size": 777})).first_cell() == "777"
    assert (await engine.query(ask)).first_cell() == usual


async def test_errors_are_explained(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnknownNameError):
        await engine.query("SELECT * FROM nowhere.nothing")
    with pytest.raises(BadStatementError):
        await engine.command("CREATE DATABASE")


async def test_a_failed_query_leaves_nothing_for_the_next(engine: EmbeddedEngine) -> None:
    with pytest.raises(HousekeysError):
        await engine.query("SELECT number, throwIf(number = 1000000) FROM numbers(2000000)")
    assert (await engine.query("SELECT 1 AS one")).as_dicts() == [{"one": 1}]


async def test_commands_report_each_statement(engine: EmbeddedEngine) -> None:
    calls: list[tuple[int, Exception | None]] = []
    statements = ["CREATE DATABASE a", "CREATE DATABASE a", "CREATE DATABASE b"]
    await engine.commands(statements, lambda index, error: calls.append((index, error)), stop_on_error=False)
    assert [index for index, _ in calls] == [0, 1, 2]
    assert [error is None for _, error in calls] == [True, False, True]
    calls.clear()
    await engine.commands(statements, lambda index, error: calls.append((index, error)), stop_on_error=True)
    assert [index for index, _ in calls] == [0]


async def test_a_cancelled_query_is_killed(engine: EmbeddedEngine) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.query(ENDLESS), timeout=0.2)
    assert (await engine.query("SELECT 1")).first_cell() == 1


async def test_a_query_that_waits_is_cancelled_without_harm_to_the_running_one(engine: EmbeddedEngine) -> None:
    running = asyncio.create_task(engine.query("SELECT count() FROM numbers(300000000) WHERE NOT ignore(number)"))
    waiting = asyncio.create_task(engine.query("SELECT 2"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await running).first_cell() == 300_000_000


async def test_closing_ends_what_runs_and_runs_nothing_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.clickhouse.embedded._GRACE", 0.1)
    engine = await EmbeddedEngine.open(tmp_path)
    outcomes: dict[int, Exception | None] = {}
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note(index: int, error: Exception | None) -> None:
        outcomes[index] = error
        loop.call_soon_threadsafe(begun.set)

    statements = ["CREATE DATABASE a", ENDLESS, "CREATE DATABASE b"]
    many = asyncio.create_task(engine.commands(statements, note, stop_on_error=False))
    await begun.wait()
    waiting = asyncio.create_task(engine.command("CREATE DATABASE c"))
    await asyncio.sleep(0)
    await asyncio.gather(engine.close(), engine.close())
    await many
    with pytest.raises(UnreachableError, match="closed"):
        await waiting
    assert outcomes.keys() == {0, 1}
    assert isinstance(outcomes[1], QueryCancelledError)
    again = await EmbeddedEngine.open(tmp_path)
    try:
        databases = {row[0] for row in (await again.query("SHOW DATABASES")).rows}
    finally:
        await again.close()
    assert databases & {"a", "b", "c"} == {"a"}


async def test_cancelled_commands_stop_between_statements(engine: EmbeddedEngine) -> None:
    done: list[int] = []
    first = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note(index: int, error: Exception | None) -> None:
        assert error is None or index > 0
        done.append(index)
        loop.call_soon_threadsafe(first.set)

    task = asyncio.create_task(
        engine.commands(["CREATE DATABASE a", ENDLESS, "CREATE DATABASE b"], note, stop_on_error=False)
    )
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 2 not in done
    assert not (await engine.query("SELECT 1 FROM system.databases WHERE name = 'b'")).rows


async def test_read_only_refuses_changes(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path, read_only=True)
    try:
        with pytest.raises(ReadOnlyServerError):
            await engine.command("CREATE DATABASE a")
        assert (await engine.query("SELECT 1")).first_cell() == 1
    finally:
        await engine.close()


async def test_a_folder_in_use_is_refused(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnreachableError, match="in use"):
        await EmbeddedEngine.open(Path(engine.address))


async def test_a_second_folder_in_the_process_is_refused(engine: EmbeddedEngine, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        await EmbeddedEngine.open(tmp_path / "other")
    assert (await engine.query("SELECT 1")).first_cell() == 1


async def test_data_survives_a_reopen_and_a_closed_engine_says_so(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path)
    await engine.command("CREATE DATABASE kept")
    await engine.close()
    await engine.close()
    with pytest.raises(HousekeysError):
        await engine.query("SELECT 1")
    engine = await EmbeddedEngine.open(tmp_path)
    assert (await engine.query("SELECT count() FROM system.databases WHERE name = 'kept'")).first_cell() == 1
    await engine.close()
