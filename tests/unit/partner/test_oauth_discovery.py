"""Where a workspace gives tokens: what it publishes, and how much of that is believed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.errors import UnreachableError
from core.partner.oauth.discovery import DOCUMENTS, Discovery
from tests.databricks_fake import Reply
from tests.unit.partner.oauth_place import HOST, TOKEN_PATH, Partner

pytest_plugins = ("tests.unit.partner.oauth_fixtures",)


async def test_endpoints_are_read_once_by_however_many(partner: Partner) -> None:
    found = await asyncio.gather(*(partner.discovery.endpoints(HOST) for _ in range(5)))
    assert {endpoints.token for endpoints in found} == {f"{partner.fake.url}{TOKEN_PATH}"}
    assert partner.fake.requests == [DOCUMENTS[0]]
    partner.now += 3600
    await partner.discovery.endpoints(HOST)
    assert partner.fake.requests == [DOCUMENTS[0]] * 2
    assert all(agent.startswith("Housekeys/") for agent in partner.fake.agents)


async def test_the_other_document_will_do(partner: Partner) -> None:
    partner.fake.expect(DOCUMENTS[0], Reply(404))
    assert (await partner.discovery.endpoints(HOST)).issuer == f"{partner.fake.url}/oidc"
    partner.fake.expect(DOCUMENTS[0], Reply(404))
    partner.fake.expect(DOCUMENTS[1], Reply(404))
    with pytest.raises(UnreachableError, match="publishes no document"):
        await Discovery(partner.http).endpoints(HOST)


@pytest.mark.parametrize(
    "document",
    [
        {"token_endpoint": "https://evil.example/oidc/v1/token"},
        {"token_endpoint": "http://127.0.0.1:1/oidc/v1/token"},
        {"token_endpoint": None},
        {"token_endpoint": ["x"]},
        {"authorization_endpoint": "https://evil.example/authorize"},
        {"issuer": "https://evil.example/oidc"},
        {"issuer": ""},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
    ],
)
async def test_a_document_is_believed_about_its_own_workspace_only(partner: Partner, document: dict[str, Any]) -> None:
    partner.fake.documents = document
    with pytest.raises(UnreachableError, match="does not answer as Databricks does"):
        await partner.discovery.endpoints(HOST)


@pytest.mark.parametrize(
    "url", ["{0}/oidc?x=1", "{0}/oidc#x", "{0}/oidc\\x", "{0}/oidc x", "{0}.evil.example/", "{0}@b/"]
)
async def test_an_endpoint_is_a_plain_url_of_the_workspace(partner: Partner, url: str) -> None:
    partner.fake.documents = {"token_endpoint": url.format(partner.fake.url)}
    with pytest.raises(UnreachableError):
        await partner.discovery.endpoints(HOST)


@pytest.mark.parametrize(
    "issuer", ["{0}", "{0}/", "{0}/oidc/", "{0}/OIDC", "{0}/oidc/accounts/1", "{0}/oidc/../oidc", "{0}/other/oidc"]
)
@pytest.mark.parametrize("path", DOCUMENTS)
async def test_the_issuer_is_the_one_whose_document_was_asked_for(partner: Partner, issuer: str, path: str) -> None:
    """RFC 8414, section 3.3; OpenID Connect Discovery, section 4.3."""
    if path != DOCUMENTS[0]:
        partner.fake.expect(DOCUMENTS[0], Reply(404))
    partner.fake.documents = {"issuer": issuer.format(partner.fake.url)}
    with pytest.raises(UnreachableError, match=f"the issuer that it publishes is not {partner.fake.url}/oidc"):
        await partner.discovery.endpoints(HOST)
    partner.fake.documents = {}
    assert (await partner.discovery.endpoints(HOST)).issuer == f"{partner.fake.url}/oidc"  # nothing of it is kept
