"""What is wrong with the trust policy of a connection's role, beside its version.

The role must be assumed by the vendor, by nobody else, and by the vendor only with the external id of the connection;
in AWS by Lambda as well, whose functions run under the same role.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.display import one_line
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.policies.aws_documents import FUNCTION_SERVICE
from core.lakehouse.policies.policy_reading import Condition, PolicyDocument, PolicyStatement, wildcard_covers
from core.lakehouse.rules.regions import partition_of
from core.lakehouse.rules.validation import external_id_problem
from core.lakehouse.rules.vendor_principals import VENDOR_ACCOUNTS, VENDOR_PRINCIPALS

_KEY = {Provider.ALIYUN: "sts:ExternalId", Provider.TENCENT: "sts:external_id", Provider.AWS: "sts:ExternalId"}
_EQUALS = {Provider.ALIYUN: "StringEquals", Provider.TENCENT: "string_equal", Provider.AWS: "StringEquals"}
_SERVICES = {
    Provider.ALIYUN: {"fc.aliyuncs.com"},
    Provider.TENCENT: {"scf.qcloud.com", "scf.cloud.tencent.com"},
    Provider.AWS: {FUNCTION_SERVICE, "lambda.amazonaws.com.cn"},
}


def trust_findings(
    provider: Provider, document: PolicyDocument, connection: ApiConnection | None, external_id: str
) -> Iterator[Finding]:
    """All that is wrong with a trust policy. `external_id` is that of the connection, empty when it is not known."""
    vendors = _vendors(provider, connection)
    allowing = [each for each in document.statements if each.allows]
    by_vendor = []
    for statement in allowing:
        trusted = [name for kind, name in statement.principals if name in vendors]
        yield from _principal_findings(provider, statement, vendors)
        yield from _action_findings(statement)
        if trusted:
            by_vendor.append(statement)
    for statement in by_vendor:
        yield from _external_id_findings(provider, statement, external_id)
    if not by_vendor:
        yield Finding(
            Severity.ERROR,
            "vendor-not-trusted",
            f"It does not trust the vendor's account in {provider.cloud}: the Lakehouse cannot assume the role.",
            f"Add the principal {' or '.join(sorted(vendors))}.",
        )
    if provider is Provider.AWS and not any(
        ("service", name) in each.principals for each in allowing for name in _SERVICES[provider]
    ):
        yield Finding(
            Severity.WARNING,
            "function-service-not-trusted",
            f"It does not trust {FUNCTION_SERVICE}: functions cannot run under the role, and creating one is refused.",
            f"Add a statement that lets the service {FUNCTION_SERVICE} assume the role.",
        )


def _vendors(provider: Provider, connection: ApiConnection | None) -> frozenset[str]:
    """Whom the role may trust; without a connection in every partition."""
    partition = partition_of(provider, connection.region) if connection is not None else ""
    return frozenset(
        each.principal for each in VENDOR_PRINCIPALS if each.provider is provider and partition in ("", each.partition)
    )


def _principal_findings(provider: Provider, statement: PolicyStatement, vendors: frozenset[str]) -> Iterator[Finding]:
    for kind, name in statement.principals:
        shown = one_line(name, 100)
        if name in vendors or (kind == "service" and name in _SERVICES[provider]):
            continue
        if "*" in name:
            message = f"The principal {shown} lets anybody assume the role who knows its ARN."
            yield Finding(Severity.ERROR, "anybody-trusted", message, f"Write {' or '.join(sorted(vendors))}.")
        elif kind == "service":
            message = f"The service {shown} has no part in a connection."
            yield Finding(
                Severity.WARNING, "other-principal-trusted", message, "Remove it, if it is not needed otherwise."
            )
        elif any(account in name for account in VENDOR_ACCOUNTS):
            message = f"{shown} is the vendor's account, but not as it is to be named here."
            yield Finding(Severity.ERROR, "other-principal-trusted", message, f"Write {' or '.join(sorted(vendors))}.")
        else:
            message = f"{shown} is not the vendor's: somebody else may assume the role."
            yield Finding(Severity.ERROR, "other-principal-trusted", message, f"Write {' or '.join(sorted(vendors))}.")


def _action_findings(statement: PolicyStatement) -> Iterator[Finding]:
    if "sts:assumerole" not in {each.lower() for each in statement.actions} and not any(
        wildcard_covers(each, "sts:AssumeRole") for each in statement.actions
    ):
        yield Finding(
            Severity.ERROR,
            "trust-action",
            "A statement allows something else than sts:AssumeRole.",
            "Write sts:AssumeRole; what the role may do belongs into its permission policies.",
        )
    elif any("*" in each for each in statement.actions):
        message = "A statement allows more than sts:AssumeRole."
        yield Finding(Severity.WARNING, "trust-action", message, "Write sts:AssumeRole only.")


def _external_id_findings(provider: Provider, statement: PolicyStatement, external_id: str) -> Iterator[Finding]:
    asked = [each for each in statement.conditions if _plain(each.key) == "sts:externalid"]
    if not asked:
        yield Finding(
            Severity.WARNING,
            "external-id-not-asked",
            "The vendor may assume the role without an external id: whoever can make the vendor use this role's ARN "
            "may use it.",
            f"Add the condition {_EQUALS[provider]} {_KEY[provider]} with the id that DESC CONNECTION tells.",
        )
    for condition in asked:
        yield from _condition_findings(provider, condition, external_id)


def _condition_findings(provider: Provider, condition: Condition, external_id: str) -> Iterator[Finding]:
    if condition.key.lower() != _KEY[provider].lower():
        yield Finding(
            Severity.ERROR,
            "external-id-key",
            f"{one_line(condition.key, 60)} is not the key of the external id in {provider.cloud}.",
            f"Write {_KEY[provider]}.",
        )
    if condition.operator.lower() != _EQUALS[provider].lower():
        yield Finding(
            Severity.WARNING,
            "external-id-operator",
            f"{one_line(condition.operator, 60)} does not compare the external id exactly.",
            f"Write {_EQUALS[provider]}.",
        )
    for value in sorted(condition.values):
        if value == PLACEHOLDER_EXTERNAL_ID:
            yield Finding(
                Severity.WARNING,
                "placeholder-external-id",
                f"It asks for the placeholder {PLACEHOLDER_EXTERNAL_ID} still: the Lakehouse cannot assume the role.",
                "Replace it with the id that DESC CONNECTION tells.",
            )
        elif problem := external_id_problem(value):
            message = f"The external id {one_line(value, 60)} is none: {problem}."
            yield Finding(Severity.ERROR, "external-id-form", message, "Copy the id that DESC CONNECTION tells.")
        elif external_id and value != external_id:
            yield Finding(
                Severity.ERROR,
                "external-id-differs",
                f"The external id {one_line(value, 60)} is not the connection's, {one_line(external_id, 60)}.",
                "Replace it with the id that DESC CONNECTION tells.",
            )


def _plain(key: str) -> str:
    return key.lower().replace("_", "")
