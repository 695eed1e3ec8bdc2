"""10,000 tenants in the console: when the first rows are there, and what they take, against a bare DataTable."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.starting import HOUSEKEYS, user_environ
from tests.bench.terminal import Terminal

TENANTS = 10_000
FEW = 10
ROUNDS = 3
MARKER = b"tenant_00005"
MIB = 1 << 20


async def add_tenants(home: Path, number: int) -> None:
    """Databases that the DataLens user may read, in the embedded engine below `home`."""
    from core.clickhouse.embedded import EmbeddedEngine
    from core.paths import Paths

    engine = await EmbeddedEngine.open(Paths.locate({"HOUSEKEYS_HOME": str(home)}).embedded_data("embedded"))
    names = [f"tenant_{index:05}" for index in range(number)]
    statements = [f"CREATE DATABASE {name}" for name in names]
    statements.append("CREATE USER datalens IDENTIFIED WITH sha256_hash BY '" + "0" * 64 + "'")
    statements += [f"GRANT SELECT ON {name}.* TO datalens" for name in names]

    def done(_index: int, error: Exception | None) -> None:
        if error is not None:
            raise error

    await engine.commands(statements, done, stop_on_error=True)
    await engine.close()


@dataclass(frozen=True)
class Drawn:
    """Seconds until the first rows were drawn, and the peak of the memory used until all was quiet, in MiB."""

    seconds: float
    memory: float


def draw(command: Sequence[str], environ: Mapping[str, str]) -> Drawn:
    with Terminal(command, environ) as terminal:
        seconds = terminal.wait_for(MARKER, 120)
        terminal.settle()
        return Drawn(seconds, terminal.peak_memory / MIB)


def median(drawn: Sequence[Drawn]) -> Drawn:
    return Drawn(statistics.median(one.seconds for one in drawn), statistics.median(one.memory for one in drawn))


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as many, tempfile.TemporaryDirectory() as few:
        asyncio.run(add_tenants(Path(many), TENANTS))
        asyncio.run(add_tenants(Path(few), FEW))
        full, small = user_environ(HOUSEKEYS_HOME=many), user_environ(HOUSEKEYS_HOME=few)
        bare = [sys.executable, "-m", "tests.bench.bare_app", str(TENANTS)]
        # In turn, so that a noisy moment hits all; one unmeasured round warms up.
        rounds = [(draw([HOUSEKEYS], full), draw(bare, full), draw([HOUSEKEYS], small)) for _ in range(ROUNDS + 1)]
    console, table, short = (median(drawn) for drawn in zip(*rounds[1:], strict=True))
    seconds = f"ClickHouse opened and asked; {FEW} tenants: {short.seconds:.2f} s"
    memory = f"ClickHouse included; {FEW} tenants: {short.memory:.0f} MiB"
    return [
        Figure(
            "first rows of 10,000 tenants / bare DataTable", console.seconds, table.seconds, "s", None, note=seconds
        ),
        Figure("memory with 10,000 tenants / bare DataTable", console.memory, table.memory, "MiB", None, note=memory),
    ]
