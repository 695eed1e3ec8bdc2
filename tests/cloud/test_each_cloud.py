"""What is particular to one cloud: versions, paths, pages, profiles, rights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from core.errors import BadInputError, HousekeysError, RefusedError
from core.lakehouse.cloud_access import PolicyName
from core.lakehouse.clouds import aws, tencent
from core.lakehouse.clouds.policy_texts import read_policy, write_policy
from tests.cloud.accounts import Account, aliyun_account, aws_account, tencent_account
from tests.cloud.aliyun_stub import AliyunStub
from tests.cloud.fixtures import AwsServer, CloudEnvironment
from tests.cloud.tencent_stub import TencentStub

POLICY, ROLE = "LakehouseAccess", "LakehouseRole"


@pytest.fixture
def aws_side(aws_server: AwsServer) -> Account:
    return aws_account(aws_server.url, "aws-cn")


@pytest.fixture
def iam(aws_side: Account) -> Any:
    """moto's IAM beside our own access to it."""
    import boto3

    return boto3.client("iam", region_name=aws_side.region, endpoint_url=aws_side.url)


async def test_the_oldest_version_not_in_force_makes_room(aws_side: Account, iam: Any) -> None:
    access = await aws_side.open()
    await access.create_policy(POLICY, aws_side.permission("lambda:Get1"), "")
    for number in range(2, 6):
        await access.update_policy(POLICY, aws_side.permission(f"lambda:Get{number}"))
    arn = f"arn:aws-cn:iam::{aws_side.number}:policy/{POLICY}"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    await access.update_policy(POLICY, aws_side.permission("lambda:Get6"))
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert {each["VersionId"] for each in versions} == {"v1", "v3", "v4", "v5", "v6"}
    assert [each["VersionId"] for each in versions if each["IsDefaultVersion"]] == ["v6"]
    await access.close()


async def test_a_policy_of_the_account_under_a_path(aws_side: Account, iam: Any) -> None:
    access = await aws_side.open()
    document = aws_side.permission("lambda:Invoke")
    iam.create_policy(PolicyName=POLICY, Path="/team/", PolicyDocument=json.dumps(document))
    assert await access.policy(PolicyName(POLICY)) == document
    await access.create_role(ROLE, aws_side.trust("000000"), "")
    await access.attach_policy(ROLE, PolicyName(POLICY))
    role = await access.role(ROLE)
    assert role is not None and role.attached == frozenset({PolicyName(POLICY)})
    await access.detach_policy(ROLE, PolicyName(POLICY))
    await access.delete_policy(POLICY)
    assert await access.policy(PolicyName(POLICY)) is None
    await access.close()


async def test_what_comes_in_pages_is_read_whole(
    aws_side: Account, tencent_stub: TencentStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "PAGE", 1)
    monkeypatch.setattr(tencent, "PAGE", 1)
    for account in (aws_side, tencent_account(tencent_stub)):
        access = await account.open()
        await access.create_role(ROLE, account.trust("000000"), "")
        names = ["Lake", "LakehouseAccess", "LakehouseAccess2"]  # each found by the search for the first
        for name in names:
            await access.create_policy(name, account.permission(f"scf:{name}"), "")
            await access.attach_policy(ROLE, PolicyName(name))
        role = await access.role(ROLE)
        assert role is not None and role.attached == {PolicyName(name) for name in names}
        assert await access.policy(PolicyName("LakehouseAccess2")) == account.permission("scf:LakehouseAccess2")
        await access.close()


async def test_aws_refuses_unknown_keys_wrong_secrets_and_missing_rights(
    aws_side: Account, iam: Any, cloud_environment: CloudEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam.create_user(UserName="operator")
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)  # asks for keys and rights from now on
    for key_id, secret, code in (
        ("AKIANOBODYHASTHISKEY", "wrong-secret", "InvalidClientTokenId"),
        (key["AccessKeyId"], "wrong-secret", "SignatureDoesNotMatch"),
        (key["AccessKeyId"], key["SecretAccessKey"], "AccessDenied"),
    ):
        cloud_environment.set(AWS_ACCESS_KEY_ID=key_id, AWS_SECRET_ACCESS_KEY=secret)
        access = await aws_side.open()
        with pytest.raises(RefusedError) as refused:
            await access.create_role(ROLE, aws_side.trust("000000"), "")
        assert refused.value.detail.startswith(code)
        assert secret not in f"{refused.value!r}{refused.value}{refused.value.detail}"
        await access.close()


