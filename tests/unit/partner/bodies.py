"""Bodies of requests and a PartnerConfig that are right, for tests to change."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

TOKEN = "dapi-5d7f2c-not-to-be-seen"
CLIENT_SECRET = "dose-91ab30-not-to-be-seen"
LARGEST = 2**63 - 1

CONNECT: Json = {
    "user_info": {
        "email": "user1@acme.example",
        "first_name": "Ada",
        "last_name": "",
        "databricks_user_id": LARGEST,
        "databricks_organization_id": LARGEST - 1,
        "is_connection_established": False,
        "auth": {"personal_access_token": TOKEN},
    },
    "hostname": "acme.cloud.databricks.com",
    "port": 443,
    "workspace_url": "https://acme.cloud.databricks.com/?o=9223372036854775806",
    "workspace_id": LARGEST - 1,
    "demo": False,
    "cloud_provider": "aws",
    "cloud_provider_region": "us-west-2",
    "is_free_trial": True,
    "service_principal_id": "0B0f6c1e-6f0d-4f7b-9d0a-5a7e2f1c3d4e",
    "service_principal_oauth_secret": CLIENT_SECRET,
    "cluster_id": "0123456789abcdef",
}
WAREHOUSE: Json = {
    "is_sql_endpoint": True,
    "is_sql_warehouse": True,
    "http_path": "/sql/1.0/warehouses/0123456789abcdef",
    "jdbc_url": "jdbc:spark://acme.cloud.databricks.com:443/default;ssl=1",
    "databricks_jdbc_url": "jdbc:databricks://acme.cloud.databricks.com:443/default",
}
DELETE_CONNECTION: Json = {"connection_id": "pc_1", "cloud_provider": "azure", "databricks_organization_id": 0}
TEST_CONNECTION: Json = dict(DELETE_CONNECTION)
DELETE_ACCOUNT: Json = {
    "domain": "databricks-test.com",
    "cloud_provider": "gcp",
    "databricks_organization_id": 1,
}
EXPIRE_ACCOUNT: Json = {
    "email": "user1@databricks-test.com",
    "databricks_user_id": 2,
    "cloud_provider": "aws",
    "databricks_organization_id": 1,
}
CONFIG: Json = {
    "api_version": "2.2.0",
    "name": "Acme",
    "description_blurb": "Sells data",
    "category": "BI_AND_VIZ",
    "base_url": "https://partner.acme.example/databricks",
    "endpoints": {
        "connect_path": "/v1/connect",
        "get_connectors_path": "/v1/connectors",
        "test_connection_path": "/v1/test",
        "delete_account_path": "/v1/account",
        "expire_account_path": "/v1/account",
        "delete_connection_path": "/v1/connection",
    },
    "sign_up_page": "https://acme.example/sign-up",
    "privacy_policy": "https://acme.example/privacy",
    "terms_of_service": "https://acme.example/terms",
    "logo_file": "logo.svg",
    "icon_file": "icon.PNG",
    "resources_to_provision": [{"resource_type": "SqlEndpoint"}],
    "supported_clouds": ["aws", "gcp"],
    "hostnames": ["acme.example"],
    "new_user_action": "auto_add",
    "data_permissions": [{"permission": "SELECT"}, {"permission": "ALL PRIVILEGES"}],
    "object_permissions": [{"name": "SQL_Endpoint", "level": "CAN_MANAGE"}],
    "require_manual_signup": False,
    "trial_type": "account",
    "supports_demo": True,
    "auth_options": ["AUTH_PAT"],
    "is_published_app": False,
    "test_workspace_detail": {
        "hostname": "test.cloud.databricks.com",
        "port": 443,
        "jdbc_url": "jdbc:spark://test.cloud.databricks.com:443/default",
        "databricks_jdbc_url": "jdbc:databricks://test.cloud.databricks.com:443/default",
        "http_path": "/sql/1.0/warehouses/0123456789abcdef",
        "cluster_id": "0123456789abcdef",
    },
}


def encoded(body: object) -> bytes:
    """The bytes of a body."""
    return json.dumps(body).encode()
