"""What Housekeys needs of a cloud's access management: the same few calls for all three clouds.

Implemented by `core.lakehouse.clouds`: AWS IAM, Alibaba Cloud RAM, Tencent Cloud CAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.lakehouse.connections import Provider

Document = Mapping[str, Any]  # a policy document as JSON values, in the cloud's own words


@dataclass(frozen=True, slots=True)
class PolicyName:
    """A policy: one of the account's own, or one that the cloud provides and nobody can edit."""

    name: str
    provided: bool = False  # by the cloud: "system" (Alibaba), "preset" (Tencent), "AWS managed"


@dataclass(frozen=True, slots=True)
class RoleState:
    """A role as it stands in the cloud."""

    name: str
    arn: str
    trust: Document  # the trust policy (assume-role policy) document
    attached: frozenset[PolicyName]


class CloudAccess(Protocol):
    """The access management of one account in one cloud, by the credentials of its SDK's own chain.

    Every call may raise: UnreachableError (no answer, or no credentials in the SDK's chain), RefusedError (the cloud
    says the caller may not), BadInputError (it does not accept a document or name), HousekeysError (anything else).
    None of them holds a credential; the detail has the cloud's own code and request id.
    """

    @property
    def provider(self) -> Provider: ...

    async def account(self) -> str:
        """The id of the account that the credentials belong to, as role ARNs write it."""
        ...

    async def policy(self, policy: PolicyName) -> Document | None:
        """The document in force of a policy, None when there is no such policy."""
        ...

    async def create_policy(self, name: str, document: Document, description: str) -> None:
        """Create one of the account's own policies. RefusedError when the name is taken."""
        ...

    async def update_policy(self, name: str, document: Document) -> None:
        """Put another document in force. Where there is room for no more versions, the oldest one not in force goes."""
        ...

    async def delete_policy(self, name: str) -> None:
        """Delete a policy of the account's own with all its versions; nothing happens when there is none."""
        ...

    async def role(self, name: str) -> RoleState | None:
        """A role with its trust policy and what is attached, None when there is no such role."""
        ...

    async def create_role(self, name: str, trust: Document, description: str, path: str = "") -> RoleState:
        """Create a role, in AWS under a path as `/team/`. RefusedError when the name is taken.

        BadInputError for a path in another cloud: they have none.
        """
        ...

    async def update_trust(self, role: str, trust: Document) -> None:
        """Replace the trust policy of a role."""
        ...

    async def delete_role(self, name: str) -> None:
        """Delete a role that nothing is attached to; nothing happens when there is none."""
        ...

    async def attach_policy(self, role: str, policy: PolicyName) -> None:
        """Attach a policy to a role; nothing happens when it is attached already."""
        ...

    async def detach_policy(self, role: str, policy: PolicyName) -> None:
        """Detach a policy from a role; nothing happens when it is not attached."""
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...
