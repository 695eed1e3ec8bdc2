"""The application holds to its own OpenAPI document whatever is sent: no undeclared status, no failure."""

from __future__ import annotations

from dataclasses import replace

from core.partner.messages.openapi import openapi_document
from core.partner.service.app import create_app
from core.profiles.partner import ServicePolicy
from tests.partner_handler import MemoryParts
from tests.unit.partner.test_service_api import POLICY


def test_every_answer_is_one_that_the_document_declares() -> None:
    import schemathesis  # here, because it takes a second or two, and other workers need none of it

    from tests.partner_schema import conforms

    parts = MemoryParts(replace(POLICY, service=ServicePolicy(requests_per_minute=1_000_000)))
    app = create_app(parts, "here:1/2")
    seen = conforms(schemathesis.openapi.from_asgi("/openapi.json", app), parts.credentials.authorization, 15)
    document = openapi_document(parts.config)
    for path, methods in document["paths"].items():
        for method in (one for one in methods if one in ("get", "post", "put", "delete")):
            statuses = {status for asked, how, status in seen if (asked, how) == (path, method.upper())}
            assert statuses and statuses <= {200, 400, 401, 404}, (path, method, statuses)
    assert {path for path, _, status in seen if status == 200} >= {"/connect"}
    assert {status for _, _, status in seen} >= {200, 400, 404}
