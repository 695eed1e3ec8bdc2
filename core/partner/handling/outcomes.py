"""What handling a request gives to whoever serves it: the answer, and what the log of requests may say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.partner.messages.responses import ErrorAnswer
from core.secrets import Secret

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Handled(Generic[Body]):
    """The answer to one request. `body` is None where success has no body (delete-account, expire-account)."""

    body: Body | ErrorAnswer | None
    word: str = ""  # the scenario, in the words of `Scenario`, or what else says more than the status
    account_id: str = ""
    connection_id: str = ""

    @property
    def error(self) -> ErrorAnswer | None:
        """The error that is answered, if it is one."""
        return self.body if isinstance(self.body, ErrorAnswer) else None


@dataclass(frozen=True, slots=True)
class HowToConnect:
    """How a user reaches what they have in ClickHouse. No secret is in it."""

    host: str
    port: int
    secure: bool
    database: str
    user: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who holds a sign-in link, for the page that it leads to. All of it is text of others: never markup."""

    email: str
    first_name: str
    account_id: str
    user_id: str
    signed_up: bool  # has a password already
    how: HowToConnect | None  # None where the engine is reached by nobody from outside (the embedded one)
    workspace_to_authorize: str = ""  # the host of a workspace that the user is to authorise (U2M); empty: none
    connection_id: str = ""  # of that workspace


@dataclass(frozen=True, slots=True)
class AuthorizationBegun:
    """An authorization has begun: where the browser goes, and the cookie it keeps meanwhile."""

    url: str = field(repr=False)
    browser_key: Secret = field(repr=False)
