"""Services of Partner Connect that kill themselves in the middle of a connect (for test_partner_killed).

`python -m tests.engine.dying_partner FOLDER DIE_AT …`: one service after the other on the same folder. Each settles
what the one before has left, says what is there in a line of JSON, and dies by SIGKILL just before the DIE_AT-th act
that something outside can see (see `dying_run`). With 0 it lives, and says which partner connection it has answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from core.clickhouse.embedded import EmbeddedEngine
from tests.engine.dying_run import Death, watch
from tests.engine.partner_service_place import ServicePlace
from tests.unit.partner.account_examples import asked


def tell(**said: Any) -> None:
    """Say something, at once."""
    os.write(1, json.dumps(said).encode() + b"\n")


async def tell_state(place: ServicePlace) -> None:
    """Say what is there."""
    unfinished = len(place.runner.unfinished())
    tell(made=await place.made(), live=sorted(await place.live()), unfinished=unfinished)


async def serve(folder: Path, number: int, die_at: int) -> None:
    """One service: settle, then let a company connect that is new to all of them."""
    engine = await EmbeddedEngine.open(folder / "engine")
    place = ServicePlace(engine, folder, "dying")
    if not await place.journal.exists():
        await place.prepare()
    await place.handler.settle_at_start()
    await tell_state(place)
    watch(Death(die_at))
    answer = await place.connect(asked(f"ann@company{number}.example", number + 1))
    tell(answered=answer.connection_id)
    await place.handler.close()
    await tell_state(place)
    await engine.close()


if __name__ == "__main__":
    for count, moment in enumerate(map(int, sys.argv[2:])):
        child = os.fork()  # before there is an engine: what is imported need not be imported again
        if child == 0:
            asyncio.run(serve(Path(sys.argv[1]), count, moment))
            os._exit(0)
        os.waitpid(child, 0)
