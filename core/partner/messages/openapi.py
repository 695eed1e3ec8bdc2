"""The OpenAPI document of the Connect API: the one in `openapi.json`, fitted to a partner's PartnerConfig.

The data file has every endpoint at its usual path. With a PartnerConfig, the document has the endpoints that the
config names, at their paths, and demands of connect what the config provisions: as the reading of requests does.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

from core.partner.messages.partner_config import Endpoints, PartnerConfig, ResourceType
from core.partner.messages.requests import WAREHOUSE_FLAGS, WAREHOUSE_TEXTS

USUAL_ENDPOINTS = Endpoints(
    connect_path="/connect",
    get_connectors_path="/connectors",
    test_connection_path="/test-connection",
    delete_account_path="/delete-account",
    expire_account_path="/expire-account",
    delete_connection_path="/delete-connection",
)
_DOCUMENT = "openapi.json"

Document = dict[str, Any]


def openapi_document(config: PartnerConfig | None = None) -> Document:
    """The document: all endpoints at their usual paths, or those of a PartnerConfig. It is the caller's to change."""
    document: Document = json.loads(_text())
    if config is None:
        return document
    document["servers"] = [{"url": config.base_url.rstrip("/")}]
    document["paths"] = _paths(document["paths"], config.endpoints)
    _demand_provisioned(document["components"]["schemas"]["ConnectRequest"], config)
    return document


def write_openapi_document(config: PartnerConfig | None = None) -> bytes:
    """The document as JSON, to be served."""
    return json.dumps(openapi_document(config), separators=(",", ":")).encode("ascii")


@cache
def _text() -> str:
    return files(__package__).joinpath(_DOCUMENT).read_text(encoding="utf-8")


def _paths(usual: Document, endpoints: Endpoints) -> Document:
    paths: Document = {}
    for name in (each.name for each in fields(Endpoints)):
        path = getattr(endpoints, name)
        if path is not None:
            # Two endpoints may share a path, as long as they are called by other methods.
            paths.setdefault(path, {}).update(usual[getattr(USUAL_ENDPOINTS, name)])
    return paths


def _demand_provisioned(schema: Document, config: PartnerConfig) -> None:
    """Narrow the schema of ConnectRequest to what Databricks sends when it provisions what the config says."""
    properties, required = schema["properties"], schema["required"]
    warehouse = config.provisions(ResourceType.SQL_ENDPOINT)
    for name in WAREHOUSE_FLAGS:
        properties[name] |= {"type": "boolean", "const": True} if warehouse else {"enum": [False, None]}
    for name in WAREHOUSE_TEXTS:
        properties[name] |= {"type": "string", "minLength": 1} if warehouse else {"maxLength": 0}
    if warehouse:
        required.extend((*WAREHOUSE_FLAGS, *WAREHOUSE_TEXTS))
    if warehouse or config.provisions(ResourceType.INTERACTIVE_CLUSTER):
        properties["cluster_id"] |= {"type": "string", "minLength": 1}
        required.append("cluster_id")
