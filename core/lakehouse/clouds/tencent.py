"""Tencent Cloud CAM by the vendor's generic client: policies by id, preset policies, roles."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import DefaultCredentialProvider
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from core.errors import BadInputError, HousekeysError, NotFoundError
from core.lakehouse.cloud_access import Document, PolicyName, RoleState
from core.lakehouse.clouds.calling import Answer, AskedOnce, Caller, refuse_path, silence
from core.lakehouse.clouds.cloud_place import CloudPlace, host_of
from core.lakehouse.clouds.policy_texts import read_policy, write_policy
from core.lakehouse.clouds.troubles import CallFailure, Trouble, trouble_of
from core.lakehouse.connections import Provider

CAM, CAM_VERSION = "cam.tencentcloudapi.com", "2019-01-16"
STS, STS_VERSION = "sts.tencentcloudapi.com", "2018-08-13"
PAGE = 200  # rows; CAM gives no more at once
_PRESET = "QCS"  # the policies that Tencent Cloud provides, as CAM calls them
_TROUBLES = {
    "InvalidParameter.RoleNotExist": Trouble.ABSENT,
    "InvalidParameter.PolicyIdNotExist": Trouble.ABSENT,
    "ResourceNotFound": Trouble.ABSENT,
    "InvalidParameter.RoleNameInUse": Trouble.TAKEN,
    "FailedOperation.PolicyNameInUse": Trouble.TAKEN,
    "FailedOperation.PolicyFull": Trouble.FULL,
    "InvalidParameter.RoleFull": Trouble.FULL,
    "InvalidParameter.AttachmentFull": Trouble.FULL,
    "LimitExceeded": Trouble.FULL,
    "InvalidParameter": Trouble.MALFORMED,
    "InvalidParameterValue": Trouble.MALFORMED,
    "MissingParameter": Trouble.MALFORMED,
    "UnauthorizedOperation": Trouble.REFUSED,
    "AuthFailure.UnauthorizedOperation": Trouble.REFUSED,
    "OperationDenied": Trouble.REFUSED,
    "FailedOperation.Unmodifiable": Trouble.REFUSED,
    "AuthFailure": Trouble.BAD_CREDENTIALS,
    "RequestLimitExceeded": Trouble.BUSY,
    "InternalError": Trouble.NO_ANSWER,
    "ClientNetworkError": Trouble.NO_ANSWER,
    "ServerNetworkError": Trouble.NO_ANSWER,
}


class TencentAccess:
    """One Tencent Cloud account. See `core.lakehouse.cloud_access.CloudAccess`."""

    provider = Provider.TENCENT

    def __init__(self, place: CloudPlace) -> None:
        self._place = place
        self._calls = Caller(Provider.TENCENT, self._send, place.timeout)
        self._clients: dict[str, CommonClient] = {}
        self._opening = threading.Lock()
        self._account = AskedOnce(self._ask_account)

    @classmethod
    def open(cls, place: CloudPlace) -> TencentAccess:
        """Asks nothing of Tencent Cloud. Raises BadInputError for what its SDK does not know."""
        silence("tencentcloud_sdk_common")
        if place.credentials_profile:
            raise BadInputError(
                "Tencent Cloud's SDK has no profiles for credentials.",
                advice="Leave credentials_profile out, and see ~/.tencentcloud/credentials.",
            )
        host_of(place.endpoint, CAM), host_of(place.sts_endpoint, STS)  # raises what is wrong with them
        return cls(place)

    async def account(self) -> str:
        return await self._account.answer()

    async def policy(self, policy: PolicyName) -> Document | None:
        number = await self._find_policy(policy)
        found = None if number is None else await self._calls.find("GetPolicy", PolicyId=number)
        return None if found is None else read_policy(found["PolicyDocument"])

    async def create_policy(self, name: str, document: Document, description: str) -> None:
        await self._calls.write(
            "CreatePolicy", PolicyName=name, PolicyDocument=write_policy(document), Description=description
        )

    async def update_policy(self, name: str, document: Document) -> None:
        number = await self._policy_id(PolicyName(name))
        await self._calls.write("UpdatePolicy", PolicyId=number, PolicyDocument=write_policy(document))

    async def delete_policy(self, name: str) -> None:
        number = await self._find_policy(PolicyName(name))
        if number is not None:
            await self._calls.write("DeletePolicy", PolicyId=[number], unless={Trouble.ABSENT})

    async def role(self, name: str) -> RoleState | None:
        found = await self._calls.find("GetRole", RoleName=name)
        if found is None:
            return None
        role = found["RoleInfo"]
        arn = role.get("RoleArn") or f"qcs::cam::uin/{await self.account()}:roleName/{name}"
        return RoleState(role["RoleName"], arn, read_policy(role["PolicyDocument"]), await self._attached(name))

    async def create_role(self, name: str, trust: Document, description: str, path: str = "") -> RoleState:
        refuse_path(self.provider, path)
        await self._calls.write(
            "CreateRole", RoleName=name, PolicyDocument=write_policy(trust), Description=description
        )
        arn = f"qcs::cam::uin/{await self.account()}:roleName/{name}"
        return RoleState(name, arn, trust, frozenset())

    async def update_trust(self, role: str, trust: Document) -> None:
        await self._calls.write("UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=write_policy(trust))

    async def delete_role(self, name: str) -> None:
        if await self._calls.find("GetRole", RoleName=name) is None:
            return
        if await self._attached(name):  # CAM would delete it all the same, unlike the other clouds
            raise HousekeysError(f"Policies are attached to the role {name}.", advice="Detach them first.")
        await self._calls.write("DeleteRole", RoleName=name, unless={Trouble.ABSENT})

    async def attach_policy(self, role: str, policy: PolicyName) -> None:
        if policy not in await self._attached(role):
            number = await self._policy_id(policy)
            await self._calls.write("AttachRolePolicy", AttachRoleName=role, PolicyId=number)

    async def detach_policy(self, role: str, policy: PolicyName) -> None:
        if await self._calls.find("GetRole", RoleName=role) and policy in await self._attached(role):
            number = await self._policy_id(policy)
            await self._calls.write("DetachRolePolicy", DetachRoleName=role, PolicyId=number, unless={Trouble.ABSENT})

    async def close(self) -> None:
        self._clients.clear()

    async def _ask_account(self) -> str:
        return str((await self._calls.read("GetCallerIdentity"))["AccountId"])

    async def _attached(self, role: str) -> frozenset[PolicyName]:
        rows = await self._pages("ListAttachedRolePolicies", RoleName=role)
        return frozenset(PolicyName(each["PolicyName"], provided=each["PolicyType"] == _PRESET) for each in rows)

    async def _policy_id(self, policy: PolicyName) -> int:
        number = await self._find_policy(policy)
        if number is None:
            raise NotFoundError(f"Tencent Cloud has no policy {policy.name}.")
        return number

    async def _find_policy(self, policy: PolicyName) -> int | None:
        """CAM knows policies by number; its search by name finds those that only begin alike, too."""
        scope = _PRESET if policy.provided else "Local"
        rows = await self._pages("ListPolicies", Scope=scope, Keyword=policy.name)
        return next((int(each["PolicyId"]) for each in rows if each["PolicyName"] == policy.name), None)

    async def _pages(self, operation: str, **parameters: Any) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        page = 0
        while True:
            page += 1
            answer = await self._calls.read(operation, Page=page, Rp=PAGE, **parameters)
            new = answer.get("List") or []
            rows += new
            if not new or len(rows) >= int(answer.get("TotalNum") or 0):
                return rows

    def _send(self, operation: str, parameters: Mapping[str, Any]) -> Answer:
        client = self._client("sts" if operation == "GetCallerIdentity" else "cam")
        try:
            return dict(client.call_json(operation, dict(parameters))["Response"])
        except TencentCloudSDKException as error:
            code = str(error.get_code())
            trouble = trouble_of(code, 0, _TROUBLES)
            said, request = str(error.get_message() or ""), str(error.get_request_id() or "")
            raise CallFailure(trouble, code, request_id=request, said=said) from None
        except (ValueError, KeyError, TypeError) as error:  # an answer that is not CAM's, from a proxy perhaps
            raise CallFailure(Trouble.NO_ANSWER, type(error).__name__) from None

    def _client(self, service: str) -> CommonClient:
        """The client of a service, made with the first call: the chain of credentials may ask the instance."""
        with self._opening:
            if service not in self._clients:
                self._clients[service] = self._open_client(service)
            return self._clients[service]

    def _open_client(self, service: str) -> CommonClient:
        try:
            credentials = DefaultCredentialProvider().get_credentials()
        except Exception as error:  # each way of the chain raises what it likes
            raise CallFailure(Trouble.NO_CREDENTIALS, type(error).__name__) from None
        place = self._place
        if service == "sts":
            version, region, (scheme, host) = STS_VERSION, place.region, host_of(place.sts_endpoint, STS)
        else:  # CAM has no regions
            version, region, (scheme, host) = CAM_VERSION, "", host_of(place.endpoint, CAM)
        http = HttpProfile(protocol=scheme, endpoint=host, reqTimeout=place.timeout)
        profile = ClientProfile(httpProfile=http, language="en-US")
        return CommonClient(service, version, credentials, region, profile)
