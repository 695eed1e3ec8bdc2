"""One account in each cloud, for the tests that hold for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.lakehouse.cloud_access import CloudAccess
from tests.cloud.accounts import Account, aliyun_account, aws_account, tencent_account
from tests.cloud.fixtures import (  # noqa: F401 - fixtures of this folder
    aliyun_stub,
    aws_server,
    cloud_environment,
    running_moto,
    tencent_stub,
)


@pytest.fixture(params=["aws", "aws-cn", "aliyun", "tencent"])
def account(request: pytest.FixtureRequest) -> Account:
    """An account in each cloud, in both partitions of AWS, with nothing in it but what the cloud provides."""
    match request.param:
        case "aliyun":
            return aliyun_account(request.getfixturevalue("aliyun_stub"))
        case "tencent":
            return tencent_account(request.getfixturevalue("tencent_stub"))
        case partition:
            return aws_account(request.getfixturevalue("aws_server").url, partition)


@pytest.fixture(params=["aliyun", "tencent"])
def stubbed(request: pytest.FixtureRequest) -> Account:
    """An account in each cloud whose answers a test can decide on."""
    if request.param == "aliyun":
        return aliyun_account(request.getfixturevalue("aliyun_stub"))
    return tencent_account(request.getfixturevalue("tencent_stub"))


@pytest_asyncio.fixture
async def cloud(account: Account) -> AsyncIterator[CloudAccess]:
    """Access to each of the accounts."""
    access = await account.open()
    yield access
    await access.close()
