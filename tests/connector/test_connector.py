"""The vendor's own connector against the Lakehouse stub: what the stub speaks is what the connector speaks.

The connector cannot live beside the packages of Housekeys, so that these are skipped in its environment; `make
connector` runs them in one of their own, without the conftest and the packages of the other tests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub

clickzetta = pytest.importorskip("clickzetta", reason="the vendor's connector is not installed: make connector")

CREATE = (
    "CREATE API CONNECTION fc TYPE CLOUD_FUNCTION PROVIDER = 'aws' REGION = 'cn-north-1' "
    "ROLE_ARN = 'arn:aws-cn:iam::123456789012:role/LakehouseRole' CODE_BUCKET = 'code'"
)


@pytest.fixture
def stub() -> Iterator[LakehouseStub]:
    with LakehouseStub() as running:
        yield running


def connect(stub: LakehouseStub, **changes: Any) -> Any:
    arguments = {
        "service": stub.service,
        "protocol": "http",
        "instance": INSTANCE,
        "workspace": WORKSPACE,
        "schema": "public",
        "vcluster": "default",
        "username": USER,
        "password": PASSWORD,
    }
    return clickzetta.connect(**{**arguments, **changes})


def run(connection: Any, sql: str, **hints: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(sql, parameters={"hints": hints} if hints else None)
    return [tuple(row) for row in cursor.fetchall()]


def test_a_connection_lives_and_dies(stub: LakehouseStub) -> None:
    connection = connect(stub)
    run(connection, CREATE)
    assert run(connection, "SHOW CONNECTIONS") == [("fc", "API", "CLOUD_FUNCTION", "true", "2026-11-02 09:01:00.000")]
    told = dict(run(connection, "DESC CONNECTION fc"))
    assert told["ExternalId"] == stub.connections["fc"].external_id
    assert told["comment"] is None
    run(connection, "CREATE EXTERNAL FUNCTION f AS 'm.C' USING FILE 'oss://c/f.zip' CONNECTION fc")
    assert [row[:4] for row in run(connection, "SHOW EXTERNAL FUNCTIONS")] == [("public", "f", "EXTERNAL", "fc")]
    run(connection, "DROP FUNCTION f")
    run(connection, "DROP CONNECTION fc")
    assert run(connection, "SHOW CONNECTIONS") == []
    assert stub.statements[0] == CREATE


def test_results_as_text_and_from_the_store(stub: LakehouseStub) -> None:
    connection = connect(stub)
    run(connection, CREATE)
    stub.stored = True
    stored = run(connection, "SHOW CONNECTIONS")
    stub.stored, stub.text_only = False, True
    assert (
        stored
        == run(connection, "SHOW CONNECTIONS")
        == [("fc", "API", "CLOUD_FUNCTION", "true", "2026-11-02 09:01:00.000")]
    )


def test_a_slow_job_is_polled_and_a_held_one_can_be_cancelled(stub: LakehouseStub) -> None:
    connection = connect(stub)
    stub.polls = 2
    run(connection, CREATE)
    assert stub.requests.count("/lh/getJob") == 2
    stub.polls = 0
    stub.hold("DROP CONNECTION")
    cursor = connection.cursor()
    job = cursor.query_id()
    failures: list[str] = []

    def drop() -> None:
        try:
            cursor.execute_with_job_id("DROP CONNECTION fc", job_id=job)
        except Exception as error:
            failures.append(str(error))

    thread = threading.Thread(target=drop)
    thread.start()
    stub.wait_for(lambda: "DROP CONNECTION fc" in stub.statements)
    connection.cursor().cancel(job)
    thread.join(30)
    assert stub.cancelled == ["DROP CONNECTION fc"]
    assert "cancelled" in failures[0].lower()


def test_an_error_carries_code_and_text(stub: LakehouseStub) -> None:
    stub.fail_as("aws trust")
    with pytest.raises(Exception, match=r"CZLH-50000.*sts:AssumeRole"):
        run(connect(stub), CREATE)
