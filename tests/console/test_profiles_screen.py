"""Profiles in the console: what is wrong with them, adding, editing, removing, testing, and a file others edit too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.configuring import Configuration, plan_rename
from core.errors import BadInputError
from core.profiles import CloudSettings, LakehouseSettings, Profile, ProfileFile, load
from core.profiles.partner import PartnerPolicy
from core.profiles.renaming import renamed
from core.running import files
from core.secrets import SecretReference
from tests.console.starting import WIDE, start_in, text_of, told, until
from tests.console.walking import run_change, see
from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub
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

LAKEHOUSE = """
[profiles.lab.lakehouse]
service = "{}"
instance = "{}"
workspace = "{}"
username = "{}"
password = "env:LAKEHOUSE_TEST_PASSWORD"
secure = false

[profiles.lab.clouds.aws]
provision = true
credentials_profile = "nobody"
"""
PARTNER = """
[profiles.lab.partner]
base_url = "https://connect.acme.example"
resources = { quota = "partners" }
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


async def run_it(pilot: Any, title: str) -> None:
    """Look at the preview, and run it."""
    app = pilot.app
    await see(pilot, title, "Exactly this runs")
    await pilot.press("R")
    await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and f"Done: {title}" in told(app))


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
        assert "+[profiles.stage]" in await see(pilot, "Add profile stage", "Every step can be taken back")
        assert (tmp_path / "config.toml").read_text() == CONFIG
        await pilot.press("enter")  # a routine change: the choice in focus runs it
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and len(app.screen.table.shown) == 5)
        assert [row.name for row in screen_of(app).chosen] == ["stage"]
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
        await run_it(pilot, "Edit profile prod")
    assert (tmp_path / "config.toml").read_text() == CONFIG.replace('user = "operator"', 'user = "operator2"')


async def test_removing_is_asked_with_cancel_first(tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test() as pilot:
        await ready(pilot, "lab")
        await pilot.press("x")
        assert "-[profiles.lab]" in await see(
            pilot, "DISRUPTIVE: lines of this file go", "Data, private keys", "Exactly"
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen))
        assert (tmp_path / "config.toml").read_text() == CONFIG
        await pilot.press("x")
        await see(pilot, "Exactly this runs")
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and "Done: Remove" in told(app))
        await ready(pilot, "embedded")
        await pilot.press("x")
        await until(pilot, lambda: "built-in" in told(app))
    assert "lab" not in (tmp_path / "config.toml").read_text()


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize(
    ("theirs", "names", "line"),
    [
        (
            CONFIG + "\n[profiles.theirs]\nengine = 'embedded'\n",
            {"prod", "lab", "broken", "theirs", "embedded"},
            "-[profiles.theirs]",
        ),
        ("[profiles.theirs\n", {"embedded"}, "-[profiles.theirs"),
    ],
    ids=["edited", "no TOML"],
)
async def test_a_file_that_others_changed_is_shown_before_it_is_overwritten(
    tmp_path: Path, over: bool, theirs: str, names: set[str], line: str
) -> None:
    app = console(tmp_path)
    path = tmp_path / "config.toml"
    mine = load(path).without("lab")
    async with app.run_test() as pilot:
        await ready(pilot, "lab")
        await pilot.press("x")
        await see(pilot, "Exactly this runs")
        path.write_text(theirs)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen) and app.screen.built)
        assert "Changed by someone else" in text_of(app)
        assert line in app.screen.query_one(LinesView).plain.splitlines()
        assert path.read_text() == theirs
        await pilot.press(*(["right"] if over else []), "enter")
        wanted = set(mine.names) if over else names
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and {*names_in(app)} == wanted)
    assert path.read_text() == (mine.text if over else theirs)


def names_in(app: HousekeysApp) -> list[str]:
    return [row.name for row in screen_of(app).table.shown]


async def test_the_last_change_is_taken_back(tmp_path: Path) -> None:
    app = console(tmp_path)
    path = tmp_path / "config.toml"
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "lab")
        await pilot.press("U")
        await until(pilot, lambda: "no change to undo" in told(app))
        await pilot.press("x")
        await run_it(pilot, "Remove profile lab")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and len(app.screen.table.shown) == 3)
        assert "lab" not in path.read_text()
        await pilot.press("U")
        assert "+[profiles.lab]" in await see(pilot, "Undo: Remove profile lab")
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and len(app.screen.table.shown) == 4)
        assert path.read_text() == CONFIG
        await ready(pilot, "lab")
        screen_of(app).show_tab("History")
        await until(pilot, lambda: "remove" in screen_of(app).pane.view.plain)
        lines = screen_of(app).pane.view.plain.splitlines()
        assert [line.split()[-1] for line in lines if "UTC" in line] == ["create", "remove"]
        assert any("engine: embedded" in line for line in lines)
        await ready(pilot, "prod")
        await until(pilot, lambda: "Nothing about it" in screen_of(app).pane.view.plain)


