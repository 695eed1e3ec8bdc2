"""What comes out of a decision: the answer to Databricks, the facts, and what is to be made or taken away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.changes import Event
from core.partner.accounts.state import PartnerConnection
from core.partner.messages.responses import (
    AccountStatus,
    Connection,
    ErrorAnswer,
    ErrorReason,
    RedirectValue,
    ResourceStatus,
    UserStatus,
)


class Scenario(StrEnum):
    """Which case a connect request is, in the words of the API's table of scenarios and a few more."""

    NEW_ACCOUNT = "new user, new account"
    MUST_BUY = "expired account, must buy"
    ANOTHER_TRIAL = "expired account, another trial allowed"
    ADDED = "new user, existing account, can add"
    NOT_ADDED = "new user, existing account, cannot add"
    OWN_TRIAL = "new user, existing account, own trial"
    EXISTING = "existing user, existing account"
    UNFINISHED = "existing user, sign-up not finished"
    DEMO = "demo"
    UNKNOWN_CONNECTION = "partner connection not found"
    UNKNOWN_USER = "user not found"
    REFUSED = "user refused"
    BAD_REQUEST = "bad request"


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields of the answer to connect, but for the links: those are made when it is sent."""

    redirect_value: RedirectValue
    user_status: UserStatus
    account_status: AccountStatus
    configured_resources: bool = False
    connection_id: str | None = None

    def connection(self, redirect_uri: str, oauth_redirect_uri: str | None = None) -> Connection:
        """The body of the answer, with the page that the user is led to."""
        return Connection(
            redirect_uri,
            self.redirect_value,
            self.user_status,
            self.account_status,
            self.configured_resources,
            self.connection_id,
            oauth_redirect_uri,
        )


@dataclass(frozen=True, slots=True)
class Provision:
    """What is to be made in ClickHouse, and the partner connection whose secrets are to be sealed (None: none is).

    All names are in ClickHouse; `database` and `role` are made when `new_account`, `user` when `new_user`. When two
    services decide at the same moment, `Known.same_as` tells afterwards whose ids count.
    """

    account_id: str
    user_id: str
    database: str
    role: str
    user: str
    new_account: bool
    new_user: bool
    connection_id: str | None


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be taken away: the sealed secrets of partner connections, and what there is in ClickHouse."""

    connections: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a connect request leads to. With an error there are neither facts nor anything to make."""

    scenario: Scenario
    answer: Answer | ErrorAnswer
    account_id: str | None = None  # whose page the user is led to; None: a page for everybody
    user_id: str | None = None
    events: tuple[Event, ...] = ()
    provision: Provision | None = None

    @property
    def error(self) -> ErrorAnswer | None:
        """The error that is answered, if it is one."""
        return self.answer if isinstance(self.answer, ErrorAnswer) else None


@dataclass(frozen=True, slots=True)
class Ending:
    """What a request leads to that tests, ends or takes away something. With an error there is nothing else."""

    error: ErrorAnswer | None = None
    connection: PartnerConnection | None = None  # the one that is tested
    resource_status: ResourceStatus | None = None  # of delete-connection, true once `removal` is carried out
    events: tuple[Event, ...] = ()
    removal: Removal = Removal()


def refused(
    scenario: Scenario, reason: ErrorReason, debugging_message: str, display_message: str | None = None
) -> Decision:
    """A decision that is an error."""
    return Decision(scenario, ErrorAnswer(reason, display_message, debugging_message))
