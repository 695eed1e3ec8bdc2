"""Alibaba Cloud RAM by the vendor's generic client: policies with versions, system policies, roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_credentials.provider import CLIProfileCredentialsProvider, DefaultCredentialsProvider
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from core.lakehouse.cloud_access import Document, PolicyName, RoleState
from core.lakehouse.clouds.calling import Answer, AskedOnce, Caller, refuse_path, silence
from core.lakehouse.clouds.cloud_place import CloudPlace, host_of
from core.lakehouse.clouds.policy_texts import read_policy, write_policy
from core.lakehouse.clouds.troubles import CallFailure, Trouble, trouble_of
from core.lakehouse.connections import Provider

RAM, RAM_VERSION = "ram.aliyuncs.com", "2015-05-01"
STS, STS_VERSION = "sts.aliyuncs.com", "2015-04-01"
_LOGGERS = ("darabonba-core", "credentials", "alibabacloud-tea", "apscheduler")
_TROUBLES = {
    "EntityNotExist": Trouble.ABSENT,
    "EntityAlreadyExists": Trouble.TAKEN,
    "EntityAlreadyExist": Trouble.TAKEN,
    "DeleteConflict": Trouble.IN_USE,
    "LimitExceeded": Trouble.FULL,
    "MalformedPolicyDocument": Trouble.MALFORMED,
    "InvalidParameter": Trouble.MALFORMED,
    "MissingParameter": Trouble.MALFORMED,
    "NoPermission": Trouble.REFUSED,
    "Forbidden": Trouble.REFUSED,
    "InvalidAccessKeyId": Trouble.BAD_CREDENTIALS,
    "SignatureDoesNotMatch": Trouble.BAD_CREDENTIALS,
    "IncompleteSignature": Trouble.BAD_CREDENTIALS,
    "InvalidSecurityToken": Trouble.BAD_CREDENTIALS,
    "MissingSecurityToken": Trouble.BAD_CREDENTIALS,
    "InvalidTimeStamp": Trouble.BAD_CREDENTIALS,
    "Throttling": Trouble.BUSY,
    "ServiceUnavailable": Trouble.NO_ANSWER,
    "InternalError": Trouble.NO_ANSWER,
}


class AliyunAccess:
    """One Alibaba Cloud account. See `core.lakehouse.cloud_access.CloudAccess`."""

    provider = Provider.ALIYUN

    def __init__(self, ram: Client, sts: Client, credentials: Credentials, timeout: float) -> None:
        self._ram, self._sts, self._credentials = ram, sts, credentials
        self._timeout = round(timeout * 1000)
        self._calls = Caller(Provider.ALIYUN, self._send, timeout)
        self._account = AskedOnce(self._ask_account)

    @classmethod
    def open(cls, place: CloudPlace) -> AliyunAccess:
        """Make the clients; asks nothing of Alibaba Cloud. A profile is one of the `aliyun` command."""
        silence(*_LOGGERS)
        if place.credentials_profile:
            credentials = Credentials(provider=CLIProfileCredentialsProvider(profile_name=place.credentials_profile))
        else:
            credentials = Credentials(provider=DefaultCredentialsProvider())
        ram, sts = (
            Client(Config(credential=credentials, region_id=place.region, protocol=protocol, endpoint=host))
            for protocol, host in (host_of(place.endpoint, RAM), host_of(place.sts_endpoint, STS))
        )
        return cls(ram, sts, credentials, place.timeout)

    async def account(self) -> str:
        return await self._account.answer()

    async def policy(self, policy: PolicyName) -> Document | None:
        found = await self._calls.find("GetPolicy", **_policy(policy))
        return None if found is None else read_policy(found["DefaultPolicyVersion"]["PolicyDocument"])

    async def create_policy(self, name: str, document: Document, description: str) -> None:
        await self._calls.write(
            "CreatePolicy", PolicyName=name, PolicyDocument=write_policy(document), Description=description
        )

    async def update_policy(self, name: str, document: Document) -> None:
        await self._calls.write(
            "CreatePolicyVersion",
            PolicyName=name,
            PolicyDocument=write_policy(document),
            SetAsDefault="true",
            RotateStrategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
        )

    async def delete_policy(self, name: str) -> None:
        found = await self._calls.find("ListPolicyVersions", **_policy(PolicyName(name)))
        for version in _rows(found or {}, "PolicyVersions", "PolicyVersion"):
            if not version["IsDefaultVersion"]:
                await self._calls.write(
                    "DeletePolicyVersion", PolicyName=name, VersionId=version["VersionId"], unless={Trouble.ABSENT}
                )
        await self._calls.write("DeletePolicy", PolicyName=name, unless={Trouble.ABSENT})

    async def role(self, name: str) -> RoleState | None:
        found = await self._calls.find("GetRole", RoleName=name)
        if found is None:
            return None
        listed = await self._calls.read("ListPoliciesForRole", RoleName=name)
        attached = frozenset(
            PolicyName(each["PolicyName"], provided=each["PolicyType"] == "System")
            for each in _rows(listed, "Policies", "Policy")
        )
        role = found["Role"]
        return RoleState(role["RoleName"], role["Arn"], read_policy(role["AssumeRolePolicyDocument"]), attached)

    async def create_role(self, name: str, trust: Document, description: str, path: str = "") -> RoleState:
        refuse_path(self.provider, path)
        created = await self._calls.write(
            "CreateRole", RoleName=name, AssumeRolePolicyDocument=write_policy(trust), Description=description
        )
        return RoleState(name, created["Role"]["Arn"], trust, frozenset())

    async def update_trust(self, role: str, trust: Document) -> None:
        await self._calls.write("UpdateRole", RoleName=role, NewAssumeRolePolicyDocument=write_policy(trust))

    async def delete_role(self, name: str) -> None:
        await self._calls.write("DeleteRole", RoleName=name, unless={Trouble.ABSENT})

    async def attach_policy(self, role: str, policy: PolicyName) -> None:
        # What was made a moment ago is not known everywhere in RAM yet.
        what = _policy(policy)
        await self._calls.write(
            "AttachPolicyToRole", RoleName=role, **what, unless={Trouble.TAKEN}, again={Trouble.ABSENT}
        )

    async def detach_policy(self, role: str, policy: PolicyName) -> None:
        await self._calls.write("DetachPolicyFromRole", RoleName=role, **_policy(policy), unless={Trouble.ABSENT})

    async def close(self) -> None:
        """Nothing to do: the SDK keeps its connections for the whole process, by host."""

    async def _ask_account(self) -> str:
        return str((await self._calls.read("GetCallerIdentity"))["AccountId"])

    def _send(self, operation: str, parameters: Mapping[str, Any]) -> Answer:
        self._look_for_credentials()
        asks_who = operation == "GetCallerIdentity"
        call = Params(
            action=operation,
            version=STS_VERSION if asks_who else RAM_VERSION,
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        runtime = RuntimeOptions(connect_timeout=self._timeout, read_timeout=self._timeout)
        try:  # the parameters go into the body: a URL is repeated in logs and errors
            answer = (self._sts if asks_who else self._ram).call_api(
                call, OpenApiRequest(body=dict(parameters)), runtime
            )
            return dict(answer["body"])
        except AlibabaCloudException as error:
            raise _failure(error) from None
        except Exception as error:  # the SDK wraps what its HTTP library and its parser raise, in several ways
            cause = getattr(error, "inner_exception", None) or error
            raise CallFailure(Trouble.NO_ANSWER, type(cause).__name__, said=str(cause)) from None

    def _look_for_credentials(self) -> None:
        try:
            self._credentials.get_credential()
        except Exception as error:  # each way of the chain raises what it likes, with paths but without credentials
            raise CallFailure(Trouble.NO_CREDENTIALS, type(error).__name__) from None


def _failure(error: AlibabaCloudException) -> CallFailure:
    code, data = str(error.code), error.data or {}
    trouble = trouble_of(code, int(error.status_code or 0), _TROUBLES)
    return CallFailure(trouble, code, request_id=str(error.request_id or ""), said=str(data.get("Message", "")))


def _policy(policy: PolicyName) -> dict[str, Any]:
    return {"PolicyType": "System" if policy.provided else "Custom", "PolicyName": policy.name}


def _rows(answer: Answer, outer: str, inner: str) -> list[Mapping[str, Any]]:
    return list(answer.get(outer, {}).get(inner, []))
