"""`housekeys connection` by hand: neither a cloud nor a Lakehouse is reached. On the embedded engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.provisioning import Wanted
from core.lakehouse.statement_rendering import create_statement, render_script
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
    assert housekeys("connection", "resume", "udf", "--done").code == 2
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
