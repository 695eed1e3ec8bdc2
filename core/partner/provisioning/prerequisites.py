"""What must be there before the first connect: what the template names, and rights. Else nobody new can be let in.

A privilege that no database can have takes another profile; a quota or a settings profile may come at any time.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.clickhouse.engine import Engine
from core.clickhouse.errors import NoRightError, ServerError, UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.partner.provisioning.grantable import refuse_ungrantable
from core.partner.provisioning.rights import grants_of, read_lacking
from core.profiles.partner import ResourceTemplate
from core.profiles.tables import KeyPath, dotted

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0  # between two looks while nobody asks for them
_OPTIONS: Final = {"quota": " --keyed-by user_name --interval '1 hour TRACKING ONLY'"}  # each user apart, no limit yet


@dataclass(frozen=True, slots=True)
class Unmet:
    """What is not as a template needs it; where `seen` is false only the connected user lacks a right for it.

    Whether that is so in the end ClickHouse decides, so that it is told and stops nobody.
    """

    profile: str
    key: str  # in the table of the template; empty: all of it
    error: HousekeysError  # what is wrong, and what to do about it
    seen: bool = True

    @property
    def path(self) -> KeyPath:
        """The key from the top of the file."""
        return ("profiles", self.profile, "partner", "resources", *([self.key] if self.key else []))

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.error}"


async def read_unmet(
    engine: Engine, template: ResourceTemplate, profile: str, *, rights: bool = True
) -> tuple[Unmet, ...]:
    """All that is wrong with the template of a profile in this ClickHouse. Raises what the engine raises.

    Without `rights` those of the connected user are not asked for: on a read-only connection they say nothing.
    """
    missing = await read_missing(engine, template, profile)
    lacking = await read_rights(engine, template, profile) if rights else ()
    try:
        await refuse_ungrantable(engine, template)
    except ServerError:
        raise
    except BadInputError as error:
        return (Unmet(profile, "privileges", error), *missing, *lacking)
    return (*missing, *lacking)


async def read_rights(engine: Engine, template: ResourceTemplate, profile: str) -> tuple[Unmet, ...]:
    """What the connected user may not do that a service must, if there is something. Raises what the engine raises."""
    lacking = await read_lacking(engine, template)
    if not lacking:
        return ()
    user = str((await engine.query("SELECT currentUser()")).first_cell())
    message = f"The user {one_line(user)} lacks rights without which a service lets nobody new in."
    advice = f"Ask an administrator to run: {grants_of(lacking, template, user)}"
    return (Unmet(profile, "", RefusedError(message, advice=advice), seen=False),)


async def read_missing(engine: Engine, template: ResourceTemplate, profile: str) -> tuple[Unmet, ...]:
    """The quota and the settings profile of the template that are not there. Raises what the engine raises."""
    named = {"quota": template.quota, "settings_profile": template.settings_profile}
    found = [await _look_for(engine, key, name, profile) for key, name in named.items() if name is not None]
    return tuple(unmet for unmet in found if unmet is not None)


async def _look_for(engine: Engine, key: str, name: str, profile: str) -> Unmet | None:
    kind = key.replace("_", " ")
    try:
        # Not in the system tables: the embedded engine has an alias there for a name that XML cannot hold.
        await engine.query(f"SHOW CREATE {kind} {quote_identifier(name)}")
        fixed = key == "quota" and await _is_fixed(engine, name)
    except NoRightError as error:
        return Unmet(profile, key, error, seen=False)
    except UnknownNameError:
        create = _create_command(profile, key, name)
        return Unmet(profile, key, NotFoundError(f"There is no {kind} {one_line(name)}.", advice=f"Run: {create}"))
    if not fixed:
        return None
    create = _create_command(profile, key, "NAME")
    message = f"The quota {one_line(name)} is kept in users.xml, where no statement can add users to it."
    return Unmet(profile, key, RefusedError(message, advice=f"Name another one, as this makes it: {create}"))


async def _is_fixed(engine: Engine, name: str) -> bool:
    """Whether users would have to be added to a quota that no statement alters."""
    if engine.home == "embedded":  # whose quotas are all projected to a users.xml, and kept elsewhere but for its own
        return name == "default"
    sql = "SELECT 1 FROM system.quotas WHERE name = {name:String} AND storage = 'users_xml' AND NOT apply_to_all"
    return bool((await engine.query(sql, {"name": name})).rows)


def _create_command(profile: str, key: str, name: str) -> str:
    verb = f"{key.replace('_', '-')} create {shlex.quote(name)}{_OPTIONS.get(key, '')}"
    return f"housekeys -p {shlex.quote(profile)} {verb}"


class Prerequisites:
    """Looks again and again at what a template names, and logs what is missing and what has come. For one event loop.

    `begin` comes first. `met_once`: nothing was missing at some look.
    """

    def __init__(self, engine: Engine, template: ResourceTemplate, profile: str) -> None:
        self.met_once = False
        self._named: tuple[Unmet, ...] = ()
        self._rights: tuple[Unmet, ...] = ()
        self._engine = engine
        self._template = template
        self._profile = profile
        self._lock = asyncio.Lock()
        self._looked_at = -float("inf")

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """What the last look has found, and the rights that were lacking at the start."""
        return (*self._named, *self._rights)

    @property
    def missing(self) -> tuple[Unmet, ...]:
        """What the last look has found not to be there."""
        return tuple(unmet for unmet in self._named if unmet.seen)

    async def begin(self) -> None:
        """Look at everything. Raises what the engine raises; BadInputError for what only another profile mends."""
        await refuse_ungrantable(self._engine, self._template)
        self._rights = await read_rights(self._engine, self._template, self._profile)
        _log_difference((), self._rights)
        await self.fresh(0)

    async def fresh(self, seconds: float) -> None:
        """Look if the last look is longer ago than that. Raises what the engine raises."""
        async with self._lock:
            if time.monotonic() - self._looked_at > seconds:
                found = await read_missing(self._engine, self._template, self._profile)
                self._looked_at = time.monotonic()
                before, self._named = self._named, found
                self.met_once = self.met_once or not self.missing
                _log_difference(before, found)

    async def follow(self) -> None:
        """Look again and again until cancelled. A ClickHouse that cannot be asked is waited for."""
        while True:
            try:
                await self.fresh(LOOK_SECONDS)
            except HousekeysError as error:
                log.warning("whether all that the template names is there cannot be seen: %s %s", error, error.detail)
            await asyncio.sleep(LOOK_SECONDS)


def _log_difference(before: Sequence[Unmet], now: Sequence[Unmet]) -> None:
    told, standing = {str(unmet) for unmet in before}, {str(unmet) for unmet in now}
    for unmet in now:
        if str(unmet) not in told:
            log.log(logging.ERROR if unmet.seen else logging.WARNING, "%s", unmet)
    for unmet in before:
        if str(unmet) not in standing:
            log.info("%s is met now", dotted(unmet.path))
