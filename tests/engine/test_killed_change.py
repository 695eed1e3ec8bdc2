"""`kill -9` of a bulk change, again and again: after the last resume no step is lost and none has run twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.journal.journal import Journal

GROUPS = 8
ROOT = Path(__file__).parents[2]


def start(folder: Path, die_at: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.engine.dying_run", str(folder), str(GROUPS), str(die_at)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def live_or_die(folder: Path, die_at: int) -> bool:
    """Whether the run came to its end; otherwise it must have been killed, and not have failed."""
    process = start(folder, die_at)
    told, errors = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return told == "finished\n"


async def check(folder: Path) -> None:
    engine = await EmbeddedEngine.open(folder / "engine")
    try:
        logged = dict((await engine.query("SELECT name, count() FROM work.log GROUP BY name")).rows)
        told = await engine.query(
            "SELECT subject, count() FROM housekeys.journal WHERE subject_kind = 'step' AND outcome = 'done' GROUP BY 1"
        )
        tables = await engine.query("SELECT count() FROM system.tables WHERE database = 'work' AND name LIKE 'g%'")
        changes = await Journal(engine, "housekeys").history("change")
    finally:
        await engine.close()
    names = [f"g{number}" for number in range(GROUPS)]
    for name in names:
        assert (name, logged[f"{name}_once"], logged[f"{name}_blind"]) == (name, 1, 1)
        assert logged[f"{name}_again"] >= 1
        assert (folder / "files" / name).read_bytes() == (folder / "copies" / name).read_bytes() == name.encode()
    kinds = ("once", "again", "blind", "file", "note")
    assert dict(told.rows) == {f"{name}_{kind}": 1 for name in names for kind in kinds}
    assert tables.first_cell() == GROUPS
    assert [(row.outcome, row.details["title"]) for row in changes if row.details["title"] == "Bulk"] == [
        ("done", "Bulk")
    ]


async def test_killed_at_many_moments(tmp_path: Path) -> None:
    chance = random.Random(1)
    kills = 0
    while not live_or_die(tmp_path, chance.randint(4, 20)):
        kills += 1
        assert kills < 100, "no run gets any further"
    assert kills > 5
    await check(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.7])
async def test_killed_from_outside(tmp_path: Path, share: float) -> None:
    """The kernel ends it wherever it is, in the middle of ClickHouse's own work too."""
    process = start(tmp_path, 0)
    wanted = int(6_000 + share * 100 * GROUPS * 6)  # bytes of write-ahead: the intent, then the steps
    while process.poll() is None and write_ahead(tmp_path) < wanted:
        os.sched_yield()
    process.kill()
    process.communicate(timeout=120)
    assert live_or_die(tmp_path, 0)
    await check(tmp_path)


def write_ahead(folder: Path) -> int:
    """Bytes in the file of the bulk change, the only one that is large."""
    sizes = [0]
    for path in (folder / "changes").glob("*.jsonl"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes)
