"""One request that the service has answered, as the log of requests keeps it. No secret, no e-mail address is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """One request and its answer. Texts are empty and ids 0 where a request did not say or was not understood."""

    id: UUID  # in the answer's header X-Request-Id as well
    at: datetime  # when it came, UTC
    process: str  # which service has answered: host:port/pid
    method: str
    endpoint: str  # "connect", "delete-connection", "test-connection", "delete-account", "expire-account", "connectors"
    status: int
    seconds: float
    word: str = ""  # the redirect value of a connect, or the reason of an error
    scenario: str = ""
    caller: str = ""  # the address that called
    credential: str = ""  # the id of the Basic credential
    cloud: str = ""
    workspace_id: int = 0
    account_id: str = ""
    connection_id: str = ""
    problem: str = ""  # the debugging message of an error
    configured: bool = False  # whether it has made a partner connection
