"""How every screen looks at 80x24 and at 160x48, in each of its states. `make snapshots` accepts a new look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from core.changes import Change, Danger, StatementStep
from core.errors import HousekeysError, UnreachableError
from core.journal.local_journal import LocalJournal
from core.profiles import load
from tests.console.sessions import (
    LOOK,
    PROFILE,
    ROWS,
    FixedJournal,
    FixedRunner,
    FixedSession,
    creation,
    row,
    unfinished,
)
from tests.console.starting import HOSTILE, NARROW, WIDE, connected, never, opening, start_in, text_of, until
from tui.app import HousekeysApp
from tui.screens.change import ChangeScreen
from tui.screens.form import FormScreen
from tui.start import OpenSession
from tui.widgets.lines import LinesView

pytestmark = pytest.mark.usefixtures("home")
SnapCompare = Callable[..., bool]
Steps = Callable[[Pilot[None]], Awaitable[None]]

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
REFUSED = UnreachableError(
    "Cannot reach ch-1.example:8443.",
    advice="Is the server running, and is the port right?",
    detail="[Errno 111] Connection refused",
)
CONFIG = """\
[profiles.prod]
url = "https://ch-1.example:8443"
user = "operator"
production = true
cluster = "main"

[profiles.lab]
url = "http://ch-lab.example:8123"
read_only = true

[profiles.typo]
url = "https://ch-2.example"
passwort = "env:X"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are shown from the home folder, so that they are the same wherever tests run."""
    monkeypatch.setenv("HOME", str(tmp_path))


def console(folder: Path, how: OpenSession | FixedSession | Exception, *, screen: str = "journal") -> HousekeysApp:
    open_it = how if callable(how) and not isinstance(how, Exception) else opening(how)
    return HousekeysApp(connected(start_in(folder, screen=screen, profile="prod"), open_it))


def app_of(pilot: Pilot[None]) -> HousekeysApp:
    return cast(HousekeysApp, pilot.app)


def shows(text: str, *keys: str) -> Steps:
    """Wait for `text`, then press keys."""

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: text in text_of(app_of(pilot)))
        await pilot.press(*keys)
        await pilot.pause()

    return steps


def then(first: Steps, text: str, *keys: str) -> Steps:
    """`first`, then wait for `text` and press keys."""

    async def steps(pilot: Pilot[None]) -> None:
        await first(pilot)
        await shows(text, *keys)(pilot)

    return steps


def journal(rows: Any = ROWS, **more: Any) -> FixedSession:
    return FixedSession(journal=FixedJournal(rows), **more)


@SIZES
def test_connecting(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(console(tmp_path, never), terminal_size=size, run_before=shows("Connecting"))


@SIZES
def test_cannot_connect(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(console(tmp_path, REFUSED), terminal_size=size, run_before=shows("Errno 111"))


@SIZES
def test_empty(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(console(tmp_path, journal(())), terminal_size=size, run_before=shows("is empty"))


@SIZES
def test_cannot_be_read(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    error = HousekeysError("No right to read the journal.", advice="Ask for: GRANT SELECT ON housekeys.*", detail="497")
    session = FixedSession(journal=FixedJournal(error=error))
    assert snap_compare(console(tmp_path, session), terminal_size=size, run_before=shows("No right"))


@SIZES
def test_journal(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=shows("acme_30"))


@SIZES
def test_journal_read_only_on_production(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    session = journal(profile=replace(PROFILE, production=True, cluster="main"), read_only=LOOK)
    assert snap_compare(console(tmp_path, session), terminal_size=size, run_before=shows("acme_30"))


@SIZES
def test_journal_filtered_and_marked(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = shows("acme_30", "slash", *"acme_1", "enter", "space", "space", "down")
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


@SIZES
def test_journal_detail(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = then(shows("acme_30", "down", "enter"), "ticket")
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


@SIZES
def test_journal_with_an_unfinished_change(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    session = journal(runner=FixedRunner([unfinished()]))
    assert snap_compare(console(tmp_path, session), terminal_size=size, run_before=shows("! Unfinished"))


@SIZES
def test_unfinished_change(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    session = journal(runner=FixedRunner([unfinished(in_doubt=True)]))
    steps = then(shows("! Unfinished", "U"), "In doubt")
    assert snap_compare(console(tmp_path, session), terminal_size=size, run_before=steps)


@SIZES
def test_hostile_names(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    rows = [row(number, name) for number, name in enumerate(HOSTILE)]
    assert snap_compare(console(tmp_path, journal(rows)), terminal_size=size, run_before=shows("[bold]"))


@SIZES
def test_help(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = then(shows("acme_30", "question_mark"), "Help")
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


@SIZES
def test_palette(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = shows("acme_30", "ctrl+p", *"sort")
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


@SIZES
def test_jump(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = shows("acme_30", "colon", *"pro")
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


# -- profiles


@SIZES
def test_profiles(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles"))
    assert snap_compare(app, terminal_size=size, run_before=shows("typo", "down", "down"))


@SIZES
def test_new_profile(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles"))
    steps = then(then(shows("typo", "n"), "New profile", *"stage", "enter"), "URL is needed")
    assert snap_compare(app, terminal_size=size, run_before=steps)


def profiles_here(folder: Path, monkeypatch: pytest.MonkeyPatch, *, read_only: bool | None = None) -> HousekeysApp:
    """The profiles of a file known by its name alone, so that previews are the same wherever tests run."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("core.configuring.abspath", str)
    start = start_in(folder, CONFIG, screen="profiles")
    paths = replace(start.paths, config_file=Path("config.toml"))
    return HousekeysApp(replace(start, paths=paths, profile_file=load(paths.config_file), read_only=read_only))


