"""The steps of a change in a cloud's access management, each with its inverse and the cloud's own word for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from core.changes import CallStep, Event, Found, JsonValue
from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PermissionPolicy, RoleDocuments
from core.lakehouse.facts import NOTHING_TO_UNDO

DESCRIPTION: Final = "Singdata Lakehouse API connection"

# What each call is in the API of its cloud: IAM 2010-05-08, RAM 2015-05-01, CAM 2019-01-16.
_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "create_policy": ("iam CreatePolicy", "ram CreatePolicy", "cam CreatePolicy"),
    "update_policy": (
        "iam CreatePolicyVersion, set as default",
        "ram CreatePolicyVersion, set as default",
        "cam UpdatePolicy",
    ),
    "delete_policy": ("iam DeletePolicy", "ram DeletePolicy", "cam DeletePolicy"),
    "create_role": ("iam CreateRole", "ram CreateRole", "cam CreateRole"),
    "update_trust": ("iam UpdateAssumeRolePolicy", "ram UpdateRole", "cam UpdateAssumeRolePolicy"),
    "delete_role": ("iam DeleteRole", "ram DeleteRole", "cam DeleteRole"),
    "attach_policy": ("iam AttachRolePolicy", "ram AttachPolicyToRole", "cam AttachRolePolicy"),
    "detach_policy": ("iam DetachRolePolicy", "ram DetachPolicyFromRole", "cam DetachRolePolicy"),
    "read_back": ("iam GetRole, GetPolicyVersion", "ram GetRole, GetPolicy", "cam GetRole, GetPolicy"),
}
_COLUMN: Final = {Provider.AWS: 0, Provider.ALIYUN: 1, Provider.TENCENT: 2}


def service_name(connection: ApiConnection) -> str:
    """What the steps of a connection's cloud name as their service: the provider and the region."""
    return f"{connection.provider.value}:{connection.region}"


