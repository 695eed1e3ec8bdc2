"""`kill -9` right after each call of provisioning: what runs next goes on, and nothing is made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.lakehouse.reaching import client as client_module
from core.lakehouse.state import Condition
from tests.cloud.accounts import aws_account
from tests.cloud.connection_place import PASSWORD_VARIABLE, ConnectionPlace, connection_in
from tests.cloud.fixtures import AwsServer
from tests.forking import forks_of
from tests.lakehouse_stub import PASSWORD, LakehouseStub

CALLS = 8  # a policy, the role, two attachments, CREATE, DESC, the trust policy, reading back


@pytest.mark.parametrize("partition", ["aws-cn"])
async def test_killed_after_every_call_it_is_ready_in_the_end(
    aws_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partition: str
) -> None:
    """One process after the other makes one call, dies before it can write that down, and leaves it to the next."""
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as lakehouse, forks_of("tests.cloud.dying_provisioning") as forks:
        connection = connection_in(aws_account(aws_server.url, partition))
        words = (str(tmp_path), aws_server.url, lakehouse.url, connection.region, connection.role_arn)
        deaths = 0
        # The call that was not written down is made again, so each process comes one call further with two.
        while not forks.finishes(tmp_path / "printed", *words, "1" if deaths == 0 else "2"):
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
