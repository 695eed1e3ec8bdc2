"""The commands of the clouds' tools: in order, with the documents as a shell hands them on, byte for byte."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from itertools import pairwise

import pytest

from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.policies.cloud_commands import (
    TRUST_FILE,
    CloudCommand,
    commands_text,
    document_files,
    policy_commands,
    provisioning_commands,
    trust_commands,
)
from core.lakehouse.policies.cloud_documents import role_documents
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, TENCENT


def _verbs(commands: tuple[CloudCommand, ...]) -> list[str]:
    return [command.words[2] for command in commands]


def _options(command: CloudCommand) -> dict[str, str]:
    words = command.words[3:]
    return {word: following for word, following in pairwise(words) if word.startswith("--")}


@pytest.mark.parametrize(
    ("connection", "verbs"),
    [
        (
            ALIYUN,
            [
                "CreatePolicy",
                "CreateRole",
                "AttachPolicyToRole",
                "AttachPolicyToRole",
                "GetRole",
                "ListPoliciesForRole",
            ],
        ),
        (TENCENT, ["CreatePolicy", "CreateRole", "AttachRolePolicy", "GetRole", "ListAttachedRolePolicies"]),
        (
            AWS,
            [
                "create-policy",
                "create-role",
                "attach-role-policy",
                "attach-role-policy",
                "get-role",
                "list-attached-role-policies",
            ],
        ),
    ],
    ids=["aliyun", "tccli", "aws"],
)
def test_the_order_in_which_they_are_run(connection: ApiConnection, verbs: list[str]) -> None:
    commands = provisioning_commands(connection, role_documents(connection))
    assert _verbs(commands) == verbs
    tool = {Provider.ALIYUN: ("aliyun", "ram"), Provider.TENCENT: ("tccli", "cam"), Provider.AWS: ("aws", "iam")}
    assert all(command.words[:2] == tool[connection.provider] for command in commands)


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
def test_the_shell_hands_on_the_documents_as_they_are(connection: ApiConnection) -> None:
    documents = role_documents(connection, external_id=EXTERNAL_ID)
    commands = (
        *provisioning_commands(connection, documents),
        *trust_commands(connection, documents),
        *policy_commands(connection, documents),
    )
    every = [json.dumps(each.document) for each in documents.permissions if each.document] + [
        json.dumps(documents.trust)
    ]
    written = [
        json.dumps(json.loads(value))
        for command in commands
        for option, value in _options(command).items()
        if option.lower().endswith("document")
    ]
    assert sorted(written) == sorted(every * 2)  # created, and put in force anew
    for command in commands:
        assert tuple(shlex.split(command.text)) == command.words
        assert "\n" not in command.text + command.purpose


def test_the_parameters_of_each_tool() -> None:
    aliyun = provisioning_commands(ALIYUN, role_documents(ALIYUN))
    assert [set(_options(command)) for command in aliyun] == [
        {"--PolicyName", "--PolicyDocument", "--Description"},
        {"--RoleName", "--AssumeRolePolicyDocument", "--Description"},
        {"--PolicyType", "--PolicyName", "--RoleName"},
        {"--PolicyType", "--PolicyName", "--RoleName"},
        {"--RoleName"},
        {"--RoleName"},
    ]
    assert [_options(command)["--PolicyType"] for command in aliyun[2:4]] == ["System", "Custom"]
    tencent = provisioning_commands(TENCENT, role_documents(TENCENT))
    assert _options(tencent[2]) == {"--AttachRoleName": "LakehouseRole", "--PolicyName": "LakehouseAccess"}
    assert _options(tencent[4]) == {"--Page": "1", "--Rp": "200", "--RoleName": "LakehouseRole"}
    aws = provisioning_commands(AWS, role_documents(AWS))
    assert all(_options(command)["--region"] == "cn-north-1" for command in aws)
    assert [_options(command)["--policy-arn"] for command in aws[2:4]] == [
        "arn:aws-cn:iam::123456789012:policy/LakehouseAccess",
        "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    ]


def test_the_trust_policy_is_put_in_force_and_read_back() -> None:
    verbs = {
        connection.provider.value: _verbs(trust_commands(connection, role_documents(connection)))
        for connection in EVERY_CLOUD
    }
    assert verbs == {
        "aliyun": ["UpdateRole", "GetRole"],
        "tencent": ["UpdateAssumeRolePolicy", "GetRole"],
        "aws": ["update-assume-role-policy", "get-role"],
    }
    assert "--NewAssumeRolePolicyDocument" in _options(trust_commands(ALIYUN, role_documents(ALIYUN))[0])


def test_a_drifted_policy_gets_another_version() -> None:
    verbs = [_verbs(policy_commands(connection, role_documents(connection))) for connection in EVERY_CLOUD]
    assert verbs == [["CreatePolicyVersion"], ["UpdatePolicy"], ["create-policy-version"]]


def test_aws_makes_a_role_in_its_path() -> None:
    connection = replace(AWS, role_arn="arn:aws-cn:iam::123456789012:role/team/udf/LakehouseUdf")
    create = provisioning_commands(connection, role_documents(connection))[1]
    assert _options(create)["--path"] == "/team/udf/"
    assert _options(create)["--role-name"] == "LakehouseUdf"


def test_aws_takes_its_documents_from_files() -> None:
    documents = role_documents(AWS)
    files = document_files(documents)
    assert sorted(files) == ["LakehouseAccess.json", TRUST_FILE]
    assert json.loads(files[TRUST_FILE]) == documents.trust
    commands = provisioning_commands(AWS, documents, folder="/tmp/my docs/")
    assert _options(commands[0])["--policy-document"] == "file:///tmp/my docs/LakehouseAccess.json"
    assert _options(commands[1])["--assume-role-policy-document"] == f"file:///tmp/my docs/{TRUST_FILE}"
    assert "'file:///tmp/my docs/LakehouseAccess.json'" in commands[0].text


def test_the_script_says_what_each_command_is_for() -> None:
    lines = commands_text(provisioning_commands(TENCENT, role_documents(TENCENT))).splitlines()
    assert [line[:2] for line in lines] == ["# ", "tc", "", "# ", "tc", "", "# ", "tc", "", "# ", "tc", "", "# ", "tc"]
