"""What of a connection's two sides Housekeys may work on itself, by the profile, and opening it when it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import RefusedError
from core.lakehouse.cloud_access import CloudAccess
from core.lakehouse.clouds.opening import open_cloud
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.provisioning.cloud_calls import CloudCalls
from core.lakehouse.provisioning.lakehouse_calls import LakehouseCalls
from core.lakehouse.provisioning.lakehouse_steps import LAKEHOUSE
from core.lakehouse.reaching.client import LakehouseClient
from core.lakehouse.reaching.lakehouse import Lakehouse
from core.lakehouse.state import ConnectionState, Stage
from core.profiles import CloudSettings, LakehouseSettings
from core.running.needs import Service
from core.secrets import Prompt


@dataclass(slots=True)
class Reach:
    """Opens the Lakehouse and the clouds of one profile, each once. Closed with `close`."""

    lakehouse_settings: LakehouseSettings | None
    cloud_settings: Mapping[str, CloudSettings]
    prompt: Prompt | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)  # many may ask for the same at once
    _lakehouse: LakehouseClient | None = field(default=None, init=False)
    _clouds: dict[tuple[Provider, str], CloudAccess] = field(default_factory=dict, init=False)

    def provisions(self, provider: Provider) -> bool:
        """Whether Housekeys works on this cloud itself; otherwise that is done by hand."""
        settings = self.cloud_settings.get(provider.value)
        return settings is not None and settings.provision

    def carries_out(self, state: ConnectionState) -> bool:
        """Whether Housekeys does itself what is next for a connection."""
        match state.stage:
            case Stage.CREATE | Stage.DESCRIBE:
                return self.lakehouse_settings is not None
            case Stage.READY:
                return False
        return self.provisions(state.connection.provider)

    async def lakehouse(self) -> Lakehouse | None:
        """The Lakehouse, None where the profile names none. Raises what opening it raises."""
        if self.lakehouse_settings is None:
            return None
        async with self._opening:
            if self._lakehouse is None:
                settings = self.lakehouse_settings
                label = f"Password of {settings.username} at {settings.service}"
                password = await settings.password.resolve(self.prompt, label=label)
                self._lakehouse = await LakehouseClient.open(settings, password)
            return Lakehouse(self._lakehouse)

    async def cloud(self, connection: ApiConnection) -> CloudAccess | None:
        """The cloud of a connection, None where that is done by hand. Raises what opening it raises."""
        if not self.provisions(connection.provider):
            return None
        return await self.cloud_in(connection.provider, connection.region)

    async def cloud_in(self, provider: Provider, region: str) -> CloudAccess:
        """A cloud that the profile has settings of, in a region. Raises what opening it raises."""
        async with self._opening:
            if (provider, region) not in self._clouds:
                settings = self.cloud_settings[provider.value]
                self._clouds[provider, region] = await open_cloud(
                    provider,
                    region=settings.region or region,
                    endpoint=settings.endpoint,
                    sts_endpoint=settings.sts_endpoint,
                    credentials_profile=settings.credentials_profile,
                )
            return self._clouds[provider, region]

    async def open_service(self, name: str) -> Service:
        """Whoever carries out the calls that name this service. See `core.running.needs.OpenService`."""
        if name == LAKEHOUSE:
            if (lakehouse := await self.lakehouse()) is None:
                raise RefusedError("The profile names no Lakehouse.", advice="Add [profiles.NAME.lakehouse] to it.")
            return LakehouseCalls(lakehouse)
        provider, _, region = name.partition(":")
        if not self.provisions(Provider(provider)):
            raise RefusedError(
                f"The profile does not let Housekeys change {Provider(provider).cloud}.",
                advice=f"Set provision = true in [profiles.NAME.clouds.{provider}], or do it by hand.",
            )
        return CloudCalls(await self.cloud_in(Provider(provider), region))

    async def close(self) -> None:
        """Let go of everything that was opened. Idempotent."""
        lakehouse, self._lakehouse = self._lakehouse, None
        if lakehouse is not None:
            await lakehouse.close()
        clouds, self._clouds = self._clouds, {}
        for cloud in clouds.values():
            await cloud.close()
