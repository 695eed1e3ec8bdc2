"""Whether what was read back is what is wanted: the differences, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.lakehouse.cloud_access import Document, RoleState
from core.lakehouse.connections import ConnectionDescription
from core.lakehouse.document_lint import documents_differ
from core.lakehouse.documents import RoleDocuments
from core.lakehouse.situation import CloudSituation


def cloud_differences(wanted: RoleDocuments, arn: str, found: CloudSituation) -> tuple[str, ...]:
    """What of the role and its policies is not as wanted. `wanted.trust` asks for the external id that holds."""
    return tuple(_cloud_differences(wanted, arn, found))


def _cloud_differences(wanted: RoleDocuments, arn: str, found: CloudSituation) -> Iterator[str]:
    role = found.role
    if role is None:
        yield f"There is no role {wanted.role}."
        return
    if role.arn.lower() != arn.lower():
        yield f"The role is {role.arn}, not {arn}."
    for words in documents_differ(wanted.trust, role.trust):
        yield f"Trust policy of {wanted.role}: {words}"
    attached = {policy.name.lower() for policy in role.attached}
    for permission in wanted.permissions:
        name = permission.policy.name
        if name.lower() not in attached:
            yield f"The policy {name} is not attached to {wanted.role}."
        document = found.policies.get(permission.policy)
        if document is None:
            yield f"There is no policy {name}."
        elif permission.document is not None:
            for words in documents_differ(permission.document, document):
                yield f"Policy {name}: {words}"
    names = {permission.policy.name.lower() for permission in wanted.permissions}
    for more in sorted(policy.name for policy in role.attached if policy.name.lower() not in names):
        yield f"The policy {more} is attached to {wanted.role} as well: the Lakehouse may do what it allows."


def lakehouse_differences(name: str, external_id: str, found: ConnectionDescription | None) -> tuple[str, ...]:
    """What of the connection in the Lakehouse is not as known."""
    if found is None:
        return (f"The Lakehouse has no connection {name}.",)
    if external_id and found.external_id != external_id:
        told = found.external_id or "none"
        return (f"The connection was created anew: its external id is {told}, not {external_id}.",)
    return ()


def trusted_id(role: RoleState | None) -> str:
    """The external id that the trust policy of a role asks for; empty when it asks for none, or there is no role."""
    return "" if role is None else external_id_of(role.trust)


def external_id_of(trust: Document) -> str:
    """The external id that a trust policy asks for; empty when it asks for none."""
    return next(_external_ids(trust), "")


def _external_ids(document: Document) -> Iterator[str]:
    """Values of conditions on the external id: `sts:ExternalId` (AWS, Alibaba Cloud), `sts:external_id` (Tencent)."""
    for statement in _statements(document):
        condition = statement.get("Condition", statement.get("condition"))
        if not isinstance(condition, Mapping):
            continue
        for operator in condition.values():
            if isinstance(operator, Mapping):
                for key, value in operator.items():
                    if str(key).lower() in ("sts:externalid", "sts:external_id"):
                        yield from ([str(value)] if isinstance(value, str) else map(str, value))


def _statements(document: Document) -> list[Mapping[str, Any]]:
    found = document.get("Statement", document.get("statement", []))
    listed = [found] if isinstance(found, Mapping) else found
    return [statement for statement in listed if isinstance(statement, Mapping)]
