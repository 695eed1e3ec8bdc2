"""Opening the access management of a cloud. Its SDK is an extra, and is imported only here, when it is needed."""

from __future__ import annotations

import asyncio

from core.errors import BadInputError
from core.lakehouse.cloud_access import CloudAccess
from core.lakehouse.clouds.cloud_place import TIMEOUT, CloudPlace
from core.lakehouse.connections import Provider


async def open_cloud(
    provider: Provider,
    *,
    region: str,
    endpoint: str | None = None,
    sts_endpoint: str | None = None,
    credentials_profile: str | None = None,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of each answer later, not of this call
) -> CloudAccess:
    """The access management of a cloud. Nothing is asked of it yet.

    Raises BadInputError: the SDK is not installed, or it has no such profile or endpoint.
    """
    place = CloudPlace(region, endpoint, sts_endpoint, credentials_profile, timeout)
    return await asyncio.to_thread(_open, provider, place)  # an SDK takes up to a second to import


def _open(provider: Provider, place: CloudPlace) -> CloudAccess:
    try:
        match provider:
            case Provider.AWS:
                from core.lakehouse.clouds.aws import AwsAccess

                return AwsAccess.open(place)
            case Provider.ALIYUN:
                from core.lakehouse.clouds.aliyun import AliyunAccess

                return AliyunAccess.open(place)
            case Provider.TENCENT:
                from core.lakehouse.clouds.tencent import TencentAccess

                return TencentAccess.open(place)
    except ModuleNotFoundError as error:
        raise BadInputError(
            f"The SDK of {provider.cloud} is not installed.",
            advice=f"Run: pip install 'housekeys[{provider.value}]'. Or do the cloud's side by hand.",
            detail=str(error),
        ) from error
