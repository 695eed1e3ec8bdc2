"""A process that carries out a plan of access entities, or resumes it, and kills itself in the middle.

Its words, for `tests.forking`, are FOLDER and DIE_AT: see `dying_run`, whose deaths these are.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.access.access_model import AccessModel
from core.access.assembling import model_from_statements
from core.access.parser import parse_statement
from core.access.planning.planner import plan
from core.access_changes.changes import change_for
from core.changes import Change
from core.clickhouse.embedded import EmbeddedEngine
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Runner
from tests.engine.dying_run import Death, watch
from tests.engine.running_place import forget_nothing

BEFORE = """
CREATE ROLE reader
CREATE ROLE gone
CREATE USER a HOST ANY
CREATE USER `b c` IDENTIFIED WITH ldap SERVER 'l'
GRANT SELECT ON *.* TO reader
GRANT INSERT ON d.* TO a
GRANT gone, reader TO a
GRANT gone TO `b c`
ALTER USER a DEFAULT ROLE gone
"""
AFTER = """
CREATE ROLE reader SETTINGS max_threads = 2
CREATE ROLE writer
CREATE USER a HOST LOCAL SETTINGS max_threads = 4
CREATE USER n IDENTIFIED WITH sha256_hash BY '{hash}'
CREATE USER `n n`
GRANT SELECT ON d.* TO reader
GRANT INSERT ON *.* TO writer
REVOKE INSERT ON secret.* FROM writer
GRANT reader, writer TO a
GRANT writer TO n WITH ADMIN OPTION
GRANT reader TO `n n`
ALTER USER a DEFAULT ROLE writer
ALTER USER n GRANTEES a
""".format(hash="AB" * 32)


def model(script: str) -> AccessModel:
    return model_from_statements(map(parse_statement, script.strip().split("\n")))


def access_change() -> Change:
    return change_for(plan(model(BEFORE), model(AFTER), exact=True), "The plan")


async def main(folder: Path, die_at: int) -> None:
    engine = await EmbeddedEngine.open(folder / "engine")
    journal = Journal(engine, "housekeys")
    runner = Runner(engine, journal, folder / "changes", Operator("op", "h"), "embedded", ReadOnly(False))
    if not await journal.exists():
        for line in BEFORE.strip().split("\n"):
            await engine.command(line)
        await runner.run(journal.creation())
        await forget_nothing(engine, journal)
    watch(Death(die_at))
    unfinished = runner.unfinished()
    if unfinished:
        assert unfinished[0].undecided == (), "an access plan can always be settled"
        report = await runner.resume(unfinished[0].id)
        assert report.succeeded, report
    elif (await engine.query("SHOW ROLES")).rows == [("gone",), ("reader",)]:
        report = await runner.run(access_change())
        assert report.succeeded, report
    await runner.send_unsent()
    await engine.close()
    print("finished")


def run(words: list[str]) -> None:
    folder, die_at = words
    asyncio.run(main(Path(folder), int(die_at)))
