"""Requests that schemathesis makes from the OpenAPI document, valid and not, and what every answer must hold to.

What is not asked: that all valid requests are accepted. The document cannot say what the decisions know (whose
connection it is, which domains are Databricks' tests), and ids come as whole numbers only, never as 610.0.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.use_after_free,
]


def conforms(schema: OpenApiSchema, authorization: str, examples: int) -> Counter[tuple[str, str, int]]:
    """Call every operation so many times, half of them with what is not valid; how often which status came.

    Raises what schemathesis raises for an answer that does not hold to the document.
    """
    seen: Counter[tuple[str, str, int]] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        strategy: Any = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(_coherent),
        )

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=strategy)
        def call(case: Case[Any]) -> None:
            response = case.call(headers={"Authorization": authorization})
            seen[case.operation.path, case.operation.method.upper(), response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        call()
    return seen


def _coherent(case: Case[Any]) -> Case[Any]:
    """The same with what the document cannot say: that ids agree, and what belongs to a new partner connection."""
    body: Any = case.body
    if isinstance(body, dict) and isinstance(user := body.get("user_info"), dict) and "workspace_id" in body:
        workspace = int(body["workspace_id"])
        user |= {"databricks_organization_id": workspace, "email": "ada@acme.example"}
        user |= {"is_connection_established": False, "auth": {"personal_access_token": "dapi0123"}}
        user["databricks_user_id"] = int(user["databricks_user_id"])
        host, path = "dbc-1.cloud.databricks.com", "/sql/1.0/warehouses/1"
        body |= {"hostname": host, "workspace_url": f"https://{host}/?o={workspace}", "http_path": path}
        body |= {"workspace_id": workspace, "port": 443, "cluster_id": "1", "cloud_provider": "aws"}
        body |= {"is_sql_endpoint": True, "is_sql_warehouse": True, "jdbc_url": f"jdbc:spark://{host}:443/default"}
        body |= {"databricks_jdbc_url": f"jdbc:databricks://{host}:443/default", "service_principal_id": None}
    return case
