"""Keys that arrive together, as over a slow line, have the effect that they have one by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.console.ledger import opened_with
from tests.console.sample_tenants import databases
from tests.console.starting import text_of, until
from tests.console.tenants_console import console, names
from tests.console.test_form import Sent, form_app
from tests.console.walking import see
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.form import FormScreen


def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Keys in one packet: nothing is awaited between them."""
    for key in keys:
        character = {"space": " "}.get(key, key if len(key) == 1 else None)
        pilot.app.post_message(events.Key(key, character))


async def test_text_behind_a_tab_goes_to_the_next_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 0.2)  # a field that has just appeared is laid out late
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        at_once(pilot, *"acme", "tab", "right", "tab", "space", "tab", *"because", "enter")
        await until(pilot, lambda: sent.results)
    assert sent.values[0]["name"] == "acme"
    assert sent.values[0]["kind"] == "Replicated"
    assert sent.values[0]["why"] == "because"


async def test_a_key_waits_for_whoever_is_still_at_the_effect_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once_shown = FormScreen.on_field_row_changed

    async def shown_later(form: FormScreen[object]) -> None:
        await asyncio.sleep(0.05)  # a busy machine
        await at_once_shown(form)

    monkeypatch.setattr(FormScreen, "on_field_row_changed", shown_later)
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        at_once(pilot, *"acme", "tab", "tab", "space", "tab", *"because", "enter")
        await until(pilot, lambda: sent.results)
    assert sent.values[0]["why"] == "because"


class ClosedMeanwhile(ChooserScreen):
    """A page that its key closes while it is waited for: nothing will be drawn on it any more."""

    async def wait_for_refresh(self) -> bool:
        if not self._chosen:  # no key so far
            return await super().wait_for_refresh()
        self.app.call_later(lambda: self.dismiss(None) and None)
        return await asyncio.Event().wait()


class FoundLater(ChooserScreen):
    """A page on a busy machine."""

    async def on_input_changed(self, message: Input.Changed) -> None:  # type: ignore[override]
        await asyncio.sleep(0.05)
        super().on_input_changed(message)


async def test_a_page_that_a_key_has_closed_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.key_order.PATIENCE", 10**6)
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        app.push_screen(ClosedMeanwhile("?", "what", [Option("one", "one"), Option("two", "two")]))
        await until(pilot, lambda: isinstance(app.screen, ClosedMeanwhile))
        at_once(pilot, "down", *"zebra")
        await until(pilot, lambda: "zebra" in text_of(app), seconds=10)


async def test_a_key_behind_text_finds_what_the_text_has_led_to(tmp_path: Path) -> None:
    app = form_app(tmp_path, Sent())
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.screen.built)
        app.push_screen(FoundLater("?", "what", [Option("one", "one"), Option("two", "two")]))
        await until(pilot, lambda: isinstance(app.screen, FoundLater))
        at_once(pilot, *"tw", "tab")  # the tab has priority: it does not wait in the queue of the field
        await until(pilot, lambda: app.screen.query_one(Input).value == "two", seconds=10)


async def test_text_behind_a_command_goes_to_the_page_that_it_opens(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=databases("acme_prod", granted=True)))
    async with app.run_test() as pilot:
        await see(pilot, "acme_prod")
        at_once(pilot, "n", *"xtra", "enter")  # x, t, r and a are commands of the table
        await see(pilot, "Exactly this runs", "CREATE DATABASE `xtra`")
        at_once(pilot, "escape", "j", "k")
        await until(pilot, lambda: "NAME" in text_of(app))
        assert "xtra" not in await names(app)
