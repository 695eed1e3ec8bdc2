"""The log of requests in a real ClickHouse: written behind, read as it was written, followed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.partner.storage.request_log import RequestTail
from core.partner.storage.request_writer import RequestWriter
from tests.engine.partner_storage_place import NOW, Storage, answered, until

pytest_plugins = ("tests.engine.partner_storage_fixtures",)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_requests_come_back_as_they_were(storage: Storage) -> None:
    log = storage.log
    requests = [answered(number) for number in range(7)]
    requests += [
        answered(7, word="sign_in", configured=True),
        answered(9, endpoint="connectors", status=500, problem="é"),
    ]
    await log.append(requests)
    await log.append(requests)  # after an answer that was lost
    by_time = sorted(requests, key=lambda request: request.at)
    assert await log.newest(20) == by_time[::-1]
    assert await log.newest(2, account="pa1") == [one for one in by_time[::-1] if one.account_id == "pa1"][:2]
    assert await log.newest(20, connection="pc3") == [one for one in by_time[::-1] if one.connection_id == "pc3"]
    assert await log.since(by_time[3].at, by_time[3].id) == by_time[4:]
    days = await log.by_day(3)
    assert sum(day.count for day in days) == 9
    failed = next(day for day in days if day.status == 500)
    assert (failed.endpoint, failed.count, failed.slow, failed.p99) == ("connectors", 1, 0, 0.25)
    assert [(day.word, day.configured) for day in days if day.configured] == [("sign_in", 1)]
    assert len({day.day for day in await log.by_day(2)}) == 2
    last = await log.last_requests()
    assert last["pc1"].at == max(one.at for one in requests if one.connection_id == "pc1")
    assert set(await log.last_requests("pc2")) == {"pc2"}


async def test_the_tail_misses_nothing_that_arrives_late(storage: Storage) -> None:
    moments = [NOW + timedelta(seconds=second) for second in range(6)]
    old, *new = [answered(number, at=at) for number, at in enumerate(moments)]
    await storage.log.append([old])
    tail = RequestTail(storage.log, old)
    assert await tail.next() == []
    await storage.log.append([new[4], new[1]])
    assert await tail.next() == [new[1], new[4]]
    await storage.log.append([new[0], new[2]])
    assert await tail.next() == [new[0], new[2]]
    older = answered(9, at=old.at - timedelta(seconds=1))
    await storage.log.append([older])
    assert await tail.next() == [older]
    assert await tail.next() == []
    only = RequestTail(storage.log, old, connection=new[3].connection_id)
    await storage.log.append([new[3]])
    assert await only.next() == [new[3]]


async def test_the_writer_writes_behind_and_again_what_was_lost(storage: Storage) -> None:
    writer = RequestWriter(storage.log, every=0.01)
    storage.engine.inserts_left, storage.engine.arrives = 0, True  # it arrives, and the answer does not
    writer.note(answered(1))
    await until(lambda: storage.engine.broken)
    writer.note(answered(2))
    storage.engine.repair()
    await until(lambda: not writer.waiting)
    assert {one.id for one in await storage.log.newest()} == {answered(1).id, answered(2).id}
    counted = await storage.engine.query(f"SELECT count() FROM {storage.journal.database}.partner_requests")
    assert counted.first_cell() == 2
    writer.note(answered(3))
    await writer.aclose()
    assert len(await storage.log.newest()) == 3
    assert writer.dropped == 0
