"""What the policy of a profile means for a request: who shares an account, what must be sent, how things are named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.partner.accounts.domains import domain_of, is_free_mail, plain_email
from core.partner.accounts.state import AccountKey, AccountKind, PartnerAccount
from core.partner.messages.requests import ConnectRequest, UserKey, WorkspaceKey
from core.profiles.addresses import within_domain
from core.profiles.partner import PartnerPolicy as PartnerPolicy  # all of Partner Connect takes it from here

WITH_WAREHOUSE: Final = ("read", "write", "read-write")  # the kinds of integration that query a SQL warehouse


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and from where, as it is compared."""

    key: UserKey
    email: str
    first_name: str
    last_name: str
    workspace: WorkspaceKey

    @classmethod
    def of(cls, request: ConnectRequest) -> Person:
        user = request.user_info
        return cls(request.user_key, plain_email(user.email), user.first_name, user.last_name, request.workspace_key)

    @property
    def domain(self) -> str:
        return domain_of(self.email)


def account_key(policy: PartnerPolicy, person: Person) -> AccountKey:
    """Whose account a person belongs to: the company's, the workspace's, or with a free-mail address nobody else's."""
    if policy.accounts.by == "workspace":
        workspace = person.workspace
        return AccountKey(AccountKind.WORKSPACE, f"{workspace.cloud_provider}:{workspace.workspace_id}")
    if is_free_mail(person.domain, policy.accounts.more_free_mail):
        return AccountKey(AccountKind.USER, person.email)
    return AccountKey(AccountKind.DOMAIN, person.domain)


def belongs(policy: PartnerPolicy, person: Person, account: PartnerAccount) -> bool:
    """Whether a person who is not known in `account` is one of its own people, and not a stranger with access to it."""
    if account.demo:
        return account.domain == person.domain and not is_free_mail(person.domain, policy.accounts.more_free_mail)
    return account.key == account_key(policy, person)


def trial_end(policy: PartnerPolicy, now: datetime, *, of_user: bool) -> datetime | None:
    """When a trial that begins now ends; None when accounts (`of_user`: users) have none of their own."""
    if policy.trial.type != ("user" if of_user else "account"):
        return None
    return now + timedelta(days=policy.trial.days)


def database_name(policy: PartnerPolicy, account: str) -> str:
    """The database of an account in ClickHouse."""
    return policy.resources.database.replace("{account}", account)


def role_name(policy: PartnerPolicy, account: str) -> str:
    """The role of an account in ClickHouse."""
    return policy.resources.role.replace("{account}", account)


def user_name(policy: PartnerPolicy, account: str, user: str) -> str:
    """The user of ClickHouse that belongs to a user of an account."""
    return policy.resources.user.replace("{account}", account).replace("{user}", user)


def may_lead_to(policy: PartnerPolicy, host: str) -> bool:
    """Whether a user may be sent to `host`: Databricks opens nothing outside of the hostnames of the PartnerConfig."""
    return any(within_domain(host, name) for name in policy.hostnames)


def auth_options_sent(policy: PartnerPolicy, request: ConnectRequest) -> tuple[str, ...]:
    """By which of the ways of the policy Databricks can be reached with what a request brings.

    Databricks falls back to a personal access token where a user may make no OAuth secret.
    """
    ways = {
        "AUTH_PAT": request.personal_access_token is not None,
        "AUTH_OAUTH_M2M": bool(request.service_principal_id and request.service_principal_oauth_secret),
        "AUTH_OAUTH_U2M": policy.is_published_app or request.oauth_u2m_app_id is not None,
    }
    offered = set(policy.auth_options) | ({"AUTH_PAT"} if "AUTH_OAUTH_M2M" in policy.auth_options else set())
    return tuple(way for way, sent in ways.items() if sent and way in offered)


def request_problem(policy: PartnerPolicy, request: ConnectRequest) -> str:
    """What is wrong with a connect request under this policy, for a log; empty when it can be decided."""
    user = request.user_info
    if not plain_email(user.email):
        return "user_info.email is not an e-mail address"
    if user.databricks_organization_id != request.workspace_id:
        return "user_info.databricks_organization_id and workspace_id differ"
    if user.is_connection_established:
        return "" if request.connection_id else "connection_id is missing, and is_connection_established is true"
    if not auth_options_sent(policy, request):
        return f"the credentials of {' or '.join(policy.auth_options)} are missing"
    warehouse = policy.integration in WITH_WAREHOUSE
    if warehouse and not request.http_path:
        return f"http_path is missing, and a {policy.integration} integration needs a SQL warehouse"
    if warehouse and False in (request.is_sql_warehouse, request.is_sql_endpoint):
        return f"is_sql_warehouse is false, and a {policy.integration} integration needs a SQL warehouse"
    if policy.integration == "notebook" and not request.cluster_id:
        return "cluster_id is missing, and a notebook integration needs a cluster"
    return ""
