"""Looking at both sides of connections, many at a time, and recording what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.changes import Change, JsonValue, RecordStep
from core.errors import HousekeysError
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.facts import CALL, event
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.provisioning.situation import read_cloud
from core.lakehouse.provisioning.verification import cloud_differences, lakehouse_differences, trusted_id
from core.lakehouse.reach import Reach
from core.lakehouse.state import ConnectionState

AT_ONCE: Final = 8  # connections that are looked at together: clouds answer more with "throttled"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one connection has shown. `external_id` and `trusted_id` are None where that side was not seen.

    `missing` has "role" and "connection" where there is none.
    """

    state: ConnectionState
    differences: tuple[str, ...] = ()
    external_id: str | None = None
    trusted_id: str | None = None
    missing: tuple[str, ...] = ()
    error: HousekeysError | None = None  # it could not be seen

    @property
    def seen(self) -> bool:
        """Whether any side could be looked at."""
        return self.error is None and (self.external_id is not None or self.trusted_id is not None)

    @property
    def not_begun(self) -> bool:
        """Whether nothing is there of what was never said to be there: not a difference, the way is before it."""
        sides = (self.external_id, self.trusted_id)
        unseen = self.state.trusted is None and self.state.created is None
        return self.seen and unseen and len(self.missing) == sum(side is not None for side in sides)


async def look_at(states: Sequence[ConnectionState], reach: Reach) -> list[Look]:
    """Look at each; one that cannot be seen has its error, the others are looked at all the same."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def bounded(state: ConnectionState) -> Look:
        async with limit:
            try:
                return await _look(state, reach)
            except HousekeysError as error:
                return Look(state, error=error)

    return list(await asyncio.gather(*map(bounded, states)))


async def _look(state: ConnectionState, reach: Reach) -> Look:
    differences: tuple[str, ...] = ()
    external_id: str | None = None
    trusted: str | None = None
    missing: list[str] = []
    lakehouse = await reach.lakehouse()
    if lakehouse is not None:
        description = await lakehouse.description(state.name)
        differences += lakehouse_differences(state.connection, state.external_id, description)
        external_id = description.external_id if description is not None else ""
        missing += ["connection"] if description is None else []
    cloud = await reach.cloud(state.connection)
    if cloud is not None:
        wanted = Wanted.of(state).documents(external_id or state.external_id or PLACEHOLDER_EXTERNAL_ID)
        found = await read_cloud(cloud, wanted)
        differences += cloud_differences(wanted, state.connection.role_arn, found)
        trusted = trusted_id(found.role)
        missing += ["role"] if found.role is None else []
    return Look(state, differences, external_id, trusted, tuple(missing))


def plan_recording(looks: Iterable[Look]) -> Change:
    """The change that records what was seen; no steps where nothing could be, or nothing is to be seen yet."""
    steps = tuple(_recorded(look) for look in looks if look.seen and not look.not_begun)
    title = f"Verify {looks_at(steps)}" if steps else "Verify: nothing was seen"
    return Change(title, steps)


def looks_at(steps: Sequence[RecordStep]) -> str:
    """How many connections were looked at, for a title."""
    return steps[0].events[0].subject if len(steps) == 1 else f"{len(steps)} API connections"


def _recorded(look: Look) -> RecordStep:
    details: dict[str, JsonValue] = {"by": CALL, "differences": list(look.differences)}
    if look.external_id is not None:
        details["external_id"] = look.external_id
    if look.trusted_id is not None:
        details["trusted_id"] = look.trusted_id
    else:
        details["only_lakehouse"] = True
    if look.missing:
        details["missing"] = list(look.missing)
    name = look.state.name
    undo = RecordStep(f"Forget what was seen of {name}", (event(name, "unverify", by=CALL),))
    return RecordStep(f"Record what was seen of {name}", (event(name, "verify", **details),), undo=undo)
