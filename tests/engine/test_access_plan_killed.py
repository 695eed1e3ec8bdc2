"""`kill -9` of an access plan, again and again: after the last resume all is as desired, and each step told once."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from core.access.difference import compare
from core.clickhouse.embedded import EmbeddedEngine
from tests.engine.dying_access_plan import AFTER, access_change, model
from tests.engine.test_access_plan import read
from tests.unit.access.plan_models import PROFILES

FIRST, FURTHER = 6, 19  # acts before the first death, and how many more before each next one
ROOT = Path(__file__).parents[2]


def lives(folder: Path, die_at: int) -> bool:
    """Whether the run came to its end; otherwise it must have been killed, and not have failed."""
    command = [sys.executable, "-m", "tests.engine.dying_access_plan", str(folder), str(die_at)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout == "finished\n"


async def test_a_killed_plan_is_brought_to_its_end(tmp_path: Path) -> None:
    die_at = FIRST
    while not lives(tmp_path, die_at):
        die_at += FURTHER
        assert die_at < 500, "no run gets any further"
    assert die_at >= FIRST + 3 * FURTHER
    engine = await EmbeddedEngine.open(tmp_path / "engine")
    try:
        differences = compare(await read(engine), replace(model(AFTER), settings_profiles=PROFILES))
        told = await engine.query(
            "SELECT subject_kind, subject, action, count() FROM housekeys.journal"
            " WHERE subject_kind IN ('user', 'role') AND outcome = 'done' GROUP BY ALL"
        )
    finally:
        await engine.close()
    assert differences.nothing, differences
    events = [event for step in access_change().steps for event in step.events]
    wanted = [(event.subject_kind, event.subject, event.action) for event in events]
    assert {row[:3]: row[3] for row in map(tuple, told.rows)} == {each: wanted.count(each) for each in wanted}
