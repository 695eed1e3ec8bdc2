"""Bytes sent to the terminal for each cursor move, against a bare Textual app with one table, both at 80x24."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.starting import HOUSEKEYS, user_environ
from tests.bench.terminal import Terminal

TENANTS = 30
MOVES = 12  # few enough to stay on the first page: scrolling costs both apps a page
DOWN = b"\x1b[B"


def bytes_per_move(command: Sequence[str], environ: Mapping[str, str], marker: bytes) -> float:
    with Terminal(command, environ) as terminal:
        terminal.wait_for(marker)
        terminal.settle()
        sizes = []
        for _ in range(MOVES):
            terminal.press(DOWN)
            sizes.append(len(terminal.settle()))
    return statistics.median(sizes)


async def add_tenants(home: Path) -> None:
    from core.clickhouse.embedded import EmbeddedEngine
    from core.paths import Paths

    folder = Paths.locate({"HOUSEKEYS_HOME": str(home)}).embedded_data("embedded")
    engine = await EmbeddedEngine.open(folder)
    for number in range(TENANTS):
        await engine.command(f"CREATE DATABASE tenant_{number:05}")
    await engine.command("CREATE USER datalens IDENTIFIED WITH sha256_hash BY '" + "0" * 64 + "'")
    for number in range(TENANTS):
        await engine.command(f"GRANT SELECT ON tenant_{number:05}.* TO datalens")
    await engine.close()


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(add_tenants(Path(home)))
        environ = user_environ(HOUSEKEYS_HOME=home)
        console = bytes_per_move([HOUSEKEYS], environ, b"tenant_00005")
        bare = bytes_per_move([sys.executable, "-m", "tests.bench.bare_app"], environ, b"tenant_00005")
    return [Figure("bytes per cursor move / bare Textual app", console, bare, "bytes", 1.3)]
