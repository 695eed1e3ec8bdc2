"""Work that is done for many at once: nobody gets the outcome of work that had begun before they came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.partner.storage.together import Together


class Work:
    """Remembers what it was asked to do in one go, and waits for leave to end."""

    def __init__(self) -> None:
        self.done: list[list[str]] = []
        self.leave = asyncio.Event()
        self.begun = asyncio.Event()

    async def __call__(self, items: Sequence[str]) -> int:
        self.begun.set()
        await self.leave.wait()
        self.done.append(list(items))
        if "bad" in items:
            raise ValueError("bad")
        return len(self.done)


async def test_who_comes_meanwhile_shares_the_next_piece() -> None:
    work = Work()
    together = Together(work)
    first = asyncio.create_task(together.add("a"))
    await work.begun.wait()
    others = [asyncio.create_task(together.add(item)) for item in "bcd"]
    gone = asyncio.create_task(together.add("e"))
    await asyncio.sleep(0)
    gone.cancel()
    work.leave.set()
    assert [await first, *[await other for other in others]] == [1, 2, 2, 2]
    assert work.done == [["a"], ["b", "c", "d", "e"]]


async def test_an_error_is_that_of_all_in_one_piece_and_of_nobody_after() -> None:
    work = Work()
    together = Together(work)
    work.leave.set()
    failed = await asyncio.gather(together.add("a"), together.add("bad"), return_exceptions=True)
    assert [str(error) for error in failed] == ["bad", "bad"]
    assert await together.add("c") == 2
    with pytest.raises(ValueError, match="bad"):
        await together.add("bad")
