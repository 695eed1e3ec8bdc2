"""The test of a profile: connect once, beside the open session, and look for whatever else it names.

That is the Lakehouse and the clouds, and what a service of Partner Connect needs.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import HousekeysError
from core.paths import Paths
from core.profiles import Profile
from tui.screens.profile_rows import capability_lines
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.clickhouse.capabilities import Capabilities
    from core.clickhouse.engine import Engine
    from core.lakehouse.sides import TriedSide
    from core.partner.provisioning.prerequisites import Unmet
    from core.secrets import Prompt
    from core.session import Session

_MODULES = ("core.clickhouse.connecting", "core.clickhouse.capabilities", "core.journal.journal")
_SIDES = "core.lakehouse.sides"
_PREREQUISITES = "core.partner.provisioning.prerequisites"
_PARTNER = "Partner Connect"


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of a profile has found out."""

    profile: Profile
    found: Capabilities
    sides: Sequence[TriedSide] = ()
    unmet: Sequence[Unmet] | None = None  # of Partner Connect; None: the profile says nothing of it

    @property
    def summary(self) -> str:
        """A few words for the list."""
        labels = [side.label for side in self.sides if side.error is not None]
        labels += [_PARTNER] if any(unmet.seen for unmet in self.unmet or ()) else []
        failed = ", ".join(labels)
        told = f"{failed} failed" if failed else f"{self.found.latency_seconds * 1000:.0f} ms"
        return f"{self.found.version}, {told}"

    @property
    def lines(self) -> Sequence[Line]:
        """All of it; what else the profile names before the long list of what the user may do."""
        works, *rest = capability_lines(self.found, self.profile.database)
        named = [line for side in self.sides for line in _side_lines(side)]
        if self.unmet is not None:
            named += _partner_lines(self.unmet)
        return [works, *([Line(), *named] if named else ()), *rest]


async def run_test(profile: Profile, session: Session | None, paths: Paths, prompt: Prompt) -> Tested:
    """Ask what there is to know, and change nothing. Raises what connecting to ClickHouse raises."""
    connecting, capabilities, journals = await asyncio.to_thread(_import, *_MODULES)

    async def ask(engine: Engine) -> Tested:
        found = await capabilities.probe(engine, database=profile.database, cluster=profile.cluster)
        tested = Tested(profile, found)
        if profile.partner is not None:
            (prerequisites,) = await asyncio.to_thread(_import, _PREREQUISITES)
            resources, rights = profile.partner.resources, not found.read_only
            unmet = await prerequisites.read_unmet(engine, resources, profile.name, rights=rights)
            tested = replace(tested, unmet=unmet)
        if profile.lakehouse is not None or profile.clouds:
            (sides,) = await asyncio.to_thread(_import, _SIDES)
            journal = journals.Journal(engine, profile.database, profile.cluster)
            tested = replace(tested, sides=await sides.try_sides(profile, journal, prompt))
        return tested

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
    return _error_lines(side.label, side.error, side.advice)


def _partner_lines(found: Sequence[Unmet]) -> list[Line]:
    if not found:
        return [fact(_PARTNER, "all that the profile names is there", "success")]
    lines: list[Line] = []
    for unmet in found:
        label, style = " " if lines else _PARTNER, "error" if unmet.seen else "warning"
        lines += _error_lines(label, unmet.error, unmet.error.advice, style)
    return lines


def _error_lines(label: str, error: HousekeysError, advice: str, style: str = "error") -> list[Line]:
    return [fact(label, error.message, style), *([fact(" ", advice)] if advice else ())]