class CloudSteps:
    """Makes the steps for the role of one connection."""

    def __init__(self, connection: ApiConnection, documents: RoleDocuments) -> None:
        self._service = service_name(connection)
        self._provider = connection.provider
        self._arn = connection.role_arn
        self._role = documents.role
        self._documents = documents

    def create_policy(self, permission: PermissionPolicy) -> CallStep:
        """Create one of the account's own policies."""
        name = permission.policy.name
        undo = self._step(f"Delete policy {name}", "delete_policy", {"name": name}, name)
        return self._step(
            f"Create policy {name}",
            "create_policy",
            {"name": name, "document": _plain(permission.document), "description": DESCRIPTION},
            name,
            permission.document,
            undo=undo,
        )

    def update_policy(self, permission: PermissionPolicy, before: Document) -> CallStep:
        """Put another document of a policy in force."""
        name = permission.policy.name
        document, former = _plain(permission.document), _plain(before)
        back: dict[str, JsonValue] = {"name": name, "document": former, "before": document}
        undo = self._step(f"Bring back the former policy {name}", "update_policy", back, name, before)
        there: dict[str, JsonValue] = {"name": name, "document": document, "before": former}
        return self._step(f"Change policy {name}", "update_policy", there, name, permission.document, undo=undo)

    def create_role(
        self, trust: Document, *, events: tuple[Event, ...] = (), undo_events: tuple[Event, ...] = ()
    ) -> CallStep:
        """Create the role, with a trust policy."""
        undo = self._step(
            f"Delete role {self._role}", "delete_role", {"name": self._role}, self._role, events=undo_events
        )
        arguments: dict[str, JsonValue] = {
            "name": self._role,
            "arn": self._arn,
            "trust": _plain(trust),
            "description": DESCRIPTION,
            "path": self._documents.path,
        }
        what = f"{self._role} under {self._documents.path}" if self._documents.path else self._role
        return self._step(f"Create role {self._role}", "create_role", arguments, what, trust, undo=undo, events=events)

    def attach_policy(self, policy: PolicyName) -> CallStep:
        """Attach a policy to the role."""
        return self._attaching("attach_policy", policy, undo=self._attaching("detach_policy", policy))

    def detach_policy(self, policy: PolicyName) -> CallStep:
        """Detach a policy from the role."""
        return self._attaching("detach_policy", policy, undo=self._attaching("attach_policy", policy))

    def update_trust(
        self,
        trust: Document,
        before: Document,
        *,
        external_id: str = "",
        found: Found | None = None,
        former_id: str = PLACEHOLDER_EXTERNAL_ID,
        events: tuple[Event, ...] = (),
        undo_events: tuple[Event, ...] = (),
        needs: int | None = None,
    ) -> CallStep:
        """Replace the trust policy by one that asks for `external_id`, or for what an earlier step has found.

        `trust` has the placeholder where the external id belongs; `before` is what is there now.
        """
        arguments: dict[str, JsonValue] = {"role": self._role, "trust": _plain(trust), "before": _plain(before)}
        shown = "the external id that DESC CONNECTION tells" if found else external_id
        text = json.dumps(trust, ensure_ascii=False, indent=2).replace(
            PLACEHOLDER_EXTERNAL_ID, f"<{shown}>" if found else shown
        )
        undo = None
        if former_id:  # a trust policy that asked for nothing is never brought back
            back: dict[str, JsonValue] = {"role": self._role, "trust": _plain(before), "external_id": former_id}
            back["before"] = None
            undo = self._step(
                f"Bring back the former trust policy of {self._role}",
                "update_trust",
                back,
                self._role,
                before,
                events=undo_events,
            )
        return CallStep(
            f"Let the trust policy of {self._role} ask for the external id",
            self._service,
            "update_trust",
            arguments if found else {**arguments, "external_id": external_id},
            f"{self._word('update_trust')} {self._role}\n{text}",
            takes={"external_id": found} if found else {},
            undo=undo,
            no_undo="" if undo else "the former trust policy let the role be assumed without an external id",
            events=events,
            needs=needs,
        )

    def delete_policy(self, policy: PolicyName, why_no_undo: str) -> CallStep:
        """Delete one of the account's own policies."""
        name = policy.name
        return self._step(f"Delete policy {name}", "delete_policy", {"name": name}, name, no_undo=why_no_undo)

    def delete_role(self, why_no_undo: str, *, events: tuple[Event, ...] = ()) -> CallStep:
        """Delete the role."""
        return self._step(
            f"Delete role {self._role}",
            "delete_role",
            {"name": self._role},
            self._role,
            no_undo=why_no_undo,
            events=events,
        )

    def read_back(
        self,
        *,
        external_id: str = "",
        found: Found | None = None,
        events: tuple[Event, ...] = (),
        needs: int | None = None,
    ) -> CallStep:
        """Read the role and its policies, and tell what differs from what is wanted."""
        policies: list[JsonValue] = [
            {"name": p.policy.name, "provided": p.policy.provided, "document": _plain(p.document)}
            for p in self._documents.permissions
        ]
        arguments: dict[str, JsonValue] = {
            "role": self._role,
            "arn": self._arn,
            "trust": _plain(self._documents.trust),
            "policies": policies,
        }
        return CallStep(
            f"Read role {self._role} and its policies back",
            self._service,
            "read_back",
            arguments if found else {**arguments, "external_id": external_id},
            f"{self._word('read_back')}: {self._role}",
            takes={"external_id": found} if found else {},
            undo=NOTHING_TO_UNDO,
            events=events,
            needs=needs,
        )

    def _attaching(self, operation: str, policy: PolicyName, *, undo: CallStep | None = None) -> CallStep:
        attaches = operation == "attach_policy"
        title = f"Attach {policy.name} to {self._role}" if attaches else f"Detach {policy.name} from {self._role}"
        arguments: dict[str, JsonValue] = {"role": self._role, "policy": policy.name, "provided": policy.provided}
        return self._step(title, operation, arguments, f"{self._role} {policy.name}", undo=undo)

    def _step(
        self,
        title: str,
        operation: str,
        arguments: Mapping[str, JsonValue],
        what: str,
        document: Document | None = None,
        *,
        undo: CallStep | None = None,
        no_undo: str = "",
        events: tuple[Event, ...] = (),
    ) -> CallStep:
        text = f"{self._word(operation)} {what}"
        if document is not None:
            text += "\n" + json.dumps(document, ensure_ascii=False, indent=2)
        return CallStep(title, self._service, operation, arguments, text, undo=undo, no_undo=no_undo, events=events)

    def _word(self, operation: str) -> str:
        return _WORDS[operation][_COLUMN[self._provider]]


def _plain(document: Document | None) -> JsonValue:
    return None if document is None else dict(document)
