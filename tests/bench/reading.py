"""Reading all of a server's access as a model, against ClickHouse's own SHOW ACCESS in the same process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import Any, cast

from core.clickhouse.access_survey import survey_access
from core.clickhouse.embedded_handle import Handle
from core.clickhouse.engine import Engine, QueryResult
from tests.bench.figures import Figure
from tests.engine.xml_engine import document, laid_out, loaded

USERS = 2_000
ROLES = 100
ROUNDS = 20  # of asking and reading in turn, so that a busy moment weighs on both
GOAL = 3.0


class AsServer:
    """What a survey needs of a server, asked of a ClickHouse that has its users from files.

    As with a server, the event loop goes on while it answers, which it does to one question after the other.
    """

    home = "server"

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> QueryResult:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._handle.query, sql, parameters)


def measure() -> list[Figure]:
    users = "".join(_user(number) for number in range(USERS))
    roles = "".join(f"<role_{number}>{_grants('role', number)}</role_{number}>" for number in range(ROLES))
    with laid_out({"users.xml": document(users, roles=roles)}) as root, loaded(root) as handle:
        asked, read = asyncio.run(_best(handle))
        lines = len(handle.query("SHOW ACCESS").rows)
    note = f"{USERS:,} users, {ROLES} roles, {lines:,} statements"
    return [Figure("access read as a model / SHOW ACCESS", read * 1e3, asked * 1e3, "ms", GOAL, note=note)]


async def _best(handle: Handle) -> tuple[float, float]:
    """The seconds of SHOW ACCESS and of a survey, one after the other in the event loop of a console."""
    engine = cast(Engine, AsServer(handle))
    asked = read = inf
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = await engine.query("SHOW ACCESS")
        between = time.perf_counter()
        found = await survey_access(engine)
        ended = time.perf_counter()
        asked, read = min(asked, between - begun), min(read, ended - between)
        if len(found.model.users) <= USERS or found.unread:
            raise RuntimeError("not all of it was read")
        del answer, found  # which takes its time as well, but is no reading
    return asked, read


def _user(number: int) -> str:
    name = f"user_{number}"
    return (
        f"<{name}><password_sha256_hex>{number:064x}</password_sha256_hex><networks><ip>10.0.0.0/8</ip></networks>"
        f"{_grants('db', number, f'<query>GRANT role_{number % ROLES}</query>')}</{name}>"
    )


def _grants(kind: str, number: int, more: str = "") -> str:
    queries = "".join(f"<query>GRANT SELECT ON {kind}_{number}.t{table}</query>" for table in range(4))
    return f"<grants>{queries}{more}</grants>"
