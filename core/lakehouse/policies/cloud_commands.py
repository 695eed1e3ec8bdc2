"""The documents of a connection's role as commands of its cloud's own tool, in the order in which they are to be run.

For `aliyun` (Alibaba Cloud CLI), `tccli` (Tencent Cloud CLI) and `aws` (AWS CLI). Nothing here runs anything; the
credentials are those that the tool is configured with.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PermissionPolicy, RoleDocuments
from core.lakehouse.policies.aws_documents import policy_arn
from core.lakehouse.policies.cloud_documents import document_text
from core.lakehouse.rules.arn import RoleArn, parse_role_arn

TRUST_FILE = "trust-policy.json"
_ROLE_DESCRIPTION = "Assumed by Singdata Lakehouse for external functions"
_POLICY_DESCRIPTION = "External functions of Singdata Lakehouse"
_CREATE_ROLE = "Create the role and say who may assume it"
_UPDATE_TRUST = "Say anew who may assume the role"
_READ_ROLE = "Read the role back: compare its trust policy"
_READ_ATTACHED = "Read back what is attached to the role"


@dataclass(frozen=True, slots=True)
class CloudCommand:
    """One command, as the words of its argument vector. `text` is quoted for a POSIX shell."""

    purpose: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return shlex.join(self.words)


def provisioning_commands(
    connection: ApiConnection, documents: RoleDocuments, *, folder: str | None = None
) -> tuple[CloudCommand, ...]:
    """Create the policies, create the role, attach them, read it back.

    With a `folder`, the commands of `aws` take each document from the file there that `document_files` names; the
    other two tools have no form for that.
    """
    return (
        *creating_policies(connection, documents, folder=folder),
        *creating_role(connection, documents, folder=folder),
    )


def creating_policies(
    connection: ApiConnection, documents: RoleDocuments, *, folder: str | None = None
) -> tuple[CloudCommand, ...]:
    """Create the account's own policies: the first part of `provisioning_commands`."""
    tool = _tool(connection, folder)
    return tuple(tool.create_policy(each) for each in documents.permissions if each.document is not None)


def creating_role(
    connection: ApiConnection, documents: RoleDocuments, *, folder: str | None = None
) -> tuple[CloudCommand, ...]:
    """Create the role, attach the policies, read it back: the second part."""
    tool = _tool(connection, folder)
    return (
        tool.create_role(documents.trust),
        *(tool.attach(each.policy) for each in documents.permissions),
        tool.read_role(),
        tool.read_attached(),
    )


def trust_commands(
    connection: ApiConnection, documents: RoleDocuments, *, folder: str | None = None
) -> tuple[CloudCommand, ...]:
    """Put the trust policy in force (with the external id that DESC CONNECTION told), and read it back."""
    tool = _tool(connection, folder)
    return (tool.update_trust(documents.trust), tool.read_role())


def policy_commands(
    connection: ApiConnection, documents: RoleDocuments, *, folder: str | None = None
) -> tuple[CloudCommand, ...]:
    """Put the documents of policies that exist already in force, for those that have drifted."""
    tool = _tool(connection, folder)
    return tuple(tool.update_policy(each) for each in documents.permissions if each.document is not None)


def commands_text(commands: Sequence[CloudCommand]) -> str:
    """The commands as a script to paste: each under a comment that says what it is for."""
    return "\n\n".join(f"# {command.purpose}\n{command.text}" for command in commands) + "\n"


def document_files(documents: RoleDocuments) -> Mapping[str, str]:
    """The documents as files, by the name that `--…-document file://…` gives them."""
    policies = {
        _file_name(each.policy): document_text(each.document)
        for each in documents.permissions
        if each.document is not None
    }
    return {**policies, TRUST_FILE: document_text(documents.trust)}


def _file_name(policy: PolicyName) -> str:
    return f"{policy.name}.json"


def _tool(connection: ApiConnection, folder: str | None) -> _Tool:
    arn = parse_role_arn(connection.role_arn)
    if arn.provider is Provider.AWS:
        return _Aws(arn, connection.region, folder)
    return _Aliyun(arn) if arn.provider is Provider.ALIYUN else _Tccli(arn)


def _compact(permission: PermissionPolicy) -> str:
    return _json(permission.document or {})


