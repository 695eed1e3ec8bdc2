"""Calls connect as fast as so many clients can, in a process of its own: for the benchmark and for killing under load.

`python -m tests.partner_load '{"port": …, "authorization": …, "clients": 16, "seconds": 5, …}'`. One line of JSON goes
to stdout for each answer as it comes (`report` "answers") or one with all latencies at the end ("latencies").
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
TOKEN = "dapi0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Load:
    """What is called, by how many, for how long, and what comes of it."""

    port: int
    authorization: str
    clients: int
    seconds: float
    users: Literal["one", "each new"] = "one"  # one known user over and over, or everybody from a company of their own
    report: Literal["answers", "latencies"] = "latencies"
    path: str = "/connect"
    first: int = 0  # where numbering begins: no two loads on one service make the same companies


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load of latencies came to."""

    answered: int
    failed: int
    seconds: float
    latencies: Sequence[float]  # seconds, sorted

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    def quantile(self, part: float) -> float:
        """Seconds within which so large a part was answered."""
        return self.latencies[min(int(len(self.latencies) * part), len(self.latencies) - 1)]


def run(load: Load) -> Measured:
    """Run a load in a process of its own, and wait for its end. Raises CalledProcessError."""
    output = subprocess.run(command(load), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout
    return Measured(**json.loads(output))


def command(load: Load) -> list[str]:
    """The command that runs a load."""
    return [sys.executable, "-m", "tests.partner_load", json.dumps(asdict(load))]


def body(number: int, users: str) -> dict[str, Any]:
    """A connect request as Databricks sends it, of a partner that has a SQL warehouse provisioned."""
    company = number if users == "each new" else 0
    workspace, host = 7_000_000_000_000_000 + company, f"dbc-{company:08x}-0000.cloud.databricks.com"
    url = f"jdbc:databricks://{host}:443/default;httpPath=/sql/1.0/warehouses/0123456789abcdef"
    return {
        "user_info": {
            "email": f"ada{company}@company-{company}.example",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "databricks_user_id": 8_000_000_000_000_000 + company,
            "databricks_organization_id": workspace,
            "is_connection_established": False,
            "auth": {"personal_access_token": TOKEN},
        },
        "hostname": host,
        "port": 443,
        "workspace_url": f"https://{host}/?o={workspace}",
        "workspace_id": workspace,
        "demo": False,
        "cloud_provider": "aws",
        "cloud_provider_region": "us-west-2",
        "is_free_trial": False,
        "http_path": "/sql/1.0/warehouses/0123456789abcdef",
        "jdbc_url": url.replace("databricks", "spark", 1),
        "databricks_jdbc_url": url,
        "cluster_id": "0123456789abcdef",
        "is_sql_endpoint": True,
        "is_sql_warehouse": True,
    }


async def _client(load: Load, numbers: Iterator[int], until: float, latencies: list[float], failed: list[int]) -> None:
    while time.perf_counter() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        except OSError:
            failed.append(0)
            return  # nobody listens any more
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while time.perf_counter() < until:
                number = next(numbers)
                begun = time.perf_counter()
                status, answer = await _call(reader, writer, load, number)
                latencies.append(time.perf_counter() - begun)
                if status != 200:
                    failed.append(status)
                if load.report == "answers":
                    print(json.dumps({"number": number, "status": status, "answer": answer}), flush=True)
        writer.close()


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, load: Load, number: int
) -> tuple[int, dict[str, Any]]:
    content = json.dumps(body(number, load.users)).encode("ascii")
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nUser-Agent: databricks\r\n"
        f"Authorization: {load.authorization}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode("ascii") + content)
    await writer.drain()
    answer = await reader.readuntil(b"\r\n\r\n")
    lines = answer.decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    got = await reader.readexactly(int(headers["content-length"]))
    return int(lines[0].split()[1]), json.loads(got)


async def _run(load: Load) -> None:
    latencies: list[float] = []
    failed: list[int] = []
    numbers = itertools.count(load.first)
    begun = time.perf_counter()
    until = begun + load.seconds
    await asyncio.gather(*(_client(load, numbers, until, latencies, failed) for _ in range(load.clients)))
    if load.report == "latencies":
        took = time.perf_counter() - begun
        measured = Measured(len(latencies), len(failed), took, sorted(latencies))
        print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    asyncio.run(_run(Load(**json.loads(sys.argv[1]))))
