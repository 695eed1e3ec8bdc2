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
from tests.console.both_sizes import Pictures
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
from tests.console.starting import HOSTILE, connected, never, opening, start_in, text_of, until
from tui.app import HousekeysApp
from tui.screens.change import ChangeScreen
from tui.screens.form import FormScreen
from tui.start import OpenSession
from tui.widgets.lines import LinesView

pytestmark = pytest.mark.usefixtures("home")
SnapCompare = Callable[..., bool]
Steps = Callable[[Pilot[None]], Awaitable[None]]

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


def test_connecting(pictures: Pictures, tmp_path: Path) -> None:
    assert pictures(console(tmp_path, never), shows("Connecting"))


def test_cannot_connect(pictures: Pictures, tmp_path: Path) -> None:
    assert pictures(console(tmp_path, REFUSED), shows("Errno 111"))


def test_empty(pictures: Pictures, tmp_path: Path) -> None:
    assert pictures(console(tmp_path, journal(())), shows("is empty"))


def test_cannot_be_read(pictures: Pictures, tmp_path: Path) -> None:
    error = HousekeysError("No right to read the journal.", advice="Ask for: GRANT SELECT ON housekeys.*", detail="497")
    session = FixedSession(journal=FixedJournal(error=error))
    assert pictures(console(tmp_path, session), shows("No right"))


def test_journal(pictures: Pictures, tmp_path: Path) -> None:
    assert pictures(console(tmp_path, journal()), shows("acme_30"))


def test_journal_read_only_on_production(pictures: Pictures, tmp_path: Path) -> None:
    session = journal(profile=replace(PROFILE, production=True, cluster="main"), read_only=LOOK)
    assert pictures(console(tmp_path, session), shows("acme_30"))


def test_journal_filtered_and_marked(pictures: Pictures, tmp_path: Path) -> None:
    steps = shows("acme_30", "slash", *"acme_1", "enter", "space", "space", "down")
    assert pictures(console(tmp_path, journal()), steps)


def test_journal_detail(pictures: Pictures, tmp_path: Path) -> None:
    steps = then(shows("acme_30", "down", "enter"), "ticket")
    assert pictures(console(tmp_path, journal()), steps)


def test_journal_with_an_unfinished_change(pictures: Pictures, tmp_path: Path) -> None:
    session = journal(runner=FixedRunner([unfinished()]))
    assert pictures(console(tmp_path, session), shows("! Unfinished"))


def test_unfinished_change(pictures: Pictures, tmp_path: Path) -> None:
    session = journal(runner=FixedRunner([unfinished(in_doubt=True)]))
    steps = then(shows("! Unfinished", "U"), "In doubt")
    assert pictures(console(tmp_path, session), steps)


def test_hostile_names(pictures: Pictures, tmp_path: Path) -> None:
    rows = [row(number, name) for number, name in enumerate(HOSTILE)]
    assert pictures(console(tmp_path, journal(rows)), shows("[bold]"))


def test_help(pictures: Pictures, tmp_path: Path) -> None:
    steps = then(shows("acme_30", "question_mark"), "Help")
    assert pictures(console(tmp_path, journal()), steps)


def test_palette(pictures: Pictures, tmp_path: Path) -> None:
    steps = shows("acme_30", "ctrl+p", *"sort")
    assert pictures(console(tmp_path, journal()), steps)


def test_jump(pictures: Pictures, tmp_path: Path) -> None:
    steps = shows("acme_30", "colon", *"pro")
    assert pictures(console(tmp_path, journal()), steps)


# -- profiles


def test_profiles(pictures: Pictures, tmp_path: Path) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles"))
    assert pictures(app, shows("typo", "down", "down"))


def test_new_profile(pictures: Pictures, tmp_path: Path) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles"))
    steps = then(then(shows("typo", "n"), "New profile", *"stage", "enter"), "URL is needed")
    assert pictures(app, steps)


def profiles_here(folder: Path, monkeypatch: pytest.MonkeyPatch, *, read_only: bool | None = None) -> HousekeysApp:
    """The profiles of a file known by its name alone, so that previews are the same wherever tests run."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("core.configuring.abspath", str)
    start = start_in(folder, CONFIG, screen="profiles")
    paths = replace(start.paths, config_file=Path("config.toml"))
    return HousekeysApp(replace(start, paths=paths, profile_file=load(paths.config_file), read_only=read_only))


def test_profile_is_removed(pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = then(shows("typo", "down", "x"), "-[profiles.lab]")
    assert pictures(profiles_here(tmp_path, monkeypatch), steps)


def test_profile_file_was_changed_meanwhile(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await then(shows("typo", "down", "x"), "-[profiles.lab]")(pilot)
        (tmp_path / "config.toml").write_text(CONFIG + '\n[profiles.theirs]\nengine = "embedded"\n')
        await shows("Exactly this runs", "R")(pilot)
        await shows("Changed by someone else")(pilot)

    assert pictures(profiles_here(tmp_path, monkeypatch), steps)


def test_profiles_read_only(pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = profiles_here(tmp_path, monkeypatch, read_only=True)
    assert pictures(app, shows("typo"))


def test_profile_history(pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = profiles_here(tmp_path, monkeypatch)
    acts = ("create", "edit", "edit")
    rows = [row(number, "lab", kind="profile", action=action) for number, action in enumerate(acts)]
    rows = [replace(one, details={"file": "config.toml", "changed": "host, user"}) for one in rows]
    asyncio.run(LocalJournal(app.start.paths.configuration_journal).append([*rows, row(9, "prod", kind="profile")]))
    steps = then(shows("typo", "down", "enter", "right", "right"), "create")
    assert pictures(app, steps)


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


def test_routine_change(pictures: Pictures, tmp_path: Path) -> None:
    steps = previewing(creation("acme", 60))
    assert pictures(console(tmp_path, journal()), steps)


def test_destructive_change(pictures: Pictures, tmp_path: Path) -> None:
    steps = previewing(DROP, *"acme_p")
    session = journal(profile=replace(PROFILE, production=True))
    assert pictures(console(tmp_path, session), steps)


def test_running_change(pictures: Pictures, tmp_path: Path) -> None:
    from tests.console.test_change import SlowRunner

    steps = then(previewing(creation("acme", 20), "R"), "3 of 20")
    app = console(tmp_path, journal(runner=SlowRunner()))
    assert pictures(app, steps)


def test_report_of_failures(pictures: Pictures, tmp_path: Path) -> None:
    from tests.console.test_change import SlowRunner

    steps = then(then(previewing(creation("acme", 20), "R"), "3 of 20", "escape"), "Code: 497")
    app = console(tmp_path, journal(runner=SlowRunner()))
    assert pictures(app, steps)


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


def test_light_theme(pictures: Pictures, tmp_path: Path) -> None:
    app = console(tmp_path, journal(profile=replace(PROFILE, production=True)))
    app.theme = "housekeys-light"
    assert pictures(app, shows("acme_30", "space"))


def test_no_color(snap_compare: SnapCompare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console(tmp_path, journal(profile=replace(PROFILE, production=True), read_only=LOOK))
    assert snap_compare(app, run_before=shows("acme_30", "space"))
