"""The journal and unfinished changes, on a real embedded ClickHouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.running.report import Unfinished
from tests.console.sessions import creation
from tests.console.starting import connected, start_in, text_of, told, until
from tui.app import HousekeysApp
from tui.screens.change import ChangeScreen
from tui.screens.journal import JournalScreen
from tui.screens.question import QuestionScreen
from tui.screens.unfinished import UnfinishedScreen


async def ready(pilot: Any) -> Any:
    app = pilot.app
    await until(pilot, lambda: app.connection.status in ("open", "failed"))
    assert app.connection.error is None
    return app.connection.session


async def confirm(pilot: Any) -> None:
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, ChangeScreen) and app.screen.built)
    await pilot.press("R")
    await until(pilot, lambda: not isinstance(app.screen, ChangeScreen))


async def databases(session: Any) -> list[str]:
    answer = await session.engine.query("SELECT name FROM system.databases WHERE name LIKE 'acme%' ORDER BY name")
    return [name for (name,) in answer.rows]


async def leave_unfinished(session: Any, name: str, steps: int) -> Unfinished:
    """Break a change off after some of its steps, as a stop or a crash does."""
    import asyncio

    stop = asyncio.Event()
    await session.runner.run(creation(name, steps), lambda _progress: stop.set(), stop=stop)
    found: Unfinished = session.runner.unfinished()[-1]
    return found


async def test_the_first_change_creates_the_journal_and_undo_takes_it_back(tmp_path: Path) -> None:
    app = HousekeysApp(connected(start_in(tmp_path)))
    async with app.run_test() as pilot:
        session = await ready(pilot)
        await until(pilot, lambda: "The journal is empty." in text_of(app))
        app.carry_out(creation("acme_prod"), lambda _report: app._refresh_screen())
        await until(pilot, lambda: isinstance(app.screen, ChangeScreen))
        assert "Create the journal housekeys.journal" in text_of(app)
        await confirm(pilot)
        await until(pilot, lambda: "tenant acme_prod" in text_of(app))
        assert await databases(session) == ["acme_prod"]
        await pilot.press("s")
        await until(pilot, lambda: len(app.screen.table.shown) == 1)  # type: ignore[attr-defined]
        await pilot.press("escape", "U")
        await until(pilot, lambda: "DROP DATABASE `acme_prod`" in text_of(app))
        await confirm(pilot)
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))
        assert await databases(session) == []
        await pilot.press("U")
        await until(pilot, lambda: "was itself an undo" in told(app))


async def test_an_unfinished_change_is_announced_and_continued(tmp_path: Path) -> None:
    app = HousekeysApp(connected(start_in(tmp_path)))
    async with app.run_test() as pilot:
        session = await ready(pilot)
        await session.runner.run(session.journal.creation())
        waiting = await leave_unfinished(session, "acme", 100)
        assert 0 < waiting.count("done") < 100
        app.look_for_unfinished()
        await until(pilot, lambda: "! Unfinished, press U: Create 100 tenants" in text_of(app))
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, UnfinishedScreen) and app.screen.built)
        assert f"{waiting.count('done'):,} of 100" in text_of(app)
        await pilot.press("c")
        await until(pilot, lambda: f"({100 - waiting.count('done'):,} steps)" in text_of(app))
        await confirm(pilot)
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))
        assert len(await databases(session)) == 100
        assert "! Unfinished" not in text_of(app)


async def test_an_unfinished_change_is_taken_back_or_dismissed(tmp_path: Path) -> None:
    app = HousekeysApp(connected(start_in(tmp_path)))
    async with app.run_test() as pilot:
        session = await ready(pilot)
        await session.runner.run(session.journal.creation())
        await leave_unfinished(session, "acme_a", 60)
        await leave_unfinished(session, "acme_b", 60)
        app.look_for_unfinished()
        await until(pilot, lambda: "and 1 more" in text_of(app))
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, UnfinishedScreen) and app.screen.built)
        await pilot.press("u")
        await confirm(pilot)
        await until(pilot, lambda: isinstance(app.screen, UnfinishedScreen) and "60 tenants" in text_of(app))
        left = await databases(session)
        assert left
        assert all(name.startswith("acme_b") for name in left)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))
        assert session.runner.unfinished() == []
        assert await databases(session) == left
