"""Tencent Cloud CAM and STS to test against. Signatures are checked by the vendor's description of TC3-HMAC-SHA256.

Sources: Tencent Cloud's documentation of CAM's API (2019-01-16), of STS (2018-08-13) and of signature v3.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.cloud.stub_server import LONGEST_DOCUMENT, CloudStub, Request, StubError, StubPolicy, StubRole

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9-]+)/([a-z]+)/tc3_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
_OLDEST_REQUEST = 5 * 60  # seconds
_VERSIONS = {"cam": "2019-01-16", "sts": "2018-08-13"}
_LARGEST_PAGE = 200


class TencentStub(CloudStub):
    """CAM and STS at one address."""

    account = "100012345678"
    key_id = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA"
    key_secret = "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA"

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        number = {"RequestId": f"cam-{len(self.calls) + len(self.rejected):08}"}
        try:
            service = self._check_signature(request)
        except StubError as error:
            self.rejected.append(error.code)
            return 200, {"Response": number | {"Error": {"Code": error.code, "Message": error.message}}}
        try:
            action = request.headers["x-tc-action"]
            if request.headers["x-tc-version"] != _VERSIONS[service] or (action == "GetCallerIdentity") != (
                service == "sts"
            ):
                raise StubError("InvalidAction", "The request action is invalid or not found.")
            return 200, {"Response": number | self.perform(action, json.loads(request.body))}
        except StubError as error:
            if error.status >= 500:
                return error.status, {"message": error.message}
            return 200, {"Response": number | {"Error": {"Code": error.code, "Message": error.message}}}

    def _check_signature(self, request: Request) -> str:
        """The service of a request that is signed for it."""
        found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None or not {"content-type", "host"} <= set(found[4].split(";")):
            raise StubError("AuthFailure.InvalidAuthorization", "The request header `Authorization` is invalid.")
        key_id, date, service, names, signature = found.groups()
        if key_id != self.key_id:
            raise StubError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        if self.token is not None and request.headers.get("x-tc-token") != self.token:
            raise StubError("AuthFailure.TokenFailure", "The token in the request is invalid.")
        stamp = int(request.headers["x-tc-timestamp"])
        if abs(time.time() - stamp) > _OLDEST_REQUEST or f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}" != date:
            raise StubError("AuthFailure.SignatureExpire", "The provided credentials could not be validated.")
        canonical = "\n".join(
            (
                request.method,
                request.path,
                request.query,
                "".join(f"{name}:{request.headers[name].strip()}\n" for name in names.split(";")),
                names,
                hashlib.sha256(request.body).hexdigest(),
            )
        )
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{date}/{service}/tc3_request\n{hashed}"
        key = f"TC3{self.key_secret}".encode()
        for part in (date, service, "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature) or service not in _VERSIONS:
            raise StubError("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        return service

    def carry_out(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        match action:
            case "GetCallerIdentity":
                arn = f"qcs::cam::uin/{self.account}:uin/{self.account}"
                return {"AccountId": self.account, "UserId": self.account, "Type": "CAMUser", "Arn": arn}
            case "ListPolicies":
                return self._list_policies(parameters)
            case "GetPolicy":
                policy = self._policy(parameters["PolicyId"])
                # CAM has been seen to give documents URL-encoded, too.
                return _summary(policy) | {"PolicyDocument": quote(policy.versions[policy.default])}
            case "CreatePolicy":
                name, text = parameters["PolicyName"], _checked(parameters["PolicyDocument"], "action")
                if name in self.policies:
                    raise StubError("FailedOperation.PolicyNameInUse", "The policy name is in use.")
                return {"PolicyId": self.new_policy(name, text).number}
            case "UpdatePolicy":
                policy = self._own_policy(parameters["PolicyId"])
                text = _checked(parameters["PolicyDocument"], "action")
                policy.versions = {}
                policy.add(text)
                return {"PolicyId": policy.number}
            case "DeletePolicy":
                for number in parameters["PolicyId"]:
                    policy = self._own_policy(number)
                    del self.policies[policy.name]
                    for role in self.roles.values():
                        role.attached = [each for each in role.attached if each != policy.number]
                return {}
            case _:
                return self._role_action(action, parameters)

    def _role_action(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        match action:
            case "CreateRole":
                name, text = parameters["RoleName"], _checked(parameters["PolicyDocument"], "principal")
                if name in self.roles:
                    raise StubError("InvalidParameter.RoleNameInUse", "The role name is in use.")
                return {"RoleId": str(self.new_role(name, text).number)}
            case "GetRole":
                role = self._role(parameters["RoleName"])
                arn = f"qcs::cam::uin/{self.account}:roleName/{role.name}"
                return {"RoleInfo": {"RoleName": role.name, "RoleArn": arn, "PolicyDocument": role.trust_text}}
            case "UpdateAssumeRolePolicy":
                role = self._role(parameters["RoleName"])
                role.trust_text = _checked(parameters["PolicyDocument"], "principal")
                return {}
            case "DeleteRole":
                del self.roles[self._role(parameters["RoleName"]).name]
                return {}
            case "ListAttachedRolePolicies":
                found = [self._policy(number) for number in self._role(parameters["RoleName"]).attached]
                rows = [_summary(each) | {"PolicyType": "QCS" if each.provided else "User"} for each in found]
                return _page(rows, parameters)
            case "AttachRolePolicy":
                role, policy = self._role(parameters["AttachRoleName"]), self._policy(parameters["PolicyId"])
                if policy.number not in role.attached:
                    role.attached.append(policy.number)
                return {}
            case "DetachRolePolicy":
                role, policy = self._role(parameters["DetachRoleName"]), self._policy(parameters["PolicyId"])
                role.attached = [each for each in role.attached if each != policy.number]
                return {}
            case _:
                raise StubError("InvalidAction", "The request action is invalid or not found.")

    def _list_policies(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        scope, keyword = parameters.get("Scope", "All"), parameters.get("Keyword", "").lower()
        rows = [
            _summary(policy)
            for policy in self.every_policy()
            if keyword in policy.name.lower() and scope in ("All", "QCS" if policy.provided else "Local")
        ]
        return _page(rows, parameters)

    def _policy(self, number: int) -> StubPolicy:
        policy = self.numbered(number)
        if policy is None:
            raise StubError("ResourceNotFound.PolicyIdNotFound", "The policy ID does not exist.")
        return policy

    def _own_policy(self, number: int) -> StubPolicy:
        policy = self._policy(number)
        if policy.provided:
            raise StubError("FailedOperation.Unmodifiable", "A preset policy cannot be changed.")
        return policy

    def _role(self, name: str) -> StubRole:
        if name not in self.roles:
            raise StubError("InvalidParameter.RoleNotExist", "The role does not exist.")
        return self.roles[name]


def _summary(policy: StubPolicy) -> dict[str, Any]:
    return {"PolicyId": policy.number, "PolicyName": policy.name, "Type": 2 if policy.provided else 1}


def _page(rows: list[dict[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    page, size = parameters.get("Page", 1), parameters.get("Rp", 20)
    if not 1 <= size <= _LARGEST_PAGE:
        raise StubError("InvalidParameter.ParamError", "Rp is out of range.")
    return {"TotalNum": len(rows), "List": rows[(page - 1) * size : page * size]}


def _checked(text: str, needed: str) -> str:
    """The text of a document that CAM would accept."""
    try:
        document = json.loads(text)
        good = document["version"] == "2.0" and all(
            each["effect"] in ("allow", "deny") and each[needed] for each in document["statement"]
        )
    except (ValueError, KeyError, TypeError):
        good = False
    if not good or not document["statement"]:
        raise StubError("InvalidParameter.PolicyDocumentError", "The policy document is invalid.")
    if len(text) > LONGEST_DOCUMENT:
        raise StubError("InvalidParameter.PolicyDocumentLengthOverLimit", "The policy document is too long.")
    return text
