"""The documents of a connection's role in Alibaba Cloud: RAM policies, version 1."""

from __future__ import annotations

from collections.abc import Sequence

from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PermissionPolicy, PolicyScope
from core.lakehouse.rules.arn import RoleArn
from core.lakehouse.rules.vendor_principals import vendor_principal

SYSTEM_FUNCTION_POLICY = "AliyunFCFullAccess"
CUSTOM_FUNCTION_POLICY = "CzUdfFcAccess"
BUCKET_POLICY = "CzUdfOssAccess"
FUNCTION_SERVICE = "fc.aliyuncs.com"

OBJECT_ACTIONS = ("oss:GetObject", "oss:PutObject", "oss:DeleteObject")
BUCKET_ACTIONS = ("oss:ListObjects",)
_FUNCTION_ACTIONS = (
    "fc:CreateFunction",
    "fc:GetFunction",
    "fc:UpdateFunction",
    "fc:DeleteFunction",
    "fc:InvokeFunction",
    "fc:CreateTrigger",  # the Lakehouse calls a function by the address of its HTTP trigger
    "fc:GetTrigger",
    "fc:UpdateTrigger",
    "fc:DeleteTrigger",
)
_SERVICE_ACTIONS = ("fc:CreateService", "fc:GetService")  # Function Compute 2.0 keeps functions in services
LEAVES_OUT = (
    "Listing functions, and all of Function Compute beside functions and their triggers (layers, domains, VPC, tags).",
    "Functions in other regions.",
    "Handing Function Compute another role than the connection's own.",
)


def permissions(
    connection: ApiConnection,
    arn: RoleArn,
    scope: PolicyScope,
    buckets: Sequence[str],
    functions: Sequence[str],
    *,
    custom: bool = False,
) -> tuple[PermissionPolicy, ...]:
    """The policies of the role; `custom` takes one of the account's own that allows as much for the system policy."""
    if scope is PolicyScope.LEAST:
        return (_least_functions(connection, arn, functions), _least_buckets(buckets))
    return (custom_function_policy() if custom else _system_functions(), _documented_buckets(buckets))


def trust(arn: RoleArn, external_id: str | None) -> Document:
    """Who may assume the role: the vendor, who must know the external id when there is one."""
    vendor = vendor_principal(arn.provider)
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"RAM": [vendor.principal]},
    }
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": "1", "Statement": [statement]}


def custom_function_policy() -> PermissionPolicy:
    """What AliyunFCFullAccess allows since its version 2, as a policy of the account's own, which can be edited."""
    return PermissionPolicy(
        PolicyName(CUSTOM_FUNCTION_POLICY),
        _document(
            {"Effect": "Allow", "Action": "fc:*", "Resource": "*"},
            _pass_role("*"),
        ),
        f"Lets the Lakehouse create and call functions, as {SYSTEM_FUNCTION_POLICY} does.",
    )


def _system_functions() -> PermissionPolicy:
    return PermissionPolicy(
        PolicyName(SYSTEM_FUNCTION_POLICY, provided=True),
        None,
        "Lets the Lakehouse create and call functions. A system policy: it is attached, and cannot be edited.",
    )


def _documented_buckets(buckets: Sequence[str]) -> PermissionPolicy:
    # OSS wants both: the bucket itself for its actions, what is in it for those on objects.
    resources = [form for bucket in buckets for form in (_bucket(bucket), f"{_bucket(bucket)}/*")]
    actions = ["oss:GetObject", "oss:ListObjects", "oss:PutObject", "oss:DeleteObject"]
    return PermissionPolicy(
        PolicyName(BUCKET_POLICY),
        _document({"Effect": "Allow", "Action": actions, "Resource": resources}),
        f"Lets the Lakehouse read and write the code of the functions in {', '.join(buckets)}.",
    )


def _least_buckets(buckets: Sequence[str]) -> PermissionPolicy:
    return PermissionPolicy(
        PolicyName(BUCKET_POLICY),
        _document(
            {"Effect": "Allow", "Action": list(BUCKET_ACTIONS), "Resource": [_bucket(each) for each in buckets]},
            {"Effect": "Allow", "Action": list(OBJECT_ACTIONS), "Resource": [f"{_bucket(each)}/*" for each in buckets]},
        ),
        f"Lets the Lakehouse read and write the code of the functions in {', '.join(buckets)}.",
    )


def _least_functions(connection: ApiConnection, arn: RoleArn, functions: Sequence[str]) -> PermissionPolicy:
    place = f"acs:fc:{connection.region}:{arn.account}"
    resources = [
        f"{place}:{prefix}functions/{name}{suffix}"
        for name in functions or ("*",)
        for prefix in ("", "services/*/")
        for suffix in (("", "/*") if functions else ("",))
    ]
    return PermissionPolicy(
        PolicyName(CUSTOM_FUNCTION_POLICY),
        _document(
            {"Effect": "Allow", "Action": list(_FUNCTION_ACTIONS), "Resource": resources},
            {"Effect": "Allow", "Action": list(_SERVICE_ACTIONS), "Resource": f"{place}:services/*"},
            _pass_role(f"acs:ram:*:{arn.account}:role/{arn.role}"),
        ),
        f"Lets the Lakehouse create and call functions in {connection.region} only.",
    )


def _pass_role(resource: str) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Action": "ram:PassRole",
        "Resource": resource,
        "Condition": {"StringEquals": {"acs:Service": FUNCTION_SERVICE}},
    }


def _bucket(bucket: str) -> str:
    return f"acs:oss:*:*:{bucket}"


def _document(*statements: dict[str, object]) -> Document:
    return {"Version": "1", "Statement": list(statements)}
