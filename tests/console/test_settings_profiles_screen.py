"""The settings profiles screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from pathlib import Path

from core.access.model import NameSet, SettingElement
from tests.console.album import Take
from tests.console.sample_access import console, model_of
from tests.console.sample_limits import LIVE
from tests.console.starting import NARROW, REFUSED, WIDE, never, opening, told, until
from tests.console.walking import fill_in, run_change, run_named, see, type_in
from tui.screens.settings_profiles import SettingsProfilesScreen

PAGE = ("Settings profiles  3", "careful", "nightly")


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "settings-profiles")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, *PAGE)
        await type_in(pilot, "<down>", "<down>")
        await take(pilot, "page", *PAGE)
        await type_in(pilot, "e")
        await see(pilot, "Edit settings profile nightly")
        await type_in(pilot, "max_thread = 3", "<enter>")
        await take(pilot, "edit", "ADD SETTING max_thread = 3", "Did you mean max_threads?")
        await type_in(pilot, "<escape>", "d")
        await take(pilot, "summary", "readonly = 2 CONST  from careful", sizes=("80x24",))
        await type_in(pilot, "<right>")
        await take(pilot, "effective", "by nightly > careful", "in the place of 8 by careful", sizes=("80x24",))


async def test_pictures_of_other_states(take: Take, tmp_path: Path) -> None:
    for name, how, word in (("loading", never, "Connecting"), ("error", opening(REFUSED), "Cannot connect")):
        app = console(tmp_path / name, how, "settings-profiles")
        async with app.run_test(size=NARROW) as pilot:
            await take(pilot, name, word, sizes=("80x24",))
    app = console(tmp_path, LIVE, "settings-profiles", read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "READ-ONLY", *PAGE, sizes=("80x24",))
        screen = app.screen
        assert isinstance(screen, SettingsProfilesScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only (--read-only)"), command.id
        await pilot.press("e")
        await until(pilot, lambda: "nothing can be changed" in told(app))


async def test_a_profile_is_made_line_by_line_altered_and_dropped(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "settings-profiles")
    async with app.run_test(size=(100, 34)) as pilot:
        await see(pilot, *PAGE)
        await pilot.press("n")
        await see(pilot, "New settings profile")
        await type_in(pilot, "a_lean", "<tab>", "max_threads = 2 MIN 1 MAX 4", "<enter>", "max_memory_usage = lots")
        await see(pilot, "Line 2 cannot be read at column 20: expected a value")
        await type_in(pilot, *["<backspace>"] * 4, "1000", "<enter>", "max_threads = 3")
        await see(pilot, "Line 3 sets max_threads again, as line 1 does.")
        await type_in(pilot, *["<backspace>"] * 15, "readonly = 2 CONST")
        await fill_in(pilot, "inherits", "carefull")
        await see(pilot, "There is no settings profile carefull.")
        await fill_in(pilot, "inherits", "careful")
        await fill_in(pilot, "to", "boris")
        await see(
            pilot,
            "CREATE SETTINGS PROFILE `a_lean` SETTINGS INHERIT `careful`, max_threads = 2 MIN 1 MAX 4,",
            "ALTER SETTINGS PROFILE `a_lean` TO boris",
            "It then holds for boris.",
        )
        await pilot.press("enter")
        await run_change(pilot, "Settings profiles  4", "a_lean")
        profile = (await model_of(app)).settings_profiles["a_lean"]
        assert profile.to == NameSet(("boris",))
        assert profile.settings == (
            SettingElement(profile="careful"),
            SettingElement("max_threads", "2", "1", "4"),
            SettingElement("max_memory_usage", "1000"),
            SettingElement("readonly", "2", writability="CONST"),
        )
        # What inherits from it cannot be inherited by it, and what is dropped is taken out of what inherits from it.
        await pilot.press("down", "e")
        await see(pilot, "Edit settings profile careful")
        await fill_in(pilot, "inherits", "a_lean")
        await see(pilot, "The profile a_lean inherits from this one, so it would go in circles.")
        await type_in(pilot, "<escape>", "x")
        await see(pilot, "Settings profile a_lean inherits from it.", "Role loader inherits from it.")
        await run_named(pilot, "careful", "Settings profiles  3", "a_lean")
        model = await model_of(app)
        assert all(element.profile != "careful" for element in model.settings_profiles["a_lean"].settings)
        assert model.roles["loader"].settings == ()
