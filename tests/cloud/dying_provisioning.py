"""A process that provisions a connection in AWS, or resumes it, and kills itself when a call has just been made.

Its words, for `tests.forking`, are FOLDER, CLOUD, LAKEHOUSE, REGION, ARN and DIE_AT: it dies after the call number
DIE_AT has taken effect and before anything of it is written down; 0: never.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from core.changes import JsonValue
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.provisioning.plan import Wanted
from core.running.needs import Service
from tests.cloud.connection_place import ConnectionPlace


class Dying:
    """Stands before a service, and ends this process when as many calls have been made as are allowed."""

    def __init__(self, place: ConnectionPlace, die_at: int) -> None:
        self._place = place
        self._left = die_at
        self._service: Service | None = None

    async def open(self, name: str) -> Service:
        self._service = await self._place.reach.open_service(name)
        return self

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        assert self._service is not None
        found = await self._service.call(operation, arguments)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found


async def main(folder: Path, cloud: str, lakehouse: str, connection: ApiConnection, die_at: int) -> None:
    place = ConnectionPlace(folder, Provider.AWS, cloud, lakehouse)
    runner = place.runner(Dying(place, die_at).open)
    if unfinished := runner.unfinished():
        assert unfinished[0].undecided == (), "calls can always be settled"
        report = await runner.resume(unfinished[0].id)
    else:
        report = await runner.run(await place.connections.plan_create(Wanted(connection)))
    await place.reach.close()
    assert report.succeeded, [str(outcome.error) for outcome in report.failed_outcomes]
    print("finished")


def run(words: list[str]) -> None:
    where, cloud, lakehouse, region, arn, die_at = words
    wanted = ApiConnection("udf", Provider.AWS, region, arn, "cz-udf-code")
    asyncio.run(main(Path(where), cloud, lakehouse, wanted, int(die_at)))
