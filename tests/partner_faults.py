"""Faults: what a handler does that does not keep a rule of the Connect API. `tests.partner_rules` has the rules.

A fault wraps any handler, so that the partner in memory and the real service are made wrong alike.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from core.partner.checker.requesting import changed
from core.partner.checker.subject import basic
from core.partner.messages.responses import ErrorReason
from core.secrets import Secret
from tests.partner_server import PAGE, PASSWORD, USER, Asked, Fault, Handler, Reply, error

AUTHORIZATION = basic(USER, Secret(PASSWORD))
JSON = {"Content-Type": "application/json"}
CONNECT, DELETE, TEST = "/connect", "/delete-connection", "/test-connection"
FORGET, EXPIRE, CONNECTORS = "/delete-account", "/expire-account", "/connectors"


def asking(change: Callable[[Asked], Asked]) -> Callable[[], Fault]:
    """A fault that takes what is asked for something else."""

    async def fault(asked: Asked, handler: Handler) -> Reply:
        return await handler(change(asked))

    return lambda: fault


def replying(change: Callable[[Asked, Reply], Reply]) -> Callable[[], Fault]:
    """A fault that answers something else."""

    async def fault(asked: Asked, handler: Handler) -> Reply:
        return change(asked, await handler(asked))

    return lambda: fault


def instead(when: Callable[[Asked], bool], reply: Reply) -> Callable[[], Fault]:
    """A fault that always answers the same `when` something is asked."""

    async def fault(asked: Asked, handler: Handler) -> Reply:
        return reply if when(asked) else await handler(asked)

    return lambda: fault


def put(changes: dict[str, Any], when: Callable[[Asked], bool]) -> Callable[[], Fault]:
    """A fault that changes fields of what is asked."""
    return asking(lambda asked: asked.saying(changed(asked.json, changes)) if asked.json and when(asked) else asked)


def told(changes: dict[str, Any], when: Callable[[Asked, Reply], bool]) -> Callable[[], Fault]:
    """A fault that changes fields of what is answered."""
    return replying(
        lambda asked, reply: reply.saying(changed(reply.json, changes)) if reply.json and when(asked, reply) else reply
    )


def on(path: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path == path


def established(asked: Asked) -> bool:
    return asked.path == CONNECT and user(asked).get("is_connection_established") is True


def new(asked: Asked) -> bool:
    return asked.path == CONNECT and user(asked).get("is_connection_established") is False


def user(asked: Asked) -> dict[str, Any]:
    found = asked.json.get("user_info")
    return found if isinstance(found, dict) else {}


def email(asked: Asked) -> str:
    return str(user(asked).get("email"))


def made(asked: Asked, reply: Reply) -> bool:
    return new(asked) and reply.status == 200


def signed_in(asked: Asked, reply: Reply) -> bool:
    return established(asked) and reply.status == 200


def failed(asked: Asked, reply: Reply) -> bool:
    return reply.status >= 400


def header(asked: Asked, name: str) -> str:
    return asked.headers.get(name, "")


def authorized(asked: Asked) -> Asked:
    return asked.with_header("authorization", AUTHORIZATION)


def trusting(when: Callable[[str], bool]) -> Callable[[], Fault]:
    """A fault that takes some Authorization headers for good."""
    return asking(lambda asked: authorized(asked) if when(header(asked, "authorization")) else asked)


def decoded(authorization: str) -> tuple[str, str]:
    import base64

    try:
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def forgiving_fields() -> Fault:
    """Puts in what lacks."""
    usual = {
        **{
            "hostname": "dbc-1.cloud.databricks.com",
            "port": 443,
            "workspace_url": "https://dbc-1.cloud.databricks.com",
        },
        **{"workspace_id": 1, "demo": False, "cloud_provider": "aws", "is_free_trial": False},
    }
    inner = {"email": "a@b.example", "first_name": "", "last_name": "", "databricks_user_id": 1}
    inner |= {
        "databricks_organization_id": 1,
        "is_connection_established": False,
        "auth": {"personal_access_token": "x"},
    }

    def change(asked: Asked) -> Asked:
        body = asked.json
        if asked.path != CONNECT or not body:
            return asked
        body = {**usual, **body, "user_info": {**inner, **body.get("user_info", {})}}
        body["user_info"]["databricks_organization_id"] = body["workspace_id"]
        return asked.saying(body)

    return asking(change)()


def with_warehouse(asked: Asked) -> Asked:
    """Puts in the warehouse that lacks."""
    body = asked.json
    if not new(asked) or body.get("http_path"):
        return asked
    url = f"//{body.get('hostname')}:443/default"
    flags = {"is_sql_endpoint": True, "is_sql_warehouse": True, "http_path": "/sql/1.0/warehouses/1"}
    return asked.saying(
        {**body, **flags, "jdbc_url": f"jdbc:spark:{url}", "databricks_jdbc_url": f"jdbc:databricks:{url}"}
    )


def coercing() -> Fault:
    """Takes a value of a wrong type for what it might mean: here, whether a connection is established."""
    name = "is_connection_established"
    return put({f"user_info.{name}": False}, lambda asked: not isinstance(user(asked).get(name, False), bool))()


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


class ExpiresNobody:
    """Says that a trial has ended, and does nothing."""

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        return Reply(200) if asked.path == EXPIRE and header(asked, "authorization") else await handler(asked)


async def silent(asked: Asked, handler: Handler) -> Reply:
    await asyncio.Event().wait()
    return Reply(200)


async def open_ended(asked: Asked, handler: Handler) -> Reply:
    return replace(await handler(asked), endless=True) if asked.path == CONNECT else await handler(asked)


def status(number: int, reply: Reply) -> Reply:
    return replace(reply, status=number)


def with_link(url: str) -> Callable[[], Fault]:
    return told({"redirect_uri": url}, made)


def used_once() -> Fault:
    opened: set[str] = set()

    async def fault(asked: Asked, handler: Handler) -> Reply:
        if asked.path == PAGE and asked.target in opened:
            return Reply(410)
        opened.add(asked.target)
        return await handler(asked)

    return fault


def token_in_link(asked: Asked, reply: Reply) -> Reply:
    if not made(asked, reply):
        return reply
    token = user(asked)["auth"]["personal_access_token"]
    return reply.saying({**reply.json, "redirect_uri": f"{reply.json['redirect_uri']}&token={token}"})


def token_echoed(asked: Asked, reply: Reply) -> Reply:
    if asked.path != CONNECT or "auth" not in user(asked):
        return reply
    return reply.saying({**reply.json, "debug": {"request": asked.json}} if reply.status == 200 else reply.json)


def zipped(asked: Asked, reply: Reply) -> Reply:
    if asked.path != CONNECT:
        return reply
    return replace(reply, body=gzip.compress(reply.body), headers={**reply.headers, "Content-Encoding": "gzip"})


def coded(asked: Asked, reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "Content-Encoding": "zstd-of-ours"}) if reply.json else reply


def of_company(asked: Asked) -> str | None:
    return email(asked).rpartition("@")[2] if new(asked) else None


def gmail(asked: Asked) -> str | None:
    return "gmail.com" if of_company(asked) == "gmail.com" else None


def with_fields(asked: Asked, *names: str) -> bool:
    return asked.path == CONNECT and any(name in asked.json for name in names)


def without_credentials(asked: Asked) -> bool:
    return new(asked) and not {"auth", "service_principal_oauth_secret"} & {*asked.json, *user(asked)}


def page(asked: Asked, reply: Reply, changes: dict[str, Any]) -> Reply:
    return reply.saying({**reply.json, **changes}) if asked.path == CONNECTORS and reply.status == 200 else reply


def invited(asked: Asked) -> bool:
    return established(asked) and email(asked).startswith("user2@")


BAD = error(ErrorReason.BAD_REQUEST)
CONNECTION = error(ErrorReason.CONNECTION_NOT_FOUND)
ACCOUNT = error(ErrorReason.ACCOUNT_NOT_FOUND)
GENERAL = error(ErrorReason.GENERAL_ERROR)
DELETED = Reply(200, b'{"resource_status":"resources_deleted"}', JSON)
SIGNED_IN = {"redirect_value": "sign_in", "user_status": "existing", "account_status": "active"}
NULLS = {"display_message": None, "debugging_message": None}
ONE = {"identifier": "same", "name": "Same", "type": "source"}
SOME_ID = "c2a4e1f0-5b7d-4f3e-8a69-1d0b7c9e5f42"
M2M, U2M = {"auth_options": ("AUTH_OAUTH_M2M",)}, {"auth_options": ("AUTH_OAUTH_U2M",)}


def is_json(asked: Asked) -> bool:
    try:
        json.loads(asked.body)
    except ValueError:
        return False
    return True


def not_json(asked: Asked) -> bool:
    return asked.path == CONNECT and bool(asked.body) and not is_json(asked)


def domain_is(asked: Asked, name: str, ending: str) -> bool:
    return str(asked.json.get(name, "")).endswith(ending)


def unfinished(asked: Asked, reply: Reply) -> Reply:
    """Signs in whoever has not finished the sign-up."""
    if not established(asked) or reply.status != 404:
        return reply
    page = f"http://{header(asked, 'host')}{PAGE}"
    return replace(reply, status=200).saying({**SIGNED_IN, "redirect_uri": page, "configured_resources": False})
