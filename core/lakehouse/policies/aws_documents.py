"""The documents of a connection's role in AWS: IAM policies, version 2012-10-17, in the partition of the role."""

from __future__ import annotations

from collections.abc import Sequence

from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PermissionPolicy, PolicyScope
from core.lakehouse.rules.arn import RoleArn
from core.lakehouse.rules.vendor_principals import vendor_principal

POLICY = "LakehouseAccess"
EXECUTION_POLICY = "AWSLambdaBasicExecutionRole"
FUNCTION_SERVICE = "lambda.amazonaws.com"  # the same in China

# Each acts on the one or the other, and is allowed nothing where only the other is named.
OBJECT_ACTIONS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
BUCKET_ACTIONS = ("s3:ListBucket", "s3:GetBucketLocation")
# Of the actions that the vendor's older documentation lists, those that act on a function and can be narrowed to one.
_FUNCTION_ACTIONS = (
    "lambda:CreateFunction",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:DeleteFunction",
    "lambda:InvokeFunction",
    "lambda:InvokeAsync",
    "lambda:PublishVersion",
    "lambda:ListVersionsByFunction",
    "lambda:CreateAlias",
    "lambda:GetAlias",
    "lambda:UpdateAlias",
    "lambda:DeleteAlias",
    "lambda:ListAliases",
    "lambda:GetPolicy",
    "lambda:GetFunctionConcurrency",
    "lambda:PutFunctionConcurrency",
    "lambda:DeleteFunctionConcurrency",
    "lambda:ListTags",
)
_LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
LEAVES_OUT = (
    "Listing functions, and all of Lambda beside functions, their versions and aliases (layers, event sources, code "
    "signing, provisioned concurrency).",
    "Functions in other regions.",
    f"{EXECUTION_POLICY}: writing logs is allowed for the functions' own log groups instead.",
)


def permissions(
    connection: ApiConnection,
    arn: RoleArn,
    scope: PolicyScope,
    buckets: Sequence[str],
    functions: Sequence[str],
    *,
    pass_role: bool = False,
) -> tuple[PermissionPolicy, ...]:
    """The policies of the role. The least of them always has iam:PassRole, narrowed to the role itself."""
    if scope is PolicyScope.LEAST:
        return (_least(connection, arn, buckets, functions),)
    statements = [_allow(("lambda:*",), ["*"]), *_bucket_statements(arn.partition, buckets)]
    if pass_role:
        statements.append(_pass_role(arn))
    return (
        _policy(statements, buckets),
        PermissionPolicy(
            PolicyName(EXECUTION_POLICY, provided=True),
            None,
            "Lets the functions, which run under the same role, write their logs. Managed by AWS.",
        ),
    )


def trust(arn: RoleArn, external_id: str | None) -> Document:
    """Who may assume the role: Lambda, whose functions run under it, and the vendor, by the external id if any."""
    vendor = vendor_principal(arn.provider, arn.partition)
    by_vendor: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": vendor.principal},
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        by_vendor["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    by_functions = {"Effect": "Allow", "Principal": {"Service": FUNCTION_SERVICE}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [by_functions, by_vendor]}


def policy_arn(arn: RoleArn, policy: PolicyName) -> str:
    """The ARN under which a policy is attached to the role."""
    if policy.provided:
        path = "service-role/" if policy.name == EXECUTION_POLICY else ""
        return f"arn:{arn.partition}:iam::aws:policy/{path}{policy.name}"
    return f"arn:{arn.partition}:iam::{arn.account}:policy/{policy.name}"


def _least(
    connection: ApiConnection, arn: RoleArn, buckets: Sequence[str], functions: Sequence[str]
) -> PermissionPolicy:
    place = f"{connection.region}:{arn.account}"
    suffixes = ("", ":*") if functions else ("",)  # a name, and its versions and aliases
    resources = [
        f"arn:{arn.partition}:lambda:{place}:function:{name}{suffix}"
        for name in functions or ("*",)
        for suffix in suffixes
    ]
    groups = [f"arn:{arn.partition}:logs:{place}:log-group:/aws/lambda/{name}:*" for name in functions or ("*",)]
    statements = [
        _allow(_FUNCTION_ACTIONS, resources),
        *_bucket_statements(arn.partition, buckets),
        _allow(_LOG_ACTIONS, groups),
        _pass_role(arn),
    ]
    return _policy(statements, buckets)


def _policy(statements: list[dict[str, object]], buckets: Sequence[str]) -> PermissionPolicy:
    return PermissionPolicy(
        PolicyName(POLICY),
        {"Version": "2012-10-17", "Statement": statements},
        f"Lets the Lakehouse create and call functions, and read and write their code in {', '.join(buckets)}.",
    )


def _bucket_statements(partition: str, buckets: Sequence[str]) -> list[dict[str, object]]:
    names = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
    return [_allow(BUCKET_ACTIONS, names), _allow(OBJECT_ACTIONS, [f"{name}/*" for name in names])]


def _pass_role(arn: RoleArn) -> dict[str, object]:
    return {
        **_allow(("iam:PassRole",), [str(arn)]),
        "Condition": {"StringEquals": {"iam:PassedToService": FUNCTION_SERVICE}},
    }


def _allow(actions: Sequence[str], resources: list[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}
