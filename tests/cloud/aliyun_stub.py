"""Alibaba Cloud RAM and STS to test against. Signatures are checked by the vendor's description of ACS3-HMAC-SHA256.

Sources: Alibaba Cloud's documentation of RAM's API (2015-05-01), of STS (2015-04-01) and of the V3 request signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.cloud.stub_server import LONGEST_DOCUMENT, MOST_VERSIONS, CloudStub, Request, StubError, StubPolicy, StubRole

_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
_MUST_BE_SIGNED = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"}
_OLDEST_REQUEST = 15 * 60  # seconds
_NAME = re.compile(r"[A-Za-z0-9.-]{1,128}")


class AliyunStub(CloudStub):
    """RAM and STS at one address."""

    account = "1757168149572678"
    key_id = "LTAI5tTestKeyOfTheStub00"
    key_secret = "aliyun-stub-secret-AbC/123+x="

    def __init__(self) -> None:
        super().__init__()
        self._nonces: set[str] = set()

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        number = {"RequestId": f"RAM-{len(self.calls) + len(self.rejected):08}"}
        try:
            self._check_signature(request)
        except StubError as error:
            self.rejected.append(error.code)
            return error.status, number | {"Code": error.code, "Message": error.message, "HostId": "stub"}
        try:
            form = dict(parse_qsl(request.query)) | dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            action, version = request.headers["x-acs-action"], request.headers["x-acs-version"]
            if version != ("2015-04-01" if action == "GetCallerIdentity" else "2015-05-01"):
                raise StubError("InvalidVersion", f"Specified version {version} is not valid.", 404)
            return 200, number | self.perform(action, form)
        except StubError as error:
            return error.status, number | {"Code": error.code, "Message": error.message, "HostId": "stub"}

    def _check_signature(self, request: Request) -> None:
        found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            raise StubError("IncompleteSignature", "The request signature does not conform to the standard.")
        key_id, names, signature = found[1], found[2].split(";"), found[3]
        signed = {name for name in request.headers if name.startswith("x-acs-")} | _MUST_BE_SIGNED
        if not signed <= set(names) or names != sorted(names):
            raise StubError("IncompleteSignature", "Not all headers are signed.")
        if key_id != self.key_id:
            raise StubError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        if self.token is not None and request.headers.get("x-acs-security-token") != self.token:
            raise StubError("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
        digest = hashlib.sha256(request.body).hexdigest()
        pairs = sorted(parse_qsl(request.query, keep_blank_values=True))
        canonical = "\n".join(
            (
                request.method,
                request.path,
                "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs),
                "".join(f"{name}:{request.headers[name].strip()}\n" for name in names),
                ";".join(names),
                digest,
            )
        )
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        expected = hmac.new(self.key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        if digest != request.headers["x-acs-content-sha256"] or not hmac.compare_digest(expected, signature):
            # As the cloud does, which is why nothing of this may be repeated: there may be a token in it.
            raise StubError("SignatureDoesNotMatch", f"Specified signature is not matched. server string: {canonical}")
        self._check_freshness(request)

    def _check_freshness(self, request: Request) -> None:
        sent = datetime.fromisoformat(request.headers["x-acs-date"])
        if abs((datetime.now(UTC) - sent).total_seconds()) > _OLDEST_REQUEST:
            raise StubError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            raise StubError("SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces.add(nonce)

    def carry_out(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        match action:
            case "GetCallerIdentity":
                return {"AccountId": self.account, "IdentityType": "RAMUser", "Arn": f"acs:ram::{self.account}:user/op"}
            case "GetPolicy":
                policy = self._policy(parameters)
                return {"Policy": _summary(policy), "DefaultPolicyVersion": _version(policy, policy.default)}
            case "CreatePolicy":
                return self._create_policy(parameters)
            case "CreatePolicyVersion":
                return self._create_version(parameters)
            case "ListPolicyVersions":
                policy = self._policy(parameters)
                return {"PolicyVersions": {"PolicyVersion": [_version(policy, each) for each in policy.versions]}}
            case "DeletePolicyVersion":
                return self._delete_version(parameters)
            case "DeletePolicy":
                return self._delete_policy(parameters)
            case _:
                return self._role_action(action, parameters)

    def _role_action(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        match action:
            case "CreateRole":
                return self._create_role(parameters)
            case "GetRole":
                return {"Role": self._described(self._role(parameters))}
            case "UpdateRole":
                role = self._role(parameters)
                role.trust_text = _checked(parameters["NewAssumeRolePolicyDocument"], "Principal")
                return {"Role": self._described(role)}
            case "DeleteRole":
                role = self._role(parameters)
                if role.attached:
                    raise StubError("DeleteConflict.Role.Policy", "The role has policies attached.", 409)
                del self.roles[role.name]
                return {}
            case "ListPoliciesForRole":
                found = [self.numbered(number) for number in self._role(parameters).attached]
                return {"Policies": {"Policy": [_summary(policy) for policy in found if policy is not None]}}
            case "AttachPolicyToRole":
                role, policy = self._role(parameters), self._policy(parameters)
                if policy.number in role.attached:
                    raise StubError("EntityAlreadyExists.Role.Policy", "The policy is attached already.", 409)
                role.attached.append(policy.number)
                return {}
            case "DetachPolicyFromRole":
                role, policy = self._role(parameters), self._policy(parameters)
                if policy.number not in role.attached:
                    raise StubError("EntityNotExist.Role.Policy", "The policy is not attached.", 404)
                role.attached.remove(policy.number)
                return {}
            case _:
                raise StubError("InvalidAction.NotFound", f"Specified api {action} is not found.", 404)

    def _policy(self, parameters: Mapping[str, Any]) -> StubPolicy:
        name, of_the_cloud = parameters["PolicyName"], parameters.get("PolicyType", "Custom") == "System"
        policy = (self.provided if of_the_cloud else self.policies).get(name)
        if policy is None:
            raise StubError("EntityNotExist.Policy", f"The policy does not exist: {name} .", 404)
        return policy

    def _role(self, parameters: Mapping[str, Any]) -> StubRole:
        name = parameters["RoleName"]
        found = next((role for role in self.roles.values() if role.name.lower() == name.lower()), None)
        if found is None:
            raise StubError("EntityNotExist.Role", f"The role not exists: {name} .", 404)
        return found

    def _create_policy(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        name = parameters["PolicyName"]
        if not _NAME.fullmatch(name):
            raise StubError("InvalidParameter.PolicyName.InvalidChars", "The parameter PolicyName is not valid.")
        text = _checked(parameters["PolicyDocument"], "Action")
        if name in self.policies:
            raise StubError("EntityAlreadyExists.Policy", f"The policy already exists: {name} .", 409)
        return {"Policy": _summary(self.new_policy(name, text))}

    def _create_version(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        policy, text = self._policy(parameters), _checked(parameters["PolicyDocument"], "Action")
        if len(policy.versions) >= MOST_VERSIONS:
            if parameters.get("RotateStrategy") != "DeleteOldestNonDefaultVersionWhenLimitExceeded":
                raise StubError("LimitExceeded.Policy.Version", "The count of versions beyond the current limits.", 409)
            del policy.versions[next(each for each in policy.versions if each != policy.default)]
        default = policy.default
        version = policy.add(text)
        if parameters.get("SetAsDefault", "").lower() != "true":
            policy.default = default
        return {"PolicyVersion": _version(policy, version)}

    def _delete_version(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        policy, version = self._policy(parameters), parameters["VersionId"]
        if version not in policy.versions:
            raise StubError("EntityNotExist.Policy.Version", "The version does not exist.", 404)
        if version == policy.default:
            raise StubError("DeleteConflict.Policy.Version.Default", "The default version can not be deleted.", 409)
        del policy.versions[version]
        return {}

    def _delete_policy(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        policy = self._policy(parameters)
        if any(policy.number in role.attached for role in self.roles.values()):
            raise StubError("DeleteConflict.Policy.Role", "The policy is attached to a role.", 409)
        if len(policy.versions) > 1:
            raise StubError("DeleteConflict.Policy.Version", "The policy has more than one version.", 409)
        del self.policies[policy.name]
        return {}

    def _create_role(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        name, text = parameters["RoleName"], _checked(parameters["AssumeRolePolicyDocument"], "Principal")
        if any(role.lower() == name.lower() for role in self.roles):
            raise StubError("EntityAlreadyExists.Role", f"The role already exists: {name} .", 409)
        return {"Role": self._described(self.new_role(name, text))}

    def _described(self, role: StubRole) -> dict[str, Any]:
        arn = f"acs:ram::{self.account}:role/{role.name.lower()}"
        return {
            "RoleId": str(role.number),
            "RoleName": role.name,
            "Arn": arn,
            "AssumeRolePolicyDocument": role.trust_text,
        }


def _summary(policy: StubPolicy) -> dict[str, Any]:
    kind = "System" if policy.provided else "Custom"
    return {"PolicyName": policy.name, "PolicyType": kind, "DefaultVersion": policy.default}


def _version(policy: StubPolicy, version: str) -> dict[str, Any]:
    in_force = version == policy.default
    return {"VersionId": version, "IsDefaultVersion": in_force, "PolicyDocument": policy.versions[version]}


def _checked(text: str, needed: str) -> str:
    """The text of a document that RAM would accept."""
    try:
        document = json.loads(text)
        good = document["Version"] == "1" and all(
            each["Effect"] in ("Allow", "Deny") and each[needed] for each in document["Statement"]
        )
    except (ValueError, KeyError, TypeError):
        good = False
    if not good or not document["Statement"]:
        raise StubError("InvalidParameter.PolicyDocument", "The policy document is not valid.")
    if len(text) > LONGEST_DOCUMENT:
        raise StubError("InvalidParameter.PolicyDocument.Length", "The policy document is beyond the length limit.")
    return text
