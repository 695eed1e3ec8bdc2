"""The usage of quotas, as ClickHouse itself counts it for the user that chDB connects as."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.access.quotas import QuotaLimit
from core.access_reports.quota_usage import QuotaUsage, counted_limits, read_fullness, read_quota_usage
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.embedded_handle import Handle
from core.clickhouse.engine import QueryResult
from core.errors import HousekeysError
from tests.engine.xml_engine import document, laid_out, loaded

QUOTAS = """<hourly>
  <interval><duration>3600</duration><queries>30</queries><errors>2</errors><execution_time>10.5</execution_time>
  </interval>
  <interval><duration>86400</duration></interval>
</hourly><idle><interval><duration>60</duration><queries>5</queries></interval></idle>"""


class Asked:
    """chDB as an engine that is only asked."""

    home = "server"

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> QueryResult:
        return await asyncio.to_thread(self._handle.query, sql, dict(parameters or {}))


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """chDB, whose only user has the quota `hourly`."""
    users = document(quotas=QUOTAS).replace("<default><no_password/>", "<default><quota>hourly</quota><no_password/>")
    with laid_out({"users.xml": users}) as root, loaded(root) as handle:
        yield Asked(handle)


def known(engine: Any) -> Capabilities:
    columns = asyncio.run(engine.query("SELECT name FROM system.columns WHERE table = 'quotas_usage'"))
    tables = {"quotas_usage": frozenset(str(row[0]) for row in columns.rows)}
    return Capabilities("26.9", (26, 9), "default", "server", 0.1, tables=tables)


def test_the_use_of_a_key_is_read_with_its_limits_and_its_end(engine: Any) -> None:
    capabilities = known(engine)
    assert counted_limits(capabilities) == tuple(QuotaLimit)
    asyncio.run(engine.query("SELECT count() FROM numbers(1000)"))
    usage = asyncio.run(read_quota_usage(engine, capabilities, "hourly"))
    assert not usage.own
    assert [(each.key, each.seconds) for each in usage.usages] == [("default", 3600), ("default", 86400)]
    hour, day = usage.usages
    assert hour.end is not None and hour.start is not None
    assert hour.end - hour.start == timedelta(hours=1)
    counted = {used.limit: used for used in hour.used}
    assert counted[QuotaLimit.QUERIES].most == 30
    assert 0 < counted[QuotaLimit.QUERIES].fraction < 1
    assert counted[QuotaLimit.EXECUTION_TIME].most == 10.5  # seconds, whatever the table's comments say
    assert counted[QuotaLimit.READ_ROWS].used >= 1000
    assert all(used.most is None for used in day.used)


def test_a_quota_that_nobody_used_and_one_that_is_not_there_have_no_usage(engine: Any) -> None:
    for name in ("idle", "nothing"):
        assert asyncio.run(read_quota_usage(engine, known(engine), name)) == QuotaUsage(())


def test_an_older_server_is_asked_for_the_limits_it_knows(engine: Any) -> None:
    old = Capabilities("20.8", (20, 8), "default", "server", 0.1)
    assert QuotaLimit.WRITTEN_BYTES not in counted_limits(old)
    usage = asyncio.run(read_quota_usage(engine, old, "hourly"))
    assert [used.limit for used in usage.usages[0].used] == list(counted_limits(old))


def test_the_usage_can_be_seen_even_when_nothing_else_is_answered_any_more(engine: Any) -> None:
    capabilities = known(engine)
    before = asyncio.run(read_fullness(engine, capabilities))
    assert before is not None
    assert (before["hourly"].keys, before["hourly"].full) == (1, 0)
    for _ in range(2):
        with pytest.raises(HousekeysError):
            asyncio.run(engine.query("SELECT * FROM nothing_of_this_name"))
    after = asyncio.run(read_fullness(engine, capabilities))
    assert after is not None
    assert (after["hourly"].full, after["hourly"].most) == (1, 1.0)
    (full,) = asyncio.run(read_quota_usage(engine, capabilities, "hourly")).usages[0].full
    assert (full.limit, full.used, full.most) == (QuotaLimit.ERRORS, 2, 2)
    with pytest.raises(HousekeysError):  # one error more than allowed
        asyncio.run(engine.query("SELECT * FROM nothing_of_this_name"))
    with pytest.raises(HousekeysError, match="has been exceeded"):
        asyncio.run(engine.query("SELECT count() FROM numbers(10)"))
    beyond = asyncio.run(read_fullness(engine, capabilities))
    assert beyond is not None
    assert beyond["hourly"].most > 1
    assert asyncio.run(read_quota_usage(engine, capabilities, "hourly")).usages[0].full
