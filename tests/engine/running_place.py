"""Where changes run in tests: a database, a journal and a runner of their own on a shared engine."""

from __future__ import annotations

import itertools
from pathlib import Path

from core.changes import Event, StatementStep
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Report, Runner
from tests.engine.faulty_engine import FaultyEngine

_numbers = itertools.count()
OPERATOR = Operator("op", "bastion")


class Place:
    """A database, a journal and a runner of their own, on an engine whose line can be cut."""

    def __init__(self, engine: Engine, folder: Path, *, read_only: bool = False) -> None:
        self.engine = FaultyEngine(engine)
        self.database = f"run_{next(_numbers)}"
        self.folder = folder / "changes"
        self.journal = Journal(self.engine, f"{self.database}_journal")
        self.runner = Runner(
            self.engine, self.journal, self.folder, OPERATOR, "prod", ReadOnly(read_only, "--read-only")
        )

    def create(self, name: str, *, repeatable: bool = False, needs: int | None = None) -> StatementStep:
        """A step that fails when it is run twice, and its inverse."""
        table = f"{self.database}.{name}"
        return StatementStep(
            f"Create {name}",
            f"CREATE TABLE {'IF NOT EXISTS ' if repeatable else ''}{table} (a Int8) ENGINE = Memory",
            undo=StatementStep(f"Drop {name}", f"DROP TABLE {table}", events=(Event("table", name, "drop"),)),
            done_when=self.exists(name),
            repeatable=repeatable,
            needs=needs,
            events=(Event("table", name, "create", {"by": "test"}),),
        )

    def exists(self, name: str) -> str:
        return f"SELECT count() FROM system.tables WHERE database = '{self.database}' AND name = '{name}'"

    async def tables(self) -> set[str]:
        found = await self.engine.engine.query(
            "SELECT name FROM system.tables WHERE database = {database:String}", {"database": self.database}
        )
        return {name for (name,) in found.rows}

    async def told(self, kind: str = "table") -> list[tuple[str, str, str]]:
        """What the journal says, oldest first."""
        return [(row.subject, row.action, row.outcome) for row in (await self.journal.history(kind))[::-1]]

    def files(self) -> list[str]:
        return sorted(path.suffix for path in self.folder.iterdir())

    async def prepare(self) -> Place:
        """Create the database and the journal."""
        await self.engine.engine.command(f"CREATE DATABASE {self.database}")
        assert (await self.runner.run(self.journal.creation())).succeeded
        await forget_nothing(self.engine.engine, self.journal)
        self.engine.statements.clear()
        return self


async def forget_nothing(engine: Engine, journal: Journal) -> None:
    """Have the journal's table keep every row it is sent: it would drop a repeated batch and hide that it was sent."""
    table = f"{quote_identifier(journal.database)}.journal"
    await engine.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")


def states(report: Report) -> list[str]:
    return [outcome.state for outcome in report.outcomes]
