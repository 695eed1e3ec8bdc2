"""Every command of every screen: its method exists, its key is its own, its words are known, it fits in the footer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.screen import Screen

from core.clickhouse.abilities import abilities
from tests.console.sessions import FixedSession
from tests.console.starting import NARROW, connected, opening, start_in, until
from tui.app import HousekeysApp
from tui.commands import EVERYWHERE, Command
from tui.screens.base import ConsoleScreen
from tui.screens.entity import SORTS
from tui.screens.registry import SCREENS, Entry, entry
from tui.widgets.chrome import ChromeLine

ABILITIES = {ability.name for ability in abilities("housekeys")}
every_screen = pytest.mark.parametrize("found", SCREENS, ids=lambda found: found.id)


def keys_of(commands: tuple[Command, ...]) -> list[str]:
    return [key for command in commands for key in command.keys.split(",") if key]


@every_screen
def test_a_screen_keeps_the_contract_of_its_commands(found: Entry) -> None:
    screen: ConsoleScreen[Any] = found.create()
    assert found.id == screen.SCREEN_ID
    for command in screen.commands():
        assert command.description.endswith("."), command.id
        assert not command.ability or command.ability in ABILITIES, command.id
        if not command.id.startswith(SORTS):
            assert callable(getattr(screen, command.call)), command.id
        assert not hasattr(Screen, command.call), f"{command.id}: {command.call} is a method of Textual"
    twice = [key for key, times in Counter(keys_of(screen.commands())).items() if times > 1]
    assert not twice, "a key belongs to one command"
    assert not set(keys_of(screen.commands())) & (set(keys_of(EVERYWHERE)) | {e.key for e in SCREENS})


def test_the_commands_that_work_everywhere_have_their_methods() -> None:
    for command in EVERYWHERE:
        assert callable(getattr(HousekeysApp, command.call))
        assert not hasattr(App, command.call)


def test_screens_have_numbers_of_their_own_and_an_unknown_one_is_the_first() -> None:
    assert len({e.key for e in SCREENS if e.key}) == len([e for e in SCREENS if e.key])
    assert len({e.id for e in SCREENS}) == len(SCREENS)
    assert entry("nowhere") is SCREENS[0]


@every_screen
async def test_help_and_jump_stay_in_the_footer_at_80_columns(found: Entry, tmp_path: Path) -> None:
    app = HousekeysApp(connected(start_in(tmp_path, screen=found.id), opening(FixedSession())))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: app.connection.session)
        footer = app.screen.query_one("#footer", ChromeLine).plain
        assert "? help" in footer
        assert ": jump" in footer
        assert "…" not in footer
