"""`housekeys journal`, run as a script would."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.changes import Change, Event, RecordStep, StatementStep
from core.clickhouse.embedded import EmbeddedEngine
from core.journal.ids import new_ids
from core.journal.journal import Journal
from core.running.changefile import ChangeFile
from core.running.ledger import Ledger, before
from core.running.runner import Operator, ReadOnly, Runner
from tests.cli.conftest import Housekeys

OPERATOR = Operator("op", "bastion")


def note(subject: str, **details: str) -> RecordStep:
    event = Event("tenant", subject, "describe", dict(details))
    return RecordStep(f"Describe {subject}", (event,), undo=RecordStep(f"Forget {subject}", (event,)))


def run_changes(home: Path, *changes: Change) -> None:
    """Run changes on the embedded engine of `home`, as an earlier command would have."""

    async def run() -> None:
        engine = await EmbeddedEngine.open(home / "data" / "engines" / "embedded")
        try:
            journal = Journal(engine, "housekeys")
            folder = home / "state" / "changes" / "embedded"
            runner = Runner(engine, journal, folder, OPERATOR, "embedded", ReadOnly(False))
            for change in (journal.creation(), *changes):
                assert (await runner.run(change)).succeeded
        finally:
            await engine.close()

    asyncio.run(run())


def break_off(home: Path, change: Change, *, done: int, begun: int = 0) -> str:
    """Leave what a process killed in the middle of `change` leaves; returns the id."""
    folder = home / "state" / "changes" / "embedded"
    with ChangeFile.create(folder, Ledger(new_ids.next(), change, OPERATOR, "embedded")) as file:
        file.write(before(list(range(done + begun))))
        file.mark_done(*range(done))
    return str(file.ledger.id)


def test_there_is_no_journal_at_first(housekeys: Housekeys) -> None:
    listed = housekeys("journal", "list")
    assert (listed.code, listed.stdout) == (0, "")
    assert "no journal yet" in listed.stderr
    assert housekeys("journal", "list", "--json").json == []
    assert housekeys("journal", "undo").code == 3


def test_what_happened_is_listed(housekeys: Housekeys, home: Path) -> None:
    run_changes(
        home, Change("First", (note("acme", owner="\x1b[31mred"), note("other"))), Change("Second", (note("x"),))
    )
    listed = housekeys("journal", "list", "--subject", "acme")
    assert listed.code == 0
    title, line = listed.stdout.splitlines()
    assert title.split() == ["TIME", "OPERATOR", "SUBJECT", "ACTION", "OUTCOME", "DETAILS"]
    assert "op@bastion  tenant acme  describe  done     owner=\\x1b[31mred" in line
    everything = housekeys("journal", "list", "--json").json
    assert [row["subject_kind"] for row in everything] == [
        *("change", "tenant", "change", "tenant", "tenant", "change", "journal")
    ]
    assert everything[3]["subject"] == "other"
    assert everything[4]["details"] == {"owner": "\x1b[31mred"}
    assert datetime.fromisoformat(everything[0]["at"]).tzinfo is not None
    limited = housekeys("journal", "list", "--limit", "2")
    assert "change: Second" in limited.stdout
    assert "1 of 1 steps done" in limited.stdout
    assert "newest 2" in limited.stderr


@pytest.mark.parametrize(
    ("since", "rows"), [("1h", 3), ("2w", 3), ("1999-12-31", 3), ("0001-01-01", 3), ("2100-01-01T12:00+02:00", 0)]
)
def test_since(housekeys: Housekeys, home: Path, since: str, rows: int) -> None:
    run_changes(home, Change("x", (note("a"), note("b"), note("c"))))
    assert len(housekeys("journal", "list", "--kind", "tenant", "--since", since, "--json").json) == rows


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--since", "tomorrow", "neither like 30m, 2h, 7d nor a date"),
        ("--since", "999999w", "too long ago"),
        ("--limit", "0", "not a number from 1"),
    ],
)
def test_what_cannot_be_meant(
    housekeys: Housekeys, capsys: pytest.CaptureFixture[str], option: str, value: str, told: str
) -> None:
    assert housekeys("journal", "list", option, value).code == 2
    assert told in capsys.readouterr().err


def test_since_a_moment_in_utc(housekeys: Housekeys, home: Path) -> None:
    run_changes(home, Change("x", (note("a"),)))
    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    assert housekeys("journal", "list", "--since", soon, "--json").json == []


def test_an_unfinished_change_is_shown_and_resumed(housekeys: Housekeys, home: Path) -> None:
    run_changes(home)
    change = Change("Describe three", (note("a"), note("b"), note("c")))
    identifier = break_off(home, change, done=1)
    shown = housekeys("journal", "unfinished")
    assert identifier in shown.stdout
    assert "Describe three     1      3  broken off" in shown.stdout
    (record,) = housekeys("journal", "unfinished", "--json").json
    assert (record["id"], record["done"], record["steps"]) == (identifier, 1, 3)
    assert "1 change is unfinished" in housekeys("tenant", "list").stderr
    (file,) = (home / "state" / "changes" / "embedded").glob(f"{identifier}*")
    with ChangeFile.open(file):  # as by a service that runs it now
        assert "unfinished" not in housekeys("tenant", "list").stderr
    planned = housekeys("--dry-run", "journal", "resume")
    assert planned.stdout.splitlines() == ["journal: tenant b: describe", "journal: tenant c: describe"]
    assert housekeys("--read-only", "journal", "resume", identifier).code == 3
    assert housekeys("journal", "resume", identifier).code == 0
    assert housekeys("journal", "unfinished").stderr == "Every change has ended.\n"
    listed = housekeys("journal", "list", "--kind", "tenant", "--json").json
    assert [row["subject"] for row in listed] == ["c", "b", "a"]
    assert housekeys("journal", "resume", identifier).code == 4


def test_a_step_in_doubt_is_for_the_operator_to_settle(housekeys: Housekeys, home: Path) -> None:
    run_changes(home)
    steps = tuple(StatementStep(f"Create {name}", f"CREATE DATABASE {name}") for name in ("one", "two"))
    break_off(home, Change("Two databases", steps), done=0, begun=1)
    shown = housekeys("journal", "unfinished")
    assert "not known whether step 1 had run: Create one" in shown.stderr
    refused = housekeys("journal", "resume")
    assert refused.code == 3
    assert "step 1: Create one" in refused.stderr
    assert housekeys("journal", "resume", "--ran", "1", "--not-run", "1").code == 2
    assert housekeys("journal", "resume", "--ran", "zero").code == 2
    planned = housekeys("--dry-run", "journal", "resume", "--ran", "1", "--json").json
    assert [step["preview"] for step in planned["steps"]] == ["CREATE DATABASE two"]
    assert housekeys("journal", "resume", "--not-run", "1").code == 0
    listed = housekeys("journal", "list", "--kind", "change", "--limit", "1", "--json").json
    assert (listed[0]["outcome"], listed[0]["details"]["done"]) == ("done", 2)


def test_which_one_must_be_clear(housekeys: Housekeys, home: Path) -> None:
    run_changes(home)
    first = break_off(home, Change("First", (note("a"),)), done=0)
    second = break_off(home, Change("Second", (note("b"),)), done=0)
    assert housekeys("journal", "dismiss").code == 2
    assert housekeys("journal", "dismiss", first[:2]).code == 2
    assert housekeys("journal", "dismiss", "ffff").code == 4
    assert housekeys("--dry-run", "journal", "dismiss", second).code == 0
    assert len(housekeys("journal", "unfinished", "--json").json) == 2
    assert "Dismissed Second" in housekeys("journal", "dismiss", second).stderr
    assert "Dismissed First" in housekeys("journal", "dismiss").stderr
    assert housekeys("journal", "unfinished", "--json").json == []


def test_undo(housekeys: Housekeys, home: Path) -> None:
    run_changes(home, Change("Describe", (note("a"), note("b"))))
    planned = housekeys("--dry-run", "journal", "undo", "--json").json
    assert [step["title"] for step in planned["steps"]] == ["Forget b", "Forget a"]
    unconfirmed = housekeys("journal", "undo")
    assert unconfirmed.code == 3
    assert "--yes" in unconfirmed.stderr
    assert housekeys("journal", "undo", typed="n\n").code == 3
    assert housekeys("journal", "undo", typed="y\n").code == 0
    again = housekeys("journal", "undo", "--yes")
    assert again.code == 3
    assert "itself an undo" in again.stderr


def test_undo_of_an_unfinished_change(housekeys: Housekeys, home: Path) -> None:
    run_changes(home)
    identifier = break_off(home, Change("Describe", (note("a"), note("b"))), done=1)
    assert housekeys("journal", "undo", identifier, "--yes").code == 0
    assert housekeys("journal", "unfinished", "--json").json == []
    listed = housekeys("journal", "list", "--kind", "change", "--json").json
    assert {row["details"]["title"]: row["outcome"] for row in listed} == {
        "Create the journal housekeys.journal": "done",
        "Describe": "undone",
        "Undo: Describe": "done",
    }


def test_help_has_examples(housekeys: Housekeys, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("list", "unfinished", "resume", "undo", "dismiss"):
        assert housekeys("journal", verb, "--help").code == 0
        assert f"housekeys journal {verb}" in capsys.readouterr().out
