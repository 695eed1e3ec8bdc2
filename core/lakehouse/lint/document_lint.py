"""What is wrong with a policy document of a connection's role, whichever cloud it is of, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.findings import Finding, Severity, at
from core.lakehouse.lint.permission_rules import permission_findings
from core.lakehouse.lint.trust_rules import trust_findings
from core.lakehouse.policies.document_differences import documents_differ
from core.lakehouse.policies.policy_reading import DocumentKind, PolicyDocument, read_document

__all__ = ["documents_differ", "lint_document"]

_VERSIONS = {
    Provider.ALIYUN: ("1",),
    Provider.TENCENT: ("2.0",),
    Provider.AWS: ("2012-10-17", "2008-10-17"),
}
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION)


def lint_document(
    document: Mapping[str, Any], *, line: int = 0, connection: ApiConnection | None = None, external_id: str = ""
) -> tuple[Finding, ...]:
    """All that is wrong with a document, errors first. The cloud and the kind of document are told by what it says.

    `line` is where the document begins in a text. With a connection it is checked whether the document fits to it;
    with the external id that DESC CONNECTION tells, whether a trust policy asks for that one.
    """
    try:
        read = read_document(document)
    except BadInputError as error:
        found = [Finding(Severity.ERROR, "no-policy", error.message, error.advice)]
    else:
        found = sorted(_findings(read, connection, external_id), key=lambda each: _ORDER.index(each.severity))
    return tuple(at(each, line) if line else each for each in dict.fromkeys(found))


def _findings(document: PolicyDocument, connection: ApiConnection | None, external_id: str) -> Iterator[Finding]:
    provider = document.provider
    if provider is None:
        message = "Nothing in the document tells which cloud it is for."
        advice = "Name actions and resources of Alibaba Cloud, Tencent Cloud or AWS."
        yield Finding(Severity.WARNING, "cloud-unknown", message, advice)
        return
    if connection is not None and connection.provider is not provider:
        message = f"The document is one of {provider.cloud}, the connection one of {connection.provider.cloud}."
        yield Finding(
            Severity.ERROR, "document-of-other-cloud", message, "Take the document of the connection's cloud."
        )
        return
    if document.version not in _VERSIONS[provider]:
        version = _VERSIONS[provider][0]
        message = f"The version is {one_line(document.version, 40) or 'missing'}; {provider.cloud}'s is {version}."
        yield Finding(Severity.WARNING, "policy-version", message, f'Write "Version": "{version}".')
    if document.kind is DocumentKind.TRUST:
        yield from trust_findings(provider, document, connection, external_id)
    else:
        yield from permission_findings(provider, document, connection)
