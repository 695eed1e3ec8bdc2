"""`housekeys profile test` of a profile with a Lakehouse and clouds: each is reached and told of, whatever fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.lakehouse.reaching import client as client_module
from tests.cli.conftest import Housekeys
from tests.cloud.aliyun_stub import AliyunStub
from tests.cloud.connection_place import LAB, PASSWORD_VARIABLE
from tests.cloud.fixtures import (  # noqa: F401 - fixtures
    AWS_ACCOUNT,
    AwsServer,
    CloudEnvironment,
    aliyun_stub,
    aws_server,
    cloud_environment,
    running_moto,
)
from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub

PROFILE = (
    LAB
    + """\
[profiles.lab.clouds.aws]
provision = true
sts_endpoint = "{aws}"
[profiles.lab.clouds.aliyun]
provision = true
sts_endpoint = "{aliyun}"
region = "cn-shanghai"
[profiles.lab.clouds.tencent]
provision = false
sts_endpoint = "http://127.0.0.1:1"
"""
)


@pytest.fixture
def lakehouse(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    aws_server: AwsServer,  # noqa: F811
    aliyun_stub: AliyunStub,  # noqa: F811
) -> Iterator[LakehouseStub]:
    """A Lakehouse and two clouds, and a profile that names them."""
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as stub:
        home.mkdir()
        names = {"service": stub.service, "instance": INSTANCE, "workspace": WORKSPACE, "user": USER}
        urls = {"aws": aws_server.url, "aliyun": aliyun_stub.url}
        (home / "config.toml").write_text(PROFILE.format(**names, **urls, password=PASSWORD_VARIABLE))
        yield stub


def test_the_lakehouse_and_the_clouds_are_reached_too(
    housekeys: Housekeys,
    lakehouse: LakehouseStub,
    aliyun_stub: AliyunStub,  # noqa: F811
) -> None:
    lakehouse.store.run(
        "CREATE API CONNECTION udf TYPE CLOUD_FUNCTION PROVIDER = 'aws' REGION = 'us-west-2' "
        "ROLE_ARN = 'arn:aws:iam::123456789012:role/Udf' CODE_BUCKET = 'code'"
    )
    outcome = housekeys("profile", "test")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.splitlines()[-3:] == [
        f"Lakehouse      ok: workspace {WORKSPACE}, 1 connection (1 API)",
        f"Alibaba Cloud  ok: account {aliyun_stub.account}, asked in cn-shanghai",
        f"AWS            ok: account {AWS_ACCOUNT}, asked in us-east-1",
    ]
    tested = housekeys("--read-only", "profile", "test", "--json").json
    assert tested["version"].startswith("26.")
    assert tested["lakehouse"] == {"ok": True, "workspace": WORKSPACE, "connections": 1, "api_connections": 1}
    assert tested["clouds"] == {
        "aws": {"ok": True, "account": AWS_ACCOUNT, "region": "us-east-1"},
        "aliyun": {"ok": True, "account": aliyun_stub.account, "region": "cn-shanghai"},
    }
    assert set(lakehouse.statements) == {"SHOW CONNECTIONS"}


def test_what_fails_is_told_with_the_rest_and_makes_the_exit_code(
    housekeys: Housekeys,
    lakehouse: LakehouseStub,
    monkeypatch: pytest.MonkeyPatch,
    cloud_environment: CloudEnvironment,  # noqa: F811
    aliyun_stub: AliyunStub,  # noqa: F811
) -> None:
    aliyun_stub.fail("GetCallerIdentity", "SignatureDoesNotMatch")
    refused = housekeys("profile", "test")
    assert refused.code == 3  # by Alibaba Cloud alone
    assert f"Lakehouse      ok: workspace {WORKSPACE}, 0 connections (0 API)\n" in refused.stdout
    assert "Alibaba Cloud  failed: Alibaba Cloud does not accept the credentials (SignatureDoesNotMatch).\n" in (
        refused.stdout
    )

    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter2")
    cloud_environment.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    outcome = housekeys("profile", "test", "--json")
    tested = outcome.json
    assert outcome.code == 5
    assert tested["version"].startswith("26.")
    assert tested["lakehouse"]["ok"] is False
    assert "refused the login of operator" in tested["lakehouse"]["error"]
    assert "username, password reference and instance" in tested["lakehouse"]["advice"]
    assert tested["clouds"]["aws"]["error"] == "No credentials for AWS were found."
    assert tested["clouds"]["aliyun"] == {"ok": True, "account": aliyun_stub.account, "region": "cn-shanghai"}
    assert "hunter2" not in outcome.stdout + outcome.stderr
