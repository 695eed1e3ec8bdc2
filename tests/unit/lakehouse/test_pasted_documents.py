"""Trust policies as they are pasted."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection
from core.lakehouse.policies.cloud_documents import role_documents
from core.lakehouse.provisioning.pasted_documents import read_pasted_trust
from tests.unit.lakehouse.examples import AWS, EVERY_CLOUD, EXTERNAL_ID


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda c: c.provider.value)
def test_the_document_is_found_as_it_is_and_in_the_answers_of_the_tools(connection: ApiConnection) -> None:
    trust = role_documents(connection, external_id=EXTERNAL_ID).trust
    text = json.dumps(trust)
    for pasted in (
        text,
        f"Trusted entities\n\n{json.dumps(trust, indent=4)}\nEdit",
        json.dumps({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": trust}}),
        json.dumps({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": text}}),
        json.dumps({"Response": {"RoleInfo": {"PolicyDocument": quote(text)}, "RequestId": "1"}}),
        f"{text}\n{text}",
    ):
        assert read_pasted_trust(pasted) == trust


def test_what_is_no_trust_policy_is_told() -> None:
    documents = role_documents(AWS, external_id=EXTERNAL_ID)
    permission = json.dumps(documents.permissions[0].document)
    for pasted, told in (
        ("", "no trust policy"),
        ("{", "no trust policy"),
        ('{"Role": {"AssumeRolePolicyDocument": "%7B"}}', "no trust policy"),
        ("{" + '"a": {' * 5000, "no trust policy"),
        (permission, "permission policy"),
        ('{"Statement": [1]}', "JSON object"),
        (f"{json.dumps(documents.trust)} {json.dumps(role_documents(AWS).trust)}", "several"),
    ):
        with pytest.raises(BadInputError, match=told):
            read_pasted_trust(pasted)
