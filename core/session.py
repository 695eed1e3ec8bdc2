"""A session: one profile, connected, with everything that works on it wired together.

The console and the one-shot commands both work through a `Session`; nothing else opens engines, journals or runners.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.clickhouse.capabilities import Capabilities, probe
from core.clickhouse.connecting import connect
from core.clickhouse.engine import Engine
from core.errors import HousekeysError
from core.journal.journal import Journal
from core.paths import Paths
from core.profiles import Preferences, Profile, ProfileFile
from core.read_only import resolve_read_only
from core.running.runner import Operator, ReadOnly, Runner
from core.secrets import Prompt

if TYPE_CHECKING:
    from core.keys.key_ring import KeyRing

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """A connected profile. Closed with `close`; safe to use from one event loop."""

    profile: Profile
    preferences: Preferences
    paths: Paths
    read_only: ReadOnly
    operator: Operator
    engine: Engine
    capabilities: Capabilities
    journal: Journal
    runner: Runner
    _keys: KeyRing | None = field(default=None, init=False, repr=False)

    @classmethod
    async def open(
        cls,
        profile_file: ProfileFile,
        profile_name: str | None,
        paths: Paths,
        *,
        read_only: bool | None = None,
        prompt: Prompt | None = None,
        operator: Operator | None = None,
        catch_up: bool = True,
    ) -> Session:
        """Connect, learn what the connection may do, and with `catch_up` send what an earlier run could not.

        Raises UnreachableError, RefusedError (no password to be had), BadInputError or NotFoundError (the profile).
        """
        profile = profile_file.profile(profile_name)
        mode = resolve_read_only(read_only, profile, profile_file.preferences)
        operator = operator or Operator.current()
        engine = await connect(profile, paths, read_only=mode.active, prompt=prompt)
        try:
            capabilities = await probe(engine, database=profile.database, cluster=profile.cluster)
            journal = Journal(engine, profile.database, profile.cluster)
            runner = Runner(engine, journal, paths.changes(profile.name), operator, profile.name, mode)
        except BaseException:
            await engine.close()
            raise
        session = cls(profile, profile_file.preferences, paths, mode, operator, engine, capabilities, journal, runner)
        if catch_up:
            await session.send_unsent()
        return session

    async def send_unsent(self) -> None:
        """Send journal rows that an earlier run could not; a failure is logged, for browsing must go on."""
        if self.read_only.active:
            return
        try:
            await self.runner.send_unsent()
        except HousekeysError as error:
            log.warning("journal rows stay unsent: %s %s", error, error.detail)

    @property
    def keys(self) -> KeyRing:
        """The private keys of the profile on this machine, all locked at first; `close` locks them again."""
        if self._keys is None:
            # Here, because the library behind it is large and most sessions need no private key.
            from core.keys.key_ring import KeyRing
            from core.keys.key_store import KeyStore

            store = KeyStore(self.profile.key_folder(self.paths))
            self._keys = KeyRing(store, self.preferences.idle_lock * 60)
        return self._keys

    def lock_keys(self, *, only_when_idle: bool = False) -> bool:
        """Lock the private keys, or only when none was used for a while. Returns whether any was unlocked."""
        if self._keys is None:
            return False
        if only_when_idle:
            return self._keys.lock_if_idle()
        unlocked = bool(self._keys.unlocked)
        self._keys.lock()
        return unlocked

    async def close(self) -> None:
        """Lock the keys and let go of the engine. Idempotent."""
        if self._keys is not None:
            self._keys.lock()
        await self.engine.close()
