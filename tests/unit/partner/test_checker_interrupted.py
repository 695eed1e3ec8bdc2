"""Checks that are interrupted, and what cannot be deleted: what was made is told, if it is not gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.partner.checker.catalogue import chosen
from core.partner.checker.reporting import report_lines
from core.partner.checker.running import Outcome, Result, check
from core.partner.checker.subject import Limits, Subject
from core.secrets import Secret
from tests.partner_faults import DELETE, established, made
from tests.partner_server import PASSWORD, USER, Asked, Handler, MemoryPartner, Reply, faulty, serving
from tests.unit.partner.test_checker_rules import POLICY, left_behind


class Held:
    """Says when it has carried out a request that it is asked to hold, and answers it only when let go."""

    def __init__(self, when: Callable[[Asked, Reply], bool]) -> None:
        self.when = when
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if self.when(asked, reply):
            self.reached.set()
            await self.let_go.wait()
        return reply


async def interrupted(partner: MemoryPartner, held: Held, limits: Limits | None = None) -> list[Result]:
    """The results of a check that is interrupted where a call is held; for good if there are `limits`."""
    results: list[Result] = []
    async with serving(faulty(partner, held)) as url:
        subject = Subject(url, partner.config, USER, Secret(PASSWORD), limits=limits or Limits())
        checking = asyncio.ensure_future(check(subject, chosen(["P100", "P200", "P300", "P400"]), results=results))
        async with asyncio.timeout(60):
            await held.reached.wait()
        checking.cancel()
        if limits is None:
            held.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await checking
    return results


@pytest.mark.parametrize("when", [lambda asked, reply: established(asked), made], ids=["signing in", "connecting"])
async def test_an_interrupted_check_deletes_what_it_made_and_tells_what_it_found(
    when: Callable[[Asked, Reply], bool],
) -> None:
    partner = MemoryPartner(POLICY)
    results = await interrupted(partner, Held(when))
    assert partner.partner.known.connections
    assert left_behind(partner) == (0, 0)
    outcomes = [each.outcome.value for each in results]
    assert outcomes[-3:] == ["manual", "skipped", "skipped"]
    assert results[-1].note == "the check was interrupted"
    assert all(not each.left for each in results)


async def test_an_interrupted_check_waits_for_its_partner_for_a_short_time_only() -> None:
    """What it could not delete till then it tells."""
    results = await interrupted(MemoryPartner(POLICY), Held(lambda asked, _: asked.path == DELETE), Limits(goodbye=0.1))
    assert [(each.outcome.value, len(each.left)) for each in results[:2]] == [("passed", 1), ("manual", 0)]
    assert results[-1].note == "the check was interrupted"


async def test_a_check_that_is_interrupted_at_once_tells_all_cases_as_well() -> None:
    results: list[Result] = []
    checking = asyncio.ensure_future(check(Subject("http://127.0.0.1:1"), chosen(["P100", "E100"]), results=results))
    await asyncio.sleep(0)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert [each.note for each in results] == ["needs the user and the password", "the check was interrupted"]


async def test_a_partner_that_hangs_when_it_deletes_is_asked_to_a_few_times_only() -> None:
    """Or each case would wait for it once more: what was made is told."""
    deletions: list[Asked] = []

    async def hanging(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if asked.path != DELETE:
            return reply
        deletions.append(asked)
        return replace(reply, endless=True)

    partner = MemoryPartner(POLICY)
    async with serving(faulty(partner, hanging)) as url:
        subject = Subject(url, partner.config, USER, Secret(PASSWORD), limits=Limits(body=0.3))
        results = await check(subject, chosen(["P100", "P200", "P300", "P400", "P600", "H601"]))
    assert [(each.outcome.value, len(each.left)) for each in results] == [
        ("passed", 1),
        ("manual", 0),
        ("passed", 1),
        ("passed", 2),
        ("passed", 2),
        ("passed", 1),
    ]
    assert len(deletions) == 3


async def test_what_cannot_be_deleted_is_told() -> None:
    async def keeping(asked: Asked, handler: Handler) -> Reply:
        return Reply(500) if asked.path == "/delete-connection" else await handler(asked)

    partner = MemoryPartner(POLICY)
    async with serving(faulty(partner, keeping)) as url:
        results = await check(Subject(url, partner.config, USER, Secret(PASSWORD)), chosen(["P100", "P400"]))
    assert [(each.outcome, len(each.left)) for each in results] == [(Outcome.PASSED, 1), (Outcome.PASSED, 2)]
    (made_by_first,) = results[0].left
    lines = list(report_lines(results))
    start = lines.index("left behind, for they could not be deleted:")
    assert f"  P100  {made_by_first}" in " ".join(lines[start + 1 : start + 3]).replace("     ", " ")
    assert "(cloud aws, workspace " in made_by_first
