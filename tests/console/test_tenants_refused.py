"""The tenants screen when things are not as they should be: names that mean harm, missing rights, errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from core.display import one_line
from core.errors import UnreachableError
from core.profiles import ProfileFile
from core.secrets import Prompt
from core.session import Session
from tests.console.ledger import opened_with
from tests.console.sample_tenants import HOSTILE_NAMES, USER, databases
from tests.console.starting import NARROW, WIDE, text_of, told, until
from tests.console.tenants_console import console, cursor, names, readable, screen, session_of
from tests.console.walking import reconnect, run_change, see, type_in
from tui.screens.tenants import TenantsScreen
from tui.start import Start


async def test_names_that_mean_harm_are_shown_as_they_are(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases(*HOSTILE_NAMES, granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        for size, next_tab in ((NARROW, "tab"), (WIDE, "right")):
            await pilot.resize_terminal(*size)
            await see(pilot, f"Tenants  {len(HOSTILE_NAMES)}")
            for name in HOSTILE_NAMES:
                assert screen(app).table.move_to(name)
                await pilot.press("d")
                await see(pilot, one_line(name), "tenant since")
                for tab in screen_tabs():
                    await pilot.press(next_tab)
                    await see(pilot, f"[{tab}]")
                    await until(pilot, lambda: "Reading" not in text_of(app))
                    assert all(character.isprintable() or character == "\n" for character in text_of(app))
                await pilot.press("escape")
            await pilot.press("e")
            await see(pilot, "Edit")
            await type_in(pilot, "[b]x", "<enter>")
            await run_change(pilot, "Tenants")


def screen_tabs() -> tuple[str, ...]:
    return TenantsScreen.TABS[1:] + TenantsScreen.TABS[:1]


async def test_names_that_mean_harm_are_created_exactly(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases()))
    created: set[str] = set()
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "No tenants yet.")
        for name in filter(str.isprintable, HOSTILE_NAMES):
            await pilot.press("n")
            await see(pilot, "New tenant")
            field = app.focused
            assert isinstance(field, Input)
            field.insert_text_at_cursor(name)  # as pasted: most of these cannot be typed
            await see(pilot, "CREATE DATABASE")
            await pilot.press("enter")
            created.add(name)
            await run_change(pilot, f"Tenants  {len(created)}")
            assert screen(app).table.move_to(name)
            await see(pilot, one_line(name), "tenant since")
            assert await names(app) == created
        assert len(created) > 1
        assert await readable(app) == created


async def test_the_cursor_stays_with_its_row_and_an_error_keeps_the_rows_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = console(tmp_path, opened_with(prepare=databases("m", "n", "o", granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Tenants  3")
        await pilot.press("down", "space")
        engine = session_of(app).engine
        for name in ("a", "z"):
            await engine.command(f"CREATE DATABASE {name}")
            await engine.command(f"GRANT SELECT ON {name}.* TO {USER}")
        await pilot.press("r")
        await see(pilot, "Tenants  5")
        assert cursor(app) == "o"
        assert screen(app).table.marks == {"n"}

        async def broken(_session: Session) -> None:
            raise UnreachableError("The server has gone away.")

        with monkeypatch.context() as patch:
            patch.setattr("tui.screens.tenants.survey", broken)
            await pilot.press("r")
            await see(pilot, "stale", "active")
        await pilot.press("r")
        await until(pilot, lambda: "stale" not in text_of(app))


async def test_one_at_a_time_is_removed_and_edited_and_read_again_before_anything_is_done_with_it(
    tmp_path: Path,
) -> None:
    app = console(tmp_path, opened_with(prepare=databases("acme", "globex", granted=True)))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Tenants  2")
        for key in ("x", "e"):
            app.clear_notifications()
            await pilot.press("asterisk", key)
            await until(pilot, lambda: "one at a time" in told(app))
            await pilot.press("escape")
        engine = session_of(app).engine
        await engine.command(f"REVOKE SELECT ON acme.* FROM {USER}")
        await pilot.press("s")
        await until(pilot, lambda: "acme is not there any more" in told(app))
        await see(pilot, "Tenants  1")
        await engine.command(f"REVOKE SELECT ON globex.* FROM {USER}")
        await pilot.press("x")
        await until(pilot, lambda: "globex is not there any more" in told(app))


async def test_commands_say_why_they_cannot_and_which_grant_to_ask_for(tmp_path: Path) -> None:
    async def poor(start: Start, file: ProfileFile, name: str, prompt: Prompt) -> Session:
        session = await opened_with()(start, file, name, prompt)
        may = session.capabilities.may - {"grant", "create database"}
        reasons = {
            "grant": "The right to grant SELECT is missing. Ask for: GRANT SELECT ON *.* TO `op` WITH GRANT OPTION",
            "create database": "The right CREATE DATABASE is missing. Ask for: GRANT CREATE DATABASE ON *.* TO `op`",
        }
        reasons |= session.capabilities._reasons
        session.capabilities = replace(session.capabilities, may=may, _reasons=reasons)
        return session

    app = console(tmp_path, opened_with(prepare=databases("a", "b", granted=True)), read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "READ-ONLY", "Tenants  2")
        for key in ("n", "s", "R", "e", "x", "a", "i", "t"):
            app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: "Read-only (--read-only)" in told(app))
        assert screen(app)
        app.clear_notifications()
        await reconnect(pilot, poor)
        await see(pilot, "Tenants  2")
        await pilot.press("n")
        await until(pilot, lambda: "GRANT CREATE DATABASE ON *.*" in told(app))
        await pilot.press("s")
        await until(pilot, lambda: "WITH GRANT OPTION" in told(app))
