"""`housekeys connection` where Housekeys does it itself: in an AWS (moto) and a Lakehouse (a stub), both over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.lakehouse.cloud_access import Document, RoleState
from core.lakehouse.reaching import client as client_module
from tests.cli.conftest import Housekeys
from tests.cloud.accounts import Account, aws_account
from tests.cloud.connection_place import LAB, PASSWORD_VARIABLE
from tests.cloud.fixtures import (  # noqa: F401 - fixtures
    AwsServer,
    aws_server,
    cloud_environment,
    running_moto,
)
from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub
from tests.lakehouse_stub_sql import StubConnection

CLOUD = """\
[profiles.lab.clouds.aws]
provision = true
endpoint = "{url}"
sts_endpoint = "{url}"
"""
REGION = "cn-northwest-1"
ROLE_ARN = "arn:aws-cn:iam::123456789012:role/LakehouseUdf"
DEFINITION = ("--provider", "aws", "--region", REGION, "--role-arn", ROLE_ARN, "--bucket", "cz-udf-code")


@pytest.fixture
def lakehouse(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LakehouseStub]:
    """A Lakehouse, and a profile that names it."""
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as stub:
        home.mkdir()
        names = {"service": stub.service, "instance": INSTANCE, "workspace": WORKSPACE, "user": USER}
        (home / "config.toml").write_text(LAB.format(**names, password=PASSWORD_VARIABLE))
        yield stub


@pytest.fixture
def account(aws_server: AwsServer, lakehouse: LakehouseStub, home: Path) -> Account:  # noqa: F811
    """An account in AWS China that the profile lets Housekeys work on."""
    with (home / "config.toml").open("a") as config:
        config.write(CLOUD.format(url=aws_server.url))
    return aws_account(aws_server.url, "aws-cn")


def role(account: Account, trust: Document | None = None) -> RoleState | None:
    """The role as it stands, after its trust policy was replaced if one is given."""

    async def look() -> RoleState | None:
        cloud = await account.open()
        try:
            if trust is not None:
                await cloud.update_trust("LakehouseUdf", trust)
            return await cloud.role("LakehouseUdf")
        finally:
            await cloud.close()

    return asyncio.run(look())


def row(housekeys: Housekeys, name: str) -> Any:
    return next(row for row in housekeys("connection", "list", "--json").json if row["name"] == name)


def test_everything_is_done_found_again_put_right_and_taken_away(
    housekeys: Housekeys, account: Account, lakehouse: LakehouseStub
) -> None:
    dry = housekeys("--dry-run", "connection", "create", "udf", *DEFINITION)
    assert "iam CreateRole LakehouseUdf" in dry.stdout
    assert lakehouse.connections == {}
    unsure = housekeys("connection", "create", "udf", *DEFINITION)
    assert (unsure.code, "Add --yes" in unsure.stderr, role(account)) == (3, True, None)
    created = housekeys("connection", "create", "udf", *DEFINITION, "--yes")
    assert (created.code, created.stdout) == (0, "")
    first_id = lakehouse.connections["udf"].external_id
    assert f"udf is ready: its role asks for the external id {first_id}." in created.stderr
    made = role(account)
    assert made is not None
    verified = housekeys("connection", "verify")
    assert (verified.code, verified.stdout.split()) == (0, ["udf", "as", "wanted"])

    role(account, account.trust("SomebodyElse"))
    told = housekeys("--read-only", "connection", "verify", "all", "--json")
    assert (told.code, told.json[0]["result"], told.json[0]["trusted_id"]) == (1, "differs", "SomebodyElse")
    assert "not recorded (read-only)" in told.stderr
    assert housekeys("connection", "verify", "udf").code == 1
    assert row(housekeys, "udf")["state"] == "id mismatch"
    mended = housekeys("connection", "resume", "udf", "--yes")
    assert "udf is ready" in mended.stderr

    using = ("--handler", "upper.Upper", "--using", "FILE=oss://b/u.zip")
    assert housekeys("connection", "add-function", "udf", "public.up", *using, "--yes").code == 0
    [function] = housekeys("connection", "functions", "udf", "--json").json
    assert (function["name"], function["connection"]) == ("public.up", "udf")
    used = housekeys("connection", "recreate", "udf", "--confirm", "udf")
    assert (used.code, "in use by public.up" in used.stderr) == (3, True)
    assert housekeys("connection", "drop-function", "public.up", "--yes").code == 0
    anew = housekeys("connection", "recreate", "udf", "--bucket", "another-code", "--confirm", "udf")
    assert anew.code == 0
    second_id = lakehouse.connections["udf"].external_id
    assert second_id != first_id
    assert f"udf is ready: its role asks for the external id {second_id}." in anew.stderr
    removed = housekeys("connection", "remove", "udf", "--confirm", "udf")
    assert (removed.code, lakehouse.connections, role(account)) == (0, {}, None)


def test_where_only_the_lakehouse_is_reached_the_cloud_is_done_by_hand(
    housekeys: Housekeys, lakehouse: LakehouseStub, home: Path
) -> None:
    assert housekeys("connection", "create", "udf", *DEFINITION).code == 0
    lakehouse.connections["old"] = StubConnection("old", "OldExternalId1", "2026-01-01 00:00:00", {})
    assert [housekeys("connection", "resume", "udf", "--done", step).code for step in ("grant", "trust")] == [0, 0]
    shown = housekeys("connection", "show", "udf")
    assert "Housekeys does it:\n  housekeys connection resume udf\n" in shown.stderr
    resumed = housekeys("connection", "resume", "udf", typed="y\n")
    told = lakehouse.connections["udf"].external_id
    assert json.loads(resumed.stdout)["Statement"][1]["Condition"]["StringEquals"] == {"sts:ExternalId": told}
    assert "housekeys connection resume udf --done tighten" in resumed.stderr
    listed = housekeys("connection", "list")
    assert listed.stdout.splitlines()[1].split() == ["old", "-", "-", "not", "known", "here", "import", "-", "never"]
    assert "housekeys connection import FILE.sql" in listed.stderr
    described = housekeys("connection", "desc", "udf", "--json").json
    assert (described["external_id"], described["type"]) == (told, "CLOUD_FUNCTION")
    verified = housekeys("connection", "verify", "udf")
    assert (verified.code, "role not seen" in verified.stdout) == (0, True)
    lakehouse.connections["udf"].external_id = "CreatedAnew12345"
    asked = housekeys("connection", "verify", "udf", "--from", "-", "--json", typed=resumed.stdout)
    assert (asked.code, asked.json[0]["external_id"], asked.json[0]["trusted_id"]) == (1, "CreatedAnew12345", told)
    using = ("--handler", "u.U", "--using", "FILE=oss://b/u.zip")
    assert housekeys("connection", "add-function", "nobody", "f", *using).code == 4
    config = (home / "config.toml").read_text()
    (home / "config.toml").write_text(config.replace(lakehouse.service, "127.0.0.1:1"))
    listed = housekeys("connection", "list")
    assert (listed.code, listed.stdout.splitlines()[1].split()[:5]) == (0, ["udf", "aws", REGION, "id", "mismatch"])
    assert "the Lakehouse could not be asked" in listed.stderr
    assert housekeys("connection", "verify", "udf").code == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("udf", "a..b", "--handler", "u.U", "--using", "FILE=oss://b/u"), "The name a..b has an empty part"),
        (("udf", "f", "--handler", "U", "--using", "FILE=oss://b/u"), "The handler U does not name a class"),
        (("udf", "f", "--handler", "u.U", "--using", "oss://b/u.zip"), "does not say what kind of file it is"),
        (("udf", "f", "--handler", "u.U", "--using", "JAR="), "The address of the jar is missing"),
        (("udf", "f", "--handler", "u.U", "--using", "FILE=o'", "--api", "x"), "has the character '"),
        (("udf", "f", "--handler", "u.U", "--using", "FILE=o", "--category", "SUM"), "SUM is no category"),
        (("udf", "f", "--handler", "u.U", "--using", "FILE=o", "--comment", "\x07"), "invisible character"),
        (("udf", "f", "--handler", "u.U", "--using", "FILE=o", "--api", ""), "The API is missing"),
    ],
)
def test_a_function_that_cannot_be_is_refused_before_anything_is_opened(
    housekeys: Housekeys, home: Path, words: tuple[str, ...], told: str
) -> None:
    outcome = housekeys("connection", "add-function", *words)
    assert (outcome.code, told in outcome.stderr) == (2, True)
    assert not home.exists() or not (home / "data").exists()


def test_without_a_lakehouse_the_statements_of_functions_are_printed(housekeys: Housekeys) -> None:
    assert housekeys("connection", "functions").code == 3
    dropped = housekeys("connection", "drop-function", "public.f")
    assert (dropped.code, dropped.stdout) == (3, "DROP FUNCTION public.f;\n")
