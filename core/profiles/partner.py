"""What a partner offers on Databricks Partner Connect, and how the service listens: the part of a profile that says so.

Values only; `core.profiles.partner_reading` makes them from TOML. Every field has the name of its key, every inner
class that of its table, and what the PartnerConfig says too has the name it has there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from core.secrets import SecretReference

Integration = Literal["read", "write", "read-write", "notebook", "desktop"]
AuthOption = Literal["AUTH_PAT", "AUTH_OAUTH_M2M", "AUTH_OAUTH_U2M"]
NewUserAction = Literal["auto_add", "invite", "not_found", "error"]
TrialType = Literal["none", "user", "account"]
AccountRule = Literal["domain", "workspace"]
ConnectorType = Literal["source", "target"]

INTEGRATIONS: Final[tuple[Integration, ...]] = get_args(Integration)
AUTH_OPTIONS: Final[tuple[AuthOption, ...]] = get_args(AuthOption)
NEW_USER_ACTIONS: Final[tuple[NewUserAction, ...]] = get_args(NewUserAction)
TRIAL_TYPES: Final[tuple[TrialType, ...]] = get_args(TrialType)
ACCOUNT_RULES: Final[tuple[AccountRule, ...]] = get_args(AccountRule)
CONNECTOR_TYPES: Final[tuple[ConnectorType, ...]] = get_args(ConnectorType)


@dataclass(frozen=True, slots=True)
class TrialPolicy:
    """Whether a trial begins with a new account or a new user, how long it lasts, and whether another may follow."""

    type: TrialType = "none"
    days: int = 14
    another: bool = False


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """Who shares a partner account: a company's e-mail domain or a workspace.

    By domain, users of free-mail providers are an account each: the address says nothing of a company.
    """

    by: AccountRule = "domain"
    more_free_mail: tuple[str, ...] = ()  # domains beside those that Housekeys knows


@dataclass(frozen=True, slots=True)
class PagePolicy:
    """The partner's own pages that users are led to, as URLs; None: a page of the service, below `base_url`."""

    sign_in: str | None = None
    sign_up: str | None = None
    purchase: str | None = None
    contact_admin: str | None = None


CALLBACK_PATH: Final = "/oauth/callback"  # where browsers come back to from an authorization, unless the profile says

# What the service has at its root beside the endpoints: an endpoint there would be hidden by it, or hide it.
SERVED_PATHS: Final = frozenset(
    (
        *("/welcome", "/authorize", CALLBACK_PATH, "/clickhouse.dsn", "/style.css"),
        *("/", "/sign-in", "/sign-up", "/purchase", "/contact-admin"),
        *("/health/live", "/health/ready", "/openapi.json", "/metrics"),
    )
)


@dataclass(frozen=True, slots=True)
class EndpointPaths:
    """Where the service answers, below its root."""

    connect_path: str = "/connect"
    delete_connection_path: str = "/delete-connection"
    test_connection_path: str = "/test-connection"
    delete_account_path: str = "/delete-account"
    expire_account_path: str = "/expire-account"
    get_connectors_path: str = "/connectors"


@dataclass(frozen=True, slots=True)
class ResourceTemplate:
    """What an account and its users get in ClickHouse. `{account}` and `{user}` stand for their ids."""

    database: str = "partner_{account}"
    role: str = "partner_{account}"
    user: str = "partner_{user}"
    privileges: tuple[str, ...] = ("SELECT", "INSERT", "CREATE TABLE", "DROP TABLE")  # of the role, on the database
    quota: str | None = None  # one there is, which users are added to
    settings_profile: str | None = None  # one there is, which users get


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """How the service listens and what it takes. Times in seconds, sizes in bytes."""

    listen: str = "127.0.0.1:8085"
    certificate: Path | None = None  # None: plain HTTP, for a proxy that speaks TLS
    private_key: Path | None = None  # None with a certificate: the key is in the same file
    max_body: int = 65_536
    requests_per_minute: int = 600  # of one caller
    read_timeout: float = 10.0  # until a request has arrived
    link_minutes: int = 30  # how long a sign-in link is good
    metrics: bool = True
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose word on who has called is believed


