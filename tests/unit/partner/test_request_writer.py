"""The log of requests is written behind the answers: it delays none, is bounded, and says what it has lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.errors import UnreachableError
from core.partner.storage import request_writer
from core.partner.storage.request_writer import RequestWriter
from core.partner.storage.requests_seen import AnsweredRequest

REQUEST = AnsweredRequest(UUID(int=0), datetime(2026, 11, 3, tzinfo=UTC), "host:1/1", "POST", "connect", 200, 0.1)


class Kept:
    """A log in memory, away while `error` is set. `asked` is set whenever something is to be kept."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.error: Exception | None = None
        self.asked = asyncio.Event()

    async def append(self, requests: Sequence[AnsweredRequest]) -> None:
        self.asked.set()
        if self.error is not None:
            raise self.error
        self.batches.append([request.id.int for request in requests])


def note(writer: RequestWriter, *numbers: int) -> None:
    for number in numbers:
        writer.note(replace(REQUEST, id=UUID(int=number)))


async def test_what_is_left_is_written_at_the_end_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_writer, "BATCH_REQUESTS", 2)
    kept = Kept()
    writer = RequestWriter(kept, every=3600)
    note(writer, 1, 2, 3)
    assert (writer.waiting, kept.batches) == (3, [])
    await writer.aclose()
    await writer.aclose()
    assert kept.batches == [[1, 2], [3]]
    assert (writer.waiting, writer.dropped) == (0, 0)


async def test_of_too_many_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_writer, "MOST_WAITING", 3)
    kept = Kept()
    writer = RequestWriter(kept, every=3600)
    note(writer, 1, 2, 3, 4, 5)
    assert (writer.waiting, writer.dropped) == (3, 2)
    await writer.aclose()
    assert kept.batches == [[3, 4, 5]]


async def test_what_could_not_be_written_goes_again_as_the_same_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_writer, "LONGEST_WAIT_SECONDS", 0.0)
    kept = Kept()
    kept.error = UnreachableError("The engine cannot be reached.")
    writer = RequestWriter(kept, every=0.0)
    note(writer, 1, 2)
    await kept.asked.wait()
    note(writer, 3)
    kept.error = None
    kept.asked.clear()
    await kept.asked.wait()
    await writer.aclose()
    assert kept.batches == [[1, 2], [3]]


async def test_what_cannot_be_written_at_the_end_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.error = UnreachableError("The engine cannot be reached.")
    writer = RequestWriter(kept, every=3600)
    note(writer, 1, 2)
    await writer.aclose()
    assert (writer.waiting, writer.dropped) == (0, 2)
    assert "2 answered requests are not in the log" in caplog.text


async def test_a_mistake_ends_neither_the_log_nor_the_service(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.error = RuntimeError("a mistake")
    writer = RequestWriter(kept, every=0.0)
    note(writer, 1)
    await kept.asked.wait()
    kept.error = None
    note(writer, 2)
    await writer.aclose()
    assert kept.batches == [[2]]
    assert writer.dropped == 1
    assert "cannot be written and are dropped" in caplog.text
