"""What an operator is told when a cloud fails, what is tried again, and that no credential is in any of it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.errors import BadInputError, HousekeysError, RefusedError, UnreachableError
from core.lakehouse.cloud_access import CloudAccess, PolicyName
from core.lakehouse.clouds.opening import open_cloud
from core.lakehouse.connections import Provider
from tests.cloud.accounts import Account, aliyun_account
from tests.cloud.aliyun_stub import AliyunStub
from tests.cloud.fixtures import CloudEnvironment
from tests.cloud.stub_server import CloudStub, Request

POLICY, ROLE = "LakehouseAccess", "LakehouseRole"
KEYS = {
    Provider.AWS: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    Provider.ALIYUN: ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    Provider.TENCENT: ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
}
BUSY = {Provider.ALIYUN: "Throttling.User", Provider.TENCENT: "RequestLimitExceeded.UinLimitExceeded"}
NO_RIGHT = {Provider.ALIYUN: "NoPermission", Provider.TENCENT: "AuthFailure.UnauthorizedOperation"}


@pytest.fixture
def silent_address() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def stub_of(account: Account) -> CloudStub:
    assert account.stub is not None
    return account.stub


async def test_without_credentials_it_says_where_they_come_from(
    account: Account, cloud_environment: CloudEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_environment.unset(*KEYS[account.provider])
    access = await account.open()
    if account.provider is Provider.TENCENT:
        chain = sys.modules["tencentcloud.common.credential"]
        monkeypatch.setattr(chain.CVMRoleCredential, "_role_endpoint", "http://127.0.0.1:1/")
    with pytest.raises(UnreachableError) as missing:
        await access.account()
    assert KEYS[account.provider][0] in missing.value.advice
    with pytest.raises(UnreachableError):
        await access.role(ROLE)
    await access.close()


async def test_an_address_where_nobody_answers(account: Account, silent_address: str) -> None:
    refusing = await account.open(endpoint="http://127.0.0.1:1", sts_endpoint="http://127.0.0.1:1")
    with pytest.raises(UnreachableError):
        await refusing.role(ROLE)
    silent = await account.open(endpoint=silent_address, sts_endpoint=silent_address, timeout=0.05)
    with pytest.raises(UnreachableError):
        await silent.role(ROLE)
    await refusing.close()
    await silent.close()


@pytest.mark.parametrize("provider", list(Provider))
async def test_an_sdk_that_is_not_installed_is_named(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for sdk in ("boto3", "alibabacloud_tea_openapi.client", "tencentcloud.common.common_client"):
        monkeypatch.setitem(sys.modules, sdk, None)
    monkeypatch.delitem(sys.modules, f"core.lakehouse.clouds.{provider}", raising=False)
    with pytest.raises(BadInputError) as absent:
        await open_cloud(provider, region="cn-hangzhou")
    assert f"pip install 'housekeys[{provider}]'" in absent.value.advice


async def test_wrong_credentials_are_refused_and_shown_nowhere(
    stubbed: Account,
    cloud_environment: CloudEnvironment,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    key, secret = KEYS[stubbed.provider]
    cloud_environment.set(**{secret: "wrong-secret-wrong-secret-wrong00", "DEBUG": "sdk"})
    caplog.set_level(logging.DEBUG)
    shown = []
    for variables in ({}, {key: "nobody-has-this-key-id-0"}):
        cloud_environment.set(**variables)
        access = await stubbed.open()
        with pytest.raises(RefusedError) as refused:
            await access.create_policy(POLICY, stubbed.permission("oss:GetObject"), "")
        shown += [repr(refused.value), str(refused.value), refused.value.detail, repr(access)]
        shown += traceback.format_exception(refused.value)
    stub = stub_of(stubbed)
    assert len(stub.rejected) == 2 and not stub.calls and not stub.policies
    text = "\n".join([*shown, caplog.text, *capfd.readouterr()])
    assert "wrong-secret" not in text
    assert "Signature=" not in text and stub.key_id not in text


async def test_a_session_token_is_sent_and_never_repeated(
    aliyun_stub: AliyunStub, cloud_environment: CloudEnvironment
) -> None:
    aliyun_stub.token = "session-token-of-the-stub"
    cloud_environment.set(ALIBABA_CLOUD_SECURITY_TOKEN="session-token-of-the-stub")
    access = await aliyun_account(aliyun_stub).open()
    assert await access.account() == aliyun_stub.account
    cloud_environment.set(ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong-secret")
    access = await aliyun_account(aliyun_stub).open()
    with pytest.raises(RefusedError) as refused:  # the cloud's own sentence repeats what it has signed
        await access.account()
    assert "session-token" not in f"{refused.value}{refused.value.detail}"
    assert "SignatureDoesNotMatch, request id RAM-" in refused.value.detail


async def test_a_changed_request_is_found_out(stubbed: Account) -> None:
    """The stubs judge each request: what was changed on its way, or is sent again, is rejected."""
    stub = stub_of(stubbed)
    access = await stubbed.open()
    await access.create_policy(POLICY, stubbed.permission("oss:GetObject"), "")
    genuine = stub.requests[-1]
    _, answer = stub.answer(replace(genuine, body=genuine.body.replace(b"GetObject", b"PutObject")))
    assert "Signature" in str(answer)
    headers = dict(genuine.headers) | {"host": "another.example"}
    _, answer = stub.answer(replace(genuine, headers=headers))
    assert "Signature" in str(answer)
    assert len(stub.rejected) == 2 and stub.calls == ["CreatePolicy"]


async def test_a_missing_right_names_the_call(stubbed: Account) -> None:
    stub_of(stubbed).fail("CreateRole", NO_RIGHT[stubbed.provider], "You are not authorized.", status=403)
    access = await stubbed.open()
    with pytest.raises(RefusedError, match=r"does not allow CreateRole: You are not authorized\.") as refused:
        await access.create_role(ROLE, stubbed.trust("000000"), "")
    assert refused.value.detail.startswith(f"{NO_RIGHT[stubbed.provider]}, request id ")


async def test_a_busy_cloud_is_asked_again(stubbed: Account) -> None:
    stub = stub_of(stubbed)
    access = await stubbed.open()
    for action in ("CreatePolicy", "GetRole"):
        stub.fail(action, BUSY[stubbed.provider], status=429, times=2)
    await access.create_policy(POLICY, stubbed.permission("oss:GetObject"), "")
    assert await access.role(ROLE) is None
    assert (stub.calls.count("CreatePolicy"), stub.calls.count("GetRole")) == (3, 3)
    stub.fail("CreateRole", BUSY[stubbed.provider], status=429, times=9)
    with pytest.raises(HousekeysError, match="asked too often"):
        await access.create_role(ROLE, stubbed.trust("000000"), "")
    assert stub.calls.count("CreateRole") == 3 and not stub.roles


async def test_only_what_changes_nothing_is_asked_again_after_no_answer(stubbed: Account) -> None:
    stub = stub_of(stubbed)
    access = await stubbed.open()
    stub.fail("GetRole", "ServiceUnavailable", "try later", status=503)
    assert await access.role(ROLE) is None
    assert stub.calls.count("GetRole") == 2
    stub.fail("CreatePolicy", "ServiceUnavailable", "try later", status=503, carried_out=True)
    with pytest.raises(UnreachableError, match="did not answer CreatePolicy"):
        await access.create_policy(POLICY, stubbed.permission("oss:GetObject"), "")
    assert stub.calls.count("CreatePolicy") == 1
    assert await access.policy(PolicyName(POLICY)) == stubbed.permission("oss:GetObject")


class Stranger(CloudStub):
    """Something else than the cloud, at its endpoint."""

    status = 200

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        return self.status, {}


async def test_an_endpoint_that_is_not_the_cloud(account: Account) -> None:
    with Stranger() as stranger:
        access = await account.open(endpoint=stranger.url, sts_endpoint=stranger.url)
        with pytest.raises(HousekeysError, match=r"The answer is not one of|did not answer"):
            await access.role(ROLE)
        stranger.status = 503
        stranger.requests.clear()
        with pytest.raises(UnreachableError):
            await access.role(ROLE)
        assert len(stranger.requests) == 3
        with pytest.raises(UnreachableError):
            await access.create_role(ROLE, account.trust("000000"), "")
        assert len(stranger.requests) == 4
        await access.close()


async def test_many_calls_at_once(cloud: CloudAccess, account: Account) -> None:
    names = [f"Role{number}" for number in range(8)]
    for name in names:
        await cloud.create_role(name, account.trust(name), "")
    found = await asyncio.gather(*(cloud.role(name) for name in names))
    assert [role and role.trust for role in found] == [account.trust(name) for name in names]