@dataclass(frozen=True, slots=True)
class ClickHouseAddress:
    """Where users reach the ClickHouse by HTTP, when it is not where the profile does; None: as the profile does."""

    host: str | None = None
    port: int | None = None  # None with a host: the usual one
    secure: bool = True


@dataclass(frozen=True, slots=True)
class OfferedConnector:
    """A source or target of data that the partner connects to, as an ingestion partner lists it."""

    identifier: str  # as Databricks lists it
    name: str
    type: ConnectorType = "source"
    description: str = ""


@dataclass(frozen=True, slots=True)
class PartnerPolicy:
    """Everything a profile says of Partner Connect."""

    base_url: str  # where users reach the service, no slash at the end
    integration: Integration = "read"
    auth_options: tuple[AuthOption, ...] = ("AUTH_PAT",)
    is_published_app: bool = False  # of AUTH_OAUTH_U2M: registered by Databricks, not made in each workspace
    oauth_redirect_uri: str | None = None  # of an app that is made in each workspace
    oauth_app_id: str | None = None  # of a published app: its client id
    new_user_action: NewUserAction = "auto_add"
    require_manual_signup: bool = False
    supports_demo: bool = True
    test_hooks: bool = False  # delete-account and expire-account, for the domains of Databricks' tests
    hostnames: tuple[str, ...] = ()  # where users may be led, subdomains too; never empty when read from a file
    trial: TrialPolicy = TrialPolicy()
    accounts: AccountPolicy = AccountPolicy()
    pages: PagePolicy = PagePolicy()
    endpoints: EndpointPaths = EndpointPaths()
    resources: ResourceTemplate = ResourceTemplate()
    service: ServicePolicy = ServicePolicy()
    clickhouse: ClickHouseAddress = ClickHouseAddress()
    sealing_keys: SecretReference | None = None  # their text, or the passphrase of those on this machine
    connectors: tuple[OfferedConnector, ...] = ()
    name: str | None = None  # what the partner is called on its pages and its tile; None: the host of base_url

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it says, for people."""
        service = self.service
        tls = "TLS" if service.certificate else "plain HTTP"
        trial = "none" if self.trial.type == "none" else f"{self.trial.days} days by {self.trial.type}"
        return (
            *([("partner", self.name)] if self.name else []),
            ("Partner Connect", f"{self.base_url}, listens on {service.listen} ({tls})"),
            ("integration", f"{self.integration}, by {', '.join(self.auth_options)}"),
            ("partner accounts", f"by {self.accounts.by}, new users {self.new_user_action}, trials {trial}"),
            ("sealing keys", self.sealing_keys.describe() if self.sealing_keys else "not said: nothing can be served"),
            *([("connectors", f"{len(self.connectors):,}")] * bool(self.connectors)),
            *([("test hooks", "on: tests of Databricks may delete accounts and expire trials")] * self.test_hooks),
        )


Written = str | int | float | bool | list[str] | list[dict[str, str]] | None


def written(policy: PartnerPolicy) -> Iterator[tuple[tuple[str, ...], Written]]:
    """What a file says of a policy: each key, as a path from its table, with its value; None for what is not said.

    What has no use is not said, for a file that says it is refused.
    """
    useless = {("trial", "days"), ("trial", "another")} if policy.trial.type == "none" else set()
    useless |= {("clickhouse", "port"), ("clickhouse", "secure")} if policy.clickhouse.host is None else set()
    for path, value in _written(policy, ()):
        yield path, None if path in useless else value


def _written(values: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Written]]:
    for field in fields(values):
        value, key = getattr(values, field.name), (*path, field.name)
        if isinstance(value, SecretReference):
            yield key, value.value()
        elif is_dataclass(value):
            yield from _written(value, key)
        elif isinstance(value, tuple):
            yield key, [_connector(one) if isinstance(one, OfferedConnector) else one for one in value]
        elif isinstance(value, Path):
            yield key, str(value)
        else:
            yield key, int(value) if isinstance(value, float) and value.is_integer() else value


def _connector(connector: OfferedConnector) -> dict[str, str]:
    return {name: text for name, text in asdict(connector).items() if text}
