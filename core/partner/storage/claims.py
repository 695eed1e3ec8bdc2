"""Claims in ClickHouse: of all who claim the same thing at the same moment, in whatever process, one gets it.

ClickHouse has no compare-and-set, but it drops an insert whose `insert_deduplication_token` it has seen: so whose row
is there after the insert has the claim. Moments are those of ClickHouse's clock alone.
https://clickhouse.com/docs/operations/settings/settings#insert_deduplication_token
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.clickhouse.engine import Engine
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier, quote_string
from core.partner.storage.tables import CLAIMS_TABLE

_FOR_GOOD: Final = 1  # the turn of what is claimed once
_FIRST: Final = 2  # turn of a lease; an even one is a claim, the odd one after it gives it back
_NEVER: Final = 4_102_444_800  # seconds since 1970, when a claim is forgotten that has turns: they must not begin anew
_LOOKS: Final = 5  # for a row that another replica has
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Claim:
    """One turn at a thing that one at a time may have."""

    name: str
    turn: int
    owner: str


@dataclass(frozen=True, slots=True)
class _Held:
    turn: int
    owner: str
    over: bool


class Claims:
    """The table `<database>.partner_claims`, which must be there. Raises what the engine raises."""

    def __init__(self, engine: Engine, database: str) -> None:
        self._engine = engine
        self._table = f"{quote_identifier(database)}.{CLAIMS_TABLE}"

    async def claim_once(self, name: str, forget: datetime) -> bool:
        """Claim a thing for good: whether nobody had before. It may be claimed again some time after `forget`."""
        if await self._newest(name) is not None:
            return False
        claim = Claim(name, _FOR_GOOD, uuid.uuid4().hex)
        await self._insert(claim, "now64(6)", int(forget.timestamp()) + 1)
        return await self._won(claim)

    async def take(self, name: str, seconds: float) -> Claim | None:
        """Take a thing for so long at most; None when somebody else has it."""
        held = await self._newest(name)
        if held is not None and held.turn % 2 == 0 and not held.over:
            return None
        turn = _FIRST if held is None else held.turn + (2 if held.turn % 2 == 0 else 1)
        claim = Claim(name, turn, uuid.uuid4().hex)
        await self._insert(claim, f"now64(6) + toIntervalMillisecond({int(seconds * 1000)})", _NEVER)
        return claim if await self._won(claim) else None

    async def give_back(self, claim: Claim) -> None:
        """Let others have it. Does nothing when its time was over and another one has taken it."""
        await self._insert(Claim(claim.name, claim.turn + 1, claim.owner), "now64(6)", _NEVER)

    async def _newest(self, name: str) -> _Held | None:
        try:
            found = await self._engine.query(
                f"SELECT turn, owner, until <= now64(6) FROM {self._table}"  # noqa: S608 - the name is quoted
                " WHERE name = {name:String} ORDER BY turn DESC, until, owner LIMIT 1",
                {"name": name},
            )
        except UnknownNameError:
            return None  # the insert tells what is wrong
        return _Held(int(found.rows[0][0]), str(found.rows[0][1]), bool(found.rows[0][2])) if found.rows else None

    async def _won(self, claim: Claim) -> bool:
        """Whether the row of this turn is ours. One that cannot be seen is not."""
        for _ in range(_LOOKS):
            held = await self._newest(claim.name)
            if held is not None and held.turn >= claim.turn:
                return (held.turn, held.owner) == (claim.turn, claim.owner)
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _insert(self, claim: Claim, until: str, forget: int) -> None:
        token = quote_string(f"{claim.name}/{claim.turn}")
        values = (quote_string(claim.name), str(claim.turn), quote_string(claim.owner), until, str(forget))
        await self._engine.command(
            f"INSERT INTO {self._table} (name, turn, owner, until, forget)"  # noqa: S608 - all is quoted
            f" SETTINGS insert_deduplication_token = {token}, insert_deduplicate = 1, async_insert = 0"
            f" VALUES ({', '.join(values)})"
        )