async def test_an_undo_of_what_others_changed_since_is_not_run(tmp_path: Path) -> None:
    app = console(tmp_path)
    path = tmp_path / "config.toml"
    async with app.run_test() as pilot:
        await ready(pilot, "lab")
        await pilot.press("x")
        await run_it(pilot, "Remove profile lab")
        path.write_text(theirs := path.read_text() + "# theirs\n")
        await pilot.press("U")
        await run_change(pilot, "It was not run", "changed by someone else")
        assert path.read_text() == theirs


async def test_a_renaming_is_previewed_and_followed(tmp_path: Path) -> None:
    app = HousekeysApp(start_in(tmp_path, CONFIG, screen="profiles", profile="lab"))
    changes = tmp_path / "state" / "changes"
    (changes / "lab").mkdir(parents=True)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "lab")
        await pilot.press("m")
        await see(pilot, "New name")
        await pilot.press("2", "enter")
        assert f"move {changes / 'lab'} to" in " ".join((await see(pilot, "Rename profile lab to lab2")).split())
        await run_it(pilot, "Rename profile lab to lab2")
        await until(pilot, lambda: app.connection.profile_name == "lab2")
    assert [path.name for path in changes.iterdir() if not path.name.startswith(".")] == ["lab2"]
    assert "lab2" in load(tmp_path / "config.toml").profiles


async def test_what_a_crash_left_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = start_in(tmp_path, CONFIG, screen="profiles")
    paths, before = start.paths, start.profile_file
    paths.changes("lab").mkdir(parents=True)
    change = plan_rename(before, renamed(before, "lab", "lab2", paths), "lab", "lab2", paths)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "_move", die)
        await Configuration.open(paths, before.preferences, read_only=None).runner.run(change)

    app = HousekeysApp(start_in(tmp_path, screen="profiles"))
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Unfinished, press U: Rename profile lab to lab2", "lab2")
        await pilot.press("U")
        await see(pilot, "1 of 2 steps were done")
        await pilot.press("c")
        await run_it(pilot, "Rename profile lab to lab2")
        await until(pilot, lambda: isinstance(app.screen, ProfilesScreen) and "Unfinished" not in text_of(app))
    assert paths.changes("lab2").exists() and not paths.changes("lab").exists()


def die(*_arguments: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("config", "flag", "reason"),
    [
        (CONFIG, True, "Read-only (--read-only)"),
        (f"read_only = true\n{CONFIG}", None, "Read-only (the preferences: read_only = true)"),
        ("[profiles.prod\n", None, "before it can be read"),
        (f"read_only = true\n{CONFIG}", False, ""),
        (CONFIG.replace("production", "read_only"), None, ""),
    ],
    ids=["flag", "preferences", "no TOML", "--write", "a profile"],
)
async def test_read_only_is_of_the_run_or_the_preferences(
    tmp_path: Path, config: str, flag: bool | None, reason: str
) -> None:
    app = HousekeysApp(replace(start_in(tmp_path, config, screen="profiles"), read_only=flag))
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "prod" if "]" in config else "embedded")
        modifying = [command for command in (*screen_of(app).commands(), *app.commands()) if command.modifies]
        assert len(modifying) == 6  # with the undo
        for command in modifying:
            assert (reason in screen_of(app).why_not(command)) if reason else not screen_of(app).why_not(command)
        await pilot.press("n")
        if reason:
            await until(pilot, lambda: reason in told(app))
        else:
            await see(pilot, "New profile")


async def test_a_test_connects_once_and_shows_what_the_user_may_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_TEST_PASSWORD", PASSWORD)
    app = console(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, "lab")
        await pilot.press("t")
        await until(pilot, lambda: "The connection works." in text_of(app))
        shown = screen_of(app).pane.view.plain
        assert all(word in shown for word in ("latency", "create database", "user", "version"))
        assert app.connection.session is None
        assert "Lakehouse" not in shown
        with LakehouseStub() as lakehouse:
            with (tmp_path / "config.toml").open("a") as config:
                config.write(LAKEHOUSE.format(lakehouse.service, INSTANCE, WORKSPACE, USER))
                config.write(PARTNER)
            await pilot.press("r")
            await until(pilot, lambda: any(row.profile and row.profile.lakehouse for row in screen_of(app).table.shown))
            await pilot.press("t")
            await until(pilot, lambda: f"workspace {WORKSPACE}, 0 connections" in screen_of(app).pane.view.plain)
        assert "The config profile (nobody) could not be found." in screen_of(app).pane.view.plain
        assert "There is no quota partners." in screen_of(app).pane.view.plain
        assert "Run: housekeys -p lab quota create partners" in screen_of(app).pane.view.plain
        assert any("AWS, Partner Connect failed" in row.tested for row in screen_of(app).table.shown)


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
        Profile("p", host="h", partner=PartnerPolicy("https://c.example", supports_demo=False)),
        Profile(
            "g",
            host="h",
            lakehouse=LakehouseSettings("s:1", "i", "w", "u", SecretReference.parse("env:X"), "v", "x", secure=False),
            clouds={"aws": CloudSettings(True, region="cn-north-1"), "aliyun": CloudSettings()},
        ),
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
