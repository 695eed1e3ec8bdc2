"""A partner's side of OAuth in memory, and the fake workspace that it asks over real HTTP."""

from __future__ import annotations

import asyncio
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from core.errors import HousekeysError, UnreachableError
from core.partner.oauth.authorization import OAuthApp, published_app
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.m2m import M2mTokens
from core.partner.oauth.tokens import AccessToken, DatabricksClient
from core.partner.oauth.u2m import U2mTokens
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import workspace_host
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.secrets import Secret
from tests.databricks_fake import PRINCIPAL, PRINCIPAL_SECRET, PUBLISHED_APP, REDIRECT, DatabricksFake
from tests.unit.partner.sealed_memory import SealedMemory

HOST = workspace_host("dbc-a1b2.cloud.databricks.com")
TOKEN_PATH = "/oidc/v1/token"
ME = "/api/2.0/preview/scim/v2/Me"
PRINCIPAL_CLIENT = DatabricksClient("c-1", HOST, PRINCIPAL)
USER_CLIENT = DatabricksClient("c-1", HOST, PUBLISHED_APP)
APP = published_app(PUBLISHED_APP, REDIRECT)
REFRESH_PLACE = SealedPlace("c-1", SecretName.U2M_REFRESH_TOKEN)
PENDING_PLACE = SealedPlace("c-1", SecretName.U2M_AUTHORIZATION)


class MemoryLeases:
    """Leases among processes that are all here."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        self.taken.append(name)
        async with self._locks[name]:
            yield


@dataclass
class Partner:
    """A partner's side, and the fake workspace that it takes for HOST."""

    fake: DatabricksFake
    http: DatabricksHttp
    now: float = 1000.0
    memory: SealedMemory = field(default_factory=SealedMemory)

    def __post_init__(self) -> None:
        self.secrets = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(32))])), self.memory)
        self.leases = MemoryLeases()
        self.discovery = Discovery(self.http, self.clock)
        self.m2m = M2mTokens(self.http, self.discovery, self.secrets, self.clock)
        self.u2m = self.another_process()

    def another_process(self) -> U2mTokens:
        """The tokens of users as another process behind the balancer sees them."""
        clock = self.clock
        return U2mTokens(self.http, self.discovery, self.secrets, self.leases.hold, clock=clock, wall_clock=clock)

    def clock(self) -> float:
        return self.now

    async def authorise(self, app: OAuthApp = APP) -> DatabricksClient:
        begun = await self.u2m.begin("c-1", HOST, app)
        return await self.u2m.complete(self.fake.consent(begun.url), begun.browser_key)

    async def refresh_in_vain(self, client: DatabricksClient) -> None:
        """An hour later a token is refreshed, and what comes of it cannot be stored."""
        self.now += 3600
        self.memory.full = True
        with pytest.raises(UnreachableError):
            await self.u2m.access_token(client)
        self.memory.full = False

    async def name_of(self, token: AccessToken) -> str:
        """Whose token it is, by Databricks."""
        headers = {"Authorization": f"Bearer {token.value.reveal()}"}
        reply = await asyncio.to_thread(self.fake.answer, "GET", ME, headers, b"")
        return "" if reply.status != 200 else reply.body.decode()


async def with_secret(partner: Partner) -> Partner:
    place = SealedPlace("c-1", SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET)
    await partner.secrets.keep(place, Secret(PRINCIPAL_SECRET, passing=True))
    return partner


def assert_no_secret(error: HousekeysError) -> None:
    shown = f"{error}{error.detail}{error!r}{''.join(traceback.format_exception(error))}"
    assert PRINCIPAL_SECRET not in shown
    seen: BaseException | None = error
    while seen is not None:
        assert not isinstance(seen, OSError)  # the HTTP client's own hold headers
        seen = seen.__cause__ or seen.__context__
