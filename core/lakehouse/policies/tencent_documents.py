"""The documents of a connection's role in Tencent Cloud: CAM policies, version 2.0, keys in lower case."""

from __future__ import annotations

from collections.abc import Sequence

from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PermissionPolicy, PolicyScope
from core.lakehouse.rules.arn import RoleArn
from core.lakehouse.rules.bucket_names import split_cos_bucket
from core.lakehouse.rules.validation import DEFAULT_NAMESPACE
from core.lakehouse.rules.vendor_principals import vendor_principal

POLICY = "LakehouseAccess"  # the vendor's documentation insists on this name
_FUNCTION_ACTIONS = (
    "scf:CreateFunction",
    "scf:GetFunction",
    "scf:UpdateFunction",
    "scf:UpdateFunctionCode",
    "scf:UpdateFunctionConfiguration",
    "scf:DeleteFunction",
    "scf:InvokeFunction",
    "scf:ListVersion",
    "scf:SetTrigger",
    "scf:DeleteTrigger",
)
_BUCKET_ACTIONS = (
    "cos:GetBucket",
    "cos:HeadBucket",
    "cos:GetObject",
    "cos:HeadObject",
    "cos:PutObject",
    "cos:DeleteObject",
    "cos:InitiateMultipartUpload",
    "cos:UploadPart",
    "cos:ListParts",
    "cos:CompleteMultipartUpload",
    "cos:AbortMultipartUpload",
)
LEAVES_OUT = (
    "Listing functions and reading the account's quotas, which cannot be narrowed to a namespace.",
    "Functions in other regions and namespaces.",
    "All of COS beside reading, writing and listing objects (access rules, versions, the bucket's settings).",
)


def permissions(
    connection: ApiConnection, arn: RoleArn, scope: PolicyScope, buckets: Sequence[str], functions: Sequence[str]
) -> tuple[PermissionPolicy, ...]:
    """The one policy of the role."""
    if scope is PolicyScope.LEAST:
        statements = (
            _allow(_FUNCTION_ACTIONS, _functions(connection, arn, functions)),
            _allow(_BUCKET_ACTIONS, _buckets(connection, buckets)),
        )
    else:
        statements = (_allow(("scf:*",), ["*"]), _allow(("cos:*",), _buckets(connection, buckets)))
    return (
        PermissionPolicy(
            PolicyName(POLICY),
            {"version": "2.0", "statement": list(statements)},
            f"Lets the Lakehouse create and call functions, and read and write their code in {', '.join(buckets)}.",
        ),
    )


def trust(arn: RoleArn, external_id: str | None) -> Document:
    """Who may assume the role: the vendor, who must know the external id when there is one."""
    vendor = vendor_principal(arn.provider)
    statement: dict[str, object] = {
        "effect": "allow",
        "action": ["name/sts:AssumeRole"],
        "principal": {"qcs": [vendor.principal]},
    }
    if external_id is not None:
        statement["condition"] = {"string_equal": {"sts:external_id": external_id}}
    return {"version": "2.0", "statement": [statement]}


def _allow(actions: Sequence[str], resources: list[str]) -> dict[str, object]:
    return {"effect": "allow", "action": list(actions), "resource": resources}


def _functions(connection: ApiConnection, arn: RoleArn, functions: Sequence[str]) -> list[str]:
    namespace = connection.namespace or DEFAULT_NAMESPACE
    place = f"qcs::scf:{connection.region}:uin/{arn.account}:namespace/{namespace}/function"
    return [f"{place}/{name}{suffix}" for name in functions for suffix in ("", "/*")] or [f"{place}/*"]


def _buckets(connection: ApiConnection, buckets: Sequence[str]) -> list[str]:
    # Without the /* at the end CREATE FUNCTION fails with status code 403.
    return [f"qcs::cos:{connection.region}:uid/{split_cos_bucket(each)[1]}:{each}/*" for each in buckets]
