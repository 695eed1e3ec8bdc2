"""The PartnerConfig: what a partner tells Databricks about itself, and what its tests go by.

Every field has the name it has in JSON; None means that the field is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from core.partner.messages.requests import CloudProvider


class Category(StrEnum):
    """The shelf of Partner Connect on which the partner stands."""

    INGEST = "INGEST"
    DATA_PREP_AND_TRANSFORM = "DATA_PREP_AND_TRANSFORM"
    SECURITY_AND_GOVERNANCE = "SECURITY_AND_GOVERNANCE"
    BI_AND_VIZ = "BI_AND_VIZ"
    ML = "ML"
    DATA_QUALITY = "DATA_QUALITY"
    REVERSE_ETL = "REVERSE_ETL"
    SEMANTIC_LAYER = "SEMANTIC_LAYER"
    DATA_GOVERNANCE = "DATA_GOVERNANCE"


class ResourceType(StrEnum):
    """What Databricks makes in the workspace for a partner connection."""

    PAT = "PAT"
    SQL_ENDPOINT = "SqlEndpoint"
    DEST_LOCATION = "DestLocation"
    INTERACTIVE_CLUSTER = "InteractiveCluster"


class Permission(StrEnum):
    """A privilege on data that the partner's service principal gets."""

    SELECT = "SELECT"
    CREATE = "CREATE"
    MODIFY = "MODIFY"
    USAGE = "USAGE"
    READ_METADATA = "READ_METADATA"
    CREATE_NAMED_FUNCTION = "CREATE_NAMED_FUNCTION"
    MODIFY_CLASSPATH = "MODIFY_CLASSPATH"
    ALL_PRIVILEGES = "ALL PRIVILEGES"
    USE_CATALOG = "USE_CATALOG"
    USE_SCHEMA = "USE_SCHEMA"
    CREATE_SCHEMA = "CREATE_SCHEMA"
    CREATE_TABLE = "CREATE_TABLE"


class ObjectName(StrEnum):
    """A kind of object in the workspace that permissions are given on."""

    TOKEN = "Token"  # noqa: S105 - the name of a kind
    PASSWORD = "Password"  # noqa: S105 - the name of a kind
    CLUSTER = "Cluster"
    POOL = "Pool"
    JOB = "Job"
    DLT_PIPELINE = "DLT_Pipeline"
    NOTEBOOK = "Notebook"
    DIRECTORY = "Directory"
    MLFLOW_EXPERIMENT = "MLflow_Experiment"
    MLFLOW_REGISTERED_MODEL = "MLflow_Registered_Model"
    SQL_ENDPOINT = "SQL_Endpoint"
    REPO = "Repo"


class PermissionLevel(StrEnum):
    """How much may be done with an object in the workspace."""

    CAN_MANAGE = "CAN_MANAGE"
    CAN_RESTART = "CAN_RESTART"
    CAN_ATTACH_TO = "CAN_ATTACH_TO"
    IS_OWNER = "IS_OWNER"
    CAN_MANAGE_RUN = "CAN_MANAGE_RUN"
    CAN_VIEW = "CAN_VIEW"
    CAN_READ = "CAN_READ"
    CAN_RUN = "CAN_RUN"
    CAN_EDIT = "CAN_EDIT"
    CAN_USE = "CAN_USE"
    CAN_MANAGE_STAGING_VERSIONS = "CAN_MANAGE_STAGING_VERSIONS"
    CAN_MANAGE_PRODUCTION_VERSIONS = "CAN_MANAGE_PRODUCTION_VERSIONS"
    CAN_EDIT_METADATA = "CAN_EDIT_METADATA"
    CAN_VIEW_METADATA = "CAN_VIEW_METADATA"


class NewUserAction(StrEnum):
    """What happens when a user of a known partner account comes for the first time, to an established connection."""

    AUTO_ADD = "auto_add"
    INVITE = "invite"
    NOT_FOUND = "not_found"
    ERROR = "error"


class TrialType(StrEnum):
    """Whose trial ends: that of one user, or that of the partner account with all its users."""

    USER = "user"
    ACCOUNT = "account"


class AuthOption(StrEnum):
    """How the partner authenticates with Databricks."""

    AUTH_PAT = "AUTH_PAT"
    AUTH_OAUTH_M2M = "AUTH_OAUTH_M2M"
    AUTH_OAUTH_U2M = "AUTH_OAUTH_U2M"


METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "connect_path": ("POST",),
        "delete_connection_path": ("POST", "DELETE"),  # DELETE until 2023, and in the prose still; POST since
        "test_connection_path": ("POST",),
        "delete_account_path": ("DELETE",),
        "expire_account_path": ("PUT",),
        "get_connectors_path": ("GET",),
    }
)
"""The methods by which each endpoint is called. The keys are the fields of `Endpoints`."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The paths below `base_url`. An endpoint without one is not served."""

    connect_path: str
    get_connectors_path: str | None = None
    test_connection_path: str | None = None
    delete_account_path: str | None = None
    expire_account_path: str | None = None
    delete_connection_path: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceToProvision:
    """One thing that Databricks makes for a partner connection."""

    resource_type: ResourceType


@dataclass(frozen=True, slots=True)
class DataPermission:
    """One privilege on data."""

    permission: Permission


@dataclass(frozen=True, slots=True)
class ObjectPermission:
    """One permission on a kind of object."""

    name: ObjectName
    level: PermissionLevel


@dataclass(frozen=True, slots=True)
class TestWorkspaceDetail:
    """The workspace that tests name, for a partner that tries to reach it while it connects."""

    hostname: str
    port: int
    jdbc_url: str
    http_path: str
    cluster_id: str
    databricks_jdbc_url: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerConfig:
    """What a partner tells about itself. `hostnames` are the hosts that users may be redirected to."""

    api_version: str
    name: str
    description_blurb: str
    category: Category
    base_url: str
    endpoints: Endpoints
    sign_up_page: str
    privacy_policy: str
    terms_of_service: str
    logo_file: str
    icon_file: str
    resources_to_provision: tuple[ResourceToProvision, ...]
    supported_clouds: tuple[CloudProvider, ...]
    hostnames: tuple[str, ...]
    new_user_action: NewUserAction
    data_permissions: tuple[DataPermission, ...] | None = None
    object_permissions: tuple[ObjectPermission, ...] | None = None
    require_manual_signup: bool | None = None
    trial_type: TrialType | None = None
    supports_demo: bool | None = None
    auth_options: tuple[AuthOption, ...] = (AuthOption.AUTH_PAT,)
    is_published_app: bool | None = None
    test_workspace_detail: TestWorkspaceDetail | None = None

    def provisions(self, resource: ResourceType) -> bool:
        """Whether Databricks makes this resource for a partner connection."""
        return any(each.resource_type == resource for each in self.resources_to_provision)
