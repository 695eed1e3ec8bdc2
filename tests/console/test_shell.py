"""What works everywhere: jumping, the palette, help, read-only mode, leaving, the states of a connection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import HousekeysError, UnreachableError
from core.profiles import ProfileFile
from core.secrets import Prompt
from core.session import Session
from tests.console.sessions import (
    CAPABILITIES,
    LOOK,
    PROFILE,
    ROWS,
    FixedJournal,
    FixedRunner,
    FixedSession,
    creation,
    unfinished,
)
from tests.console.starting import NARROW, WIDE, connected, opening, start_in, text_of, told, until
from tui.app import HousekeysApp
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.chooser import ChooserScreen, Option, matching
from tui.screens.help import HelpScreen
from tui.screens.journal import JournalScreen
from tui.screens.question import SecretScreen
from tui.start import Start
from tui.widgets.chrome import ChromeLine, Navigation


def console(folder: Path, session: object) -> HousekeysApp:
    return HousekeysApp(connected(start_in(folder), opening(session)))


def line(app: HousekeysApp, name: str) -> str:
    return app.screen.query_one(f"#{name}", ChromeLine).plain


async def test_a_name_typed_after_a_colon_opens_its_screen(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession())
    async with app.run_test() as pilot:
        await pilot.press("colon", *"prof", "tab")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen) and "Profiles" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Profiles" in line(app, "crumb"))
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen))


async def test_the_palette_runs_a_command_and_says_why_another_cannot_run(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(read_only=LOOK))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.connection.session)
        await pilot.press("ctrl+p", *"take back")
        await until(pilot, lambda: "Read-only" in text_of(app))
        await pilot.press("escape", "ctrl+p", *"dark or", "enter")
        await until(pilot, lambda: app.theme == "housekeys-light")


def test_matching_prefers_beginnings_and_wants_every_word() -> None:
    options = [Option("a", "Open tokens"), Option("b", "Tokens"), Option("c", "Keys", description="for tokens")]
    assert [option.id for option in matching(options, "tok")] == ["b", "a", "c"]
    assert [option.id for option in matching(options, "tokens open")] == ["a"]
    assert [option.id for option in matching(options, "[")] == []


async def test_help_lists_every_key_and_what_cannot_be_done_now(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(journal=FixedJournal(ROWS)))
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        shown = text_of(app)
        owner = app.screen_stack[0]
        assert isinstance(owner, ConsoleScreen)
        for command in owner.commands():
            assert command.description[:40] in shown
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is owner)


async def test_read_only_mode_is_shown_and_refuses_commands_and_changes(tmp_path: Path) -> None:
    session = FixedSession(read_only=LOOK)
    app = console(tmp_path, session)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "READ-ONLY" in line(app, "header"))
        await pilot.press("U")
        await until(pilot, lambda: "Read-only (--read-only)" in told(app))
        app.carry_out(creation("acme"), lambda _report: None)
        await pilot.pause()
        assert isinstance(app.screen, JournalScreen)
    assert not session.runner.ran


async def test_a_missing_right_is_told_with_the_grant(tmp_path: Path) -> None:
    capabilities = replace(CAPABILITIES, may=frozenset(), _reasons={"grant": "Ask for: GRANT SELECT ON *.*"})
    app = console(tmp_path, FixedSession(capabilities=capabilities))
    command = Command("x.y", "suspend", "s", "suspend", "Suspend.", modifies=True, ability="grant")
    async with app.run_test() as pilot:
        assert app.why_not(command) == "Not connected."
        await until(pilot, lambda: app.connection.session)
        assert app.why_not(command) == "Ask for: GRANT SELECT ON *.*"


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_badges_stay_in_sight_at_every_width(tmp_path: Path, size: tuple[int, int]) -> None:
    profile = replace(
        PROFILE, production=True, verify=False, cluster="a_cluster_with_a_long_name", host="a-long-host.name.example"
    )
    app = console(tmp_path, FixedSession(profile=profile, read_only=LOOK))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.connection.session)
        header = line(app, "header")
        assert all(badge in header for badge in ("PRODUCTION", "READ-ONLY", "TLS NOT VERIFIED"))


async def test_the_navigation_folds_away_when_narrow_and_a_page_is_never_drawn_without_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = console(tmp_path, FixedSession())
    drawn: list[bool] = []
    async with app.run_test(size=(109, 24)) as pilot:
        assert not app.screen.query_one(Navigation).display
        await pilot.resize_terminal(110, 24)
        await until(pilot, lambda: app.screen.query_one(Navigation).display)
        monkeypatch.setattr(
            HousekeysApp, "_display", lambda _app, page, _update: drawn.append(page.query_one(Navigation).display)
        )
        await pilot.click(Navigation, offset=(3, 1 + list(app.NUMBERS.values()).index("profiles")))
        await until(pilot, lambda: "Profiles" in line(app, "crumb"))
    assert drawn and all(drawn)


async def test_a_failed_connection_is_a_state_with_a_retry(tmp_path: Path) -> None:
    error = UnreachableError("Cannot reach ch-1.example:8443.", advice="Is it running?", detail="[Errno 111] refused")
    start = start_in(tmp_path)
    app = HousekeysApp(connected(start, opening(error)))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "[Errno 111] refused" in text_of(app))
        assert "Is it running?" in text_of(app)
        assert "not connected" in line(app, "header")
        app.start = connected(start, opening(FixedSession(journal=FixedJournal(ROWS))))
        await pilot.press("r")
        await until(pilot, lambda: "acme_30" in text_of(app))


async def test_an_unforeseen_error_is_a_state_too(tmp_path: Path) -> None:
    app = console(tmp_path, KeyError("oops"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Unexpected error (KeyError)" in text_of(app))
        assert "oops" not in text_of(app)


async def test_rows_stay_when_they_cannot_be_read_again(tmp_path: Path) -> None:
    journal = FixedJournal(ROWS)
    app = console(tmp_path, FixedSession(journal=journal))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        journal.error = HousekeysError("The server has gone.")
        await pilot.press("r")
        await until(pilot, lambda: "stale" in line(app, "crumb"))
        assert "acme_30" in text_of(app)
        journal.error = None
        await pilot.press("r")
        await until(pilot, lambda: "stale" not in line(app, "crumb"))


async def test_another_profile_does_not_show_the_rows_of_the_one_before(tmp_path: Path) -> None:
    start = start_in(tmp_path, '[profiles.prod]\nurl = "https://ch-1.example:8443"\n')
    first = FixedSession(journal=FixedJournal(ROWS))
    app = HousekeysApp(connected(start, opening(first)))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        app.start = connected(start, opening(UnreachableError("Nobody there.")))
        app.connect("prod")
        await until(pilot, lambda: "Nobody there." in text_of(app))
        assert first.closed
        assert "acme_30" not in text_of(app)


async def test_a_filter_narrows_while_typing_and_escape_takes_it_back_step_by_step(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(journal=FixedJournal(ROWS)))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("slash", *"acme_07")
        await until(pilot, lambda: "2 of 33" in line(app, "crumb"))
        await pilot.press("enter", "space", "asterisk")
        assert "2 marked" in line(app, "crumb")
        await pilot.press("escape")
        await until(pilot, lambda: "of 33" not in line(app, "crumb"))
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in line(app, "crumb"))


async def test_a_detail_opens_over_the_table_when_narrow_and_beside_it_when_wide(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(journal=FixedJournal(ROWS)))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "data@acme.example" in text_of(app))
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: "data@acme.example" in text_of(app))
        assert len(app.screen_stack) == 1
        await pilot.press("end")
        await until(pilot, lambda: "09:01:00 UTC" in text_of(app))


async def test_copying_is_said_honestly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    app = console(tmp_path, FixedSession(journal=FixedJournal(ROWS)))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("y")
        await until(pilot, lambda: "Sent to the terminal" in told(app))
        assert not app.copy("x" * 100_000, "a lot")
        await until(pilot, lambda: "too long for the clipboard" in told(app))


async def test_a_secret_is_asked_for_without_showing_it(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession())
    async with app.run_test() as pilot:
        asked = app.run_worker(app.prompt_secret("Password of operator"))
        await until(pilot, lambda: isinstance(app.screen, SecretScreen))
        await pilot.press(*"hunter2")
        assert "hunter2" not in text_of(app)
        await pilot.press("enter")
        await asked.wait()
        assert asked.result is not None
        assert asked.result.reveal() == "hunter2"
        asked = app.run_worker(app.prompt_secret("Again"))
        await until(pilot, lambda: isinstance(app.screen, SecretScreen))
        await pilot.press("escape")
        await asked.wait()
        assert asked.result is None


async def test_the_key_of_the_next_tab_does_nothing_where_there_is_one_tab_only(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(journal=FixedJournal(ROWS)))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "ticket" in text_of(app))
        await pilot.press("tab", "shift+tab", "left", "right")
        assert "ticket" in text_of(app)


async def test_what_is_said_again_is_there_once(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(read_only=LOOK))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: app.connection.session)
        await pilot.press("U", "U", "U")
        await until(pilot, lambda: "Read-only" in told(app))
        assert told(app).count("Read-only") == 1


async def test_rows_and_marks_of_one_profile_are_not_taken_for_those_of_another(tmp_path: Path) -> None:
    sessions = [FixedSession(journal=FixedJournal(ROWS)), FixedSession(journal=FixedJournal(ROWS))]
    answers: list[object] = [*sessions, UnreachableError("Nothing listens there."), sessions[0]]

    async def open_next(start: Start, file: ProfileFile, name: str, prompt: Prompt) -> Session:
        return await opening(answers.pop(0))(start, file, name, prompt)

    app = HousekeysApp(connected(start_in(tmp_path), open_next))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("space")
        assert "1 marked" in line(app, "crumb")
        await pilot.press("6", "c")
        await until(pilot, lambda: len(answers) == 2 and app.connection.status == "open")
        await pilot.press("5")
        await until(pilot, lambda: "acme_30" in text_of(app))
        assert "marked" not in line(app, "crumb")
        await pilot.press("6", "c")
        await until(pilot, lambda: app.connection.status == "failed")
        await pilot.press("5")
        await until(pilot, lambda: "Nothing listens" in text_of(app))
        assert line(app, "crumb").strip() == "Journal"
        await pilot.press("r")
        await until(pilot, lambda: "acme_30" in text_of(app))
        await pilot.press("down")
        assert isinstance(app.screen, JournalScreen)
        assert app.screen.table.current is app.screen.table.shown[1]


async def test_read_only_mode_offers_no_key_for_an_unfinished_change(tmp_path: Path) -> None:
    app = console(tmp_path, FixedSession(read_only=LOOK, runner=FixedRunner([unfinished()])))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "! Unfinished (read-only): Create 5 tenants" in line(app, "banner"))
