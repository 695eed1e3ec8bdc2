"""From a message to the bytes of its JSON: what is None is left out, so that no null is ever written.

Only ASCII is written, other characters as escapes: whatever a text holds, even half a character, can be sent.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

from core.partner.messages.partner_config import PartnerConfig
from core.partner.messages.requests import (
    AccountInfo,
    AccountUserInfo,
    ConnectionInfo,
    ConnectRequest,
    DeleteConnectionRequest,
)
from core.partner.messages.responses import (
    Connection,
    ConnectionTestResult,
    ConnectorResponse,
    DeleteConnectionResponse,
    ErrorAnswer,
)
from core.secrets import Secret

Answer = Connection | DeleteConnectionResponse | ConnectionTestResult | ConnectorResponse | ErrorAnswer
Request = ConnectRequest | DeleteConnectionRequest | ConnectionInfo | AccountInfo | AccountUserInfo


def write_answer(answer: Answer) -> bytes:
    """The body of an answer."""
    return _compact(_value(answer))


def write_request(request: Request) -> bytes:
    """The body of a request, with its secrets: for the call itself, never for a log or a file."""
    return _compact(_value(request))


def write_partner_config(config: PartnerConfig) -> bytes:
    """The text of a PartnerConfig file, laid out for people."""
    return (json.dumps(_value(config), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _value(message: Any) -> Any:
    match message:
        case Secret():
            return message.reveal()
        case StrEnum():
            return message.value
        case tuple():
            return [_value(member) for member in message]
        case _ if is_dataclass(message):
            values = ((each.name, getattr(message, each.name)) for each in fields(message))
            return {name: _value(value) for name, value in values if value is not None}
        case _:
            return message
