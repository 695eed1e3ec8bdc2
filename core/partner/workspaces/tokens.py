"""What opens workspaces: personal access tokens, and the access tokens that M2M and U2M give."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

from core.errors import BadInputError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import PartnerConnection
from core.partner.oauth.calling import Address, Answer, DatabricksHttp, https_address
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.failures import OAuthRefusedError
from core.partner.oauth.m2m import M2mTokens
from core.partner.oauth.tokens import AccessToken, DatabricksClient
from core.partner.oauth.u2m import OneAtATime, U2mTokens, alone
from core.partner.security.hosts import WorkspaceHost, workspace_host
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.workspaces.oauth_apps import app_of
from core.profiles.partner import AuthOption
from core.secrets import Secret

Call = Callable[[Secret], Awaitable[Answer | None]]
"""One call to a workspace with a bearer token."""
_UNAUTHORIZED = 401


class _GivesTokens(Protocol):
    async def access_token(self, client: DatabricksClient) -> AccessToken: ...

    def rejected(self, client: DatabricksClient, token: AccessToken) -> None: ...


class WorkspaceTokens:
    """The tokens of all partner connections, for one event loop. Closed with `close`."""

    def __init__(
        self, http: DatabricksHttp, secrets: SealedSecrets, policy: PartnerPolicy, one_at_a_time: OneAtATime = alone
    ) -> None:
        discovery = Discovery(http)
        self.http = http
        self.m2m = M2mTokens(http, discovery, secrets)
        self.u2m = U2mTokens(http, discovery, secrets, one_at_a_time)
        self._secrets = secrets
        self._policy = policy

    @classmethod
    async def open(
        cls,
        secrets: SealedSecrets,
        policy: PartnerPolicy,
        one_at_a_time: OneAtATime = alone,
        *,
        verify: ssl.SSLContext | bool = True,
        address: Address = https_address,
    ) -> WorkspaceTokens:
        """Make ready to reach workspaces; none is called yet. `one_at_a_time` keeps other processes away."""
        return cls(await DatabricksHttp.open(verify=verify, address=address), secrets, policy, one_at_a_time)

    async def call(self, connection: PartnerConnection, option: AuthOption, call: Call) -> Answer | None:
        """What a call answers with the token of a partner connection that this way to authenticate gives.

        Once more with a new token where Databricks does not take the one that was at hand.
        Raises OAuthRefusedError, UnreachableError, BadInputError; SealedValueError when a secret does not open.
        """
        if option == "AUTH_PAT":
            return await call(await self._personal_access_token(connection))
        source: _GivesTokens = self.m2m if option == "AUTH_OAUTH_M2M" else self.u2m
        client = self.client(connection, option)
        token = await source.access_token(client)
        answer = await call(token.value)
        if answer is None or answer.status != _UNAUTHORIZED:
            return answer
        source.rejected(client, token)
        return await call((await source.access_token(client)).value)

    def client(self, connection: PartnerConnection, option: AuthOption) -> DatabricksClient:
        """Who asks the workspace for tokens. Raises BadInputError where no id is known."""
        if option == "AUTH_OAUTH_M2M":
            client_id = connection.coordinates.service_principal_id if connection.coordinates else None
            if not client_id:
                raise BadInputError(f"Databricks has told no service principal for partner connection {connection.id}.")
        else:
            client_id = app_of(self._policy, connection).client_id
        return DatabricksClient(connection.id, host_of(connection), client_id)

    async def forget(self, connection_id: str) -> None:
        """Forget the tokens of a partner connection that ends. Before its secrets are erased."""
        await self.m2m.forget(connection_id)
        await self.u2m.forget(connection_id)

    async def close(self) -> None:
        """Finish what is under way and let go of the workspaces. Idempotent."""
        await self.u2m.close()
        await self.http.close()

    async def _personal_access_token(self, connection: PartnerConnection) -> Secret:
        token = await self._secrets.get(SealedPlace(connection.id, SecretName.PERSONAL_ACCESS_TOKEN))
        if token is None:
            raise OAuthRefusedError(
                f"There is no personal access token for partner connection {connection.id!r}.",
                advice="Have the partner connection made again.",
            )
        return token


def host_of(connection: PartnerConnection) -> WorkspaceHost:
    """The host of a partner connection's workspace. Raises HostRefusedError, BadInputError when it is deleted."""
    if connection.coordinates is None:
        raise BadInputError(f"Partner connection {connection.id} is deleted: it leads nowhere any more.")
    return workspace_host(connection.coordinates.hostname, connection.workspace.cloud_provider)