def _json(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _update(permission: PermissionPolicy) -> str:
    return f"Put the document of {permission.policy.name} in force"


def _attach(policy: PolicyName) -> str:
    return f"Attach {policy.name} to the role"


class _Tool(Protocol):
    """The commands of one tool for one role."""

    def create_policy(self, permission: PermissionPolicy) -> CloudCommand: ...

    def update_policy(self, permission: PermissionPolicy) -> CloudCommand: ...

    def create_role(self, trust: Document) -> CloudCommand: ...

    def update_trust(self, trust: Document) -> CloudCommand: ...

    def attach(self, policy: PolicyName) -> CloudCommand: ...

    def read_role(self) -> CloudCommand: ...

    def read_attached(self) -> CloudCommand: ...


class _Aliyun:
    """`aliyun ram`: the parameters of the RAM API, version 2015-05-01. A policy has up to five versions."""

    def __init__(self, arn: RoleArn) -> None:
        self._role = ("--RoleName", arn.role)

    def create_policy(self, permission: PermissionPolicy) -> CloudCommand:
        return self._command(
            permission.purpose,
            "CreatePolicy",
            *("--PolicyName", permission.policy.name),
            *("--PolicyDocument", _compact(permission)),
            *("--Description", _POLICY_DESCRIPTION),
        )

    def update_policy(self, permission: PermissionPolicy) -> CloudCommand:
        return self._command(
            _update(permission),
            "CreatePolicyVersion",
            *("--PolicyName", permission.policy.name),
            *("--PolicyDocument", _compact(permission)),
            *("--SetAsDefault", "true"),
            *("--RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded"),
        )

    def create_role(self, trust: Document) -> CloudCommand:
        words = (*self._role, "--AssumeRolePolicyDocument", _json(trust), "--Description", _ROLE_DESCRIPTION)
        return self._command(_CREATE_ROLE, "CreateRole", *words)

    def update_trust(self, trust: Document) -> CloudCommand:
        return self._command(_UPDATE_TRUST, "UpdateRole", *self._role, "--NewAssumeRolePolicyDocument", _json(trust))

    def attach(self, policy: PolicyName) -> CloudCommand:
        kind = "System" if policy.provided else "Custom"
        words = ("--PolicyType", kind, "--PolicyName", policy.name, *self._role)
        return self._command(_attach(policy), "AttachPolicyToRole", *words)

    def read_role(self) -> CloudCommand:
        return self._command(_READ_ROLE, "GetRole", *self._role)

    def read_attached(self) -> CloudCommand:
        return self._command(_READ_ATTACHED, "ListPoliciesForRole", *self._role)

    def _command(self, purpose: str, *words: str) -> CloudCommand:
        return CloudCommand(purpose, ("aliyun", "ram", *words))


class _Tccli:
    """`tccli cam`: the parameters of the CAM API, version 2019-01-16."""

    def __init__(self, arn: RoleArn) -> None:
        self._role = arn.role

    def create_policy(self, permission: PermissionPolicy) -> CloudCommand:
        return self._command(
            permission.purpose,
            "CreatePolicy",
            *("--PolicyName", permission.policy.name),
            *("--PolicyDocument", _compact(permission)),
            *("--Description", _POLICY_DESCRIPTION),
        )

    def update_policy(self, permission: PermissionPolicy) -> CloudCommand:
        words = ("--PolicyName", permission.policy.name, "--PolicyDocument", _compact(permission))
        return self._command(_update(permission), "UpdatePolicy", *words)

    def create_role(self, trust: Document) -> CloudCommand:
        words = ("--RoleName", self._role, "--PolicyDocument", _json(trust), "--Description", _ROLE_DESCRIPTION)
        return self._command(_CREATE_ROLE, "CreateRole", *words)

    def update_trust(self, trust: Document) -> CloudCommand:
        words = ("--RoleName", self._role, "--PolicyDocument", _json(trust))
        return self._command(_UPDATE_TRUST, "UpdateAssumeRolePolicy", *words)

    def attach(self, policy: PolicyName) -> CloudCommand:
        words = ("--AttachRoleName", self._role, "--PolicyName", policy.name)
        return self._command(_attach(policy), "AttachRolePolicy", *words)

    def read_role(self) -> CloudCommand:
        return self._command(_READ_ROLE, "GetRole", "--RoleName", self._role)

    def read_attached(self) -> CloudCommand:
        words = ("--Page", "1", "--Rp", "200", "--RoleName", self._role)
        return self._command(_READ_ATTACHED, "ListAttachedRolePolicies", *words)

    def _command(self, purpose: str, *words: str) -> CloudCommand:
        return CloudCommand(purpose, ("tccli", "cam", *words))


class _Aws:
    """`aws iam`. The region is said because it decides the partition: IAM of China is another one."""

    def __init__(self, arn: RoleArn, region: str, folder: str | None) -> None:
        self._arn = arn
        self._region = region
        self._folder = folder

    def create_policy(self, permission: PermissionPolicy) -> CloudCommand:
        return self._command(
            permission.purpose,
            "create-policy",
            *("--policy-name", permission.policy.name),
            *("--policy-document", self._policy_document(permission)),
            *("--description", _POLICY_DESCRIPTION),
        )

    def update_policy(self, permission: PermissionPolicy) -> CloudCommand:
        return self._command(
            f"{_update(permission)} (AWS keeps five versions: delete one with delete-policy-version if it is full)",
            "create-policy-version",
            *("--policy-arn", policy_arn(self._arn, permission.policy)),
            *("--policy-document", self._policy_document(permission)),
            "--set-as-default",
        )

    def create_role(self, trust: Document) -> CloudCommand:
        path = ("--path", self._arn.path) if self._arn.path != "/" else ()
        return self._command(
            _CREATE_ROLE,
            "create-role",
            *("--role-name", self._arn.role),
            *path,
            *("--assume-role-policy-document", self._document(trust, TRUST_FILE)),
            *("--description", _ROLE_DESCRIPTION),
        )

    def update_trust(self, trust: Document) -> CloudCommand:
        words = ("--role-name", self._arn.role, "--policy-document", self._document(trust, TRUST_FILE))
        return self._command(_UPDATE_TRUST, "update-assume-role-policy", *words)

    def attach(self, policy: PolicyName) -> CloudCommand:
        words = ("--role-name", self._arn.role, "--policy-arn", policy_arn(self._arn, policy))
        return self._command(_attach(policy), "attach-role-policy", *words)

    def read_role(self) -> CloudCommand:
        return self._command(_READ_ROLE, "get-role", "--role-name", self._arn.role)

    def read_attached(self) -> CloudCommand:
        return self._command(_READ_ATTACHED, "list-attached-role-policies", "--role-name", self._arn.role)

    def _policy_document(self, permission: PermissionPolicy) -> str:
        return self._document(permission.document or {}, _file_name(permission.policy))

    def _document(self, document: Document, file_name: str) -> str:
        return _json(document) if self._folder is None else f"file://{self._folder.rstrip('/')}/{file_name}"

    def _command(self, purpose: str, *words: str) -> CloudCommand:
        return CloudCommand(purpose, ("aws", "iam", *words, "--region", self._region))
