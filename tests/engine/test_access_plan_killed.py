"""`kill -9` of an access plan, again and again: after the last resume all is as desired, and each step told once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.access.difference import compare
from core.clickhouse.embedded import EmbeddedEngine
from tests.engine.dying_access_plan import AFTER, access_change, model
from tests.engine.test_access_plan import read
from tests.forking import forks_of
from tests.unit.access.plan_models import PROFILES

FIRST, FURTHER = 6, 19  # acts before the first death, and how many more before each next one


async def test_a_killed_plan_is_brought_to_its_end(tmp_path: Path) -> None:
    die_at = FIRST
    with forks_of("tests.engine.dying_access_plan") as forks:
        while not forks.finishes(tmp_path / "printed", str(tmp_path), str(die_at)):
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
