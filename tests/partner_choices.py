"""What the Connect API leaves to a partner, each chosen otherwise than by us: no case of the checker may fail for it.

Where the other choice is unwise, the case warns; where the documents allow both alike, it passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.partner.checker.requesting import changed
from tests.partner_faults import (
    ACCOUNT,
    BAD,
    CONNECT,
    CONNECTORS,
    DELETE,
    EXPIRE,
    FORGET,
    JSON,
    TEST,
    asking,
    email,
    instead,
    made,
    new,
    replying,
    told,
    user,
)
from tests.partner_faults_over_time import ForgetsAnywhere
from tests.partner_server import Asked, Fault, Handler, Reply

ACKNOWLEDGED = Reply(200, b'{"resource_status":"deletion_acknowledged"}', JSON)
LINES = "The warehouse answers.\n\tIt took 3 s.\n"


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice: its name, what makes a partner so, the cases that meet with it, and those of them that warn."""

    name: str
    make: Callable[[], Fault]
    passed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


class KeepsOneConnection:
    """Deletes the partner connection that a workspace had when it gets a new one: Databricks keeps one at most."""

    def __init__(self) -> None:
        self.current: dict[tuple[Any, Any], str] = {}

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if made(asked, reply):
            body = asked.json
            place = (body["cloud_provider"], body["workspace_id"])
            if place in self.current:
                names = ("cloud_provider", "databricks_organization_id", "connection_id")
                gone = dict(zip(names, (*place, self.current[place]), strict=True))
                await handler(replace(asked, target=DELETE).saying(gone))
            self.current[place] = reply.json["connection_id"]
        return reply


class KnowsAccountsByConnections:
    """Finds an account by its partner connections: without any, delete-account finds nobody."""

    def __init__(self) -> None:
        self.connections: set[str] = set()

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        if asked.path == FORGET and not self.connections:
            return ACCOUNT
        reply = await handler(asked)
        if made(asked, reply) and email(asked).endswith("@databricks-test.com"):
            self.connections |= {reply.json["connection_id"]} if "connection_id" in reply.json else set()
        elif asked.path == FORGET and reply.status == 200:
            self.connections.clear()
        elif asked.path == DELETE and reply.status == 200:
            self.connections.discard(asked.json["connection_id"])
        return reply


def only_what_is_needed(asked: Asked) -> Asked:
    """Reads no field that it does not need, so that it may lack or be of any type."""
    body = asked.json
    if asked.path == CONNECT and new(asked):
        number = user(asked).get("databricks_organization_id", body.get("workspace_id"))
        number = number if isinstance(number, int) else body.get("workspace_id")
        ids = {"user_info.databricks_organization_id": number, "workspace_id": number}
        who = user(asked).get("databricks_user_id")
        names = {"user_info.first_name": "", "user_info.last_name": "", "service_principal_id": None}
        rest = {"port": 443, "demo": body.get("demo") is True, "is_free_trial": False}
        url = {"workspace_url": f"https://{body['hostname']}/"} if isinstance(body.get("hostname"), str) else {}
        known = {"user_info.databricks_user_id": who if isinstance(who, int) else 1}
        return asked.saying(changed(body, ids | names | rest | url | known))
    if asked.path in (DELETE, FORGET, EXPIRE) and body:
        usual = {"cloud_provider": "aws", "databricks_organization_id": 1}
        usual |= {"databricks_user_id": 1} if asked.path == EXPIRE else {}
        return asked.saying({**body, **{name: usual[name] for name in usual if body.get(name) is None}})
    return asked


def not_found(path: str, reply: Reply) -> Callable[[], Fault]:
    """Says something else where there is nothing."""
    return replying(lambda asked, now: reply if asked.path == path and now.status == 404 else now)


def on_success(path: str, changes: dict[str, Any]) -> Callable[[], Fault]:
    return told(changes, lambda asked, reply: asked.path == path and reply.status == 200)


def in_other_words(asked: Asked, reply: Reply) -> Reply:
    """The same in another form: names in capitals, a charset, line breaks, fields of its own."""
    if not reply.json:
        return reply
    more: dict[str, Any] = {"trace": "a1"}
    if reply.status < 400:
        more = {"tenant": {"id": 7, "rate": 1.5e3, "tags": [None]}, "oauth_redirect_uri": None}
    body = json.dumps({**reply.json, **more}, indent=2).encode()
    return replace(reply, body=body, headers={"CONTENT-TYPE": "application/json;charset=utf-8"})


def created(asked: Asked, reply: Reply) -> Reply:
    return replace(reply, status=201) if made(asked, reply) else reply


BOTH_WAYS = [
    {"identifier": "mysql", "name": "MySQL", "type": "source", "description": LINES},
    {"identifier": "mysql", "name": "MySQL", "type": "target"},
]
TESTED = [{"test_name": "query", "status": "FAIL", "message": LINES + "x" * 5000}]

CHOICES = (
    Choice("keeps_one_connection", KeepsOneConnection, ("P301", "P400", "P600", "P700", "H310", "H314")),
    Choice(
        "reads_what_it_needs",
        asking(only_what_is_needed),
        ("P100", "P700", "H111"),
        ("H103", "H104", "H107", "H113", "H507"),
    ),
    Choice(
        "deletes_what_is_gone",
        not_found(DELETE, ACKNOWLEDGED),
        ("P402", "H309"),
        ("H304", "H305", "H307", "H401", "H402"),
    ),
    Choice("forgets_nobody", not_found(FORGET, Reply(200)), ("P403", "P404"), ("H504", "H506")),
    Choice("knows_no_404_when_forgetting", not_found(FORGET, BAD), ("P403", "P404"), ("H504", "H506")),
    Choice("forgets_everywhere", ForgetsAnywhere, ("P403", "P404", "H506"), ("H504",)),
    Choice("knows_accounts_by_connections", KnowsAccountsByConnections, ("P500", "P501", "H506")),
    Choice("expires_nobody", not_found(EXPIRE, Reply(200)), ("P501",), ("H505",)),
    Choice("knows_no_404_when_expiring", not_found(EXPIRE, BAD), ("P501",), ("H505",)),
    Choice("tells_at_length", on_success(TEST, {"test_results": TESTED}), ("P800", "H411")),
    Choice(
        "lists_both_ways",
        on_success(CONNECTORS, {"connectors": BOTH_WAYS, "pagination_token": None}),
        ("P900", "H901"),
    ),
    Choice("bounds_bodies", instead(lambda asked: len(asked.body) > 100_000, Reply(413)), (), ("H108",)),
    Choice("says_it_otherwise", replying(in_other_words), ("P100", "P302-auto-add", "P402", "P900", "E100", "H101")),
    Choice("says_created", replying(created), ("P100", "P600", "P700", "H301", "H310", "H601", "H801")),
)
