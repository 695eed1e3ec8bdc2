"""The parts of a service on one ClickHouse, put together: what `partner serve` starts, and tests start as well."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.clickhouse.capabilities import Capabilities
from core.clickhouse.engine import Engine
from core.errors import BadInputError, HousekeysError, RefusedError
from core.partner.handling.links import Links
from core.partner.handling.reception import Reception
from core.partner.handling.request_handler import RequestHandler
from core.partner.handling.secrets_keeper import SecretsKeeper
from core.partner.handling.settling import Settling
from core.partner.messages.partner_config import PartnerConfig
from core.partner.messages.responses import TestResult
from core.partner.oauth.calling import Address, https_address
from core.partner.partner_configs import partner_config
from core.partner.partner_connections import PartnerConnections, PartnerConnectionState
from core.partner.provisioning.clusters import Clusters
from core.partner.provisioning.prerequisites import Prerequisites
from core.partner.security.current_keys import CurrentKeys, ReadKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedValueError
from core.partner.security.sealing_keys import SealingKeys, SealingKeyStore, load_sealing_keys
from core.partner.storage.claims import Claims
from core.partner.storage.credentials import LiveCredentials
from core.partner.storage.leases import Leases
from core.partner.storage.request_writer import RequestWriter
from core.partner.storage.shared_journal import SharedJournal
from core.partner.storage.used_links import UsedLinks
from core.partner.workspaces.testing import WorkspaceTests, try_out
from core.partner.workspaces.tokens import WorkspaceTokens
from core.paths import Paths
from core.profiles.model import Profile
from core.profiles.partner import PartnerPolicy
from core.running.runner import Runner
from core.secrets import Kind, Prompt

log = logging.getLogger(__name__)

READY_SECONDS: Final = 3.0  # how old what is known may be for the service to count as ready


@dataclass(frozen=True, slots=True)
class Ground:
    """What a session has: the profile, its ClickHouse, and what runs changes there."""

    profile: Profile
    engine: Engine
    capabilities: Capabilities
    runner: Runner
    connections: PartnerConnections


class ServingParts:
    """All that a service answers with. For one event loop; `start` comes first, `aclose` last.

    `handler`, `reception`, `credentials` and `requests` are what `core.partner.service` needs, as this itself is for
    readiness.
    """

    def __init__(
        self, ground: Ground, keys: CurrentKeys, tokens: WorkspaceTokens, secrets: SealedSecrets, leases: Leases
    ) -> None:
        policy, connections = policy_of(ground.profile), ground.connections
        database, state = ground.profile.database, connections.known_state
        runner = ground.runner.with_journal(SharedJournal)
        clusters = Clusters.of(ground.capabilities, ground.profile.cluster)
        self.policy = policy
        self.config: PartnerConfig = partner_config(policy)
        self.state = state
        self.credentials = LiveCredentials(state, runner)
        self.requests = RequestWriter(connections.request_log)
        self.handler = RequestHandler(
            policy,
            Settling(ground.engine, runner, state, policy, clusters),
            SecretsKeeper(secrets, (tokens,), leases.hold),
            Links(policy, keys),
            WorkspaceTests(ground.engine, state, secrets, tokens),
            connections.sealed_table,
        )
        self.reception = Reception(
            policy,
            state,
            runner,
            keys,
            UsedLinks(Claims(ground.engine, database)).record,
            secrets,
            tokens,
            address=ground.profile.address_for_users,
            clusters=clusters,
        )
        self.prerequisites = Prerequisites(ground.engine, policy.resources, ground.profile.name)
        self._tokens = tokens
        self._secrets = secrets
        self._sealed = connections.sealed_table
        self._keys = keys
        self._background: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        ground: Ground,
        keys: SealingKeys,
        *,
        read_keys: ReadKeys | None = None,
        verify: ssl.SSLContext | bool = True,
        address: Address = https_address,
    ) -> ServingParts:
        """Put them together. `read_keys` reads the keys anew; `verify` and `address` are how workspaces are reached."""
        current = CurrentKeys(keys, read_keys)
        secrets = SealedSecrets(current, ground.connections.sealed_table)
        leases = Leases(Claims(ground.engine, ground.profile.database))
        policy = policy_of(ground.profile)
        tokens = await WorkspaceTokens.open(secrets, policy, leases.hold, verify=verify, address=address)
        return cls(ground, current, tokens, secrets, leases)

    async def start(self) -> None:
        """Read what is known, bring to an end what a killed process has left, and follow the journal from then on.

        Raises what the engine raises; BadInputError for privileges of the template that no database can have. What
        the template names and is not there may come later: until then `why_not_ready` tells.
        """
        await self.prerequisites.begin()
        await self.handler.settle_at_start()
        followed = (self.state.follow(), self.prerequisites.follow(), self._keep_seals_new())
        self._background = [asyncio.create_task(one) for one in followed]

    def renew_keys(self) -> None:
        """Take up new sealing keys, and seal with the newest what older ones have sealed. Goes on in the background."""
        self._keys.renew()

    async def why_not_ready(self) -> str:
        """Empty when requests can be answered; else a sentence that says why not, without a secret."""
        if not self._background:
            return "The service is starting."
        try:
            await self.state.fresh(READY_SECONDS)
            if not self.prerequisites.met_once:
                await self.prerequisites.fresh(READY_SECONDS)
        except HousekeysError:
            return "ClickHouse cannot be asked; the log says why."
        return "" if self.prerequisites.met_once else "Not all is there that the profile names."

    def missing(self) -> Sequence[str]:
        """What the template names and is not there, a sentence each.

        Once all of it was there the service stays ready all the same: only those who come new are answered with a 500,
        and if it were not, nobody could sign in, and no secret were erased that Databricks wants erased.
        """
        return [str(unmet) for unmet in self.prerequisites.missing]

    async def aclose(self) -> None:
        """Finish what was begun, write what is to be kept, and let go of the workspaces. Idempotent."""
        await self.handler.close()
        await self.reception.close()
        await self.credentials.aclose()
        await self.requests.aclose()
        await self._tokens.close()
        await self._keys.close()
        for task in self._background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_seals_new(self) -> None:
        """At the start, and whenever sealing keys were taken up: older keys can go one day."""
        while True:
            await self._renew_seals()
            await self._keys.taken_up()

    async def _renew_seals(self) -> None:
        """Seal with the newest key what older ones have sealed."""
        renewed = 0
        try:
            by_key = await self._sealed.by_key()
            outdated = sorted(set().union(*(found for key, found in by_key.items() if key != self._keys.newest)))
            for connection in outdated:
                renewed += await self._renew_seals_of(connection)
        except HousekeysError as error:
            log.warning("secrets stay sealed with older keys, which are still needed: %s %s", error, error.detail)
        except Exception:
            log.exception("sealing anew failed unexpectedly")
        if renewed:
            log.info("%d secrets are sealed with the newest key now, %s", renewed, self._keys.newest)

    async def _renew_seals_of(self, connection: str) -> int:
        """How many were; none of a connect that is under way elsewhere, and none that outlives a deletion."""
        if self.state.known.connection(connection, None) is None:
            return 0
        try:
            return await self._secrets.renew_seals(connection)
        except SealedValueError as error:  # one that nobody opens keeps no other under an old key
            log.warning("%s %s", error, error.advice)
            return 0
        finally:
            await self.state.catch_up()
            if self.state.known.connection(connection, None) is None:
                await self._secrets.erase(connection)


def policy_of(profile: Profile) -> PartnerPolicy:
    """What the profile says of Partner Connect. Raises BadInputError when that is nothing."""
    if profile.partner is None:
        raise BadInputError(
            f"Profile {profile.name!r} says nothing of Partner Connect.",
            advice='Add to it: [profiles.NAME.partner] with base_url = "https://HOST", where users reach the service.',
        )
    return profile.partner


def sealing_key_store(profile: Profile, paths: Paths) -> SealingKeyStore:
    """Where the sealing keys of a profile are on this machine."""
    return SealingKeyStore(profile.key_folder(paths))


async def open_sealing_keys(
    profile: Profile, paths: Paths, prompt: Prompt | None = None, known: SealingKeys | None = None
) -> SealingKeys:
    """The sealing keys by the way that the profile names. Raises BadInputError, and as `load_sealing_keys`."""
    reference = policy_of(profile).sealing_keys
    if reference is None:
        raise BadInputError(
            f"Profile {profile.name!r} does not say how its sealing keys are opened.",
            advice='Add to [profiles.NAME.partner]: sealing_keys = "file:/PATH", of their passphrase.',
        )
    return await load_sealing_keys(reference, sealing_key_store(profile, paths), prompt, known)


def sealing_keys_again(profile: Profile, paths: Paths) -> ReadKeys:
    """How a running service reads its sealing keys again: as `open_sealing_keys`, but nobody is asked."""

    async def read(known: SealingKeys) -> SealingKeys:
        reference = policy_of(profile).sealing_keys
        if reference is not None and reference.kind is Kind.PROMPT:
            raise RefusedError(
                "The passphrase of the sealing keys was typed, and nobody can be asked for it now.",
                advice="Restart the service to take up new ones.",
            )
        return await open_sealing_keys(profile, paths, known=known)

    return read


async def try_connection(
    ground: Ground, state: PartnerConnectionState, keys: SealingKeys, *, address: Address = https_address
) -> tuple[TestResult, ...]:
    """Test one partner connection where no service runs. What fails is a result and is not raised."""
    secrets = SealedSecrets(CurrentKeys(keys), ground.connections.sealed_table)
    policy = policy_of(ground.profile)
    known_state = ground.connections.known_state
    leases = Leases(Claims(ground.engine, ground.profile.database))
    return await try_out(ground.engine, known_state, secrets, policy, state.connection, leases.hold, address=address)
