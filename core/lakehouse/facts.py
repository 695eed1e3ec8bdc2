"""The facts about a connection that go to the journal: its subject kind, its verbs, what they tell."""

from __future__ import annotations

from typing import Final

from core.changes import Event, JsonValue, RecordStep
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PolicyScope

API_CONNECTION: Final = "api_connection"  # the subject kind of the journal

CALL: Final = "call"  # `by`: Housekeys did it
HAND: Final = "hand"  # `by`: an operator did it and said so

NOTHING_TO_UNDO: Final = RecordStep("Nothing to take back: it was only read", ())


def event(name: str, action: str, **details: JsonValue) -> Event:
    """A fact about the connection `name`."""
    return Event(API_CONNECTION, name, action, details)


def define(
    connection: ApiConnection, scope: PolicyScope, more_buckets: tuple[str, ...], policy_suffix: str = ""
) -> Event:
    """That this is the definition from now on."""
    return event(
        connection.name,
        "define",
        provider=connection.provider.value,
        region=connection.region,
        role_arn=connection.role_arn,
        code_bucket=connection.code_bucket,
        namespace=connection.namespace,
        comment=connection.comment,
        scope=scope.value,
        more_buckets=list(more_buckets),
        policy_suffix=policy_suffix,
    )
