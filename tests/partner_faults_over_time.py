"""Faults that answer by what came before: whose a connection is, what was made, what was said the first time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from core.partner.checker.requesting import changed
from tests.partner_faults import CONNECT, DELETE, FORGET, email, made, new
from tests.partner_server import PAGE, Asked, Fault, Handler, Reply


class Owners:
    """Forgets whose a partner connection is: whoever names it comes as its owner."""

    def __init__(self, path: str, *names: str) -> None:
        self.path, self.names = path, names
        self.places: dict[str, dict[str, Any]] = {}

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        body = asked.json
        place = self.places.get(str(body.get("connection_id")))
        if asked.path == self.path and place is not None and not new(asked):
            own = {name: value for name, value in place.items() if name.rpartition(".")[2] in self.names}
            asked = asked.saying(changed(body, {name: own[name] for name in own if _is_there(body, name)}))
        reply = await handler(asked)
        if made(asked, reply):
            number, cloud = body["workspace_id"], body["cloud_provider"]
            self.places[str(reply.json.get("connection_id"))] = {
                "workspace_id": number,
                "databricks_organization_id": number,
                "user_info.databricks_organization_id": number,
                "cloud_provider": cloud,
            }
        return reply


def _is_there(body: dict[str, Any], name: str) -> bool:
    outer, _, inner = name.rpartition(".")
    return inner in (body.get(outer, {}) if outer else body)


WORKSPACE, CLOUD = ("workspace_id", "databricks_organization_id"), ("cloud_provider",)


class FloatIds:
    """Keeps ids as floats."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.made: dict[float, int] = {}

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        names = ("workspace_id", "databricks_organization_id", "user_info.databricks_organization_id")
        body = asked.json
        number = body.get("workspace_id", body.get("databricks_organization_id"))
        if isinstance(number, int) and new(asked):
            self.made[float(number)] = number
        elif isinstance(number, int) and asked.path == self.path and float(number) in self.made:
            same = self.made[float(number)]
            asked = asked.saying(changed(body, {name: same for name in names if _is_there(body, name)}))
        return await handler(asked)


class Remembering:
    """A fault that answers by what it has seen before."""

    def __init__(self, key: Callable[[Asked], Any], again: Callable[[Asked, Reply, Reply], Reply]) -> None:
        self.key, self.again = key, again
        self.first: dict[Any, Reply] = {}

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        key = self.key(asked)
        if key is None:
            return reply
        if key in self.first:
            return self.again(asked, self.first[key], reply)
        self.first[key] = reply
        return reply


def again(key: Callable[[Asked], Any], change: Callable[[Asked, Reply, Reply], Reply]) -> Callable[[], Fault]:
    """A fault that answers otherwise from the second time on, by what came the first time and now."""
    return lambda: Remembering(key, change)


def body_key(asked: Asked) -> Any:
    return asked.body if asked.path == CONNECT else None


def deleted_key(asked: Asked) -> Any:
    return asked.json.get("connection_id") if asked.path == DELETE else None


def email_key(asked: Asked) -> Any:
    return email(asked) if new(asked) else None


class MadeBefore400:
    """Makes the account, and only then sees that the request was wrong."""

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if reply.status == 400 and new(asked):
            host = urlsplit(str(asked.json.get("workspace_url"))).hostname
            await handler(asked.saying(changed(asked.json, {"hostname": host})))
        return reply


class DeletesAll:
    """Deletes all partner connections when one goes."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if made(asked, reply):
            place = {"databricks_organization_id": asked.json["workspace_id"]}
            self.made.append(
                (str(reply.json.get("connection_id")), place | {"cloud_provider": asked.json["cloud_provider"]})
            )
        elif asked.path == DELETE and reply.status == 200:
            for identifier, place in self.made:
                await handler(asked.saying({"connection_id": identifier, **place}))
        return reply


class ForgetsAnywhere:
    """delete-account does not look at the workspace and the cloud."""

    def __init__(self) -> None:
        self.place: dict[str, Any] = {}

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        if new(asked) and email(asked).endswith("@databricks-test.com"):
            self.place = {"databricks_organization_id": asked.json["workspace_id"]}
            self.place["cloud_provider"] = asked.json["cloud_provider"]
        return await handler(asked.saying({**asked.json, **self.place}) if asked.path == FORGET else asked)


def used_once() -> Fault:
    opened: set[str] = set()

    async def fault(asked: Asked, handler: Handler) -> Reply:
        if asked.path == PAGE and asked.target in opened:
            return Reply(410)
        opened.add(asked.target)
        return await handler(asked)

    return fault
