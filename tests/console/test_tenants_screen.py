"""The tenants screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.session import Session
from tests.console.album import Take, take_start
from tests.console.ledger import ago, ledger, opened_with
from tests.console.sample_tenants import databases, holding, listed, page, tenant_row, unseen
from tests.console.starting import NARROW, WIDE, connected, never, start_in, text_of, until
from tests.console.tenants_console import console, cursor, names, readable, screen, session_of
from tests.console.walking import Seen, reconnect, run_change, see, type_in
from tui.app import HousekeysApp

LIVE = [
    tenant_row("acme_prod", "create", 19, owner="Anna Vogel", contact="anna@acme.example", ticket="OPS-7", note=""),
    tenant_row("acme_prod", "suspend", 5),
    tenant_row("acme_prod", "resume", 4),
    tenant_row("acme_test", "create", 3, owner="", contact="", ticket="", note=""),
    *ledger(),
]
TWO = opened_with(LIVE, prepare=databases("acme_prod", "acme_test", granted=True))


# -- pictures


async def test_pictures_of_many_tenants(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, page())
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "page", "acme_analytics", "north_sea")
        await type_in(pilot, "/", "mb")
        await take(pilot, "filtered", "umbrella")
        await type_in(pilot, "<escape>", "<home>", Seen("north_sea"), "<space>", "<space>", "<down>", "/", "<n>")
        await take(pilot, "marked", "marked")
        await type_in(pilot, "<escape>", "<escape>", "<home>", Seen("north_sea"), "d")
        await take(pilot, "detail", "last read", sizes=("80x24", "160x48"))
        await pilot.resize_terminal(*NARROW)
        await reconnect(pilot, opened_with(), read_only=True)
        await take(pilot, "read-only", "READ-ONLY", "north_sea")
        listed(monkeypatch, unseen())
        await reconnect(pilot, opened_with())
        await take(pilot, "unseen", "SHOW USERS", "unknown")


async def test_pictures_from_the_first_start_to_databases_that_are_adopted(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take_start(take, pilot, opened_with())
        await take(pilot, "newcomer", "No tenants yet.", "Press 1")
        await databases("dwh")(session_of(app))
        await pilot.press("r")
        await take(pilot, "empty", "No tenants yet.", "adopt the data")
        await databases("acme_prod", "scratch", user=False)(session_of(app))
        await session_of(app).journal.append(LIVE)
        await type_in(pilot, "r", Seen("acme_prod"), "a", Seen("scratch"), "<space>")
        await take(pilot, "adopt", "scratch")
        await type_in(pilot, "*", "<enter>")
        await take(pilot, "adopt-form", "becomes readable")


async def test_pictures_of_the_tabs(take: Take, tmp_path: Path) -> None:
    async def prepare(session: Session) -> None:
        await databases("acme_prod", granted=True)(session)
        await session.engine.command("CREATE VIEW acme_prod.daily AS SELECT 1 AS n")

    app = console(tmp_path, opened_with(LIVE, prepare=prepare))
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("acme_prod"), "d", Seen("readable"))
        tabs = (("Tables", "TABLE"), ("Tokens", "issued"), ("SQL", "GRANT SELECT"), ("History", "by anna@bastion"))
        for tab, word in tabs:
            await type_in(pilot, "<tab>")
            await take(pilot, tab.lower(), f"[{tab}]", word, sizes=("80x24",))
        for tab, word in reversed(tabs):
            await take(pilot, tab.lower(), f"[{tab}]", word, sizes=("160x48",))
            await type_in(pilot, "<left>")


async def test_pictures_of_what_is_done_with_tenants(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, TWO)
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("acme_prod"), "n", Seen("New tenant"), "globex")
        await take(pilot, "new", "GRANT SELECT ON `globex`")
        await type_in(pilot, "<ctrl+u>", "system")
        await take(pilot, "new-refused", "belongs to ClickHouse")
        await type_in(pilot, "<ctrl+u>", "<tab>", "<right>", "<shift+tab>", "globex", "<enter>", "initech")
        await take(pilot, "several", "CREATE DATABASE `initech`")
        await type_in(pilot, "<escape>", "i", "/no/such.csv")
        await take(pilot, "import", "such.csv cannot be read")
        await type_in(pilot, "<escape>", "e")
        await take(pilot, "edit", "Edit acme_prod")
        await type_in(pilot, "<escape>", "x")
        await take(pilot, "remove", "This would happen")
        await type_in(pilot, "<escape>", "*", "s")
        await take(pilot, "suspend", "Exactly this runs")


# -- what the keys do


async def test_a_new_user_comes_from_nothing_to_a_tenant(tmp_path: Path) -> None:
    """Keyboard only, nothing set up: the checklist, the DataLens user, a tenant."""
    app = HousekeysApp(connected(start_in(tmp_path, screen="tenants")))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No tenants yet.", "Press 1")
        await pilot.press("1")
        await see(pilot, "1 of 12 done", "Next, line 1", "f creates it")
        await pilot.press("f")
        await see(pilot, "Create the DataLens user datalens", "make one up")
        await pilot.press("enter")
        preview = await see(pilot, "Exactly this runs", "Create the journal")
        assert "CREATE USER" in preview and "********" in preview
        await pilot.press("enter")
        await see(pilot, "The password of datalens", "Space shows it")
        await pilot.press("space")
        shown = await see(pilot, "Space hides it")
        password = next(line.strip() for line in shown.split("\n")[2:] if line.strip())
        assert len(password) == 32
        await pilot.press("escape")
        await see(pilot, "5 of 12 done")
        assert password not in text_of(app)
        await pilot.press("2")
        await see(pilot, "No tenants yet.", "Press n")
        await type_in(pilot, "n", "acme_prod")
        await see(pilot, "CREATE DATABASE `acme_prod`", "GRANT SELECT ON `acme_prod`.* TO `datalens`")
        await pilot.press("enter")
        await see(pilot, "Exactly this runs")
        await pilot.press("enter")
        await see(pilot, "acme_prod", "active")
        assert await names(app) == {"acme_prod"}
        assert await readable(app) == {"acme_prod"}
        told_of = await session_of(app).journal.history("tenant", "acme_prod")
        assert [row.action for row in told_of] == ["create"]
    assert not holding(tmp_path, password)


async def test_what_is_noted_is_shown_edited_and_taken_back(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases()))
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "No tenants yet.")
        await type_in(pilot, "n", "acme", "<tab>", "<tab>", "Anna", "<tab>", "anna@acme.example", "<tab>", "OPS-7")
        await type_in(pilot, "<tab>", "first", "<enter>", "second", "<tab>", "<enter>")
        await run_change(pilot, "acme", "OPS-7", "second")
        await pilot.press("e")
        await see(pilot, "Edit acme")
        await type_in(pilot, "<end>", " Vogel", "<enter>")
        await run_change(pilot, "Anna Vogel")
        [row] = await session_of(app).journal.history("tenant", "acme", limit=1)
        assert row.details["note"] == "first\nsecond"
        await pilot.press("U")
        await run_change(pilot, "anna@acme.example")
        await until(pilot, lambda: screen(app).current is not None and "Vogel" not in text_of(app))


async def test_marked_tenants_are_suspended_and_resumed_together(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases("a", "b", "c", granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Tenants  3")
        await pilot.press("down", "space", "space", "s")
        preview = await see(pilot, "Suspend 2 tenants")
        assert "REVOKE SELECT ON `b`.*" in preview and "`a`" not in preview
        await run_change(pilot, "suspended")
        assert await readable(app) == {"a"}
        await until(pilot, lambda: not screen(app).table.marks)
        assert [row.tenant.state.value for row in screen(app).table.shown] == ["active", "suspended", "suspended"]
        assert cursor(app) == "c"
        await pilot.press("asterisk", "R")
        await run_change(pilot, "Tenants  3")
        await until(pilot, lambda: "suspended" not in text_of(app))
        assert await readable(app) == {"a", "b", "c"}


async def test_only_revoked_the_database_stays(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases("acme", granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Tenants  1")
        await pilot.press("x")
        await see(pilot, "(only revoke, keep the data)", "Its data stays")
        await pilot.press("enter")
        await run_change(pilot, "No tenants yet.")
        assert await names(app) == {"acme"}
        assert await readable(app) == set()


async def test_dropped_only_when_its_name_is_typed(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases("acme", granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Tenants  1")
        engine = session_of(app).engine
        await engine.command("CREATE TABLE acme.events (n UInt64) ENGINE = MergeTree ORDER BY n")
        await engine.command("INSERT INTO acme.events SELECT number FROM numbers(1000)")
        await pilot.press("x")
        await see(pilot, "Do what")
        await pilot.press("right")
        await see(pilot, "(drop the database)", "1 table with 1,000 rows", "events")
        await pilot.press("enter")
        await see(pilot, "Type acme to run this", "DESTRUCTIVE")
        await type_in(pilot, "acm", "<enter>", "<enter>")  # not the name: enter goes to Cancel, and leaves
        await see(pilot, "Tenants  1")
        assert await names(app) == {"acme"}
        await pilot.press("x")
        await see(pilot, "Do what")
        await pilot.press("right")
        await see(pilot, "1,000 rows")
        await pilot.press("enter")
        await see(pilot, "Type acme to run this")
        await type_in(pilot, "acme", "<enter>", "<enter>")
        await see(pilot, "No tenants yet.")
        assert await names(app) == set()


async def test_databases_are_chosen_and_adopted(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases("dwh", "scratch", "shop")))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "one of 3 databases")
        await pilot.press("a")
        await see(pilot, "which databases?", "shop")
        await pilot.press("space", "down", "space", "enter")
        await see(pilot, "Adopt 2 databases", "dwh, shop")
        await type_in(pilot, "Retail", "<enter>")
        await run_change(pilot, "Tenants  2")
        assert await readable(app) == {"dwh", "shop"}
        assert {row.tenant.owner for row in screen(app).table.shown} == {"Retail"}
        await type_in(
            pilot, "a", Seen("which databases?"), Seen("scratch"), "<enter>", Seen("Adopt scratch"), "<enter>"
        )
        await run_change(pilot, "Tenants  3")
        assert cursor(app) == "scratch"  # it came between the others


async def test_many_come_from_a_file_and_a_second_time_only_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_text("name;owner\n" + "".join(f"client_{number:03};Owner {number}\n" for number in range(150)))
    app = console(tmp_path / "home", opened_with(prepare=databases()))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No tenants yet.")
        await type_in(pilot, "i", str(file))
        await see(pilot, "CREATE DATABASE `client_000`", "and 294 more")
        await pilot.press("enter")
        await see(pilot, "Create 150 tenants")
        await run_change(pilot, "Tenants  150")
        assert len(await names(app, "client%")) == 150
        await session_of(app).engine.command("DROP DATABASE client_007")
        await type_in(pilot, "i", str(file), "<enter>")
        preview = await see(pilot, "Create tenant client_007", "149")
        assert "client_008" not in preview
        await run_change(pilot, "Tenants  150")
        assert len(await names(app, "client%")) == 150


async def test_a_file_with_mistakes_is_refused_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # however long its path is, no line of what is told breaks in the middle of a name
    file = tmp_path / "clients.csv"
    file.write_text("name\ngood\nsystem\ngood\n")
    app = console(tmp_path / "home", opened_with(prepare=databases()))
    async with app.run_test(size=(120, 30)) as pilot:
        await see(pilot, "No tenants yet.")
        await type_in(pilot, "i", file.name, "<enter>")
        await see(pilot, "2 problems", "clients.csv:3: system", "clients.csv:4: good: asked for in line 2")
        assert await names(app) == set()


async def test_what_fails_in_a_bulk_is_reported_and_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = console(tmp_path, opened_with(prepare=databases("a", "b", "c", granted=True)))
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Tenants  3")
        await pilot.press("asterisk", "s")
        await see(pilot, "Suspend 3 tenants")
        engine = session_of(app).engine
        original = engine.commands

        async def commands(statements: Sequence[str], *arguments: Any, **options: Any) -> None:
            await original([text.replace("`b`.*", "`b`.* .") for text in statements], *arguments, **options)

        monkeypatch.setattr(engine, "commands", commands)
        await pilot.press("R")
        await see(pilot, "Not everything was done", "2 of 3 steps", "reading b", "expected FROM")
        await pilot.press("escape")
        await see(pilot, "Tenants  3")
        assert await readable(app) == {"b"}


async def test_since_when_it_is_readable(tmp_path: Path) -> None:
    app = console(tmp_path, TWO)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "by datalens, since", "(4 days ago)", "1 issued", f"{ago(days=4):%Y-%m-%d}", "Anna Vogel")
