"""A process that runs a bulk change, or resumes it, and kills itself in the middle (for test_killed_change).

Its words, for `tests.forking`, are FOLDER, GROUPS and DIE_AT: it dies by SIGKILL just before the DIE_AT-th act that
something outside can see (a write to a file, its renaming, a statement, an insert); with DIE_AT 0 it lives. Prints
`finished` when there is nothing left to run or to send.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.changes import Change, Event, FileStep, OnFailure, RecordStep, StatementStep, Step
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.embedded_handle import Handle
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Runner
from tests.engine.running_place import forget_nothing


class Death:
    """Counts what is done, and ends the process before the chosen act."""

    def __init__(self, die_at: int) -> None:
        self.left = die_at

    def before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*arguments, **options)

        return dying


def bulk_change(folder: Path, groups: int) -> Change:
    """Steps of every kind, each of which leaves a trace of how often it has run."""
    steps: list[Step] = []
    for number in range(groups):
        name = f"g{number}"
        events = [Event("step", f"{name}_{kind}", "run") for kind in ("once", "again", "blind", "file", "note")]
        once, again, blind = (f"INSERT INTO work.log VALUES ('{name}_{kind}')" for kind in ("once", "again", "blind"))
        done_when = f"SELECT count() FROM work.log WHERE name = '{name}_once'"
        steps += [
            StatementStep("Once", once, done_when=done_when, events=(events[0],)),
            StatementStep(
                "Create", f"CREATE TABLE IF NOT EXISTS work.{name} (a Int8) ENGINE = Memory", repeatable=True
            ),
            StatementStep("Again", again, repeatable=True, events=(events[1],)),
            StatementStep("Blind", blind, events=(events[2],)),
            FileStep("File", folder / "files" / name, name.encode(), events=(events[3],)),
            FileStep(
                "Copy",
                folder / "copies" / name,
                None,
                sha256=hashlib.sha256(name.encode()).hexdigest(),
                copy_of=folder / "files" / name,
                expects="",
            ),
            RecordStep("Note", (events[4],)),
        ]
    return Change("Bulk", tuple(steps), on_failure=OnFailure.CONTINUE)


async def main(folder: Path, groups: int, die_at: int) -> None:
    engine = await EmbeddedEngine.open(folder / "engine")
    journal = Journal(engine, "housekeys")
    runner = Runner(engine, journal, folder / "changes", Operator("op", "h"), "embedded", ReadOnly(False))
    if not await journal.exists():
        await engine.command("CREATE DATABASE work")
        await engine.command("CREATE TABLE work.log (name String) ENGINE = MergeTree ORDER BY name")
        await runner.run(journal.creation())
        await forget_nothing(engine, journal)
    watch(Death(die_at))
    unfinished = runner.unfinished()
    if unfinished:
        change = unfinished[0].change
        looked_up = {index: await has_run(engine, change.steps[index]) for index in unfinished[0].undecided}
        report = await runner.resume(unfinished[0].id, settle_steps=looked_up)
        assert report.succeeded, report
    elif not await begun(engine):
        report = await runner.run(bulk_change(folder, groups))
        assert report.succeeded, report
    await runner.send_unsent()
    await engine.close()
    print("finished")


async def begun(engine: EmbeddedEngine) -> bool:
    """Whether the change has been run already, whatever became of it."""
    return bool((await engine.query("SELECT count() FROM work.log")).first_cell())


async def has_run(engine: EmbeddedEngine, step: Step) -> bool:
    """What an operator finds out by looking."""
    subject = step.events[0].subject
    found = await engine.query("SELECT count() FROM work.log WHERE name = {name:String}", {"name": subject})
    return bool(found.first_cell())


def watch(death: Death) -> None:
    """Have `death` count what the run does from here on."""
    for owner, names in ((os, ("pwrite", "rename", "link")), (Handle, ("command", "insert"))):
        for name in names:
            setattr(owner, name, death.before(getattr(owner, name)))


def run(words: list[str]) -> None:
    folder, groups, die_at = words
    asyncio.run(main(Path(folder), int(groups), int(die_at)))
