"""Faults: what a handler does that does not keep a rule of the Connect API. `tests.partner_rules` has the rules.

A fault wraps any handler, so that the partner in memory and the real service are made wrong alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.partner.checker.requesting import changed
from core.partner.checker.subject import basic
from core.partner.messages.responses import ErrorReason
from core.secrets import Secret
from tests.partner_server import PASSWORD, USER, Asked, Fault, Handler, Reply, error

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


def status(number: int, reply: Reply) -> Reply:
    return replace(reply, status=number)


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
