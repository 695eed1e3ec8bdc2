"""What the service needs of those who do the work: less than they can do.

`core.partner.handling` and `core.partner.storage` have it. The service knows HTTP, and nothing of ClickHouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.partner.handling.outcomes import AuthorizationBegun, Handled, Visitor
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
)
from core.partner.security.basic_credentials import BasicCredential
from core.partner.storage.requests_seen import AnsweredRequest
from core.secrets import Secret


class HandlesRequests(Protocol):
    """Carries out the requests of Databricks. Whatever goes wrong becomes an answer; nothing is raised."""

    async def connect(self, request: ConnectRequest) -> Handled[Connection]:
        """Make a partner connection, or lead to the one there is."""
        ...

    async def delete_connection(self, request: DeleteConnectionRequest) -> Handled[DeleteConnectionResponse]:
        """Remove a partner connection."""
        ...

    async def test_connection(self, request: ConnectionInfo) -> Handled[ConnectionTestResult]:
        """Test a partner connection."""
        ...

    async def delete_account(self, request: AccountInfo) -> Handled[None]:
        """Remove everybody under a domain of Databricks' tests."""
        ...

    async def expire_account(self, request: AccountUserInfo) -> Handled[None]:
        """End the trial of a user of Databricks' tests."""
        ...

    async def connectors(self, pagination_token: str | None) -> Handled[ConnectorResponse]:
        """One page of connectors."""
        ...


class ReceivesVisitors(Protocol):
    """Who is behind a sign-in link, and what they may do. Raises SignInLinkRefusedError for a link that is not good."""

    async def look(self, token: str) -> Visitor:
        """Who it is. The link stays as it is."""
        ...

    async def set_password(self, token: str, password: Secret) -> Visitor:
        """Set the password of the visitor in ClickHouse; the link is used up then.

        Raises BadInputError for a password that will not do: the link stays good.
        """
        ...

    async def begin_authorization(self, token: str) -> AuthorizationBegun:
        """Begin the authorization of the workspace that the visitor is to authorise. The link stays as it is.

        Raises NotFoundError when there is none; UnreachableError, OAuthRefusedError.
        """
        ...

    async def finish_authorization(self, query: Sequence[tuple[str, str]], browser_key: Secret) -> str:
        """Finish an authorization with what the browser brings back; the host of the workspace.

        Where it comes back to, `core.partner.workspaces.oauth_apps.callback_uri` says.

        Raises AuthorizationStateError, OAuthRefusedError, UnreachableError.
        """
        ...


class ChecksCredentials(Protocol):
    """Knows the Basic credentials that are valid now."""

    async def check(self, authorization: Sequence[str], *, derive: bool = True) -> BasicCredential | None:
        """The credential that the Authorization headers of a request present; None when it is none.

        Without `derive` no password that a person chose is derived anew.
        """
        ...


class NotesRequests(Protocol):
    """Keeps the log of requests."""

    def note(self, request: AnsweredRequest) -> None:
        """Note one request that was answered. Never waits and never raises: the log must not delay an answer."""
        ...


class TellsReadiness(Protocol):
    """Knows whether requests can be answered now."""

    async def why_not_ready(self) -> str:
        """Empty when requests can be answered; else a sentence that says why not, without a secret."""
        ...

    def missing(self) -> Sequence[str]:
        """What is not there without which nobody new can be let in, a sentence each, without a secret."""
        ...