async def test_profiles_of_the_aws_configuration(aws_side: Account, cloud_environment: CloudEnvironment) -> None:
    cloud_environment.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    credentials = "[lake]\naws_access_key_id = AKIALAKE\naws_secret_access_key = a-secret\n"
    (cloud_environment.home / "aws_credentials").write_text(credentials)
    access = await aws_side.open(credentials_profile="lake")
    assert await access.account() == aws_side.number
    with pytest.raises(BadInputError, match=r"profile \(laek\) could not be found"):
        await aws_side.open(credentials_profile="laek")
    cloud_environment.set(AWS_PROFILE="kale")
    with pytest.raises(BadInputError, match="kale"):
        await aws_side.open()
    await access.close()


@pytest.mark.parametrize("region", ["no where", "", "nowhere"])
async def test_a_region_that_aws_cannot_have(aws_side: Account, region: str) -> None:
    with pytest.raises(BadInputError, match="region"):
        await replace(aws_side, region=region).open()


async def test_profiles_of_the_aliyun_command(aliyun_stub: AliyunStub, cloud_environment: CloudEnvironment) -> None:
    account = aliyun_account(aliyun_stub)
    keys = {"access_key_id": aliyun_stub.key_id, "access_key_secret": aliyun_stub.key_secret}
    file = cloud_environment.home / ".aliyun" / "config.json"
    file.parent.mkdir()
    lake = {"name": "lake", "mode": "AK", "region_id": "cn-hangzhou"} | keys
    file.write_text(json.dumps({"current": "default", "profiles": [lake]}))
    cloud_environment.unset("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    access = await account.open(credentials_profile="lake")
    assert await access.account() == account.number


async def test_tencent_has_no_profiles(tencent_stub: TencentStub) -> None:
    with pytest.raises(BadInputError, match="no profiles"):
        await tencent_account(tencent_stub).open(credentials_profile="lake")


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1", "http://user:word@127.0.0.1", "http://127.0.0.1/path", "127.0.0.1"]
)
async def test_endpoints_that_are_none(address: str, aliyun_stub: AliyunStub) -> None:
    with pytest.raises(BadInputError) as refused:
        await replace(aliyun_account(aliyun_stub), url=address).open()
    assert "word" not in f"{refused.value}{refused.value.detail}"


async def test_alibaba_keeps_five_versions(aliyun_stub: AliyunStub) -> None:
    account = aliyun_account(aliyun_stub)
    access = await account.open()
    await access.create_policy(POLICY, account.permission("fc:Get0"), "")
    for number in range(1, 7):
        await access.update_policy(POLICY, account.permission(f"fc:Get{number}"))
    policy = aliyun_stub.policies[POLICY]
    assert list(policy.versions) == ["v3", "v4", "v5", "v6", "v7"]
    assert policy.document == account.permission("fc:Get6")


@pytest.mark.parametrize("text", ["", "[]", "{", "%7B", "no document"])
def test_a_document_that_cannot_be_read(text: str) -> None:
    with pytest.raises(HousekeysError, match="no JSON object"):
        read_policy(text)


def test_documents_are_read_as_json_or_url_encoded() -> None:
    document = {"Statement": [{"Resource": "acs:oss:*:*:a%20b+c/*"}]}
    text = write_policy(document)
    assert read_policy(text) == read_policy(quote(text)) == read_policy(document) == document


async def test_what_was_made_a_moment_ago_is_waited_for(aliyun_stub: AliyunStub) -> None:
    account = aliyun_account(aliyun_stub)
    access = await account.open()
    await access.create_role(ROLE, account.trust("000000"), "")
    aliyun_stub.fail("AttachPolicyToRole", "EntityNotExist.Role", status=404, times=2)
    await access.attach_policy(ROLE, account.provided)
    assert aliyun_stub.calls.count("AttachPolicyToRole") == 3
    role = await access.role(ROLE)
    assert role is not None and role.attached == frozenset({account.provided})
