"""500 API connections listed and looked at, in AWS and in the Lakehouse, against the bare calls that must be made.

Both answer over HTTP from this process: moto's IAM, and the stub that speaks the wire protocol of the connector.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.httpsession import URLLib3Session

from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.facts import event
from core.lakehouse.looking import AT_ONCE
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.state import ConnectionState, fold
from tests.bench.figures import Figure
from tests.cloud.connection_place import PASSWORD_VARIABLE, ConnectionPlace
from tests.cloud.fixtures import AWS_ACCOUNT, AwsServer, serve_moto
from tests.lakehouse_stub import PASSWORD, LakehouseStub
from tests.lakehouse_stub_sql import StubConnection
from tests.unit.lakehouse.examples import Memory

CONNECTIONS = 500
GOAL = 2.0
REGION = "us-west-2"


def measure() -> list[Figure]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    with pytest.MonkeyPatch.context() as environment, serve_moto(environment) as aws, LakehouseStub() as lakehouse:
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIATESTOFHOUSEKEYS0")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv(PASSWORD_VARIABLE, PASSWORD)
        states = _furnish(aws, lakehouse)
        bare = _bare_calls(aws, states)
        return asyncio.run(_measure(aws, lakehouse, states, bare))


async def _measure(
    aws: AwsServer, lakehouse: LakehouseStub, states: list[ConnectionState], bare: float
) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        place = ConnectionPlace(Path(folder), Provider.AWS, aws.url, lakehouse.url)
        with _counted() as calls:
            lakehouse.requests.clear()
            begun = time.perf_counter()
            looks = await place.connections.look(states)
            took = time.perf_counter() - begun
            asked = len(lakehouse.requests)
        if any(look.error or look.differences for look in looks):
            raise RuntimeError("a connection was not as it should be")
        lakehouse.requests.clear()
        begun = time.perf_counter()
        board = await place.connections.board()
        listed = time.perf_counter() - begun
        if len(board.others) != CONNECTIONS:
            raise RuntimeError("not all were listed")
        await place.reach.close()
    note = f"{calls[0]:,} calls to AWS, {asked:,} requests to the Lakehouse"
    listing = f"{len(lakehouse.requests)} requests to the Lakehouse"
    return [
        Figure(f"{CONNECTIONS} connections verified / bare boto3", took, bare, "s", GOAL, note=note),
        Figure(f"{CONNECTIONS} connections listed / verified", listed, took, "s", None, note=listing),
    ]


@contextmanager
def _counted() -> Iterator[list[int]]:
    """How many requests boto3 sends meanwhile."""
    calls, lock, send = [0], threading.Lock(), URLLib3Session.send

    def counting(session: Any, request: Any) -> Any:
        with lock:
            calls[0] += 1
        return send(session, request)

    URLLib3Session.send = counting
    try:
        yield calls
    finally:
        URLLib3Session.send = send


def _furnish(aws: AwsServer, lakehouse: LakehouseStub) -> list[ConnectionState]:
    """Make the roles, the policies and the connections; returns what the journal would tell of them."""
    iam = boto3.client("iam", endpoint_url=aws.url, region_name=REGION)
    memory = Memory()
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for number in range(CONNECTIONS):
        role, external_id = f"Udf{number}", f"ExternalId{number:06}"
        arn = f"arn:aws:iam::{AWS_ACCOUNT}:role/{role}"
        connection = ApiConnection(f"udf_{number}", Provider.AWS, REGION, arn, "cz-udf-code")
        wanted = Wanted(connection, policy_suffix=f"-{role}")
        documents = wanted.documents(external_id)
        [own] = [p for p in documents.permissions if not p.policy.provided]
        made = iam.create_policy(PolicyName=own.policy.name, PolicyDocument=json.dumps(own.document))
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(documents.trust))
        iam.attach_role_policy(RoleName=role, PolicyArn=made["Policy"]["Arn"])
        iam.attach_role_policy(RoleName=role, PolicyArn=managed)
        info = {"provider": "aws", "region": REGION, "role_arn": arn, "code_bucket": "cz-udf-code"}
        lakehouse.connections[connection.name] = StubConnection(connection.name, external_id, "2026-11-03", info)
        memory.tell(wanted.definition(), event(connection.name, "describe", external_id=external_id))
    return list(fold(memory.rows).values())


def _bare_calls(aws: AwsServer, states: list[ConnectionState]) -> float:
    """The seconds of the four calls that each connection takes, as many at a time as we make."""
    iam = boto3.client("iam", endpoint_url=aws.url, region_name=REGION)

    def look(state: ConnectionState) -> None:
        role = state.connection.role_arn.rpartition("/")[2]
        iam.get_role(RoleName=role)
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        own = next(each["PolicyArn"] for each in attached if "::aws:" not in each["PolicyArn"])
        version = iam.get_policy(PolicyArn=own)["Policy"]["DefaultVersionId"]
        iam.get_policy_version(PolicyArn=own, VersionId=version)

    begun = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(look, states))
    return time.perf_counter() - begun
