"""The PartnerConfig that a profile's policy comes to: for Databricks, for the checker, and for the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from core.partner.messages.partner_config import (
    AuthOption,
    Category,
    DataPermission,
    Endpoints,
    NewUserAction,
    ObjectName,
    ObjectPermission,
    PartnerConfig,
    Permission,
    PermissionLevel,
    ResourceToProvision,
    ResourceType,
    TrialType,
)
from core.partner.messages.requests import CloudProvider
from core.profiles.partner import Integration, PartnerPolicy

API_VERSION: Final = "2.1.0"  # the first that demands delete-connection; Databricks has counted none since

_READ = (Permission.SELECT, Permission.USE_CATALOG, Permission.USE_SCHEMA)
_WRITE = (Permission.USE_CATALOG, Permission.USE_SCHEMA, Permission.CREATE_SCHEMA, Permission.CREATE_TABLE)
_CATEGORIES: Final[Mapping[Integration, Category]] = {
    "read": Category.BI_AND_VIZ,
    "write": Category.INGEST,
    "read-write": Category.DATA_PREP_AND_TRANSFORM,
    "notebook": Category.ML,
    "desktop": Category.BI_AND_VIZ,
}
_RESOURCES: Final[Mapping[Integration, ResourceType | None]] = {
    "read": ResourceType.SQL_ENDPOINT,
    "write": ResourceType.SQL_ENDPOINT,
    "read-write": ResourceType.SQL_ENDPOINT,
    "notebook": ResourceType.INTERACTIVE_CLUSTER,
    "desktop": None,
}
_PERMISSIONS: Final[Mapping[Integration, tuple[Permission, ...]]] = {
    "read": _READ,
    "write": (*_WRITE, Permission.MODIFY),
    "read-write": (Permission.SELECT, *_WRITE, Permission.MODIFY),
    "notebook": _READ,
    "desktop": _READ,
}
_ON_CLUSTERS = (
    ObjectPermission(ObjectName.CLUSTER, PermissionLevel.CAN_RESTART),
    ObjectPermission(ObjectName.NOTEBOOK, PermissionLevel.CAN_EDIT),
)
_ALL_CLOUDS = (CloudProvider.AWS, CloudProvider.AZURE, CloudProvider.GCP)


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a PartnerConfig says to people, most of which no policy knows. What is empty stands for what is usual."""

    name: str = ""  # that of the policy, else the host of base_url
    description_blurb: str = ""
    category: Category | None = None  # by the kind of integration
    privacy_policy: str = ""  # base_url, as the next one
    terms_of_service: str = ""
    logo_file: str = "logo.svg"
    icon_file: str = "icon.svg"
    supported_clouds: tuple[CloudProvider, ...] = _ALL_CLOUDS


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a PartnerConfig that does not say what the policy does."""

    field: str
    said: str
    wanted: str


def partner_config(policy: PartnerPolicy, presentation: Presentation | None = None) -> PartnerConfig:
    """The PartnerConfig of a policy."""
    told = presentation or Presentation()
    category = told.category or _CATEGORIES[policy.integration]
    options = tuple(AuthOption(option) for option in policy.auth_options)
    u2m = AuthOption.AUTH_OAUTH_U2M in options
    notebook = policy.integration == "notebook"
    return PartnerConfig(
        api_version=API_VERSION,
        name=told.name or policy.name or urlsplit(policy.base_url).hostname or policy.base_url,
        description_blurb=told.description_blurb or "A database in ClickHouse, connected to your workspace.",
        category=category,
        base_url=policy.base_url,
        endpoints=_endpoints(policy, category),
        sign_up_page=policy.pages.sign_up or policy.base_url,
        privacy_policy=told.privacy_policy or policy.base_url,
        terms_of_service=told.terms_of_service or policy.base_url,
        logo_file=told.logo_file,
        icon_file=told.icon_file,
        resources_to_provision=_resources(policy),
        supported_clouds=told.supported_clouds,
        hostnames=policy.hostnames,
        new_user_action=NewUserAction(policy.new_user_action),
        data_permissions=tuple(map(DataPermission, _PERMISSIONS[policy.integration])),
        object_permissions=_ON_CLUSTERS if notebook else None,
        require_manual_signup=policy.require_manual_signup,
        trial_type=None if policy.trial.type == "none" else TrialType(policy.trial.type),
        supports_demo=policy.supports_demo,
        auth_options=options,
        is_published_app=policy.is_published_app if u2m else None,
    )


def differences(config: PartnerConfig, policy: PartnerPolicy) -> tuple[Difference, ...]:
    """Where a PartnerConfig says otherwise than the policy by which the service answers."""
    own = partner_config(policy, Presentation(category=config.category))
    pairs = {
        "base_url": (config.base_url.rstrip("/"), own.base_url),
        **{
            f"endpoints.{name}": (path, getattr(own.endpoints, name))
            for name in Endpoints.__dataclass_fields__
            if (path := getattr(config.endpoints, name)) is not None  # what is not named is not called
        },
        "hostnames": (sorted(map(str.lower, config.hostnames)), sorted(map(str.lower, own.hostnames))),
        "new_user_action": (config.new_user_action, own.new_user_action),
        "require_manual_signup": (bool(config.require_manual_signup), own.require_manual_signup),
        "trial_type": (config.trial_type, own.trial_type),
        "supports_demo": (bool(config.supports_demo), own.supports_demo),
        "auth_options": (sorted(config.auth_options), sorted(own.auth_options)),
        "is_published_app": (bool(config.is_published_app), bool(own.is_published_app)),
        "resources_to_provision": (_provisioned(config), _provisioned(own)),
    }
    return tuple(
        Difference(name, _shown(said), _shown(wanted)) for name, (said, wanted) in pairs.items() if said != wanted
    )


def _endpoints(policy: PartnerPolicy, category: Category) -> Endpoints:
    """All that is served; the hooks of Databricks' tests and the connectors only where they are of use."""
    paths: dict[str, str | None] = {name: getattr(policy.endpoints, name) for name in Endpoints.__dataclass_fields__}
    if not policy.test_hooks:
        paths |= {"delete_account_path": None, "expire_account_path": None}
    if not policy.connectors and category is not Category.INGEST:
        paths["get_connectors_path"] = None
    return Endpoints(policy.endpoints.connect_path, **{name: paths[name] for name in paths if name != "connect_path"})


def _resources(policy: PartnerPolicy) -> tuple[ResourceToProvision, ...]:
    made = [ResourceType.PAT] if "AUTH_PAT" in policy.auth_options else []
    resource = _RESOURCES[policy.integration]
    return tuple(map(ResourceToProvision, (*made, *((resource,) if resource else ()))))


def _provisioned(config: PartnerConfig) -> list[str]:
    """What of the resources requests depend on: a location and a token change nothing that is demanded of them."""
    judged = (ResourceType.SQL_ENDPOINT, ResourceType.INTERACTIVE_CLUSTER)
    return [resource.value for resource in judged if config.provisions(resource)]


def _shown(value: object) -> str:
    match value:
        case None | []:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(str, value))
    return str(value)
