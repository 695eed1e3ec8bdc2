"""How every screen looks at 80x24 and at 160x48, in each of its states. `make snapshots` accepts a new look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.changes import Change, Danger, StatementStep
from core.errors import HousekeysError, UnreachableError
from core.journal.local_journal import LocalJournal
from core.profiles import load
from tests.console.album import Take
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
from tests.console.starting import HOSTILE, NARROW, connected, never, opening, start_in, until
from tests.console.walking import Seen, reconnect, see, type_in
from tui.app import HousekeysApp
from tui.screens.change import ChangeScreen
from tui.screens.form import FormScreen
from tui.start import OpenSession
from tui.widgets.lines import LinesView

pytestmark = pytest.mark.usefixtures("home")

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


def console(folder: Path, how: OpenSession) -> HousekeysApp:
    return HousekeysApp(connected(start_in(folder, screen="journal", profile="prod"), how))


def journal(rows: Any = ROWS, **more: Any) -> OpenSession:
    return opening(FixedSession(journal=FixedJournal(rows), **more))


PRODUCTION = replace(PROFILE, production=True)


async def test_the_journal_in_each_state(take: Take, tmp_path: Path) -> None:
    denied = HousekeysError(
        "No right to read the journal.", advice="Ask for: GRANT SELECT ON housekeys.*", detail="497"
    )
    hostile = [row(number, name) for number, name in enumerate(HOSTILE)]
    on_production = replace(PRODUCTION, cluster="main")
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "connecting", "Connecting")
        for name, how, words in (
            ("cannot-connect", opening(REFUSED), "Errno 111"),
            ("empty", journal(()), "is empty"),
            ("cannot-be-read", opening(FixedSession(journal=FixedJournal(error=denied))), "No right"),
            ("hostile-names", journal(hostile), "[bold]"),
            ("read-only-on-production", journal(profile=on_production, read_only=LOOK), "READ-ONLY"),
            ("unfinished", journal(runner=FixedRunner([unfinished()])), "! Unfinished"),
        ):
            await reconnect(pilot, how)
            await take(pilot, name, words)
        await reconnect(pilot, journal(runner=FixedRunner([unfinished(in_doubt=True)])))
        await type_in(pilot, Seen("! Unfinished"), "U")
        await take(pilot, "unfinished-change", "In doubt")


async def test_what_is_seen_from_the_journal(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, journal())
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "journal", "acme_30")
        await pilot.press("question_mark")
        await take(pilot, "help", "Help")
        await type_in(pilot, "<escape>", "<ctrl+p>", "sort")
        await take(pilot, "palette", "Sort")
        await type_in(pilot, "<escape>", "<colon>", "pro")
        await take(pilot, "jump", "Profiles")
        await type_in(pilot, "<escape>", "/", "acme_1", "<enter>", "<space>", "<space>", "<down>")
        await take(pilot, "filtered-and-marked", "2 marked")
        await type_in(pilot, "<escape>", "<escape>", "<home>", "<down>", "<enter>")
        await take(pilot, "detail", "ticket", sizes=("80x24", "160x48"))


# -- profiles


async def test_profiles(take: Take, tmp_path: Path) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles"))
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("typo"), "<down>", "<down>")
        await take(pilot, "page", "typo")
        await type_in(pilot, "<home>", "n", Seen("New profile"), "stage", "<enter>")
        await take(pilot, "new", "URL is needed")


def profiles_here(folder: Path, monkeypatch: pytest.MonkeyPatch, *, read_only: bool | None = None) -> HousekeysApp:
    """The profiles of a file known by its name alone, so that previews are the same wherever tests run."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("core.configuring.abspath", str)
    start = start_in(folder, CONFIG, screen="profiles")
    paths = replace(start.paths, config_file=Path("config.toml"))
    return HousekeysApp(replace(start, paths=paths, profile_file=load(paths.config_file), read_only=read_only))


