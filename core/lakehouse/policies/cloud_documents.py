"""The documents of a connection's role, for its cloud: what it may do, and who may assume it.

The documented ones are what the vendor's documentation asks for, without its slips. The vendor does not say which
calls it makes, so the least ones are derived from what a function's life needs: try them before relying on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.cloud_access import Document
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PermissionPolicy, PolicyScope, RoleDocuments
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.policies import aliyun_documents, aws_documents, tencent_documents
from core.lakehouse.rules.arn import parse_role_arn
from core.lakehouse.rules.validation import (
    code_bucket_finding,
    external_id_problem,
    namespace_finding,
    region_finding,
    role_arn_finding,
)

_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\*?")
_LEAVES_OUT = {
    Provider.ALIYUN: aliyun_documents.LEAVES_OUT,
    Provider.TENCENT: tencent_documents.LEAVES_OUT,
    Provider.AWS: aws_documents.LEAVES_OUT,
}
_UNDOCUMENTED = "The vendor does not document its calls: try CREATE EXTERNAL FUNCTION and a call with it."


def role_documents(
    connection: ApiConnection,
    *,
    scope: PolicyScope = PolicyScope.DOCUMENTED,
    external_id: str | None = PLACEHOLDER_EXTERNAL_ID,
    buckets: Sequence[str] = (),
    functions: Sequence[str] = (),
    pass_role: bool = False,
    custom_function_policy: bool = False,
) -> RoleDocuments:
    """The role of a connection and all its documents.

    `external_id` None makes a trust policy that asks for none. `buckets` are allowed beside the connection's own.
    `functions` narrows the least policies to functions of these names in the cloud; a name may end with `*`.
    `pass_role` adds iam:PassRole to AWS's documented policy, `custom_function_policy` takes a policy of the account's
    own for AliyunFCFullAccess. Raises BadInputError where the definition of the connection has an error.
    """
    every_bucket = tuple(dict.fromkeys((connection.code_bucket, *buckets)))
    _check(connection, every_bucket, external_id, functions)
    arn = parse_role_arn(connection.role_arn)
    permissions: tuple[PermissionPolicy, ...]
    if arn.provider is Provider.ALIYUN:
        permissions = aliyun_documents.permissions(
            connection, arn, scope, every_bucket, functions, custom=custom_function_policy
        )
        trust = aliyun_documents.trust(arn, external_id)
    elif arn.provider is Provider.TENCENT:
        permissions = tencent_documents.permissions(connection, arn, scope, every_bucket, functions)
        trust = tencent_documents.trust(arn, external_id)
    else:
        permissions = aws_documents.permissions(connection, arn, scope, every_bucket, functions, pass_role=pass_role)
        trust = aws_documents.trust(arn, external_id)
    return RoleDocuments(arn.role, arn.account, permissions, trust, "" if arn.path == "/" else arn.path)


def least_leaves_out(provider: Provider) -> tuple[str, ...]:
    """What the least policies do not allow and the documented ones do, in sentences."""
    return (*_LEAVES_OUT[provider], _UNDOCUMENTED)


def document_text(document: Document) -> str:
    """A document as JSON to paste into a console."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def _check(
    connection: ApiConnection, buckets: Sequence[str], external_id: str | None, functions: Sequence[str]
) -> None:
    provider = connection.provider
    found = [
        region_finding(provider, connection.region),
        role_arn_finding(provider, connection.role_arn, connection.region),
        *(code_bucket_finding(provider, bucket) for bucket in buckets),
        namespace_finding(provider, connection.namespace) if connection.namespace else None,
    ]
    for finding in filter(None, found):
        _refuse_error(finding)
    if external_id not in (None, PLACEHOLDER_EXTERNAL_ID) and (problem := external_id_problem(external_id)):
        raise BadInputError(f"This is no external id: {problem}.", advice="Copy it from the answer of DESC CONNECTION.")
    for name in functions:
        if not _FUNCTION_NAME.fullmatch(name):
            raise BadInputError(
                f"{one_line(name, 70) or 'The empty text'} is not the name of a function in the cloud.",
                advice="Write letters, digits, _ and -, with * at the end for all names that begin so.",
            )


def _refuse_error(finding: Finding) -> None:
    if finding.severity is Severity.ERROR:
        raise BadInputError(finding.message, advice=finding.advice)
