"""`housekeys connection` by hand: neither a cloud nor a Lakehouse is reached. On the embedded engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.provisioning.plan import Wanted
from tests.cli.conftest import Housekeys

EXTERNAL_ID = "VW9UaGwYENBQ7cFp"
ALIYUN = ApiConnection(
    "udf", Provider.ALIYUN, "cn-hangzhou", "acs:ram::1757168149572678:role/czudfrole", "function-compute-my1"
)
AWS = ApiConnection(
    "udf_aws", Provider.AWS, "cn-north-1", "arn:aws-cn:iam::123456789012:role/LakehouseUdf", "cz-udf-code"
)
ANSWER = f"""\
+--------------------+---------------------+
| info_name          | info_value          |
+--------------------+---------------------+
| name               | udf                 |
| type               | CLOUD_FUNCTION      |
| externalId         | {EXTERNAL_ID}    |
+--------------------+---------------------+
"""


def options(connection: ApiConnection) -> list[str]:
    """The options that define a connection."""
    return [
        *("--provider", connection.provider.value),
        *("--region", connection.region),
        *("--role-arn", connection.role_arn),
        *("--bucket", connection.code_bucket),
    ]


def trust(connection: ApiConnection, external_id: str) -> str:
    return json.dumps(Wanted(connection).documents(external_id).trust)


def test_a_connection_from_its_definition_to_ready_by_hand(housekeys: Housekeys, tmp_path: Path) -> None:
    empty = housekeys("connection", "list")
    assert (empty.code, empty.stdout) == (0, "")
    assert "housekeys connection create" in empty.stderr
    created = housekeys("connection", "create", "udf", *options(ALIYUN))
    assert created.code == 0
    assert json.loads(created.stdout) == Wanted(ALIYUN).documents().permissions[-1].document
    assert "step 1 of 6, by hand:\nCreate the permission policies in Alibaba Cloud." in created.stderr
    assert "housekeys connection resume udf --done grant" in created.stderr
    granted = housekeys("connection", "resume", "udf", "--done", "grant")
    assert json.loads(granted.stdout) == json.loads(trust(ALIYUN, "000000"))
    assert "Attach to it: AliyunFCFullAccess, CzUdfOssAccess." in granted.stderr
    again = housekeys("connection", "resume", "udf", "--done", "grant")
    assert (again.code, again.stdout) == (3, "")
    assert "another step: trust" in again.stderr
    made = housekeys("connection", "resume", "udf", "--done", "--json", "--syntax", "properties").json
    assert made["connection"]["next_task"]["texts"][0]["text"].startswith("CREATE API CONNECTION udf\nTYPE")
    assert "WITH PROPERTIES" in made["connection"]["next_task"]["texts"][0]["text"]
    described = housekeys("connection", "resume", "udf", "--done")
    assert described.stdout == "DESC CONNECTION udf;\n"
    assert "housekeys connection desc udf --from -" in described.stderr
    told = housekeys("connection", "desc", "udf", "--from", "-", typed=ANSWER)
    assert json.loads(told.stdout) == json.loads(trust(ALIYUN, EXTERNAL_ID))
    assert "Ctrl-D" in told.stderr
    assert housekeys("connection", "resume", "udf", "--done", "tighten").code == 0
    pasted = tmp_path / "trust.json"
    pasted.write_text(trust(ALIYUN, "000000"))
    differs = housekeys("connection", "verify", "udf", "--from", str(pasted))
    assert (differs.code, differs.stdout.split()[:2]) == (1, ["udf", "differs"])
    assert "housekeys connection documents udf" in differs.stderr
    pasted.write_text(trust(ALIYUN, EXTERNAL_ID))
    ready = housekeys("connection", "verify", "udf", "--from", str(pasted))
    assert (ready.code, ready.stdout.split()) == (0, ["udf", "as", "wanted"])
    assert f"udf is ready: its role asks for the external id {EXTERNAL_ID}." in ready.stderr
    listed = housekeys("connection", "list").stdout.splitlines()
    assert listed[0].split() == ["NAME", "CLOUD", "REGION", "STATE", "NEXT", "EXTERNAL", "ID", "VERIFIED"]
    assert listed[1].split()[:6] == ["udf", "aliyun", "cn-hangzhou", "ready", "-", EXTERNAL_ID]


def test_recreating_and_removing_by_hand_say_what_is_to_be_run(housekeys: Housekeys) -> None:
    assert housekeys("connection", "create", "udf", *options(ALIYUN)).code == 0
    wrong = housekeys("connection", "recreate", "udf", "--bucket", "X_Y")
    assert (wrong.code, "--bucket: The code bucket X_Y" in wrong.stderr) == (2, True)
    unsure = housekeys("connection", "recreate", "udf", typed="udf_\n")
    assert unsure.code == 3
    assert "first run DROP CONNECTION udf; in the Lakehouse" in unsure.stderr
    assert "It will have another external id" in unsure.stderr
    anew = housekeys("connection", "recreate", "udf", "--bucket", "another-code", "--confirm", "udf", "--json").json
    assert (anew["connection"]["code_bucket"], anew["connection"]["external_id"]) == ("another-code", "")
    unseen = housekeys("-p", "embedded", "connection", "verify")
    assert (unseen.code, unseen.stdout) == (3, "")
    assert "housekeys -p embedded connection verify udf --from -" in unseen.stderr
    assert housekeys("--read-only", "connection", "remove", "udf", "--confirm", "udf").code == 3
    assert housekeys("connection", "remove", "udf", "--confirm", "udf", "--json").json["removed"] == "udf"
    gone = housekeys("connection", "show", "udf")
    assert (gone.code, "housekeys connection list" in gone.stderr) == (4, True)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--provider", "azure", "azure is not a provider"),
        ("--region", "", "--region: The region is missing."),
        ("--region", "cn north", "--region: The region has white space"),
        ("--role-arn", "czudfrole", "czudfrole is not a role ARN"),
        ("--role-arn", "acs:ram::1384322691904283:role/x", "--role-arn: The account 1384322691904283 is the vendor's"),
        ("--role-arn", AWS.role_arn, "--role-arn: The role ARN is one of AWS"),
        ("--bucket", "Upper", "--bucket: The code bucket Upper cannot be one of Alibaba Cloud"),
        ("--more-bucket", "x.y.z", "--more-bucket: The further bucket x.y.z"),
        ("--namespace", "a'b", "--namespace: The namespace has the character '"),
        ("--comment", "a\x00b", "--comment: The comment has the invisible character \\x00"),
        ("--scope", "all", None),
        ("--syntax", "json", None),
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_opened(
    housekeys: Housekeys, home: Path, option: str, value: str, told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = housekeys("connection", "create", "udf", *options(ALIYUN), option, value)
    assert outcome.code == 2
    assert (told or f"argument {option}") in outcome.stderr + capsys.readouterr().err
    assert not (home / "data").exists()


def test_every_wrong_field_is_told_at_once(housekeys: Housekeys, capsys: pytest.CaptureFixture[str]) -> None:
    fields = ("--provider", "tencent", "--region", "", "--role-arn", "", "--bucket", "x", "--namespace", "")
    outcome = housekeys("connection", "create", "a b", *fields)
    assert outcome.code == 2
    lines = outcome.stderr.splitlines()
    told = [line.split(":")[0].strip() for line in lines[1:-1]]
    assert (told, lines[-1]) == (
        ["NAME", "--region", "--role-arn", "--bucket", "--namespace"],
        "Nothing was created.",
    )
    assert housekeys("connection", "create", "udf").code == 2
    assert "--provider, --region, --role-arn, --bucket" in capsys.readouterr().err
    assert housekeys("connection", "resume", "--done", "udf").code == 2
    assert "udf is no step (grant, trust, create, tighten)" in capsys.readouterr().err
