"""Clouds to test against, for any folder: `pytest_plugins = ("tests.cloud.fixtures",)`.

Credentials are given as each SDK's own chain finds them: in the environment, which a started command inherits.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.lakehouse.clouds import calling
from tests.cloud.aliyun_stub import AliyunStub
from tests.cloud.tencent_stub import TencentStub

AWS_ACCOUNT = "123456789012"  # moto's
AWS_POLICIES = ("AWSLambdaBasicExecutionRole", "AWSLambda_FullAccess")  # those of its own that it has
AWS_SECRET = "aws-test-secret-AbC/123+x="
_OTHERS = ("AWS_", "ALIBABA_CLOUD_", "TENCENTCLOUD_", "TKE_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# Alibaba Cloud's SDK reads the environment once, while it is imported.
_READ_ONCE = {
    "environment_access_key_id": "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "environment_access_key_secret": "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "environment_security_token": "ALIBABA_CLOUD_SECURITY_TOKEN",
    "environment_profile_name": "ALIBABA_CLOUD_PROFILE",
    "environment_ecs_metadata_disabled": "ALIBABA_CLOUD_ECS_METADATA_DISABLED",
}


@dataclass(frozen=True, slots=True)
class CloudEnvironment:
    """What the SDKs find around them: nothing but what a test has set."""

    monkeypatch: pytest.MonkeyPatch
    home: Path

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
        self._tell_aliyun(variables)

    def unset(self, *names: str) -> None:
        """Take environment variables away."""
        for name in names:
            self.monkeypatch.delenv(name, raising=False)
        self._tell_aliyun(dict.fromkeys(names))

    def _tell_aliyun(self, variables: dict[str, Any]) -> None:
        module = sys.modules.get("alibabacloud_credentials.utils.auth_util")
        for attribute, name in _READ_ONCE.items():
            if module is not None and name in variables:
                self.monkeypatch.setattr(module, attribute, variables[name])


@pytest.fixture
def cloud_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CloudEnvironment:
    """No credentials, no configuration, no proxy, no metadata service; and no waiting before another attempt."""
    home = tmp_path / "cloud_home"
    home.mkdir()
    environment = CloudEnvironment(monkeypatch, home)
    environment.unset(*_PROXIES, *(name for name in os.environ if name.startswith(_OTHERS)), *_READ_ONCE.values())
    environment.set(
        HOME=str(home),
        AWS_CONFIG_FILE=str(home / "aws_config"),
        AWS_SHARED_CREDENTIALS_FILE=str(home / "aws_credentials"),
        AWS_EC2_METADATA_DISABLED="true",
        ALIBABA_CLOUD_ECS_METADATA_DISABLED="true",
    )
    if constants := sys.modules.get("alibabacloud_credentials.utils.auth_constant"):
        monkeypatch.setattr(constants, "HOME", str(home))
    if tencent := sys.modules.get("tencentcloud.common.credential"):
        monkeypatch.setattr(tencent.CVMRoleCredential, "_role_endpoint", "http://127.0.0.1:1/")
    monkeypatch.setattr(calling, "PAUSES", (0.0, 0.0))
    return environment


@dataclass(frozen=True, slots=True)
class AwsServer:
    """moto's IAM and STS, over HTTP. It knows the partition by the region that a request is signed for."""

    url: str

    def reset(self) -> None:
        """Forget everything."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")  # noqa: S310 - our own server
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


@contextmanager
def serve_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    """Run moto's server, with few of AWS's own policies: reading all of them again takes each reset seconds."""
    from moto.iam import aws_managed_policies, models
    from moto.server import ThreadedMotoServer

    every_policy = json.loads(aws_managed_policies.aws_managed_policies_data)
    few = json.dumps({name: every_policy[name] for name in AWS_POLICIES})
    monkeypatch.setattr(models, "aws_managed_policies_data", few)
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield AwsServer(f"http://{host}:{port}")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def running_moto() -> Iterator[AwsServer]:
    """One server for all tests of this process."""
    with pytest.MonkeyPatch.context() as monkeypatch, serve_moto(monkeypatch) as server:
        yield server


@pytest.fixture
def aws_server(running_moto: AwsServer, cloud_environment: CloudEnvironment) -> AwsServer:
    """An AWS without anything in it, and credentials for it in the environment."""
    running_moto.reset()
    cloud_environment.set(AWS_ACCESS_KEY_ID="AKIATESTOFHOUSEKEYS0", AWS_SECRET_ACCESS_KEY=AWS_SECRET)
    return running_moto


@pytest.fixture
def aliyun_stub(cloud_environment: CloudEnvironment) -> Iterator[AliyunStub]:
    """An Alibaba Cloud account with AliyunFCFullAccess only, and credentials for it in the environment."""
    with AliyunStub() as stub:
        action = {"Effect": "Allow", "Action": "fc:*", "Resource": "*"}
        stub.provide("AliyunFCFullAccess", {"Version": "1", "Statement": [action]})
        cloud_environment.set(ALIBABA_CLOUD_ACCESS_KEY_ID=stub.key_id, ALIBABA_CLOUD_ACCESS_KEY_SECRET=stub.key_secret)
        yield stub


@pytest.fixture
def tencent_stub(cloud_environment: CloudEnvironment) -> Iterator[TencentStub]:
    """A Tencent Cloud account with one preset policy only, and credentials for it in the environment."""
    with TencentStub() as stub:
        action = {"effect": "allow", "action": "scf:*", "resource": "*"}
        stub.provide("QcloudSCFFullAccess", {"version": "2.0", "statement": [action]})
        cloud_environment.set(TENCENTCLOUD_SECRET_ID=stub.key_id, TENCENTCLOUD_SECRET_KEY=stub.key_secret)
        yield stub
