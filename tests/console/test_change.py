"""The one road: what would run is shown, the question fits the danger, a run is stopped, failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.changes import Change, Danger, StatementStep
from core.errors import HousekeysError
from core.running.report import Progress, Report, StepOutcome
from tests.console.sessions import (
    PROFILE,
    ROWS,
    FixedJournal,
    FixedRunner,
    FixedSession,
    creation,
    identifier,
)
from tests.console.starting import NARROW, connected, opening, start_in, text_of, told, until
from tui.app import HousekeysApp
from tui.screens.change import ChangeScreen
from tui.screens.question import QuestionScreen
from tui.widgets.buttons import Choice

DROP = Change(
    "Remove tenant acme",
    (StatementStep("Drop acme", "DROP DATABASE `acme`", no_undo="the data is gone"),),
    Danger.DESTRUCTIVE,
    consequences=("12 tables with 4.10 GiB are lost.",),
    confirm_name="acme",
)
SUSPEND = replace(DROP, title="Suspend acme", danger=Danger.DISRUPTIVE, confirm_name="")


def console(folder: Path, session: FixedSession) -> HousekeysApp:
    return HousekeysApp(connected(start_in(folder), opening(session)))


async def preview(pilot: Any, change: Change, then: Callable[[Report], object] = lambda _report: None) -> ChangeScreen:
    app = pilot.app
    await until(pilot, lambda: app.connection.session)
    app.carry_out(change, then)
    await until(pilot, lambda: isinstance(app.screen, ChangeScreen) and app.screen.built)
    page: ChangeScreen = app.screen
    return page


def focused(app: HousekeysApp) -> str:
    return str(app.focused.id if app.focused is not None else None)


async def test_a_routine_change_runs_by_enter_and_the_rows_are_read_again(tmp_path: Path) -> None:
    session = FixedSession()
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await preview(pilot, creation("acme"))
        assert "CREATE DATABASE `acme`" in text_of(app)
        assert "Every step can be taken back" in text_of(app)
        assert focused(app) == "run"
        session.journal.rows = ROWS
        await pilot.press("enter")
        await until(pilot, lambda: "acme_30" in text_of(app))
        assert "Done: Create tenant acme" in told(app)
    assert [change.title for change in session.runner.ran] == ["Create tenant acme"]


async def test_anything_else_begins_at_cancel(tmp_path: Path) -> None:
    session = FixedSession()
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await preview(pilot, SUSPEND)
        assert focused(app) == "cancel"
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ChangeScreen))
        assert not session.runner.ran
        await preview(pilot, SUSPEND)
        await pilot.press("right", "enter")
        await until(pilot, lambda: session.runner.ran)


async def test_a_destructive_change_wants_its_name_typed(tmp_path: Path) -> None:
    session = FixedSession()
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        page = await preview(pilot, DROP)
        assert "12 tables with 4.10 GiB are lost." in text_of(app)
        assert "the data is gone" in text_of(app)
        assert "Type acme to run this on prod" in text_of(app)
        await pilot.press(*"acm", "enter")
        assert page.query_one("#run", Choice).disabled
        await pilot.press("R")
        page.confirm()
        assert page.state == "asking"
        page.query_one("#typed-name").focus()
        await pilot.press("e", "enter")
        await pilot.pause()
        assert not session.runner.ran


@pytest.mark.parametrize(("change", "name"), [(DROP, "acme"), (SUSPEND, "prod")])
async def test_on_production_names_are_typed_sooner(tmp_path: Path, change: Change, name: str) -> None:
    session = FixedSession(profile=replace(PROFILE, production=True))
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await preview(pilot, change)
        await pilot.press(*name, "enter")
        assert focused(app) == "run"
        await pilot.press("enter")
        await until(pilot, lambda: session.runner.ran)


async def test_the_journal_is_created_first_and_shown(tmp_path: Path) -> None:
    session = FixedSession(journal=FixedJournal(there=False))
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await preview(pilot, creation("acme"))
        assert "CREATE TABLE journal" in text_of(app)
        await pilot.press("R")
        await until(pilot, lambda: len(session.runner.ran) == 2)
    assert session.runner.ran[0].title.startswith("Create the journal")


class SlowRunner(FixedRunner):
    """Runs until it is stopped; then reports what is done as done."""

    async def run(self, change: Change, progress: Any = None, *, stop: Any = None) -> Report:
        self.ran.append(change)
        progress(Progress(3, len(change.steps), 1, change.title))
        await stop.wait()
        failure = HousekeysError("No right to do that.", advice="Ask for GRANT.", detail="Code: 497")
        outcomes = [StepOutcome(0, "done"), StepOutcome(1, "done"), StepOutcome(2, "failed", failure)]
        outcomes += [StepOutcome(index, "not run") for index in range(3, len(change.steps))]
        return Report(identifier(9), change, tuple(outcomes), finished=False, cancelled=True)


async def test_a_run_shows_progress_is_stopped_and_reports_failures(tmp_path: Path) -> None:
    session = FixedSession(runner=SlowRunner())
    app = console(tmp_path, session)
    reports: list[Report] = []
    async with app.run_test(size=NARROW) as pilot:
        page = await preview(pilot, creation("acme", 20), reports.append)
        await pilot.press("R")
        await until(pilot, lambda: "3 of 20, 1 failed" in text_of(app))
        await pilot.press("1", "5", "escape")
        await until(pilot, lambda: page.state == "ended")
        shown = text_of(app)
        assert "2 of 20 steps were done." in shown
        assert "No right to do that." in shown
        assert "Code: 497" in shown
        assert "17 steps were not run." in shown
        await pilot.press("enter")
        await until(pilot, lambda: reports)
    assert reports[0].cancelled


async def test_leaving_while_a_change_runs_is_asked(tmp_path: Path) -> None:
    session = FixedSession(runner=SlowRunner())
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await preview(pilot, creation("acme", 20))
        await pilot.press("R")
        await until(pilot, lambda: "3 of 20" in text_of(app))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChangeScreen))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: app.running_change is None)


class BrokenRunner(FixedRunner):
    async def run(self, change: Change, progress: Any = None, *, stop: Any = None) -> Report:
        await asyncio.sleep(0)
        raise HousekeysError("The write-ahead file cannot be written.", advice="Is the disk full?")


async def test_a_run_that_cannot_begin_is_told(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(runner=BrokenRunner()))
    async with app.run_test() as pilot:
        await preview(pilot, creation("acme"))
        await pilot.press("R")
        await until(pilot, lambda: "Is the disk full?" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ChangeScreen))


async def test_thousands_of_steps_are_shown_at_once_and_scrolled(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession())
    async with app.run_test() as pilot:
        await preview(pilot, creation("acme", 3000))
        assert "3,000 steps" in text_of(app)
        await pilot.press("end")
        await until(pilot, lambda: "`acme_2999`" in text_of(app))
