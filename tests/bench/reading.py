"""Reading all of a server's access as a model, against ClickHouse's own SHOW ACCESS in the same process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from core.clickhouse.access_survey import AccessSurvey, survey_access
from core.clickhouse.embedded_handle import Handle
from core.clickhouse.engine import Engine, QueryResult
from tests.bench.figures import Figure
from tests.engine.xml_engine import document, laid_out, loaded

USERS = 2_000
ROLES = 100
ROUNDS = 3
GOAL = 3.0


class AsServer:
    """What a survey needs of a server, asked of a ClickHouse that has its users from files."""

    home = "server"

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> QueryResult:
        return self._handle.query(sql, parameters)


def measure() -> list[Figure]:
    users = "".join(_user(number) for number in range(USERS))
    roles = "".join(f"<role_{number}>{_grants('role', number)}</role_{number}>" for number in range(ROLES))
    with laid_out({"users.xml": document(users, roles=roles)}) as root, loaded(root) as handle:
        asked = _best(lambda: handle.query("SHOW ACCESS"))
        engine = cast(Engine, AsServer(handle))
        read = _best(lambda: _survey(engine))
        lines = len(handle.query("SHOW ACCESS").rows)
    note = f"{USERS:,} users, {ROLES} roles, {lines:,} statements"
    return [Figure("access read as a model / SHOW ACCESS", read * 1e3, asked * 1e3, "ms", GOAL, note=note)]


def _survey(engine: Engine) -> AccessSurvey:
    found = asyncio.run(survey_access(engine))
    if len(found.model.users) <= USERS or found.unread:
        raise RuntimeError("not all of it was read")
    return found


def _user(number: int) -> str:
    name = f"user_{number}"
    return (
        f"<{name}><password_sha256_hex>{number:064x}</password_sha256_hex><networks><ip>10.0.0.0/8</ip></networks>"
        f"{_grants('db', number, f'<query>GRANT role_{number % ROLES}</query>')}</{name}>"
    )


def _grants(kind: str, number: int, more: str = "") -> str:
    queries = "".join(f"<query>GRANT SELECT ON {kind}_{number}.t{table}</query>" for table in range(4))
    return f"<grants>{queries}{more}</grants>"


def _best(work: Callable[[], object]) -> float:
    def seconds() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return min(seconds() for _ in range(ROUNDS))
