"""What holds for all tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver._backend.orchestration import InitializationResult
from clickhouse_connect.driver._chdbclient import ChdbClient
from clickhouse_connect.driver.query import TzSource
from hypothesis import HealthCheck, settings

from core.journal.ids import new_ids
from tests.examples import THOROUGH, USUAL
from tui.__main__ import collect_seldom

# No test judges how long an example takes: the machine may be busy. `make test` tries the same few examples each time;
# `make thorough` tries many, and others each time.
BUSY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
settings.register_profile("housekeys", deadline=None, max_examples=USUAL, derandomize=True, suppress_health_check=BUSY)
settings.register_profile("thorough", deadline=None, max_examples=THOROUGH, suppress_health_check=BUSY)
settings.load_profile("housekeys")

# Modules, tests and the tables of the libraries stay: walking over them again and again costs a fifth of the time.
collect_seldom()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids begin with the real clock in every test, though rows of an earlier one may have come from the future."""
    monkeypatch.setattr(new_ids, "_ticks", 0)
    monkeypatch.setattr(new_ids, "_counter", 0)


@pytest.fixture(scope="session", autouse=True)
def the_driver_asks_once() -> Iterator[None]:
    """What the driver asks chDB each time it is opened is the same in one process, and takes a third of opening it."""
    told: list[InitializationResult] = []
    apply = ChdbClient._apply_init_result

    def ask(client: ChdbClient, tz_source: TzSource) -> None:
        if told:
            apply(client, told[0])
        else:
            asked(client, tz_source)

    def keep(client: ChdbClient, result: InitializationResult) -> None:
        told.append(result)
        apply(client, result)

    with pytest.MonkeyPatch.context() as patch:
        asked = ChdbClient._init_common_settings
        patch.setattr(ChdbClient, "_init_common_settings", ask)
        patch.setattr(ChdbClient, "_apply_init_result", keep)
        yield
