"""3,000 tenants added to the embedded engine, against a bare loop of CREATE DATABASE on chDB."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import chdb

from core.clickhouse.embedded import EmbeddedEngine
from core.journal.journal import Journal
from core.running.runner import Operator, ReadOnly, Runner
from core.tenants.planning import plan_create
from core.tenants.requests import TenantRequest
from tests.bench.figures import Figure

TENANTS = 3_000
ROUNDS = 3
GOAL = 2.0


def measure() -> list[Figure]:
    """Each side in turns, in folders of its own; the best round of either, for a busy moment weighs on one only."""
    bare, ours = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            bare.append(_bare(Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            ours.append(asyncio.run(_tenants(Path(folder))))
    note = f"planned, run and journalled: a database and a grant each; best of {ROUNDS} rounds"
    return [Figure(f"{TENANTS:,} tenants added", min(ours), min(bare), "s", GOAL, note=note)]


def _bare(folder: Path) -> float:
    connection = chdb.connect(str(folder / "data"))
    begun = time.perf_counter()
    for number in range(TENANTS):
        connection.query(f"CREATE DATABASE tenant_{number:05}")
    seconds = time.perf_counter() - begun
    connection.close()
    return seconds


async def _tenants(folder: Path) -> float:
    engine = await EmbeddedEngine.open(folder / "engine")
    try:
        journal = Journal(engine, "housekeys")
        runner = Runner(engine, journal, folder / "changes", Operator.current(), "embedded", ReadOnly(False))
        await runner.run(journal.creation())
        await engine.command("CREATE USER datalens IDENTIFIED WITH no_password")
        requests = [TenantRequest(f"tenant_{number:05}") for number in range(TENANTS)]
        begun = time.perf_counter()
        report = await runner.run(await plan_create(engine, journal, requests, datalens_user="datalens"))
        seconds = time.perf_counter() - begun
    finally:
        await engine.close()
    if not report.succeeded or report.unsent:
        raise RuntimeError("the tenants were not all added")
    return seconds
