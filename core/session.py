"""A session: one profile, connected, with everything that works on it wired together.

The console and the one-shot commands both work through a `Session`; nothing else opens engines, journals or runners.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

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
    from core.lakehouse.api_connections import ApiConnections
    from core.partner.partner_connections import PartnerConnections
    from core.partner.serving_parts import Ground
    from core.running.needs import Service

log = logging.getLogger(__name__)

PARTNER_SECRETS: Final = "partner_secrets"  # the service of `core.partner.provisioning.removal.SECRETS`


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
    _connections: ApiConnections | None = field(default=None, init=False, repr=False)
    _partner_connections: PartnerConnections | None = field(default=None, init=False, repr=False)
    _prompt: Prompt | None = field(default=None, init=False, repr=False)

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
        session._prompt = prompt
        runner.open_service = session._open_service
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

    @property
    def connections(self) -> ApiConnections:
        """The API connections of the profile; the Lakehouse and the clouds are reached when they are needed."""
        if self._connections is None:
            from core.lakehouse.api_connections import ApiConnections
            from core.lakehouse.reach import Reach

            reach = Reach(self.profile.lakehouse, self.profile.clouds, self._prompt)
            self._connections = ApiConnections(self.journal, reach)
        return self._connections

    @property
    def partner_connections(self) -> PartnerConnections:
        """The partner connections of the profile: what the journal knows of them, and what can be done."""
        if self._partner_connections is None:
            from core.partner.partner_connections import PartnerConnections
            from core.partner.provisioning.clusters import Clusters

            clusters = Clusters.of(self.capabilities, self.profile.cluster)
            self._partner_connections = PartnerConnections(self.engine, self.journal, self.profile.partner, clusters)
        return self._partner_connections

    @property
    def partner_ground(self) -> Ground:
        """What the parts of a service of Partner Connect stand on, and the test of a partner connection."""
        from core.partner.serving_parts import Ground

        return Ground(self.profile, self.engine, self.capabilities, self.runner, self.partner_connections)

    async def _open_service(self, name: str) -> Service:
        if name == PARTNER_SECRETS:
            return self.partner_connections.secret_calls
        return await self.connections.reach.open_service(name)

    async def close(self) -> None:
        """Lock the keys and let go of everything that was opened. Idempotent."""
        if self._keys is not None:
            self._keys.lock()
        if self._connections is not None:
            await self._connections.reach.close()
        await self.engine.close()
