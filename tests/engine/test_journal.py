"""The journal against a real ClickHouse: its creation, exactly-once appending, and its answers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import NoRightError
from core.errors import HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.journal.ids import moment, new_ids
from core.journal.journal import BATCH_CHARACTERS, ROWS_AT_ONCE, TABLE, Journal
from core.journal.rows import COLUMNS, UNREADABLE, Row
from tests.engine.faulty_engine import FaultyEngine
from tests.engine.running_place import forget_nothing

pytestmark = pytest.mark.asyncio(loop_scope="module")

_names = (f"journal_{number}" for number in itertools.count())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALL_TEXT = ", ".join(f"{name} String" for name in COLUMNS)
NASTY = 'it\'s \\ `quoted` "twice"\n\t[bold]x[/] \U0001f5dd {a:String} ключ'


def row(
    subject: str = "acme",
    action: str = "create",
    *,
    kind: str = "tenant",
    outcome: str = "done",
    change: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    identifier: UUID | None = None,
) -> Row:
    made = identifier or new_ids.next()
    return Row(
        made,
        moment(made),
        "op",
        "bastion",
        "prod",
        change or new_ids.next(),
        kind,
        subject,
        action,
        outcome,
        details or {},
    )


async def new_journal(engine: EmbeddedEngine | FaultyEngine, *, deduplicating: bool = False) -> Journal:
    journal = Journal(engine, next(_names))
    for statement in journal.creation_statements():
        await engine.command(statement)
    if not deduplicating:
        await forget_nothing(engine, journal)
    return journal


async def test_nothing_is_there_before_it_is_created(shared_engine: EmbeddedEngine) -> None:
    journal = Journal(shared_engine, "no such database")
    assert not await journal.exists()
    assert await journal.history() == []
    assert await journal.events("tenant") == []
    assert await journal.latest("tenant") == {}
    assert await journal.counts("tenant", "create") == {}
    assert await journal.later_events(new_ids.next()) == []
    assert await journal.news(["tenant"], EPOCH, {}) == []
    assert await journal.count_of_kinds(["tenant"], datetime.now(UTC)) == 0
    await journal.append([])
    with pytest.raises(NotFoundError, match="does not exist"):
        await journal.append([row()])


async def test_a_table_that_is_dropped_while_in_use_is_as_if_never_there(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    await journal.append([row()])
    await shared_engine.command(f"DROP DATABASE {journal.database}")
    assert await journal.history() == []
    assert not await journal.exists()
    with pytest.raises(NotFoundError):
        await journal.append([row()])


async def test_the_statements_are_the_steps_of_the_change(shared_engine: EmbeddedEngine) -> None:
    journal = Journal(shared_engine, "strange `name")
    change = journal.creation()
    assert [step.preview() for step in change.steps] == list(journal.creation_statements())
    for statement in journal.creation_statements() * 2:
        await shared_engine.command(statement)
    assert await journal.exists()
    await journal.append([row()])
    assert len(await journal.history()) == 1


@pytest.mark.parametrize("database", ["housekeys", "strange {uuid} `name'\\"])
async def test_on_a_cluster_every_host_is_a_replica_of_one_table(shared_engine: EmbeddedEngine, database: str) -> None:
    for statement in Journal(shared_engine, database, "main cluster").creation_statements():
        parsed = await shared_engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": statement})
        text = str(parsed.first_cell())
        assert "ON CLUSTER `main cluster`" in text
    engine = text.partition("ENGINE = ")[2]
    assert engine.startswith("ReplicatedMergeTree(")
    assert "/journal', '{server_uuid}')" in engine
    assert engine.count("{") == 1


async def test_rows_come_back_as_they_were(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    details = {"note": NASTY, "number": 2**60, "none": None, "list": [1, "x"], "nested": {"a": True}}
    rows = [row(NASTY, NASTY, kind=NASTY, details=details), row("", outcome="failed")]
    await journal.append(rows)
    assert await journal.history() == rows[::-1]
    assert await journal.events(NASTY) == rows[:1]
    assert await journal.latest(NASTY) == {NASTY: rows[0]}
    assert await journal.counts(NASTY, NASTY) == {NASTY: 1}
    assert await journal.history(NASTY, NASTY) == rows[:1]


async def test_history_is_newest_first_and_bounded(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    change = new_ids.next()
    first = new_ids.next(200)
    # All of one moment: only the ids tell the order, and ClickHouse's own order of UUIDs is another.
    rows = [row(str(n), change=change, identifier=UUID(int=first.int + n)) for n in range(200)]
    rows += [row("later", kind="token"), row("later", kind="token", outcome="failed")]
    await journal.append(rows)
    assert await journal.history(limit=500) == rows[::-1]
    assert await journal.history(limit=3) == rows[:-4:-1]
    assert await journal.history("token") == rows[:-3:-1]
    assert await journal.history("tenant", "7") == [rows[7]]
    assert await journal.history(subject="later", limit=1) == [rows[-1]]
    assert await journal.history(since=rows[-2].at) == rows[:-3:-1]
    assert await journal.history(since=rows[-1].at + timedelta(microseconds=1)) == []
    assert await journal.events("tenant") == rows[:200]
    assert await journal.events("token") == [rows[-2]]


async def test_folds(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    rows = [
        row("a", "create"),
        row("b", "create"),
        row("a", "suspend"),
        row("a", "resume", outcome="failed"),
        row("a", "note"),
        row("a", "note"),
        row("b", "note", kind="other"),
    ]
    await journal.append(rows[::-1])  # the order of arrival is not the order of events
    assert await journal.latest("tenant") == {"a": rows[5], "b": rows[1]}
    assert await journal.latest("tenant", ["create", "suspend", "resume"]) == {"a": rows[2], "b": rows[1]}
    assert await journal.latest("tenant", []) == {}
    assert await journal.events("tenant", {"note"}) == rows[4:6]
    assert await journal.counts("tenant", "note") == {"a": 2}
    assert await journal.counts("tenant", "resume") == {}


async def test_news_are_the_seconds_with_more_than_is_known(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    start = datetime(2026, 11, 3, 9, 0, 0, 500_000, tzinfo=UTC)
    made = [row(str(number), kind="token" if number % 2 else "tenant") for number in range(8)]
    rows = [replace(one, at=start + timedelta(seconds=number // 2)) for number, one in enumerate(made)]
    others = [replace(row("other", kind="key"), at=start), replace(row("failed", outcome="failed"), at=start)]
    await journal.append([*rows[::-1], *others])
    await journal.append(rows[:3])  # after an answer that was lost
    kinds, first = ("tenant", "token"), int(start.timestamp())
    assert await journal.news(kinds, EPOCH, {}) == rows
    assert await journal.news(kinds, start.replace(microsecond=0) + timedelta(seconds=2), {}) == rows[4:]
    assert await journal.news(kinds, EPOCH, {first: 2, first + 1: 1, first + 2: 2, first + 3: 2}) == rows[2:4]
    assert await journal.news(kinds, EPOCH, {first + second: 2 for second in range(4)}) == []
    assert await journal.news(["tenant"], EPOCH, {first: 1}) == rows[2::2]
    assert await journal.count_of_kinds(kinds, start + timedelta(seconds=2)) == 4


async def test_many_news_come_as_few_do(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    rows = [row(str(number)) for number in range(ROWS_AT_ONCE + 1)]
    await journal.append(rows)
    assert await journal.news(["tenant"], EPOCH, {}) == rows


async def test_later_events_are_those_of_others_on_the_same_subjects(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    mine, other = new_ids.next(), new_ids.next()
    rows = [
        row("a", change=other),
        row("a", change=mine),
        row("b", change=mine),
        row("failed", change=mine, outcome="failed"),
        row("own", kind="change", change=mine),
        row("b", "suspend", change=mine),
        row("a", "suspend", change=other, outcome="failed"),
        row("failed", change=other),
        row("c", change=other),
        row("own", kind="change", change=other),
    ]
    await journal.append(rows)
    assert await journal.later_events(mine) == []
    later = [row("b", "remove", change=other), row("a", "remove", change=new_ids.next())]
    await journal.append(later)
    assert await journal.later_events(mine) == later[::-1]
    assert await journal.later_events(mine, limit=1) == later[:0:-1]


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_leads_to_no_second_row(shared_engine: EmbeddedEngine, arrives: bool) -> None:
    faulty = FaultyEngine(shared_engine)
    journal = await new_journal(faulty)
    rows = [row(str(number)) for number in range(50)]
    faulty.inserts_left, faulty.arrives = 0, arrives
    with pytest.raises(UnreachableError):
        await journal.append(rows)
    faulty.repair()
    await journal.append(rows, in_doubt=True)
    await journal.append(rows, in_doubt=True)
    assert await journal.events("tenant") == rows
    stored = await shared_engine.query(f"SELECT count() FROM {journal.database}.journal")
    assert stored.first_cell() == 50


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_answer_lost_for_a_moment_is_made_up_for_at_once(shared_engine: EmbeddedEngine, arrives: bool) -> None:
    class BrieflyLost(FaultyEngine):
        def _refuse_when_broken(self) -> None:
            return

    faulty = BrieflyLost(shared_engine)
    journal = await new_journal(faulty)
    rows = [row(str(number)) for number in range(50)]
    faulty.inserts_left, faulty.arrives = 0, arrives
    await journal.append(rows)
    stored = await shared_engine.query(f"SELECT count() FROM {journal.database}.journal")
    assert stored.first_cell() == 50


async def test_an_insert_that_arrives_late_after_all_is_read_once(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    rows = [row(str(number)) for number in range(10)]
    await journal.append(rows)
    await journal.append(rows[:5])
    stored = await shared_engine.query(f"SELECT count() FROM {journal.database}.journal")
    assert stored.first_cell() == 15
    assert await journal.events("tenant") == rows
    assert await journal.history() == rows[::-1]
    assert await journal.counts("tenant", "create") == {str(number): 1 for number in range(10)}


async def test_the_same_batch_twice_is_dropped_by_the_table(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine, deduplicating=True)
    rows = [row(str(number)) for number in range(10)]
    await journal.append(rows)
    await journal.append(rows)
    stored = await shared_engine.query(f"SELECT count() FROM {journal.database}.journal")
    assert stored.first_cell() == 10


async def test_a_clear_answer_is_not_questioned(shared_engine: EmbeddedEngine) -> None:
    faulty = FaultyEngine(shared_engine)
    journal = await new_journal(faulty)
    faulty.inserts_left = 0
    faulty.fault = NoRightError("No right.", code=497, missing="INSERT ON x.journal")
    with pytest.raises(HousekeysError, match="No right"):
        await journal.append([row()])
    assert await journal.history() == []


async def test_batches_are_bounded(shared_engine: EmbeddedEngine) -> None:
    faulty = FaultyEngine(shared_engine)
    journal = await new_journal(faulty)
    faulty.inserts_left = 3
    long = {"text": "x" * (BATCH_CHARACTERS // 2)}
    with pytest.raises(UnreachableError):  # the fourth insert
        await journal.append([row(str(number), details=long) for number in range(7)])
    assert len(await Journal(shared_engine, journal.database).events("tenant")) == 3


async def test_a_hundred_thousand_rows(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    await journal.exists()
    await shared_engine.command(
        f"INSERT INTO {journal.database}.journal SELECT toUUID(concat('0198c000-0000-7000-8000-',"
        " leftPad(hex(number), 12, '0'))), toDateTime64('2026-01-01 00:00:00', 6, 'UTC') + number, 'op', 'h', 'p',"
        " toUUID('0198c000-0000-7000-8000-000000000000'), 'token', toString(number % 40000),"
        " ['issue', 'deliver', 'use'][number % 3 + 1], 'done', '{}' FROM numbers(120000)"
    )
    latest = await journal.latest("token")
    assert len(latest) == 40_000
    assert latest["7"].action == ["issue", "deliver", "use"][80_007 % 3]
    assert latest["7"].at == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=80_007)
    counts = await journal.counts("token", "issue")
    assert sum(counts.values()) == 40_000
    assert len(await journal.events("token")) == 120_000
    assert [found.subject for found in await journal.history(limit=2)] == ["39999", "39998"]


async def test_details_that_others_wrote_are_shown_and_break_nothing(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    foreign = ("", "not json", "[1, 2]", "null", '"x"', "[" * 100_000)
    rows = [(*row("acme").to_values()[:-1], details) for details in foreign]
    own = row("beta", details={"note": "x"}).to_values()
    await shared_engine.insert(journal.database, TABLE, COLUMNS, [*rows, own])
    found = [event.details for event in await journal.events("tenant")]
    assert found == [*({UNREADABLE: details[:200]} for details in foreign), {"note": "x"}]


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ("id UUID, what String", "it has no column at"),
        (_ALL_TEXT, "its column id is String, not UUID"),
        (_ALL_TEXT.replace("id String", "id UUID").replace("at String", "at DateTime"), "its column at is DateTime"),
    ],
    ids=["columns", "id", "at"],
)
async def test_another_table_of_that_name_is_no_journal(
    shared_engine: EmbeddedEngine, columns: str, wrong: str
) -> None:
    journal = Journal(shared_engine, next(_names))
    await shared_engine.command(f"CREATE DATABASE {journal.database}")
    await shared_engine.command(f"CREATE TABLE {journal.database}.journal ({columns}) ENGINE = MergeTree ORDER BY id")
    for attempt in (journal.exists(), journal.history(), journal.append([row()])):
        with pytest.raises(RefusedError, match=re.escape(wrong)) as raised:
            await attempt
        assert "database = ..." in raised.value.advice


async def test_the_newest_row_may_be_of_a_clock_that_is_ahead_but_not_by_days(shared_engine: EmbeddedEngine) -> None:
    journal = await new_journal(shared_engine)
    assert await journal.newest() is None
    ahead, absurd = (datetime.now(UTC).replace(microsecond=7) + timedelta(minutes=n) for n in (10, 100_000))
    rows = [(row().to_values()[0], at, *row().to_values()[2:]) for at in (ahead, absurd)]
    await shared_engine.insert(journal.database, TABLE, COLUMNS, rows)
    assert await journal.newest() == ahead
