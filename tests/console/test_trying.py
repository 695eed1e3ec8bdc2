"""Statements tried as another user in the console: answers, refusals, and what is carried out only when insisted on."""

from __future__ import annotations

from pathlib import Path

from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import console, running
from tests.console.starting import WIDE
from tests.console.walking import see, type_in

STATEMENTS = (
    "CREATE DATABASE sales",
    "CREATE TABLE sales.orders (id UInt64, card String) ENGINE = MergeTree ORDER BY id",
    "INSERT INTO sales.orders VALUES (1, 'first'), (2, '[b]second[/b]')",
    "CREATE USER ann HOST LOCAL",
    "GRANT SELECT, INSERT ON sales.orders TO ann",
)


async def test_a_statement_is_answered_refused_checked_and_carried_out(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*STATEMENTS)), "users")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Users  2", "ann")
        await type_in(pilot, "t", "SELECT * FROM sales.orders ORDER BY id")
        await take(pilot, "form", "Try as user ann", "SELECT *")
        await pilot.press("enter")
        await take(pilot, "answer", "Allowed: 2 rows", "[b]second[/b]")
        await type_in(pilot, "<escape>", "t", "SELECT * FROM system.users", "<enter>")
        await take(pilot, "refused", "Refused", "ann: Not enough privileges")
        insert = "INSERT INTO sales.orders VALUES (3, 'third')"
        await type_in(pilot, "<escape>", "t", insert, "<enter>")
        await take(pilot, "checked", "It would change something", "R carries it out")
        await pilot.press("R")
        await see(pilot, "Run a statement as user ann", "Exactly this runs", insert)
        await type_in(pilot, "ann", "<enter>", "<enter>")
        await see(pilot, "Users  2")
        session = app.connection.session
        assert session is not None
        assert (await session.engine.query("SELECT count() FROM sales.orders")).first_cell() == 3
