"""One account in each cloud with its documents, so that one test can be run against all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.lakehouse.cloud_access import CloudAccess, Document, PolicyName
from core.lakehouse.clouds.opening import open_cloud
from core.lakehouse.connections import Provider
from tests.cloud.fixtures import AWS_ACCOUNT
from tests.cloud.stub_server import CloudStub

AWS_REGIONS = {"aws": "us-west-2", "aws-cn": "cn-northwest-1"}


@dataclass(frozen=True, slots=True)
class Account:
    """A cloud's account. `stub` is None for AWS, where moto answers."""

    provider: Provider
    region: str
    url: str
    number: str
    role_arn: str  # with {} for the name
    provided: PolicyName
    stub: CloudStub | None = None

    async def open(self, **options: Any) -> CloudAccess:
        """Access to it, by what is in the environment."""
        given: dict[str, Any] = {"endpoint": self.url, "sts_endpoint": self.url, "timeout": 10.0}
        return await open_cloud(self.provider, region=self.region, **(given | options))

    def permission(self, action: str) -> Document:
        """A permission policy that allows one action."""
        if self.provider is Provider.TENCENT:
            return {"version": "2.0", "statement": [{"effect": "allow", "action": [action], "resource": ["*"]}]}
        version = "1" if self.provider is Provider.ALIYUN else "2012-10-17"
        return {"Version": version, "Statement": [{"Effect": "Allow", "Action": [action], "Resource": ["*"]}]}

    def trust(self, external_id: str) -> Document:
        """A trust policy that asks for an external id."""
        if self.provider is Provider.TENCENT:
            condition = {"string_equal": {"sts:external_id": external_id}}
            principal = {"qcs": ["qcs::cam::uin/100029595716:root"]}
            statement = {"action": "name/sts:AssumeRole", "effect": "allow", "principal": principal}
            return {"version": "2.0", "statement": [statement | {"condition": condition}]}
        aliyun = self.provider is Provider.ALIYUN
        who = {"RAM": ["acs:ram::1384322691904283:root"]} if aliyun else {"AWS": "arn:aws:iam::014617434350:root"}
        condition = {"StringEquals": {"sts:ExternalId": external_id}}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who}
        return {"Version": "1" if aliyun else "2012-10-17", "Statement": [statement | {"Condition": condition}]}


def aws_account(url: str, partition: str) -> Account:
    """moto's account, as a partition's region sees it."""
    arn = f"arn:{partition}:iam::{AWS_ACCOUNT}:role/{{}}"
    provided = PolicyName("AWSLambdaBasicExecutionRole", provided=True)
    return Account(Provider.AWS, AWS_REGIONS[partition], url, AWS_ACCOUNT, arn, provided)


def aliyun_account(stub: CloudStub) -> Account:
    """The stub's account. Its ARNs are in lower case, as RAM's console writes them."""
    provided = PolicyName("AliyunFCFullAccess", provided=True)
    arn = f"acs:ram::{stub.account}:role/{{}}"
    return Account(Provider.ALIYUN, "cn-hangzhou", stub.url, stub.account, arn, provided, stub)


def tencent_account(stub: CloudStub) -> Account:
    """The stub's account."""
    provided = PolicyName("QcloudSCFFullAccess", provided=True)
    arn = f"qcs::cam::uin/{stub.account}:roleName/{{}}"
    return Account(Provider.TENCENT, "ap-shanghai", stub.url, stub.account, arn, provided, stub)
