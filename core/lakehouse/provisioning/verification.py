"""Whether what was read back is what is wanted: the differences, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.cloud_access import Document, RoleState
from core.lakehouse.connections import ApiConnection, ConnectionDescription
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, RoleDocuments
from core.lakehouse.lint.document_lint import documents_differ
from core.lakehouse.policies.policy_reading import PolicyStatement, read_document, wildcard_covers
from core.lakehouse.provisioning.situation import CloudSituation
from core.lakehouse.state import TRUST_POLICY

_EXACT: Final = frozenset({"stringequals", "stringequal"})  # AWS and Alibaba Cloud, Tencent Cloud
_TOLD: Final = {"provider": "provider", "region": "region", "role_arn": "role", "code_bucket": "code bucket"}


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
        yield f"{TRUST_POLICY} of {wanted.role}: {words}"
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


def lakehouse_differences(
    connection: ApiConnection, external_id: str, found: ConnectionDescription | None
) -> tuple[str, ...]:
    """What of the connection in the Lakehouse is not as known."""
    if found is None:
        return (f"The Lakehouse has no connection {connection.name}.",)
    differences = definition_differences(connection, found)
    if external_id and found.external_id != external_id:
        told = found.external_id or "none"
        return (f"The connection was created anew: its external id is {told}, not {external_id}.", *differences)
    return differences


def definition_differences(connection: ApiConnection, found: ConnectionDescription) -> tuple[str, ...]:
    """What DESC CONNECTION tells of a definition and is not as wanted; what it does not tell is no difference."""
    told = {name.rpartition(".")[2].lower().replace("_", ""): value for name, value in found.info.items()}
    return tuple(_definition_differences(connection, told))


def _definition_differences(connection: ApiConnection, told: dict[str, str]) -> Iterator[str]:
    for field, words in _TOLD.items():
        there, wanted = told.get(field.replace("_", ""), ""), str(getattr(connection, field))
        if there and there.lower() != wanted.lower():  # names of roles and providers are written in any case
            yield f"In the Lakehouse its {words} is {one_line(there, 120)}, not {wanted}."


def trusted_id(role: RoleState | None) -> str:
    """The external id that the trust policy of a role asks for; empty when it asks for none, or there is no role."""
    return "" if role is None else external_id_of(role.trust)


def external_id_of(trust: Document) -> str:
    """The external id that whoever a trust policy lets in has to know; empty when somebody is let in without one.

    Services of the cloud (Lambda) know none, and are not meant. Where nobody else is let in it is the placeholder:
    that comes to the same. A document that cannot be read asks for nothing.
    """
    try:
        statements = read_document(trust).statements
    except BadInputError:
        return ""
    asked = [_asked(each) for each in statements if _lets_somebody_in(each)]
    if not asked:
        return PLACEHOLDER_EXTERNAL_ID
    return min(asked[0]) if all(asked) else ""


def _lets_somebody_in(statement: PolicyStatement) -> bool:
    """Whether others than services of the cloud may assume the role by it, with a condition or without."""
    assumes = any(wildcard_covers(action, "sts:AssumeRole") for action in statement.actions)
    others = any(kind != "service" for kind, _ in statement.principals)
    # NotAction and NotPrincipal let in whatever they do not name.
    negated = any(name.startswith(("NotAction", "NotPrincipal")) for name in statement.excepted)
    return statement.allows and (assumes or negated) and (others or negated)


def _asked(statement: PolicyStatement) -> frozenset[str]:
    """The external ids one of which a statement asks for; none where a pattern lets any pass, or a missing one."""
    for condition in statement.conditions:
        if condition.key.lower() in ("sts:externalid", "sts:external_id"):
            exact = condition.operator.lower().replace("_", "").removeprefix("foranyvalue:") in _EXACT
            pattern = any("*" in value or "?" in value for value in condition.values)
            if exact or (condition.operator.lower() == "stringlike" and not pattern):
                return condition.values
    return frozenset()
