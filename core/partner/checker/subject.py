"""What is checked: where it answers, by which credentials it is called, and what its PartnerConfig says of it.

A check knows a partner from outside only. Without a PartnerConfig it assumes what every partner must have.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from core.partner.messages.openapi import USUAL_ENDPOINTS
from core.partner.messages.partner_config import AuthOption, Endpoints, NewUserAction, PartnerConfig, ResourceType
from core.partner.messages.requests import CloudProvider
from core.secrets import Secret

REQUIRED_ENDPOINTS = Endpoints(
    USUAL_ENDPOINTS.connect_path, delete_connection_path=USUAL_ENDPOINTS.delete_connection_path
)
"""What every partner serves, at the usual paths: what is called where there is no PartnerConfig."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long Databricks waits, in seconds: for the headers of an answer to end, and then for its body to end.

    Both are for all that comes, however slowly: a byte in time gains no more time.
    """

    answer: float = 60.0
    body: float = 5.0
    calls: int = 20  # that a case may have with the whole time for each; but for pages without an end none has so many
    goodbye: float = 8.0  # for a check that is interrupted to remove what it made: many a CI kills after 10

    @property
    def case(self) -> float:
        """How long the steps of one case may take."""
        return self.calls * (self.answer + self.body)


@dataclass(frozen=True, slots=True)
class Subject:
    """An implementation of the Connect API."""

    base_url: str  # no slash at the end
    config: PartnerConfig | None = None
    user: str = ""
    password: Secret | None = field(default=None, repr=False)
    insecure_http: bool = False  # http:// is taken from other machines too
    limits: Limits = Limits()

    @property
    def endpoints(self) -> Endpoints:
        """The paths that are called."""
        return REQUIRED_ENDPOINTS if self.config is None else self.config.endpoints

    def url(self, endpoint: str, query: str = "") -> str:
        """The URL of an endpoint, given by its field of `Endpoints`."""
        return f"{self.base_url}{getattr(self.endpoints, endpoint) or ''}{query}"

    def authorization(self) -> str | None:
        """The content of the header, for the call itself; None without credentials."""
        return None if self.password is None else basic(self.user, self.password)

    @property
    def clouds(self) -> tuple[CloudProvider, ...]:
        """The clouds that the partner supports."""
        return tuple(CloudProvider) if self.config is None else self.config.supported_clouds

    def cloud(self, wanted: CloudProvider = CloudProvider.AWS) -> CloudProvider:
        """The wanted cloud where it is supported, else the first that is."""
        clouds: tuple[CloudProvider, ...] = self.clouds
        return wanted if wanted in clouds else clouds[0]

    def another_cloud(self, cloud: CloudProvider) -> CloudProvider:
        """A cloud that is not this one; a supported one where there is one."""
        return next(each for each in (*self.clouds, *tuple(CloudProvider)) if each is not cloud)

    @property
    def auth_options(self) -> tuple[AuthOption, ...]:
        """By which credentials the partner reaches Databricks."""
        return (AuthOption.AUTH_PAT,) if self.config is None else self.config.auth_options

    @property
    def manual_signup(self) -> bool:
        """Whether nobody signs in before having finished the sign-up by hand."""
        return self.config is not None and bool(self.config.require_manual_signup)

    @property
    def new_user_action(self) -> NewUserAction | None:
        """What happens to new users of a known account, where that is known."""
        return None if self.config is None else self.config.new_user_action

    def provisions(self, resource: ResourceType) -> bool:
        """Whether Databricks makes this resource. Without a PartnerConfig a SQL warehouse: most partners have one."""
        if self.config is None:
            return resource is ResourceType.SQL_ENDPOINT
        return self.config.provisions(resource)


def basic(user: str, password: Secret) -> str:
    """The content of the Authorization header for a user and a password."""
    return f"Basic {b64encode(f'{user}:{password.reveal()}'.encode()).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Need:
    """What a case needs: in words, and why a subject does not have it (empty when it has)."""

    words: str
    why_not: Callable[[Subject], str]


def served(endpoint: str) -> Need:
    """An endpoint is needed, given by its field of `Endpoints`."""

    def why_not(subject: Subject) -> str:
        if getattr(subject.endpoints, endpoint) is not None:
            return ""
        missing = "there is no PartnerConfig to name" if subject.config is None else "the PartnerConfig does not name"
        return f"{missing} endpoints.{endpoint}"

    return Need(endpoint, why_not)


def configured(words: str, holds: Callable[[PartnerConfig], bool]) -> Need:
    """A PartnerConfig is needed for which something `holds`."""

    def why_not(subject: Subject) -> str:
        if subject.config is None:
            return f"needs a PartnerConfig with {words}"
        return "" if holds(subject.config) else f"the PartnerConfig is without {words}"

    return Need(words, why_not)


CREDENTIALS = Need(
    "credentials", lambda subject: "" if subject.password is not None else "needs the user and the password"
)
CONFIG = Need("a PartnerConfig", lambda subject: "" if subject.config is not None else "needs a PartnerConfig")
DELETION = served("delete_connection_path")
TESTING = served("test_connection_path")
ACCOUNT_DELETION = served("delete_account_path")
EXPIRY = served("expire_account_path")
CONNECTORS = served("get_connectors_path")
