"""Profiles in the console: what is wrong with them, adding, editing, removing, testing, and a file others edit too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInputError
from core.profiles import Profile, ProfileFile, load
from core.secrets import SecretReference
from tests.console.starting import WIDE, start_in, text_of, told, until
from tui.app import HousekeysApp
from tui.screens.form import FormScreen
from tui.screens.profile_form import fields_for, profile_from, settings_from, settings_text
from tui.screens.profiles import ProfilesScreen
from tui.screens.question import QuestionScreen
from tui.widgets.lines import LinesView

CONFIG = """\
# our servers
[profiles.prod]
url = "https://ch-1.example:8443"   # behind the balancer
user = "operator"
password = "env:HOME"
production = true

[profiles.prod.settings]
max_threads = 4

[profiles.lab]
engine = "embedded"

[profiles.broken]
url = "https://x"
portt = 3
"""


def console(folder: Path, config: str = CONFIG) -> HousekeysApp:
    return HousekeysApp(start_in(folder, config, screen="profiles"))


def screen_of(app: HousekeysApp) -> ProfilesScreen:
    assert isinstance(app.screen, ProfilesScreen)
    return app.screen


async def ready(pilot: Any, name: str) -> None:
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and app.screen.table.total)
    assert app.screen.table.move_to(name)
    await pilot.pause()


async def test_a_broken_profile_is_listed_with_its_line_and_the_others_work(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "broken")
        await until(pilot, lambda: "portt" in text_of(app))
        assert "config.toml:16" in screen_of(app).pane.view.plain
        await pilot.press("c")
        await until(pilot, lambda: "cannot be opened" in told(app))
        assert app.connection.status == "closed"


async def test_a_profile_is_added_and_comments_stay(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test() as pilot:
        await ready(pilot, "prod")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        await pilot.press(*"stage", "tab", "tab", *"http://ch-9:8123")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and len(app.screen.table.shown) == 5 + 0)
    text = (tmp_path / "config.toml").read_text()
    assert text.startswith(CONFIG)
    assert load(tmp_path / "config.toml").profiles["stage"] == Profile(
        "stage", host="ch-9", port=8123, secure=False, user="default"
    )


async def test_an_edit_changes_only_what_was_changed(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test() as pilot:
        await ready(pilot, "prod")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        await pilot.press("tab", "tab", "2", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and "Saved" in told(app))
    assert (tmp_path / "config.toml").read_text() == CONFIG.replace('user = "operator"', 'user = "operator2"')


async def test_removing_is_asked_with_cancel_first(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test() as pilot:
        await ready(pilot, "lab")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        assert "-[profiles.lab]" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and "Saved" in told(app))
        await ready(pilot, "embedded")
        await pilot.press("x")
        await until(pilot, lambda: "built-in" in told(app))
    assert "lab" not in (tmp_path / "config.toml").read_text()


@pytest.mark.parametrize("over", [True, False])
async def test_a_file_that_others_changed_is_shown_before_it_is_overwritten(tmp_path: Path, over: bool) -> None:
    app = console(tmp_path)
    path = tmp_path / "config.toml"
    async with app.run_test() as pilot:
        await ready(pilot, "lab")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        path.write_text(CONFIG + "\n[profiles.theirs]\nengine = 'embedded'\n")
        await pilot.press("right", "enter")
        await until(pilot, lambda: "Changed by someone else" in text_of(app))
        assert "-[profiles.theirs]" in app.screen.query_one(LinesView).plain
        await pilot.press(*(["right"] if over else []), "enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and app.screen.table.total)
        await until(pilot, lambda: ("theirs" in text_of(app)) is not over)
    assert ("theirs" in path.read_text()) is not over


async def test_a_test_connects_once_and_shows_what_the_user_may_do(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "lab")
        await pilot.press("t")
        await until(pilot, lambda: "The connection works." in text_of(app))
        shown = screen_of(app).pane.view.plain
        assert all(word in shown for word in ("latency", "create database", "user", "version"))
        assert app.connection.session is None


async def test_a_dead_server_is_told_and_blocks_nothing(tmp_path: Path) -> None:
    app = console(tmp_path, '[profiles.dead]\nurl = "http://127.0.0.1:1"\nconnect_timeout = 2\n')
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "dead")
        await pilot.press("t")
        await pilot.press("down", "up")
        await until(pilot, lambda: "Press t to try again." in text_of(app))
        await pilot.press("escape", "c")
        await until(pilot, lambda: app.connection.status == "failed")
        await until(pilot, lambda: "not connected" in text_of(app))
        screen_of(app).table.move_to("embedded")
        await pilot.press("c")
        await until(pilot, lambda: app.connection.status == "open")
        await until(pilot, lambda: "open" in text_of(app))


# -- the form and the profile


def roundtrip(profile: Profile) -> Profile:
    file: ProfileFile = load(Path("/nowhere/config.toml"))
    values = {field.name: field.value for field in fields_for(profile, file, new=False)}
    shown = [
        field for field in fields_for(profile, file, new=False) if field.shown_if is None or field.shown_if(values)
    ]
    assert not [field.problem(field.value) for field in shown if field.problem(field.value)]
    return profile_from({field.name: field.value for field in shown}, profile)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(
            "a", host="ch-1.example", user="op", settings={"max_threads": 4, "x": 'it\'s "q"', "y": 1.5, "z": True}
        ),
        Profile("b", host="::1", port=8123, secure=False, cluster="main", read_only=True, production=True),
        Profile(
            "c", host="h", verify=False, ca_file=Path("/ca.pem"), client_certificate=Path("/c"), client_key=Path("/k")
        ),
        Profile("d", host="h", password=SecretReference.parse(["command:pass", "show", "a b"])),
        Profile("e", host="h", password=SecretReference.parse("keyring:service/name"), read_only=False),
        Profile("f", engine="embedded", folder=Path("/srv/lab"), query_log=True, database="j"),
    ],
    ids=lambda profile: profile.name,
)
def test_a_profile_goes_through_the_form_unchanged(profile: Profile) -> None:
    back = roundtrip(profile)
    if profile.password is not None and back.password is not None:
        assert back.password.words == profile.password.words
        back = Profile(**{**{name: getattr(back, name) for name in Profile.__slots__}, "password": profile.password})
    assert back == profile


def test_settings_are_typed_as_toml() -> None:
    assert settings_from(settings_text({"a": 1, "b": "x\ny"})) == {"a": 1, "b": "x\ny"}
    for wrong in ("a = ", "readonly = 1", "a = [1]", "a.b.c = {d = 1}"):
        with pytest.raises(BadInputError):
            settings_from(wrong)
