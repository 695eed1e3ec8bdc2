"""What a look finds: whether a trust policy lets somebody in without the external id, and what the Lakehouse has."""

from __future__ import annotations

from typing import Any

import pytest

from core.lakehouse.connections import ApiConnection, ConnectionDescription
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.provisioning.verification import external_id_of, lakehouse_differences
from tests.unit.lakehouse.examples import AWS, EVERY_CLOUD, EXTERNAL_ID

VENDOR = "arn:aws-cn:iam::028022243208:root"


def allows(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": VENDOR}, "Action": "sts:AssumeRole"} | more


def asks(operator: str = "StringEquals", value: Any = EXTERNAL_ID) -> dict[str, Any]:
    return allows(Condition={operator: {"sts:ExternalId": value}})


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda c: c.provider.value)
def test_our_own_trust_policies_ask_for_their_external_id(connection: ApiConnection) -> None:
    assert external_id_of(Wanted(connection).documents(EXTERNAL_ID).trust) == EXTERNAL_ID


@pytest.mark.parametrize(
    "more",
    [
        allows(),
        allows(Principal="*"),
        allows(Principal={"AWS": "*"}, Action="sts:*"),
        allows(Principal={"AWS": "arn:aws-cn:iam::999999999999:root"}, Action=["sts:TagSession", "sts:AssumeRole"]),
        allows(Condition={"StringEquals": {"aws:PrincipalOrgID": EXTERNAL_ID}}),
        asks("StringLike", "*"),
        asks("StringEqualsIfExists"),
        asks("ForAllValues:StringEquals"),
        {"Effect": "Allow", "NotPrincipal": {"AWS": VENDOR}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": VENDOR}, "NotAction": "sts:TagSession"},
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_one_statement_that_lets_somebody_in_without_it_leaves_the_role_open(more: dict[str, Any], first: bool) -> None:
    statements = [more, asks()] if first else [asks(), more]
    assert external_id_of({"Version": "2012-10-17", "Statement": statements}) == ""


@pytest.mark.parametrize(
    "more",
    [
        allows(Principal={"Service": "lambda.amazonaws.com"}),
        allows(Action="sts:TagSession"),
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
        asks("StringLike"),
    ],
)
def test_what_lets_nobody_in_does_not_open_it(more: dict[str, Any]) -> None:
    assert external_id_of({"Version": "2012-10-17", "Statement": [asks(), more]}) == EXTERNAL_ID


@pytest.mark.parametrize("statements", [[], [allows(Principal={"Service": "lambda.amazonaws.com"})]])
def test_a_role_that_lets_nobody_in_is_as_closed_as_one_that_asks_for_the_placeholder(statements: list[Any]) -> None:
    assert external_id_of({"Version": "2012-10-17", "Statement": statements}) == PLACEHOLDER_EXTERNAL_ID


def test_what_cannot_be_read_asks_for_nothing() -> None:
    assert external_id_of({"a": 1}) == ""


def test_a_connection_that_somebody_made_anew_for_another_role_differs() -> None:
    info = {"provider": "AWS", "region": AWS.region, "role_arn": "arn:aws-cn:iam::1:role/Theirs", "externalId": "other"}
    anew, role = lakehouse_differences(AWS, EXTERNAL_ID, ConnectionDescription(info))
    assert "its external id is other" in anew
    assert "its role is arn:aws-cn:iam::1:role/Theirs" in role
    assert lakehouse_differences(AWS, EXTERNAL_ID, ConnectionDescription({"externalId": EXTERNAL_ID})) == ()
