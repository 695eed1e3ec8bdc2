"""What is known, by rows that arrive in any order and at any time, is what the rows say in the order of their time."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreachableError
from core.journal.rows import Row
from core.partner.accounts import facts
from core.partner.accounts.deciding import decide_delete_account
from core.partner.accounts.folding import fold
from core.partner.accounts.state import Known
from core.partner.messages.requests import AccountInfo, CloudProvider
from core.partner.security.basic_credentials import generate
from core.partner.storage.credential_facts import credential_added, credential_removed, credential_used
from core.partner.storage.known_state import COUNT_SECONDS, OVERLAP, KnownState
from core.partner.storage.ordered_folding import OrderedFolding
from tests.unit.partner.account_examples import POLICY, START, Partner, asked, journal_row

HOOKS = replace(POLICY, test_hooks=True)
EMAILS = ("ann@databricks-test.com", "bob@databricks-test.com", "eve@other.com")


def story(steps: Sequence[tuple[str, int]]) -> list[Row]:
    """The rows of two services that do not know of each other, on the same few people: many of them disagree."""
    partners = Partner(HOOKS), Partner(HOOKS)
    partners[1]._ids = itertools.count(1000)
    for number, (what, who) in enumerate(steps):
        partner = partners[who % 2]
        partner.now = START + timedelta(seconds=number * 7 % 40, microseconds=number)
        live = [one.id for one in partner.known.connections.values() if one.deleted is None]
        if what == "connect":
            partner.ask(asked(EMAILS[who % 3], 1 + who % 2))
        elif what == "sign in" and live:
            partner.ask(asked(EMAILS[who % 3], 1 + who % 2, connection=live[0]))
        elif what == "delete" and live:
            partner.tell(facts.connection_deleted(live[-1]))
        elif what == "delete account":
            ending = decide_delete_account(
                AccountInfo("databricks-test.com", CloudProvider.AWS, 1), partner.known, HOOKS
            )
            partner.tell(*ending.events)
    rows = [row for partner in partners for row in partner.rows]
    return [replace(row, id=UUID(int=number)) for number, row in enumerate(rows)]


STEPS = st.lists(
    st.tuples(st.sampled_from(["connect", "connect", "sign in", "delete", "delete account"]), st.integers(0, 5)),
    max_size=14,
)


@given(STEPS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_of_arrival_comes_to_the_same(steps: Sequence[tuple[str, int]], random: object, size: int) -> None:
    rows = story(steps)
    ordered = sorted(rows, key=lambda row: (row.at, row.id))
    arrived = list(rows)
    random.shuffle(arrived)  # type: ignore[attr-defined]
    folding = OrderedFolding()
    for start in range(0, len(arrived), size):
        folding.tell(arrived[start : start + size])
    known = fold(ordered)
    assert folding.known == known
    assert list(folding.known.users) == list(known.users)  # decisions about several follow their order


@given(STEPS, st.lists(st.integers(0, int(OVERLAP.total_seconds()) - 2), min_size=60, max_size=60), st.integers(1, 8))
def test_rows_that_come_late_are_met_while_older_ones_are_settled(
    steps: Sequence[tuple[str, int]], delays: Sequence[int], looks: int
) -> None:
    """Spread over several times OVERLAP, each later by less than that, as they come from machines of one clock."""
    rows = [replace(row, at=START + (row.at - START) * 20) for row in story(steps)]
    arrivals = [(row.at + timedelta(seconds=delay), row) for row, delay in zip(rows, delays, strict=False)]
    arrivals.sort(key=lambda arrival: arrival[0])
    journal = JournalInMemory()
    now = START

    async def follow() -> KnownState:
        nonlocal now
        state = KnownState(journal, lambda: now)
        await state.load()
        for number, (moment, row) in enumerate(arrivals):
            journal.rows.append(row)
            now = moment
            if number % looks == 0:
                await state.catch_up()
        await state.catch_up()
        return state

    told = [row for _, row in arrivals]
    assert asyncio.run(follow()).known == fold(sorted(told, key=lambda row: (row.at, row.id)))


def test_settled_rows_are_not_taken_back() -> None:
    partner = Partner()
    partner.connected("ann@acme.com")
    partner.now += timedelta(seconds=10)
    partner.connected("bob@acme.com")
    first, second = partner.rows[:3], partner.rows[3:]
    folding = OrderedFolding()
    folding.tell(first)
    folding.settle(first[-1].at + timedelta(seconds=1))
    folding.tell(second[1:])
    folding.tell(second[:1])
    assert folding.known == partner.known
    with pytest.raises(ValueError, match="older"):
        folding.tell([replace(first[0], at=first[0].at - timedelta(seconds=1))])


class JournalInMemory:
    """Rows that are there for whoever reads from then on, and how often was read."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.rows = list(rows)
        self.reads: list[str] = []
        self.away = False
        self.held: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def news(self, subject_kinds: Collection[str], since: datetime, known: Mapping[int, int]) -> list[Row]:
        await self._read("news")
        recent = [row for row in self._of(subject_kinds) if row.at >= since]
        told = Counter(int(row.at.timestamp()) for row in recent)
        found = [row for row in recent if told[int(row.at.timestamp())] > known.get(int(row.at.timestamp()), 0)]
        return sorted(found, key=lambda row: (row.at, row.id))

    async def count_of_kinds(self, subject_kinds: Collection[str], before: datetime) -> int:
        await self._read("count")
        return sum(row.at < before for row in self._of(subject_kinds))

    async def _read(self, what: str) -> None:
        self.reads.append(what)
        self.begun.set()
        if self.held is not None:
            await self.held.wait()
        if self.away:
            raise UnreachableError("The engine cannot be reached.")

    def _of(self, kinds: Collection[str]) -> list[Row]:
        return [row for row in self.rows if row.subject_kind in kinds]


