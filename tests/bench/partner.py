"""Connect under load, at 1, 16 and 64 clients, beside a bare Starlette handler that reads the same body.

The bare one writes nothing. Ours answers when the secrets are sealed and the facts durable in ClickHouse, which is the
embedded engine in the same process here. The clients are a process of their own, on the same two cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.figures import Figure
from tests.partner_load import ROOT, Load, Measured, run

CLIENTS = (1, 16, 64)
SECONDS = 4.0


def measure() -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        with _service("bare", folder) as (port, authorization):
            bare = {clients: _loaded(Load(port, authorization, clients, SECONDS)) for clients in CLIENTS}
        with _service("housekeys", folder) as (port, authorization):
            _loaded(Load(port, authorization, 1, 1.0))  # the account, and what is made at first use
            for clients in CLIENTS:
                figures += _figures(
                    "known user", _loaded(Load(port, authorization, clients, SECONDS)), bare[clients], clients
                )
            for clients in CLIENTS:
                load = Load(port, authorization, clients, SECONDS, "each new", first=clients * 1_000_000)
                figures += _figures("new companies", _loaded(load), bare[clients], clients)
    return figures


def _figures(what: str, ours: Measured, bare: Measured, clients: int) -> list[Figure]:
    name = f"connect, {what}, {clients} client{'s' if clients > 1 else ''}"
    slowest = f"p99 {ours.quantile(0.99) * 1000:,.0f} ms, bare {bare.quantile(0.99) * 1000:,.0f} ms"
    half, bare_half = ours.quantile(0.5) * 1000, bare.quantile(0.5) * 1000
    return [
        Figure(f"{name} / bare Starlette", ours.per_second, bare.per_second, "a second", None, "higher"),
        Figure(f"{name}, half within", half, bare_half, "ms", None, note=slowest),
    ]


def _loaded(load: Load) -> Measured:
    measured = run(load)
    if measured.failed or not measured.answered:
        raise RuntimeError(f"{measured.failed} of {measured.answered} requests failed")
    return measured


@contextmanager
def _service(kind: str, folder: str) -> Iterator[tuple[int, str]]:
    command = [sys.executable, "-m", "tests.bench.partner_service", kind, folder]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None and process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield told["port"], told["authorization"]
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