@SIZES
def test_profile_is_removed(
    snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    steps = then(shows("typo", "down", "x"), "-[profiles.lab]")
    assert snap_compare(profiles_here(tmp_path, monkeypatch), terminal_size=size, run_before=steps)


@SIZES
def test_profile_file_was_changed_meanwhile(
    snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await then(shows("typo", "down", "x"), "-[profiles.lab]")(pilot)
        (tmp_path / "config.toml").write_text(CONFIG + '\n[profiles.theirs]\nengine = "embedded"\n')
        await shows("Exactly this runs", "R")(pilot)
        await shows("Changed by someone else")(pilot)

    assert snap_compare(profiles_here(tmp_path, monkeypatch), terminal_size=size, run_before=steps)


@SIZES
def test_profiles_read_only(
    snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    app = profiles_here(tmp_path, monkeypatch, read_only=True)
    assert snap_compare(app, terminal_size=size, run_before=shows("typo"))


@SIZES
def test_profile_history(
    snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    app = profiles_here(tmp_path, monkeypatch)
    acts = ("create", "edit", "edit")
    rows = [row(number, "lab", kind="profile", action=action) for number, action in enumerate(acts)]
    rows = [replace(one, details={"file": "config.toml", "changed": "host, user"}) for one in rows]
    asyncio.run(LocalJournal(app.start.paths.configuration_journal).append([*rows, row(9, "prod", kind="profile")]))
    steps = then(shows("typo", "down", "enter", "right", "right"), "create")
    assert snap_compare(app, terminal_size=size, run_before=steps)


def test_profile_file_is_not_toml(snap_compare: SnapCompare, tmp_path: Path) -> None:
    app = HousekeysApp(start_in(tmp_path, "[profiles.prod\n", screen="profiles"))
    assert snap_compare(app, run_before=shows("embedded"))


# -- the one road

DROP = Change(
    "Remove tenant acme_prod",
    (StatementStep("Drop acme_prod", "DROP DATABASE `acme_prod`", no_undo="its 4.10 GiB are gone for good"),),
    Danger.DESTRUCTIVE,
    consequences=("12 tables with 4.10 GiB are lost.", "Its clients read nothing any more."),
    confirm_name="acme_prod",
)


def previewing(change: Change, *keys: str) -> Steps:
    async def steps(pilot: Pilot[None]) -> None:
        app = app_of(pilot)
        await until(pilot, lambda: app.connection.session)
        app.carry_out(change, lambda _report: None)
        await until(pilot, lambda: isinstance(app.screen, ChangeScreen) and app.screen.built)
        await pilot.press(*keys)
        await pilot.pause()

    return steps


@SIZES
def test_routine_change(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = previewing(creation("acme", 60))
    assert snap_compare(console(tmp_path, journal()), terminal_size=size, run_before=steps)


@SIZES
def test_destructive_change(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = previewing(DROP, *"acme_p")
    session = journal(profile=replace(PROFILE, production=True))
    assert snap_compare(console(tmp_path, session), terminal_size=size, run_before=steps)


@SIZES
def test_running_change(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    from tests.console.test_change import SlowRunner

    steps = then(previewing(creation("acme", 20), "R"), "3 of 20")
    app = console(tmp_path, journal(runner=SlowRunner()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_report_of_failures(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    from tests.console.test_change import SlowRunner

    steps = then(then(previewing(creation("acme", 20), "R"), "3 of 20", "escape"), "Code: 497")
    app = console(tmp_path, journal(runner=SlowRunner()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


def test_form_with_an_error(snap_compare: SnapCompare, tmp_path: Path) -> None:
    from tests.console.test_form import Sent

    app = console(tmp_path, journal())

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.connection.session)
        app.ask(Sent("There is a tenant acme already.").form(), lambda _result: None)
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        await pilot.press(*"acme")
        await until(pilot, lambda: app.screen.query_one("#form-preview", LinesView).lines)
        await pilot.press("enter")
        await until(pilot, lambda: "already" in text_of(app))

    assert snap_compare(app, run_before=steps)


def test_secret_is_asked(snap_compare: SnapCompare, tmp_path: Path) -> None:
    app = console(tmp_path, journal())

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.connection.session)
        app.run_worker(app.prompt_secret("Password of operator at ch-1.example:8443"))
        await shows("Password of operator", *"secret")(pilot)

    assert snap_compare(app, run_before=steps)


# -- colours


@SIZES
def test_light_theme(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    app = console(tmp_path, journal(profile=replace(PROFILE, production=True)))
    app.theme = "housekeys-light"
    assert snap_compare(app, terminal_size=size, run_before=shows("acme_30", "space"))


def test_no_color(snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console(tmp_path, journal(profile=replace(PROFILE, production=True), read_only=LOOK))
    assert snap_compare(app, run_before=shows("acme_30", "space"))
