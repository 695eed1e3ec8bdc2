"""Which region a cloud is asked in when the sides of a profile are tried: the profile's, a connection's, the usual."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import HousekeysError, RefusedError
from core.journal.rows import Row
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.sides import try_sides
from core.profiles import CloudSettings, Profile
from tests.cloud.accounts import aws_account
from tests.cloud.connection_place import ConnectionPlace, connection_in
from tests.cloud.fixtures import AWS_ACCOUNT, AwsServer, CloudEnvironment


class NoJournal:
    """A journal that cannot be read."""

    async def events(self, subject_kind: str) -> list[Row]:
        raise HousekeysError(f"No {subject_kind} can be read.")


def profile_of(server: AwsServer, region: str | None = None) -> Profile:
    return Profile("p", clouds={"aws": CloudSettings(True, sts_endpoint=server.url, region=region)})


async def test_the_profile_then_most_connections_say_the_region(aws_server: AwsServer, tmp_path: Path) -> None:
    place = ConnectionPlace(tmp_path, aws_account(aws_server.url, "aws").provider)
    china = aws_account(aws_server.url, "aws-cn")
    for account, name in ((china, "a"), (aws_account(aws_server.url, "aws"), "b"), (china, "c")):
        await place.run(await place.connections.plan_create(Wanted(connection_in(account, name, f"Role{name}"))))
    [side] = await try_sides(profile_of(aws_server), place.journal)
    assert (side.key, side.facts) == ("aws", {"account": AWS_ACCOUNT, "region": "cn-northwest-1"})
    [side] = await try_sides(profile_of(aws_server, "eu-west-1"), place.journal)
    assert side.said == f"account {AWS_ACCOUNT}, asked in eu-west-1"
    assert await try_sides(Profile("p", clouds={"aws": CloudSettings(False)}), place.journal) == ()


async def test_credentials_that_are_refused_in_the_usual_region_may_be_those_of_another(
    aws_server: AwsServer, cloud_environment: CloudEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    [side] = await try_sides(profile_of(aws_server), NoJournal())
    assert side.facts["region"] == "us-east-1"
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)  # asks for keys from now on
    cloud_environment.set(AWS_ACCESS_KEY_ID="AKIANOBODYHASTHISKEY")
    for region, said in ((None, True), ("us-east-1", False)):
        [side] = await try_sides(profile_of(aws_server, region), NoJournal())
        assert isinstance(side.error, RefusedError)
        assert ("tried in us-east-1, as no region is named" in side.advice) is said
        assert side.advice.startswith(side.error.advice)
