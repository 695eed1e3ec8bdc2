"""Changes over real TCP: whatever the network does to an answer, each step runs once and each row is there once."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from core.changes import Change, Event, StatementStep
from core.clickhouse.server import ServerEngine
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Runner
from tests.engine.running_place import forget_nothing, states
from tests.http_front.faults import Fault, FaultKind
from tests.http_front.process import Front

pytest_plugins = ("tests.http_front.fixtures",)

_names = (f"over_tcp_{number}" for number in itertools.count())


class Place:
    """A runner with a database and a journal of its own, on the server."""

    def __init__(self, engine: ServerEngine, folder: Path) -> None:
        self.engine = engine
        self.database = next(_names)
        self.journal = Journal(engine, f"{self.database}_journal")
        self.runner = Runner(engine, self.journal, folder, Operator("op", "h"), "prod", ReadOnly(False))

    async def prepare(self) -> Place:
        await self.engine.command(f"CREATE DATABASE {self.database}")
        await self.runner.run(self.journal.creation())
        await forget_nothing(self.engine, self.journal)
        return self

    def change(self) -> Change:
        """Creates tables a, b and c; a second attempt at one would fail."""
        return Change("Three tables", tuple(self._create(name) for name in "abc"))

    def _create(self, name: str) -> StatementStep:
        return StatementStep(
            f"Create {name}",
            f"CREATE TABLE {self.database}.{name} (a Int8) ENGINE = Log",
            done_when=f"EXISTS TABLE {self.database}.{name}",
            events=(Event("table", name, "create"),),
        )

    async def stored(self) -> list[tuple[str, str]]:
        found = await self.engine.query(
            f"SELECT subject, outcome FROM {self.journal.database}.journal WHERE subject_kind = 'table' ORDER BY 1"
        )
        return [(subject, outcome) for subject, outcome in found.rows]


ONCE_EACH = [("a", "done"), ("b", "done"), ("c", "done")]


@pytest.mark.parametrize("kind", ["reset before", "reset after", "reset in answer", "truncate", "status", "garbage"])
async def test_a_statement_whose_answer_is_lost(
    server_engine: ServerEngine, http_front: Front, tmp_path: Path, kind: FaultKind
) -> None:
    place = await Place(server_engine, tmp_path).prepare()
    await http_front.commit_faults(Fault(kind, match="CREATE TABLE .*b "))
    report = await place.runner.run(place.change())
    if not report.finished:
        assert states(report) == ["done", "unknown", "unknown"]
        report = await place.runner.resume(report.change_id)
    assert report.succeeded
    assert await place.runner.send_unsent() == 0
    assert await place.stored() == ONCE_EACH


@pytest.mark.parametrize("kind", ["reset before", "reset after", "reset in answer", "status"])
@pytest.mark.parametrize("times", [1, 3])
async def test_rows_whose_answer_is_lost(
    server_engine: ServerEngine, http_front: Front, tmp_path: Path, kind: FaultKind, times: int
) -> None:
    place = await Place(server_engine, tmp_path).prepare()
    await http_front.commit_faults(Fault(kind, match="INSERT INTO", times=times))
    report = await place.runner.run(place.change())
    assert report.succeeded
    await http_front.commit_faults()
    sent = await place.runner.send_unsent()
    assert sent == report.unsent
    assert await place.stored() == ONCE_EACH