def partner_with(*emails: str, start: datetime = START) -> Partner:
    partner = Partner()
    partner.now = start
    for email in emails:
        partner.connected(email)
        partner.now += timedelta(seconds=1)
    return partner


async def test_only_what_is_new_is_read() -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com", "eve@other.com")
    journal = JournalInMemory(partner.rows[:-3])
    state = KnownState(journal, lambda: partner.now)
    assert state.known == Known()
    await state.load()
    assert not await state.catch_up()
    assert journal.reads == ["news", "news"]
    journal.rows = partner.rows
    assert await state.catch_up()
    assert state.known == partner.known


async def test_a_row_that_arrives_late_is_told_in_its_place() -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com")
    partner.delete(next(iter(partner.known.connections)))
    late = partner.rows.pop(2)  # the partner connection that is deleted
    journal = JournalInMemory(partner.rows)
    state = KnownState(journal, lambda: partner.now)
    await state.load()
    assert late.subject not in state.known.connections
    journal.rows.append(late)
    assert await state.catch_up()
    assert state.known == partner.known
    assert state.known.connections[late.subject].deleted is not None


async def test_a_row_that_arrives_much_too_late_is_found_by_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    partner = partner_with("ann@acme.com")
    partner.now += OVERLAP * 2
    partner.connected("bob@acme.com")
    late = partner.rows[2]
    journal = JournalInMemory([row for row in partner.rows if row is not late])
    state = KnownState(journal, lambda: partner.now)
    await state.load()
    journal.rows = partner.rows
    assert not await state.catch_up()
    now = asyncio.get_running_loop().time()
    monkeypatch.setattr("core.partner.storage.known_state.time.monotonic", lambda: now + 2 * COUNT_SECONDS)
    assert await state.catch_up()
    assert state.known == partner.known
    assert journal.reads[-2:] == ["count", "news"]


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(hours=3)])
async def test_a_clock_that_differs_loses_nothing_and_tells_nothing_twice(ahead: timedelta) -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com", start=START + ahead)
    journal = JournalInMemory(partner.rows[:3])
    state = KnownState(journal, lambda: START)
    await state.load()
    assert not await state.catch_up()
    journal.rows = partner.rows
    assert await state.catch_up()
    assert not await state.catch_up()
    assert state.known == partner.known


async def test_those_who_ask_at_once_share_a_read_and_who_comes_later_gets_a_later_one() -> None:
    partner = partner_with("ann@acme.com")
    journal = JournalInMemory()
    state = KnownState(journal, lambda: partner.now)
    await state.load()
    journal.reads.clear()
    journal.begun.clear()
    journal.held = asyncio.Event()
    first = [asyncio.create_task(state.catch_up()) for _ in range(5)]
    await journal.begun.wait()
    later = [asyncio.create_task(state.catch_up()) for _ in range(5)]
    journal.rows = partner.rows
    journal.held.set()
    await asyncio.gather(*first, *later)
    assert journal.reads == ["news", "news"]
    assert state.known == partner.known


async def test_a_journal_that_is_away_leaves_what_is_known() -> None:
    partner = partner_with("ann@acme.com", "bob@acme.com")
    journal = JournalInMemory(partner.rows[:3])
    state = KnownState(journal, lambda: partner.now)
    await state.load()
    journal.away = True
    journal.rows = partner.rows
    with pytest.raises(UnreachableError):
        await state.catch_up()
    assert len(state.known.connections) == 1
    journal.away = False
    following = asyncio.create_task(state.follow())
    while len(state.known.connections) < 2:
        state._read_at = -float("inf")
        await asyncio.sleep(0)
    following.cancel()


async def test_credentials_are_followed_too() -> None:
    (_, one), (_, other) = generate("databricks", START), generate("databricks", START)
    events = [credential_added(one), credential_added(other), credential_used(one.id), credential_removed(other.id)]
    rows = [journal_row(event, number + 1, START + timedelta(seconds=number)) for number, event in enumerate(events)]
    broken = replace(journal_row(credential_added(other), 9, START), subject="x", details={"hash": "md5:1:2"})
    state = KnownState(JournalInMemory([broken, *rows]), lambda: START)
    assert not state.credentials
    await state.load()
    assert state.credentials == {one.id: replace(one, last_used=START + timedelta(seconds=2))}
