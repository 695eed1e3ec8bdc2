"""What a partner answers: the bodies of the Connect API's answers and errors, as immutable values.

Every field has the name it has in JSON. None means that the field is left out; a null is never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class RedirectValue(StrEnum):
    """What the page that the user is led to is for."""

    CREATE_TRIAL = "create_trial"
    PURCHASE_PRODUCT = "purchase_product"
    SIGN_IN = "sign_in"
    CONTACT_ADMIN = "contact_admin"
    NOT_APPLICABLE = "not_applicable"


class UserStatus(StrEnum):
    """Whether the partner knew the user before."""

    NEW = "new"
    EXISTING = "existing"
    NOT_APPLICABLE = "not_applicable"


class AccountStatus(StrEnum):
    """How the partner account of the user stands."""

    NEW = "new"
    ACTIVE = "active"
    EXPIRED = "expired"
    NOT_APPLICABLE = "not_applicable"


class ResourceStatus(StrEnum):
    """What became of the partner's side of a removed partner connection."""

    RESOURCES_DELETED = "resources_deleted"
    RESOURCES_PENDING_DELETION = "resources_pending_deletion"
    DELETION_ACKNOWLEDGED = "deletion_acknowledged"
    USER_UNAUTHORIZED = "user_unauthorized"
    """The user in `user_info` may not remove it. Only where there is `user_info`: older callers do not know it."""


class TestStatus(StrEnum):
    """How one test of a partner connection ended."""

    PASS = "PASS"  # noqa: S105 - the word of the API
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


class ConnectorType(StrEnum):
    """Whether a connector reads from a system or writes to it."""

    SOURCE = "source"
    TARGET = "target"


class ErrorReason(StrEnum):
    """Why a request failed. Each reason belongs to one status."""

    UNAUTHORIZED = "unauthorized"
    BAD_REQUEST = "bad_request"
    ACCOUNT_NOT_FOUND = "account_not_found"
    CONNECTION_NOT_FOUND = "connection_not_found"
    GENERAL_ERROR = "general_error"

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that an answer with this reason has."""
        return _STATUSES[self]


_STATUSES = {
    ErrorReason.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    ErrorReason.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorReason.ACCOUNT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorReason.CONNECTION_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorReason.GENERAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True)
class Connection:
    """The answer to connect: where the user is led, and what was found or made.

    `connection_id` is there exactly when the request was not established and resources were configured.
    """

    redirect_uri: str
    redirect_value: RedirectValue
    user_status: UserStatus
    account_status: AccountStatus
    configured_resources: bool
    connection_id: str | None = None
    oauth_redirect_uri: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteConnectionResponse:
    """The answer to delete-connection."""

    resource_status: ResourceStatus


@dataclass(frozen=True, slots=True)
class TestResult:
    """The outcome of one test of a partner connection."""

    test_name: str
    status: TestStatus
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionTestResult:
    """The answer to test-connection."""

    test_results: tuple[TestResult, ...]


@dataclass(frozen=True, slots=True)
class Connector:
    """One system that an ingestion partner reads from or writes to."""

    identifier: str
    name: str
    type: ConnectorType
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectorResponse:
    """One page of connectors; the last one has no `pagination_token`."""

    connectors: tuple[Connector, ...]
    pagination_token: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The body of every 4xx and 5xx. `display_message` reaches the user, with 404 and 500 only; the other a log."""

    error_reason: ErrorReason
    display_message: str | None = None
    debugging_message: str | None = None

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status of the answer."""
        return self.error_reason.status
