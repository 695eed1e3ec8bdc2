"""The calls of a change to a cloud's access management, each made so that it can be made again.

A call looks first: what is so already is left alone, what is there and differs from what the plan has read is refused,
so that nobody's work is lost. The operations are named as methods of `CloudAccess`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.changes import JsonValue
from core.errors import BadInputError, HousekeysError, RefusedError
from core.lakehouse.cloud_access import CloudAccess, Document, PolicyName
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PermissionPolicy, RoleDocuments
from core.lakehouse.lint.document_lint import documents_differ
from core.lakehouse.provisioning.situation import read_role
from core.lakehouse.provisioning.verification import cloud_differences, trusted_id

Arguments = Mapping[str, Any]


class CloudCalls:
    """Carries out the calls of a change to one cloud. See `core.running.needs.Service`."""

    def __init__(self, cloud: CloudAccess) -> None:
        self._cloud = cloud

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Make it so. Raises what `CloudAccess` raises, and RefusedError for what was changed since the plan."""
        match operation:
            case "create_policy":
                await self._create_policy(arguments)
            case "update_policy":
                await self._update_policy(arguments)
            case "delete_policy":
                await self._cloud.delete_policy(_text(arguments, "name"))
            case "create_role":
                return await self._create_role(arguments)
            case "update_trust":
                return await self._update_trust(arguments)
            case "delete_role":
                await self._cloud.delete_role(_text(arguments, "name"))
            case "attach_policy":
                await self._cloud.attach_policy(_text(arguments, "role"), _policy(arguments))
            case "detach_policy":
                await self._cloud.detach_policy(_text(arguments, "role"), _policy(arguments))
            case "read_back":
                return await self._read_back(arguments)
            case _:
                raise BadInputError(f"No cloud has a call {operation!r}.")
        return {}

    async def _create_policy(self, arguments: Arguments) -> None:
        name, document = _text(arguments, "name"), arguments["document"]
        found = await self._cloud.policy(PolicyName(name))
        if found is None:
            await self._cloud.create_policy(name, document, _text(arguments, "description"))
        elif documents_differ(document, found):
            raise _changed(f"A policy {name} is there since the plan was made, and it is another")

    async def _update_policy(self, arguments: Arguments) -> None:
        name, document = _text(arguments, "name"), arguments["document"]
        found = await self._cloud.policy(PolicyName(name))
        if found is None:
            raise _changed(f"The policy {name} is gone since the plan was made")
        if not documents_differ(document, found):
            return
        if documents_differ(arguments["before"], found):
            raise _changed(f"The policy {name} was changed since the plan was made")
        await self._cloud.update_policy(name, document)

    async def _create_role(self, arguments: Arguments) -> dict[str, JsonValue]:
        name, trust, wanted_arn = _text(arguments, "name"), arguments["trust"], _text(arguments, "arn")
        role = await self._cloud.role(name)
        if role is None:
            description, path = _text(arguments, "description"), str(arguments.get("path", ""))
            role = await self._cloud.create_role(name, trust, description, path)
        elif documents_differ(trust, role.trust):
            raise _changed(f"A role {name} is there since the plan was made, and its trust policy is another")
        if role.arn.lower() != wanted_arn.lower():  # Alibaba Cloud writes names in lower case in places
            raise HousekeysError(
                f"The role is {role.arn}, not {wanted_arn} as the connection says.",
                advice="The credentials belong to another account, or the role has another path: mend the role ARN.",
            )
        return {"role": role.arn}

    async def _update_trust(self, arguments: Arguments) -> dict[str, JsonValue]:
        name = _text(arguments, "role")
        external_id = _text(arguments, "external_id")
        trust = with_external_id(arguments["trust"], external_id)
        role = await self._cloud.role(name)
        if role is None:
            raise _changed(f"The role {name} is gone since the plan was made")
        if documents_differ(trust, role.trust):
            before = arguments["before"]
            if before is not None and documents_differ(before, role.trust):
                raise _changed(f"The trust policy of the role {name} was changed since the plan was made")
            await self._cloud.update_trust(name, trust)
        return {"external_id": external_id}

    async def _read_back(self, arguments: Arguments) -> dict[str, JsonValue]:
        external_id = _text(arguments, "external_id")
        permissions = tuple(
            PermissionPolicy(PolicyName(policy["name"], policy["provided"]), policy["document"], "")
            for policy in arguments["policies"]
        )
        trust = with_external_id(arguments["trust"], external_id)
        wanted = RoleDocuments(_text(arguments, "role"), "", permissions, trust)
        found = await read_role(self._cloud, wanted)
        return {
            "differences": list(cloud_differences(wanted, _text(arguments, "arn"), found)),
            "trusted_id": trusted_id(found.role),
            "external_id": external_id,
            "missing": ["role"] if found.role is None else [],
        }


def with_external_id(trust: Document, external_id: str) -> Document:
    """The trust policy, asking for `external_id` where it asked for the placeholder."""
    placeholder, wanted = json.dumps(PLACEHOLDER_EXTERNAL_ID), json.dumps(external_id)
    result: Document = json.loads(json.dumps(trust, ensure_ascii=False).replace(placeholder, wanted))
    return result


def _policy(arguments: Arguments) -> PolicyName:
    return PolicyName(_text(arguments, "policy"), bool(arguments.get("provided", False)))


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise BadInputError(f"The call lacks its {name}.")
    return value


def _changed(what: str) -> RefusedError:
    return RefusedError(f"{what}.", advice="Plan again: it starts from what is there now.")
