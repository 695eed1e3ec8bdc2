"""U2M: a user authorises once in the browser, and access tokens in the user's name follow from refresh tokens.

A refresh token may be good for one use only. So those of one partner connection are used one at a time, the new one
is stored before the access token that came with it is handed out, and nobody who stops waiting stops the exchange.
Other processes behind the balancer are kept away meanwhile by `one_at_a_time`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from core.errors import HousekeysError
from core.keys.key_ring import seconds
from core.partner.oauth.authorization import (
    Begun,
    Callback,
    OAuthApp,
    PendingAuthorization,
    begin,
    read_callback,
)
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.failures import (
    AuthorizationStateError,
    MustAuthorizeAgainError,
    OAuthRefusedError,
    refused,
)
from core.partner.oauth.single_flight import SingleFlight
from core.partner.oauth.tokens import AccessToken, DatabricksClient, Granted, read_granted
from core.partner.security.hosts import WorkspaceHost
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.secrets import Secret

log = logging.getLogger(__name__)

_INVALID_GRANT = "invalid_grant"

OneAtATime = Callable[[str], AbstractAsyncContextManager[None]]
"""Keeps everybody else away from what has a name, in other processes too. `core.partner.storage.leases` does."""


def alone(name: str) -> AbstractAsyncContextManager[None]:
    """Where there is nobody else."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """What came of a refresh token and could not be stored; `used` is the one that it replaces."""

    granted: Granted
    used: Secret = field(repr=False)


class U2mTokens:
    """Authorizations and access tokens of users, by partner connection. For one event loop."""

    def __init__(
        self,
        http: DatabricksHttp,
        discovery: Discovery,
        secrets: SealedSecrets,
        one_at_a_time: OneAtATime = alone,
        *,
        clock: Callable[[], float] = seconds,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._discovery = discovery
        self._secrets = secrets
        self._one_at_a_time = one_at_a_time
        self._clock = clock
        self._wall_clock = wall_clock
        self._tokens: dict[str, AccessToken] = {}
        self._unsaved: dict[str, _Unsaved] = {}
        self._flight: SingleFlight[AccessToken] = SingleFlight()

    async def begin(self, connection_id: str, host: WorkspaceHost, app: OAuthApp) -> Begun:
        """Begin an authorization; one begun before for the same partner connection is given up.

        Raises UnreachableError.
        """
        client = DatabricksClient(connection_id, host, app.client_id)
        endpoints = await self._discovery.endpoints(host)
        pending, begun = begin(client, app, endpoints, self._wall_clock())
        await self._secrets.keep(_pending_place(connection_id), pending.to_secret())
        return begun

    async def complete(self, query: Sequence[tuple[str, str]], browser_key: Secret) -> DatabricksClient:
        """Finish an authorization with the parameters that the browser brings back, and its cookie.

        Raises AuthorizationStateError; OAuthRefusedError when the user or Databricks says no; UnreachableError.
        """
        callback = read_callback(query)
        client: list[DatabricksClient] = []

        async def finish() -> AccessToken:
            async with self._one_at_a_time(lease_of(callback.connection_id)):
                pending = await self._pending(callback, browser_key)
                await self._secrets.remove(_pending_place(callback.connection_id))  # it cannot be finished again
                client.append(pending.client)
                return await self._exchange(callback, pending)

        await self._pending(callback, browser_key)  # a forged one keeps nobody waiting, and leaves no claim
        await self._flight.alone(callback.connection_id, finish)
        return client[0]

    async def access_token(self, client: DatabricksClient) -> AccessToken:
        """A token that is good for some time yet.

        Raises MustAuthorizeAgainError when the refresh token is gone; OAuthRefusedError, UnreachableError.
        """
        token = self._tokens.get(client.connection_id)
        if token is not None and token.usable(self._clock()):
            return token
        return await self._flight.join(client.connection_id, lambda: self._renew(client))

    def rejected(self, client: DatabricksClient, token: AccessToken) -> None:
        """Databricks did not accept `token`: the next one that wants a token gets a new one."""
        if self._tokens.get(client.connection_id) is token:
            del self._tokens[client.connection_id]

    async def forget(self, connection_id: str) -> None:
        """Forget the tokens of a partner connection that ends. Before its secrets are erased."""
        await self._flight.settle(connection_id)
        self._tokens.pop(connection_id, None)
        self._unsaved.pop(connection_id, None)

    async def close(self) -> None:
        """Wait for exchanges under way, and store what could not be stored before: it would be lost."""
        await self._flight.settle_all()
        for connection_id in list(self._unsaved):
            try:
                async with self._one_at_a_time(lease_of(connection_id)):
                    await self._store_unsaved(connection_id)
            except HousekeysError as error:
                log.error("the refresh token of partner connection %r is lost: %s", connection_id, error)

    async def _pending(self, callback: Callback, browser_key: Secret) -> PendingAuthorization:
        """The authorization that a callback finishes. Raises AuthorizationStateError."""
        kept = await self._secrets.get(_pending_place(callback.connection_id))
        if kept is None:
            raise AuthorizationStateError
        pending = PendingAuthorization.from_secret(kept)
        callback.check(pending, browser_key, self._wall_clock())
        return pending

    async def _exchange(self, callback: Callback, pending: PendingAuthorization) -> AccessToken:
        client = pending.client
        if callback.code is None:
            raise refused(client.host, callback.error, callback.error_description)
        form = {
            "grant_type": "authorization_code",
            "code": callback.code.reveal(),
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        granted = await self._ask(client, form)
        if granted.refresh is None:
            raise OAuthRefusedError(
                f"{client.host} gave no refresh token.", advice="Allow the scope offline_access in the OAuth app."
            )
        return await self._store(client.connection_id, granted)  # or the user, who is told that it failed, begins anew

    async def _renew(self, client: DatabricksClient) -> AccessToken:
        async with self._one_at_a_time(lease_of(client.connection_id)):
            return await self._renew_alone(client)

    async def _renew_alone(self, client: DatabricksClient) -> AccessToken:
        token = await self._store_unsaved(client.connection_id)
        if token is not None and token.usable(self._clock()):
            return token
        used = await self._refresh_token(client)
        try:
            granted = await self._refresh(client, used)
        except MustAuthorizeAgainError:
            # Another process behind the balancer may have used it, and stored the next one meanwhile.
            now = await self._refresh_token(client)
            if now.matches(used):
                await self._secrets.remove(_refresh_place(client.connection_id))
                raise
            used, granted = now, await self._refresh(client, now)
        if granted.refresh is not None:
            self._unsaved[client.connection_id] = _Unsaved(granted, used)
        return await self._store(client.connection_id, granted)

    async def _store_unsaved(self, connection_id: str) -> AccessToken | None:
        """Store what could not be before, unless it is erased or replaced since; its access token, if there was any."""
        unsaved = self._unsaved.get(connection_id)
        if unsaved is None:
            return None
        kept = await self._secrets.get(_refresh_place(connection_id))
        if kept is None or not kept.matches(unsaved.used):
            del self._unsaved[connection_id]
            return None
        return await self._store(connection_id, unsaved.granted)

    async def _refresh_token(self, client: DatabricksClient) -> Secret:
        refresh = await self._secrets.get(_refresh_place(client.connection_id))
        if refresh is None:
            raise MustAuthorizeAgainError(client.connection_id)
        return refresh

    async def _refresh(self, client: DatabricksClient, refresh: Secret) -> Granted:
        try:
            return await self._ask(client, {"grant_type": "refresh_token", "refresh_token": refresh.reveal()})
        except OAuthRefusedError as error:
            if error.code != _INVALID_GRANT:
                raise
            detail = error.detail
        raise MustAuthorizeAgainError(client.connection_id, detail)

    async def _ask(self, client: DatabricksClient, form: dict[str, str]) -> Granted:
        endpoints = await self._discovery.endpoints(client.host)
        asked_at = self._clock()
        answer = await self._http.post_form(client.host, endpoints.token, {**form, "client_id": client.client_id})
        return read_granted(client.host, answer, asked_at)

    async def _store(self, connection_id: str, granted: Granted) -> AccessToken:
        """Store the refresh token, then give out the access token."""
        if granted.refresh is not None:  # otherwise the one that was used stays good
            await self._secrets.keep(_refresh_place(connection_id), granted.refresh)
            self._unsaved.pop(connection_id, None)
        self._tokens[connection_id] = granted.access
        return granted.access


def lease_of(connection_id: str) -> str:
    """The name of what one at a time may have to use a refresh token of a partner connection."""
    return f"u2m/{connection_id}"


def _pending_place(connection_id: str) -> SealedPlace:
    return SealedPlace(connection_id, SecretName.U2M_AUTHORIZATION)


def _refresh_place(connection_id: str) -> SealedPlace:
    return SealedPlace(connection_id, SecretName.U2M_REFRESH_TOKEN)
