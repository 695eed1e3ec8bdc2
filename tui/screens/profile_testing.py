"""The test of a profile: connect once, beside the open session, and reach the Lakehouse and the clouds it names."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.paths import Paths
from core.profiles import Profile
from tui.screens.profile_rows import capability_lines
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.clickhouse.capabilities import Capabilities
    from core.clickhouse.engine import Engine
    from core.lakehouse.sides import TriedSide
    from core.secrets import Prompt
    from core.session import Session

_MODULES = ("core.clickhouse.connecting", "core.clickhouse.capabilities", "core.journal.journal")
_SIDES = "core.lakehouse.sides"


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of a profile has found out."""

    profile: Profile
    found: Capabilities
    sides: Sequence[TriedSide]

    @property
    def summary(self) -> str:
        """A few words for the list."""
        failed = ", ".join(side.label for side in self.sides if side.error is not None)
        told = f"{failed} failed" if failed else f"{self.found.latency_seconds * 1000:.0f} ms"
        return f"{self.found.version}, {told}"

    @property
    def lines(self) -> Sequence[Line]:
        """All of it; the sides of API connections before the long list of what the user may do."""
        works, *rest = capability_lines(self.found, self.profile.database)
        sides = [line for side in self.sides for line in _side_lines(side)]
        return [works, *([Line(), *sides] if sides else ()), *rest]


async def run_test(profile: Profile, session: Session | None, paths: Paths, prompt: Prompt) -> Tested:
    """Ask what there is to know, and change nothing. Raises what connecting to ClickHouse raises."""
    connecting, capabilities, journals = await asyncio.to_thread(_import, *_MODULES)

    async def ask(engine: Engine) -> Tested:
        found = await capabilities.probe(engine, database=profile.database, cluster=profile.cluster)
        if profile.lakehouse is None and not profile.clouds:
            return Tested(profile, found, ())
        (sides,) = await asyncio.to_thread(_import, _SIDES)
        journal = journals.Journal(engine, profile.database, profile.cluster)
        return Tested(profile, found, await sides.try_sides(profile, journal, prompt))

    if session is not None and session.profile == profile:
        return await ask(session.engine)
    # Not read-only: what the user may do is what is asked. Nothing but questions is sent.
    engine = await connecting.connect(profile, paths, read_only=False, prompt=prompt)
    try:
        return await ask(engine)
    finally:
        await engine.close()


def _import(*names: str) -> list[Any]:
    """Modules that only a test needs."""
    return [importlib.import_module(name) for name in names]


def _side_lines(side: TriedSide) -> list[Line]:
    if side.error is None:
        return [fact(side.label, side.said, "success")]
    return [fact(side.label, side.error.message, "error"), *([fact(" ", side.advice)] if side.advice else ())]
