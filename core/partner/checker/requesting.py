"""Requests as Databricks sends them, made up: who asks, from which workspace, and the bodies as JSON to be changed."""

from __future__ import annotations

import copy
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from core.partner.checker.subject import Subject
from core.partner.messages.partner_config import AuthOption, ResourceType
from core.partner.messages.requests import WAREHOUSE_FLAGS, CloudProvider
from core.partner.security.hosts import HTTPS_PORT, ZONES

Json = dict[str, Any]

ABSENT: Final[Any] = object()
TEST_DOMAIN: Final = "databricks-test.com"
LARGEST_ID: Final = 2**63 - 1
_TEST_WORKSPACE: Final = (
    7_405_608_162_512_007  # always the same for the test domain: what a check left, the next removes
)
_SERVICE_PRINCIPAL: Final = "c2a4e1f0-5b7d-4f3e-8a69-1d0b7c9e5f42"
_REGIONS: Final = {CloudProvider.AWS: "us-west-2", CloudProvider.AZURE: "westeurope", CloudProvider.GCP: "us-central1"}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of Databricks that does not exist, or the one that the PartnerConfig names for tests."""

    cloud: CloudProvider
    id: int

    @property
    def hostname(self) -> str:
        """A name of the cloud's zone."""
        return f"dbc-{self.id % 16**8:08x}-c4e2{ZONES[self.cloud][0]}"


@dataclass(frozen=True, slots=True)
class User:
    """A user of Databricks."""

    email: str
    id: int


def random_id() -> int:
    """An id of 64 bits, as a test of Databricks draws it."""
    return secrets.randbelow(LARGEST_ID - 1000) + 1


def neighbouring_ids() -> tuple[int, int]:
    """Two ids that differ by one, which a float does not hold; new ones, for a partner may know a user by the id."""
    first = 2**62 + secrets.randbelow(2**50) * 2**12
    return first, first + 1


def company() -> str:
    """The e-mail domain of a company that nobody knows."""
    return f"{uuid.uuid4()}.com"


def user_of(domain: str, name: str = "user1") -> User:
    """A user with an address under a domain."""
    return User(f"{name}@{domain}", random_id())


def changed(body: Json, changes: Json) -> Json:
    """A copy of a body with values at dotted paths exchanged, or taken out by `ABSENT`."""
    result = copy.deepcopy(body)
    for path, value in changes.items():
        *way, last = path.split(".")
        place = result
        for name in way:
            place = place.setdefault(name, {})
        if value is ABSENT:
            place.pop(last, None)
        else:
            place[last] = value
    return result


@dataclass(slots=True)
class RequestFactory:
    """Makes the bodies for one subject. `tokens` are the secrets in those made so far: no answer may have them."""

    subject: Subject
    tokens: set[str] = field(default_factory=set, repr=False)

    def workspace(self, cloud: CloudProvider | None = None) -> Workspace:
        """A new workspace."""
        return Workspace(self.subject.cloud() if cloud is None else cloud, random_id())

    def test_workspace(self, cloud: CloudProvider = CloudProvider.AWS) -> Workspace:
        """The workspace of the users under `TEST_DOMAIN`."""
        return Workspace(self.subject.cloud(cloud), _TEST_WORKSPACE)

    def connect(self, user: User, workspace: Workspace, changes: Json | None = None) -> Json:
        """The body of connect where nothing is established; `changes` as those of `changed`."""
        body: Json = {
            "user_info": {
                "email": user.email,
                "first_name": "TestFirstName",
                "last_name": "TestLastName",
                "databricks_user_id": user.id,
                "databricks_organization_id": workspace.id,
                "is_connection_established": False,
            },
            "port": HTTPS_PORT,
            "workspace_id": workspace.id,
            "demo": False,
            "cloud_provider": workspace.cloud.value,
            "cloud_provider_region": _REGIONS[workspace.cloud],
            "is_free_trial": False,
            "service_principal_id": _SERVICE_PRINCIPAL,
            "is_sql_endpoint": False,
            "is_sql_warehouse": False,
            **self._address(workspace),
        }
        self._put_credentials(body)
        return changed(body, changes or {})

    def established(self, user: User, workspace: Workspace, connection_id: str, changes: Json | None = None) -> Json:
        """The body of connect where the workspace has a partner connection: without credentials."""
        known = {
            "user_info.auth": ABSENT,
            "service_principal_oauth_secret": ABSENT,
            "user_info.is_connection_established": True,
            "connection_id": connection_id,
        }
        return self.connect(user, workspace, known | (changes or {}))

    def of_connection(self, connection_id: str, workspace: Workspace) -> Json:
        """The body of delete-connection and of test-connection."""
        return {"connection_id": connection_id, **_place(workspace)}

    def delete_account(self, domain: str, workspace: Workspace) -> Json:
        """The body of delete-account."""
        return {"domain": domain, **_place(workspace)}

    def expire_account(self, user: User, workspace: Workspace) -> Json:
        """The body of expire-account."""
        return {"email": user.email, "databricks_user_id": user.id, **_place(workspace)}

    def _address(self, workspace: Workspace) -> Json:
        """Where the workspace is, and its warehouse where one is provisioned."""
        detail = None if self.subject.config is None else self.subject.config.test_workspace_detail
        if detail is not None and not detail.hostname.lower().endswith(ZONES[workspace.cloud]):
            detail = None
        host = workspace.hostname if detail is None else detail.hostname
        path = "/sql/1.0/warehouses/0123456789abcdef" if detail is None else detail.http_path
        tail = f"{host}:{HTTPS_PORT}/default;transportMode=http;ssl=1;AuthMech=3;httpPath={path};"
        address: Json = {
            "hostname": host,
            "workspace_url": f"https://{host}/?o={workspace.id}",
            "cluster_id": "0123456789abcdef" if detail is None else detail.cluster_id,
        }
        if self.subject.provisions(ResourceType.SQL_ENDPOINT):
            address |= dict.fromkeys(WAREHOUSE_FLAGS, True)
            address["http_path"] = path
            address["jdbc_url"] = f"jdbc:spark://{tail}" if detail is None else detail.jdbc_url
            named = None if detail is None else detail.databricks_jdbc_url
            address["databricks_jdbc_url"] = named or f"jdbc:databricks://{tail}"
        return address

    def _put_credentials(self, body: Json) -> None:
        options = self.subject.auth_options
        if AuthOption.AUTH_PAT in options:
            body["user_info"]["auth"] = {"personal_access_token": self._token("dapi")}
        if AuthOption.AUTH_OAUTH_M2M in options:
            body["service_principal_oauth_secret"] = self._token("dose")
        published = self.subject.config is not None and self.subject.config.is_published_app
        if AuthOption.AUTH_OAUTH_U2M in options and not published:
            body["oauth_u2m_app_id"] = str(uuid.uuid4())

    def _token(self, kind: str) -> str:
        token = f"{kind}{secrets.token_hex(16)}"  # of the form that is masked wherever it stands
        self.tokens.add(token)
        return token


def place_of(body: Json, cloud: CloudProvider) -> Workspace:
    """The workspace that a body of connect names, in one of two places; in `cloud` where it names no cloud."""
    user = body.get("user_info")
    named = (body.get("workspace_id"), user.get("databricks_organization_id") if isinstance(user, dict) else None)
    number = next((each for each in named if isinstance(each, int)), 0)
    told = body.get("cloud_provider")
    return Workspace(CloudProvider(told) if told in tuple(CloudProvider) else cloud, number)


def _place(workspace: Workspace) -> Json:
    return {"cloud_provider": workspace.cloud.value, "databricks_organization_id": workspace.id}