async def test_a_profile_is_removed_and_its_history(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = profiles_here(tmp_path, monkeypatch)
    acts = ("create", "edit", "edit")
    rows = [row(number, "lab", kind="profile", action=action) for number, action in enumerate(acts)]
    rows = [replace(one, details={"file": "config.toml", "changed": "host, user"}) for one in rows]
    await LocalJournal(app.start.paths.configuration_journal).append([*rows, row(9, "prod", kind="profile")])
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("typo"), "<down>", "x")
        await take(pilot, "removed", "-[profiles.lab]")
        await type_in(pilot, "<escape>", Seen("typo"), "x", Seen("-[profiles.lab]"))
        (tmp_path / "config.toml").write_text(CONFIG + '\n[profiles.theirs]\nengine = "embedded"\n')
        await type_in(pilot, Seen("Exactly this runs"), "R")
        await take(pilot, "changed-meanwhile", "Changed by someone else")
        (tmp_path / "config.toml").write_text(CONFIG)
        await type_in(pilot, "<escape>", "r", Seen("typo"), "<home>", "<down>", "<enter>", "<right>", "<right>")
        await take(pilot, "history", "create", sizes=("80x24", "160x48"))


async def test_profiles_that_cannot_be_edited(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = profiles_here(tmp_path, monkeypatch, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "typo")
    app = HousekeysApp(start_in(tmp_path, "[profiles.prod\n", screen="profiles"))
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "no-toml", "embedded", sizes=("80x24",))


# -- the one road

DROP = Change(
    "Remove tenant acme_prod",
    (StatementStep("Drop acme_prod", "DROP DATABASE `acme_prod`", no_undo="its 4.10 GiB are gone for good"),),
    Danger.DESTRUCTIVE,
    consequences=("12 tables with 4.10 GiB are lost.", "Its clients read nothing any more."),
    confirm_name="acme_prod",
)


async def preview(pilot: Pilot[None], app: HousekeysApp, change: Change) -> None:
    """The page of `change`, before it runs."""
    await until(pilot, lambda: app.connection.session)
    app.carry_out(change, lambda _report: None)
    await until(pilot, lambda: isinstance(app.screen, ChangeScreen) and app.screen.built)


async def test_a_change_before_while_and_after_it_runs(take: Take, tmp_path: Path) -> None:
    from tests.console.test_change import SlowRunner

    app = console(tmp_path, journal())
    async with app.run_test(size=NARROW) as pilot:
        await preview(pilot, app, creation("acme", 60))
        await take(pilot, "routine", "Exactly this runs")
        await pilot.press("escape")
        await reconnect(pilot, journal(profile=PRODUCTION))
        await preview(pilot, app, DROP)
        await type_in(pilot, "acme_p")
        await take(pilot, "destructive", "acme_p")
        await pilot.press("escape")
        await reconnect(pilot, journal(runner=SlowRunner()))
        await preview(pilot, app, creation("acme", 20))
        await pilot.press("R")
        await take(pilot, "running", "3 of 20")
        await pilot.press("escape")
        await take(pilot, "failures", "Code: 497")


async def test_what_is_asked(take: Take, tmp_path: Path) -> None:
    from tests.console.test_form import Sent

    app = console(tmp_path, journal())
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "acme_30")
        app.run_worker(app.prompt_secret("Password of operator at ch-1.example:8443"))
        await type_in(pilot, Seen("Password of operator"), "secret")
        await take(pilot, "secret", "Password of operator", sizes=("80x24",))
        await pilot.press("escape")
        app.ask(Sent("There is a tenant acme already.").form(), lambda _result: None)
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        await pilot.press(*"acme")
        await until(pilot, lambda: app.screen.query_one("#form-preview", LinesView).lines)
        await pilot.press("enter")
        await take(pilot, "form-with-an-error", "already", sizes=("80x24",))


# -- colours


async def test_light_theme(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, journal(profile=PRODUCTION))
    app.theme = "housekeys-light"
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("acme_30"), "<space>")
        await take(pilot, "page", "1 marked")


async def test_no_color(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console(tmp_path, journal(profile=PRODUCTION, read_only=LOOK))
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("acme_30"), "<space>")
        await take(pilot, "page", "1 marked", sizes=("80x24",))
