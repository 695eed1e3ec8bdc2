"""The sides of API connections that a profile names, each tried once: log in, and ask who it is.

Nothing is changed by it, and nothing that an open session has is used: what it was told once may hold no more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.errors import HousekeysError, RefusedError
from core.lakehouse.api_connections import ApiConnections, TellsEvents
from core.lakehouse.connections import Provider
from core.lakehouse.reach import Reach
from core.profiles import LakehouseSettings, Profile
from core.secrets import Prompt

# Where a cloud is asked when nothing names a region: they tell there of all their regions, but for AWS in China.
_USUAL_REGIONS: Final = {Provider.AWS: "us-east-1", Provider.ALIYUN: "cn-hangzhou", Provider.TENCENT: "ap-guangzhou"}


@dataclass(frozen=True, slots=True)
class TriedSide:
    """What came of trying one side."""

    key: str  # `lakehouse`, or the cloud's key in `Profile.clouds`
    label: str  # for people
    said: str = ""  # what it answered, for people; empty when it failed
    facts: Mapping[str, str | int] = field(default_factory=dict)  # the same for scripts
    error: HousekeysError | None = None
    advice: str = ""  # what to do about the error


async def try_sides(profile: Profile, journal: TellsEvents, prompt: Prompt | None = None) -> tuple[TriedSide, ...]:
    """Try the Lakehouse and each cloud that Housekeys may change. What goes wrong with one is told with it."""
    reach = Reach(profile.lakehouse, profile.clouds, prompt)
    try:
        regions = await _recorded_regions(ApiConnections(journal, reach))
        clouds = (_try_cloud(reach, provider, profile, regions) for provider in Provider if reach.provisions(provider))
        lakehouse = () if profile.lakehouse is None else (_try_lakehouse(reach, profile.lakehouse),)
        return tuple(await asyncio.gather(*lakehouse, *clouds))
    finally:
        await reach.close()


async def _try_lakehouse(reach: Reach, settings: LakehouseSettings) -> TriedSide:
    key, label = "lakehouse", "Lakehouse"
    try:
        lakehouse = await reach.lakehouse()
        listed = await lakehouse.connections() if lakehouse else ()
    except HousekeysError as error:
        return TriedSide(key, label, error=error, advice=error.advice)
    number, own = len(listed), sum(row.category.upper() == "API" for row in listed)
    facts: dict[str, str | int] = {"workspace": settings.workspace, "connections": number, "api_connections": own}
    noun = "connection" if number == 1 else "connections"
    return TriedSide(key, label, f"workspace {settings.workspace}, {number} {noun} ({own} API)", facts)


async def _try_cloud(reach: Reach, provider: Provider, profile: Profile, regions: Mapping[Provider, str]) -> TriedSide:
    key, label = provider.value, provider.cloud
    named = profile.clouds[key].region or regions.get(provider, "")
    region = named or _USUAL_REGIONS[provider]
    try:
        account = await (await reach.cloud_in(provider, region)).account()
    except HousekeysError as error:
        advice = error.advice
        if provider is Provider.AWS and not named and isinstance(error, RefusedError):
            advice += f" They were tried in {region}, as no region is named: set one for credentials of AWS in China."
        return TriedSide(key, label, error=error, advice=advice.strip())
    return TriedSide(key, label, f"account {account}, asked in {region}", {"account": account, "region": region})


async def _recorded_regions(connections: ApiConnections) -> Mapping[Provider, str]:
    """The region that most connections of each cloud lead to; none of a journal that cannot be read."""
    try:
        states = await connections.states()
    except HousekeysError:
        return {}
    counted = Counter((state.connection.provider, state.connection.region) for state in states.values())
    return {provider: region for (provider, region), _ in reversed(counted.most_common())}
