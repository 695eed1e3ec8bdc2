"""M2M: access tokens for the service principal that Partner Connect has made, by its id and its OAuth secret.

The secret is opened only when a token is asked for. There is no refresh token: one asks again.
"""

from __future__ import annotations

from collections.abc import Callable

from core.keys.key_ring import seconds
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.failures import OAuthRefusedError
from core.partner.oauth.single_flight import SingleFlight
from core.partner.oauth.tokens import AccessToken, DatabricksClient, read_granted
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName

SCOPE = "all-apis"


class M2mTokens:
    """The access tokens of service principals, each asked for once by however many want it at a time."""

    def __init__(
        self,
        http: DatabricksHttp,
        discovery: Discovery,
        secrets: SealedSecrets,
        clock: Callable[[], float] = seconds,
    ) -> None:
        self._http = http
        self._discovery = discovery
        self._secrets = secrets
        self._clock = clock
        self._tokens: dict[DatabricksClient, AccessToken] = {}
        self._flight: SingleFlight[AccessToken] = SingleFlight()

    async def access_token(self, client: DatabricksClient) -> AccessToken:
        """A token that is good for some time yet.

        Raises OAuthRefusedError, UnreachableError; SealedValueError when the OAuth secret does not open.
        """
        token = self._tokens.get(client)
        if token is not None and token.usable(self._clock()):
            return token
        return await self._flight.join(client.connection_id, lambda: self._ask(client))

    def rejected(self, client: DatabricksClient, token: AccessToken) -> None:
        """Databricks did not accept `token`: the next one that wants a token gets a new one."""
        if self._tokens.get(client) is token:
            del self._tokens[client]

    async def forget(self, connection_id: str) -> None:
        """Forget the tokens of a partner connection that ends. Before its secrets are erased."""
        await self._flight.settle(connection_id)
        for client in [client for client in self._tokens if client.connection_id == connection_id]:
            del self._tokens[client]

    async def _ask(self, client: DatabricksClient) -> AccessToken:
        place = SealedPlace(client.connection_id, SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET)
        secret = await self._secrets.get(place)
        if secret is None:
            raise OAuthRefusedError(
                f"There is no OAuth secret for partner connection {client.connection_id!r}.",
                advice="Have the partner connection made again.",
            )
        endpoints = await self._discovery.endpoints(client.host)
        asked_at = self._clock()
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        answer = await self._http.post_form(client.host, endpoints.token, form, (client.client_id, secret))
        token = read_granted(client.host, answer, asked_at).access
        self._tokens[client] = token
        return token
