"""Faults that can be seen in one request and its answer: what is forgiven, what never ends, what is told too much."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace

from tests.partner_faults import (
    AUTHORIZATION,
    CONNECT,
    EXPIRE,
    SIGNED_IN,
    asking,
    established,
    header,
    made,
    new,
    put,
    told,
    user,
)
from tests.partner_server import PAGE, Asked, Fault, Handler, Reply


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


class ExpiresNobody:
    """Says that a trial has ended, and does nothing."""

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        return Reply(200) if asked.path == EXPIRE and header(asked, "authorization") else await handler(asked)


async def silent(asked: Asked, handler: Handler) -> Reply:
    await asyncio.Event().wait()
    return Reply(200)


async def open_ended(asked: Asked, handler: Handler) -> Reply:
    return replace(await handler(asked), endless=True) if asked.path == CONNECT else await handler(asked)


def with_link(url: str) -> Callable[[], Fault]:
    return told({"redirect_uri": url}, made)


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


def unfinished(asked: Asked, reply: Reply) -> Reply:
    """Signs in whoever has not finished the sign-up."""
    if not established(asked) or reply.status != 404:
        return reply
    page = f"http://{header(asked, 'host')}{PAGE}"
    return replace(reply, status=200).saying({**SIGNED_IN, "redirect_uri": page, "configured_resources": False})
