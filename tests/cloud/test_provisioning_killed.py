"""`kill -9` right after each call of provisioning: what runs next goes on, and nothing is made twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.lakehouse.reaching import client as client_module
from core.lakehouse.state import Condition
from tests.cloud.accounts import aws_account
from tests.cloud.connection_place import PASSWORD_VARIABLE, ConnectionPlace, connection_in
from tests.cloud.fixtures import AwsServer
from tests.lakehouse_stub import PASSWORD, LakehouseStub

CALLS = 8  # a policy, the role, two attachments, CREATE, DESC, the trust policy, reading back


def die(folder: Path, aws: AwsServer, lakehouse: LakehouseStub, partition: str, die_at: int) -> int:
    """Run the process until it has made so many calls; returns how it ended."""
    connection = connection_in(aws_account(aws.url, partition))
    words = [str(folder), aws.url, lakehouse.url, connection.region, connection.role_arn, str(die_at)]
    command = [sys.executable, "-m", "tests.cloud.dying_provisioning", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode


@pytest.mark.parametrize("partition", ["aws-cn"])
async def test_killed_after_every_call_it_is_ready_in_the_end(
    aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partition: str
) -> None:
    """One process after the other makes one call, dies before it can write that down, and leaves it to the next."""
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as lakehouse:
        deaths = 0
        # The call that was not written down is made again, so each process comes one call further with two.
        while die(tmp_path, aws_server, lakehouse, partition, 1 if deaths == 0 else 2) != 0:
            deaths += 1
            assert deaths <= CALLS
        assert deaths == CALLS
        created = [sql for sql in lakehouse.statements if sql.startswith("CREATE API CONNECTION")]
        assert len(created) == 1
        account = aws_account(aws_server.url, partition)
        place = ConnectionPlace(tmp_path, account.provider, aws_server.url, lakehouse.url)
        state = await place.connections.state("udf")
        assert (state.condition, state.external_id) == (Condition.READY, lakehouse.connections["udf"].external_id)
        [look] = await place.connections.look([state])
        assert (look.error, look.differences) == (None, ())
        await place.reach.close()
