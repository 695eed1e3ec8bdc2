"""Carries out what changes say of the secrets of partner connections. The secrets wait here until their step runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from core.changes import JsonValue
from core.errors import BadInputError, HousekeysError
from core.partner.handling.needs import ForgetsTokens
from core.partner.messages.requests import ConnectRequest
from core.partner.oauth.erasing import away_from_refreshes
from core.partner.oauth.u2m import OneAtATime, alone
from core.partner.provisioning.keeping import KEEP
from core.partner.provisioning.removal import CONNECTION_ID, ERASE, SECRETS
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.running.needs import Service
from core.running.runner import Runner
from core.secrets import Secret


class SecretsKeeper:
    """Seals and erases secrets; the service `SECRETS` of changes. For one event loop."""

    def __init__(
        self, secrets: SealedSecrets, tokens: Sequence[ForgetsTokens] = (), one_at_a_time: OneAtATime = alone
    ) -> None:
        self._secrets = secrets
        self._tokens = tuple(tokens)
        self._one_at_a_time = one_at_a_time
        self._waiting: dict[str, dict[SecretName, Secret]] = {}

    def serve(self, runner: Runner) -> None:
        """Carry out what the changes of `runner` say of secrets; other services stay with who has them."""
        others = runner.open_service

        async def open_service(name: str) -> Service:
            return self if name == SECRETS else await others(name)

        runner.open_service = open_service

    def await_step(self, connection_id: str, secrets: Mapping[SecretName, Secret]) -> None:
        """Hold secrets until the step comes that keeps them."""
        self._waiting[connection_id] = dict(secrets)

    def let_go(self, connection_id: str) -> None:
        """Hold the secrets of a partner connection no longer, whatever has become of them."""
        self._waiting.pop(connection_id, None)

    async def has_secrets(self, connection_id: str) -> bool:
        """Whether any secret of a partner connection is kept. Raises what the place raises."""
        return bool(await self._secrets.kept(connection_id))

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Keep or erase the secrets of one partner connection. Idempotent."""
        connection_id = str(arguments[CONNECTION_ID])
        if operation == KEEP:
            await self._keep(connection_id)
        elif operation == ERASE:
            await self._erase(connection_id)
        else:
            raise BadInputError(f"Secrets of partner connections are kept or erased, and not {operation!r}.")
        return {}

    async def _keep(self, connection_id: str) -> None:
        waiting = self._waiting.get(connection_id)
        if waiting is None:
            raise HousekeysError(
                f"The secrets of partner connection {connection_id!r} are not here any more.",
                advice="Undo this change; Databricks sends them again when it connects anew.",
            )
        for name, secret in waiting.items():
            await self._secrets.keep(SealedPlace(connection_id, name), secret)

    async def _erase(self, connection_id: str) -> None:
        for tokens in self._tokens:
            await tokens.forget(connection_id)
        names = [place.name.value for place in await self._secrets.kept(connection_id)]
        async with away_from_refreshes(connection_id, names, self._one_at_a_time):
            await self._secrets.erase(connection_id)


def secrets_of(request: ConnectRequest, options: Collection[str]) -> dict[SecretName, Secret]:
    """The secrets that a connect request brings for these of the auth options; others are not kept."""
    brought = {
        SecretName.PERSONAL_ACCESS_TOKEN: ("AUTH_PAT", request.personal_access_token),
        SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET: ("AUTH_OAUTH_M2M", request.service_principal_oauth_secret),
    }
    return {name: secret for name, (option, secret) in brought.items() if secret is not None and option in options}
