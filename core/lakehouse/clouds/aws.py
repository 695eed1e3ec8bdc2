"""AWS IAM by boto3: customer managed policies with their versions, roles, in the partition of the region."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownRegionError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session as BotocoreSession

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.cloud_access import Document, PolicyName, RoleState
from core.lakehouse.clouds.calling import Answer, AskedOnce, Caller, silence
from core.lakehouse.clouds.cloud_place import CloudPlace
from core.lakehouse.clouds.policy_texts import read_policy, write_policy
from core.lakehouse.clouds.troubles import CallFailure, Trouble, trouble_of
from core.lakehouse.connections import Provider

MOST_VERSIONS = 5  # IAM keeps no more of one policy
PAGE = 1000
# The policies of AWS have paths: attaching one takes its ARN, and its name alone does not say where it is.
_AWS_PATHS = ("", "service-role/", "job-function/", "aws-service-role/")
_TROUBLES = {
    "NoSuchEntity": Trouble.ABSENT,
    "EntityAlreadyExists": Trouble.TAKEN,
    "DeleteConflict": Trouble.IN_USE,
    "LimitExceeded": Trouble.FULL,
    "MalformedPolicyDocument": Trouble.MALFORMED,
    "InvalidInput": Trouble.MALFORMED,
    "ValidationError": Trouble.MALFORMED,
    "AccessDenied": Trouble.REFUSED,
    "AccessDeniedException": Trouble.REFUSED,
    "UnmodifiableEntity": Trouble.REFUSED,
    "InvalidClientTokenId": Trouble.BAD_CREDENTIALS,
    "UnrecognizedClientException": Trouble.BAD_CREDENTIALS,
    "SignatureDoesNotMatch": Trouble.BAD_CREDENTIALS,
    "IncompleteSignature": Trouble.BAD_CREDENTIALS,
    "MissingAuthenticationToken": Trouble.BAD_CREDENTIALS,
    "ExpiredToken": Trouble.BAD_CREDENTIALS,
    "ExpiredTokenException": Trouble.BAD_CREDENTIALS,
    "RequestExpired": Trouble.BAD_CREDENTIALS,
    "Throttling": Trouble.BUSY,
    "ThrottlingException": Trouble.BUSY,
    "RequestLimitExceeded": Trouble.BUSY,
    "ConcurrentModification": Trouble.BUSY,
    "EntityTemporarilyUnmodifiable": Trouble.BUSY,
    "ServiceFailure": Trouble.NO_ANSWER,
}
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    NoAuthTokenError,
    SSOError,
    LoginError,
)


class AwsAccess:
    """One AWS account. See `core.lakehouse.cloud_access.CloudAccess`."""

    provider = Provider.AWS

    def __init__(self, iam: Any, sts: Any, partition: str, timeout: float) -> None:
        self._iam, self._sts, self._partition = iam, sts, partition
        self._calls = Caller(Provider.AWS, self._send, timeout)
        self._account = AskedOnce(self._ask_account)

    @classmethod
    def open(cls, place: CloudPlace) -> AwsAccess:
        """Make the clients; asks nothing of AWS. Raises BadInputError for an unknown profile or region."""
        silence("boto3", "botocore")
        config = Config(
            connect_timeout=place.timeout,
            read_timeout=place.timeout,
            retries={"total_max_attempts": 1},  # `Caller` knows what may be done twice
        )
        try:
            kept = BotocoreSession()
            kept.register_component("data_loader", _models())
            session = boto3.Session(
                profile_name=place.credentials_profile, region_name=place.region, botocore_session=kept
            )
            partition = session.get_partition_for_region(place.region)
            iam = session.client("iam", endpoint_url=place.endpoint, config=config)
            sts = session.client("sts", endpoint_url=place.sts_endpoint, config=config)
        except ProfileNotFound as error:  # the one that was asked for, or that AWS_PROFILE names
            raise BadInputError(one_line(f"{error}."), advice="See aws configure list-profiles.") from None
        except (UnknownRegionError, BotoCoreError, ValueError) as error:
            raise BadInputError(
                "AWS cannot be opened with this region and endpoint.", detail=f"{place.region}: {error}"
            ) from None
        return cls(iam, sts, partition, place.timeout)

    async def account(self) -> str:
        return await self._account.answer()

    async def policy(self, policy: PolicyName) -> Document | None:
        found = await self._find_policy(policy)
        if found is None:
            return None
        version = await self._calls.find(
            "GetPolicyVersion", PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"]
        )
        return None if version is None else read_policy(version["PolicyVersion"]["Document"])

    async def create_policy(self, name: str, document: Document, description: str) -> None:
        await self._calls.write(
            "CreatePolicy", PolicyName=name, PolicyDocument=write_policy(document), Description=description
        )

    async def update_policy(self, name: str, document: Document) -> None:
        arn = await self._own_arn(name)
        versions = await self._versions(arn)
        if len(versions) >= MOST_VERSIONS:
            oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=_age)
            await self._calls.write(
                "DeletePolicyVersion", PolicyArn=arn, VersionId=oldest["VersionId"], unless={Trouble.ABSENT}
            )
        await self._calls.write(
            "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=write_policy(document), SetAsDefault=True
        )

    async def delete_policy(self, name: str) -> None:
        found = await self._find_policy(PolicyName(name))
        if found is None:
            return
        arn = found["Arn"]
        for version in await self._versions(arn):
            if not version["IsDefaultVersion"]:
                await self._calls.write(
                    "DeletePolicyVersion", PolicyArn=arn, VersionId=version["VersionId"], unless={Trouble.ABSENT}
                )
        await self._calls.write("DeletePolicy", PolicyArn=arn, unless={Trouble.ABSENT})

    async def role(self, name: str) -> RoleState | None:
        found = await self._calls.find("GetRole", RoleName=name)
        if found is None:
            return None
        attached = await self._pages("ListAttachedRolePolicies", "AttachedPolicies", RoleName=name)
        policies = frozenset(
            PolicyName(each["PolicyName"], provided=each["PolicyArn"].split(":")[4] == "aws") for each in attached
        )
        role = found["Role"]
        return RoleState(role["RoleName"], role["Arn"], read_policy(role["AssumeRolePolicyDocument"]), policies)

    async def create_role(self, name: str, trust: Document, description: str, path: str = "") -> RoleState:
        created = await self._calls.write(
            "CreateRole",
            RoleName=name,
            Path=path or "/",
            AssumeRolePolicyDocument=write_policy(trust),
            Description=description,
        )
        return RoleState(name, created["Role"]["Arn"], trust, frozenset())

    async def update_trust(self, role: str, trust: Document) -> None:
        await self._calls.write("UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=write_policy(trust))

    async def delete_role(self, name: str) -> None:
        await self._calls.write("DeleteRole", RoleName=name, unless={Trouble.ABSENT})

    async def attach_policy(self, role: str, policy: PolicyName) -> None:
        # What was made a moment ago is not known everywhere in IAM yet.
        arn = await self._arn(policy)
        await self._calls.write("AttachRolePolicy", RoleName=role, PolicyArn=arn, again={Trouble.ABSENT})

    async def detach_policy(self, role: str, policy: PolicyName) -> None:
        found = await self._find_policy(policy)
        if found is not None:
            await self._calls.write("DetachRolePolicy", RoleName=role, PolicyArn=found["Arn"], unless={Trouble.ABSENT})

    async def close(self) -> None:
        for client in (self._iam, self._sts):
            await asyncio.to_thread(client.close)

    async def _ask_account(self) -> str:
        return str((await self._calls.read("GetCallerIdentity"))["Account"])

    async def _arn(self, policy: PolicyName) -> str:
        """The ARN of a policy. Raises NotFoundError; where the name alone says it, the cloud does."""
        found = await self._find_policy(policy)
        return found["Arn"] if found else self._policy_arn(await self._owner(policy), policy.name)

    async def _own_arn(self, name: str) -> str:
        return await self._arn(PolicyName(name))

    async def _owner(self, policy: PolicyName) -> str:
        return "aws" if policy.provided else await self.account()

    def _policy_arn(self, owner: str, name: str) -> str:
        return f"arn:{self._partition}:iam::{owner}:policy/{name}"

    async def _find_policy(self, policy: PolicyName) -> Mapping[str, Any] | None:
        """A policy by its name; one of the account's own may have been made under a path, then all are listed."""
        owner = await self._owner(policy)
        for path in _AWS_PATHS if policy.provided else ("",):
            found = await self._calls.find("GetPolicy", PolicyArn=self._policy_arn(owner, path + policy.name))
            if found is not None:
                return _mapping(found["Policy"])
        if policy.provided:
            return None
        own = await self._pages("ListPolicies", "Policies", Scope="Local")
        return next((each for each in own if each["PolicyName"].lower() == policy.name.lower()), None)

    async def _versions(self, arn: str) -> list[Mapping[str, Any]]:
        return await self._pages("ListPolicyVersions", "Versions", PolicyArn=arn)

    async def _pages(self, operation: str, key: str, **parameters: Any) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        while True:
            answer = await self._calls.read(operation, MaxItems=PAGE, **parameters)
            rows += answer[key]
            if not answer.get("IsTruncated"):
                return rows
            parameters["Marker"] = answer["Marker"]

    def _send(self, operation: str, parameters: Mapping[str, Any]) -> Answer:
        client = self._sts if operation == "GetCallerIdentity" else self._iam
        try:
            return _mapping(getattr(client, xform_name(operation))(**parameters))
        except ClientError as error:
            raise _failure(error.response) from None
        except _NO_CREDENTIALS as error:
            raise CallFailure(Trouble.NO_CREDENTIALS, type(error).__name__) from None
        except ParamValidationError as error:
            raise CallFailure(Trouble.MALFORMED, type(error).__name__, said=str(error)) from None
        except (HTTPClientError, AwsConnectionError) as error:
            raise CallFailure(Trouble.NO_ANSWER, type(error).__name__, said=str(error)) from None
        except BotoCoreError as error:
            raise CallFailure(Trouble.OTHER, type(error).__name__, said=str(error)) from None
        except ResponseParserError as error:  # an answer that is not AWS's, from a proxy perhaps
            raise CallFailure(Trouble.NO_ANSWER, type(error).__name__) from None


@functools.cache
def _models() -> Any:
    """The descriptions of AWS's services, read once for all regions: a tenth of a second each time otherwise."""
    return create_loader()


def _failure(response: Mapping[str, Any]) -> CallFailure:
    error, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    code = str(error.get("Code", ""))
    trouble = trouble_of(code, int(about.get("HTTPStatusCode", 0)), _TROUBLES)
    return CallFailure(trouble, code, request_id=str(about.get("RequestId", "")), said=str(error.get("Message", "")))


def _mapping(value: Any) -> Mapping[str, Any]:
    """An answer of the SDK, which has no types."""
    return value if isinstance(value, Mapping) else {}


def _age(version: Mapping[str, Any]) -> Any:
    return version["CreateDate"], int(version["VersionId"].removeprefix("v"))
