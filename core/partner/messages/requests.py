"""What Databricks asks of a partner: the bodies of the Connect API's requests, as immutable values.

Every field has the name it has in JSON. An optional field that is absent, null or (for a text) empty is None: the
three mean the same. All ids are int64. A user's id is unique within a cloud only, a workspace's too: the keys are
`workspace_key` and `user_key`. The two secrets are `Secret`s and stay out of every repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from core.secrets import Secret

WAREHOUSE_FLAGS = ("is_sql_endpoint", "is_sql_warehouse")
WAREHOUSE_TEXTS = ("http_path", "jdbc_url", "databricks_jdbc_url")
"""The fields of `ConnectRequest` that tell of a SQL warehouse: true, and there, exactly when one is provisioned."""


class CloudProvider(StrEnum):
    """The cloud a workspace lives in."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


class ConnectionScope(StrEnum):
    """Who in the workspace may use the partner connection: everybody, or the one who made it."""

    WORKSPACE = "workspace"
    USER = "user"


@dataclass(frozen=True, slots=True)
class WorkspaceKey:
    """Identifies a workspace: its id alone is unique only within its cloud."""

    cloud_provider: CloudProvider
    workspace_id: int


@dataclass(frozen=True, slots=True)
class UserKey:
    """Identifies a Databricks user: the id alone is unique only within a cloud."""

    cloud_provider: CloudProvider
    databricks_user_id: int


@dataclass(frozen=True, slots=True)
class Auth:
    """The credentials in `user_info`: a personal access token, where the partner is configured for one."""

    personal_access_token: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UserInfo:
    """The Databricks user who connects. The e-mail address was verified by Databricks; the names may be empty."""

    email: str
    first_name: str
    last_name: str
    databricks_user_id: int
    databricks_organization_id: int
    is_connection_established: bool
    auth: Auth | None = None


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """Connect: make a partner connection, or (when established) lead a user to the one there is."""

    user_info: UserInfo
    hostname: str
    port: int
    workspace_url: str
    workspace_id: int
    demo: bool
    cloud_provider: CloudProvider
    is_free_trial: bool
    connection_id: str | None = None
    cloud_provider_region: str | None = None
    http_path: str | None = None
    jdbc_url: str | None = None
    databricks_jdbc_url: str | None = None
    cluster_id: str | None = None
    is_sql_endpoint: bool | None = None
    is_sql_warehouse: bool | None = None
    destination_location: str | None = None
    catalog_name: str | None = None
    database_name: str | None = None
    data_source_connector: str | None = None
    service_principal_id: str | None = None
    service_principal_oauth_secret: Secret | None = field(default=None, repr=False)
    oauth_u2m_app_id: str | None = None
    connection_scope: ConnectionScope | None = None

    @property
    def workspace_key(self) -> WorkspaceKey:
        """The workspace that asks."""
        return WorkspaceKey(self.cloud_provider, self.workspace_id)

    @property
    def user_key(self) -> UserKey:
        """The user who asks."""
        return UserKey(self.cloud_provider, self.user_info.databricks_user_id)

    @property
    def personal_access_token(self) -> Secret | None:
        """The personal access token, wherever the body keeps it."""
        return self.user_info.auth.personal_access_token if self.user_info.auth else None


@dataclass(frozen=True, slots=True)
class DeletingUserInfo:
    """The user who removes a partner connection. Only newer descriptions of the API have it, so all of it may lack."""

    email: str | None = None
    databricks_user_id: int | None = None
    databricks_organization_id: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteConnectionRequest:
    """Delete-connection: Databricks has removed its side, the partner is to remove its own."""

    connection_id: str
    cloud_provider: CloudProvider
    databricks_organization_id: int
    user_info: DeletingUserInfo | None = None

    @property
    def workspace_key(self) -> WorkspaceKey:
        """The workspace that asks."""
        return WorkspaceKey(self.cloud_provider, self.databricks_organization_id)


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """Test-connection: whether a partner connection works. Only some descriptions of the API name the workspace."""

    connection_id: str
    cloud_provider: CloudProvider | None = None
    databricks_organization_id: int | None = None

    @property
    def workspace_key(self) -> WorkspaceKey | None:
        """The workspace that asks, where it says so."""
        if self.cloud_provider is None or self.databricks_organization_id is None:
            return None
        return WorkspaceKey(self.cloud_provider, self.databricks_organization_id)


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """Delete-account: a test asks to forget all users and partner connections under a domain."""

    domain: str
    cloud_provider: CloudProvider
    databricks_organization_id: int

    @property
    def workspace_key(self) -> WorkspaceKey:
        """The workspace that asks."""
        return WorkspaceKey(self.cloud_provider, self.databricks_organization_id)


@dataclass(frozen=True, slots=True)
class AccountUserInfo:
    """Expire-account: a test asks to end the trial of a user."""

    email: str
    databricks_user_id: int
    cloud_provider: CloudProvider
    databricks_organization_id: int

    @property
    def workspace_key(self) -> WorkspaceKey:
        """The workspace that asks."""
        return WorkspaceKey(self.cloud_provider, self.databricks_organization_id)

    @property
    def user_key(self) -> UserKey:
        """The user whose trial ends."""
        return UserKey(self.cloud_provider, self.databricks_user_id)
