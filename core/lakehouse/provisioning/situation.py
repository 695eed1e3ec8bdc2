"""What a plan starts from: what is there now in the cloud and in the Lakehouse, read and never remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import RefusedError
from core.lakehouse.cloud_access import CloudAccess, Document, PolicyName, RoleState
from core.lakehouse.connections import ConnectionDescription, ExternalFunction
from core.lakehouse.documents import RoleDocuments
from core.lakehouse.reaching.lakehouse import Lakehouse, uses


@dataclass(frozen=True, slots=True)
class CloudSituation:
    """The account's side of one connection. `policies` has each policy that is there, by name."""

    account: str
    role: RoleState | None
    policies: Mapping[PolicyName, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LakehouseSituation:
    """The Lakehouse's side of one connection. `functions` are those that use it.

    `unclear` counts external functions of which the Lakehouse does not tell what connection they use.
    """

    description: ConnectionDescription | None
    functions: tuple[ExternalFunction, ...] = ()
    unclear: int = 0


async def read_cloud(cloud: CloudAccess, documents: RoleDocuments) -> CloudSituation:
    """Read what `documents` are about. Raises what `CloudAccess` raises, RefusedError for another account's role."""
    account = await cloud.account()
    if account != documents.account:
        raise RefusedError(
            f"The credentials are those of the account {account}; the role is in {documents.account}.",
            advice="Use credentials of the role's account, or mend the role ARN.",
        )
    return await read_role(cloud, documents, account)


async def read_role(cloud: CloudAccess, documents: RoleDocuments, account: str = "") -> CloudSituation:
    """Read the role and the policies that `documents` name. Raises what `CloudAccess` raises.

    A policy that the cloud provides is not asked for when it is attached: it is there then, and nobody can change it.
    """
    role = await cloud.role(documents.role)
    attached = frozenset() if role is None else role.attached
    there: dict[PolicyName, Document] = {}
    asked: list[PolicyName] = []
    for permission in documents.permissions:
        if permission.policy.provided and permission.policy in attached:
            there[permission.policy] = {}
        else:
            asked.append(permission.policy)
    found = await asyncio.gather(*map(cloud.policy, asked))
    there |= {name: document for name, document in zip(asked, found, strict=True) if document is not None}
    return CloudSituation(account, role, there)


async def read_lakehouse(lakehouse: Lakehouse, name: str) -> LakehouseSituation:
    """Read the connection and who uses it. Raises what the Lakehouse raises."""
    description, functions = await asyncio.gather(lakehouse.description(name), lakehouse.functions())
    used = tuple(function for function in functions if uses(function, name))
    return LakehouseSituation(description, used, sum(not function.connection for function in functions))
