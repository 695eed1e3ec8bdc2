"""`kill -9` of a bulk change, again and again: after the last resume no step is lost and none has run twice."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.journal.journal import Journal
from tests.forking import Forks, forks_of

GROUPS = 8


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forks_of("tests.engine.dying_run") as forks:
        yield forks


def live_or_die(forks: Forks, folder: Path, die_at: int) -> bool:
    """Whether the run came to its end; otherwise it must have been killed, and not have failed."""
    return forks.finishes(folder / "printed", str(folder), str(GROUPS), str(die_at))


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


async def test_killed_at_many_moments(forks: Forks, tmp_path: Path) -> None:
    chance = random.Random(1)
    kills = 0
    while not live_or_die(forks, tmp_path, chance.randint(4, 20)):
        kills += 1
        assert kills < 100, "no run gets any further"
    assert kills > 5
    await check(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.7])
async def test_killed_from_outside(forks: Forks, tmp_path: Path, share: float) -> None:
    """The kernel ends it wherever it is, in the middle of ClickHouse's own work too."""
    child = forks.start(tmp_path / "printed", str(tmp_path), str(GROUPS), "0")
    wanted = int(6_000 + share * 100 * GROUPS * 6)  # bytes of write-ahead: the intent, then the steps
    while not child.has_printed and write_ahead(tmp_path) < wanted:
        os.sched_yield()
    child.kill()
    child.wait()
    assert live_or_die(forks, tmp_path, 0)
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
