"""The documents a connection needs in its cloud: what the role may do, and who may assume it.

Values here; `core.lakehouse.policies.cloud_documents` makes them for each cloud.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.lakehouse.cloud_access import Document, PolicyName

PLACEHOLDER_EXTERNAL_ID = "000000"  # until the real one is known: no caller has it, so the role fails closed


class PolicyScope(StrEnum):
    """How much the permission policies allow."""

    DOCUMENTED = "documented"  # what the vendor's documentation asks for
    LEAST = "least"  # what its calls need, on the named bucket, functions and namespace only


@dataclass(frozen=True, slots=True)
class PermissionPolicy:
    """A policy that is attached to the role. `document` is None for one that the cloud provides."""

    policy: PolicyName
    document: Document | None
    purpose: str  # one sentence for people


@dataclass(frozen=True, slots=True)
class RoleDocuments:
    """All that a connection's role is made of. `trust` is the document for the external id it was made with."""

    role: str  # its name, from the role ARN
    account: str  # the id of the account it is in, from the role ARN
    permissions: tuple[PermissionPolicy, ...]
    trust: Document
    path: str = ""  # AWS only: what the role ARN has before the name, as `/team/`; empty where it has nothing
