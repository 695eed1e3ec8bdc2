"""Walking through the console as an operator does: keys in, words on the screen out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.console.starting import text_of, until
from tui.app import HousekeysApp
from tui.screens.base import ConsoleScreen
from tui.start import OpenSession
from tui.widgets.fields import FieldRow

Walk = Callable[[Pilot[None]], Awaitable[None]]

LONGEST_TYPED = 3  # characters


@dataclass(frozen=True)
class Seen:
    """Words that must be on the screen before the next key."""

    words: str


async def stand_still(pilot: Pilot[None]) -> None:
    """No blinking cursor, no toast: what is left is the same in every picture."""
    app = pilot.app
    app.clear_notifications()
    for screen in app.screen_stack:
        for widget in screen.query("Input, TextArea"):
            if isinstance(widget, Input | TextArea):
                widget.cursor_blink = False
    await pilot.pause()


def all_in(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def showing(*words: str) -> Walk:
    """Wait until all of `words` are on the screen."""

    async def walk(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, HousekeysApp)
        await until(pilot, lambda: getattr(app.screen, "built", True) and all_in(text_of(app), words))
        await stand_still(pilot)

    return walk


async def see(pilot: Pilot[None], *words: str) -> str:
    """Wait until all of `words` are on the screen; returns what is on it."""
    await showing(*words)(pilot)
    app = pilot.app
    assert isinstance(app, HousekeysApp)
    return text_of(app)


async def reconnect(pilot: Pilot[None], how: OpenSession, *, read_only: bool | None = None) -> None:
    """The console that runs connects anew, by `how`: to start another one takes longer."""
    app = pilot.app
    assert isinstance(app, HousekeysApp)
    app.start = replace(app.start, open_session=how, read_only=read_only)
    app.connect()
    await pilot.pause()


async def type_in(pilot: Pilot[None], *parts: str | Seen) -> None:
    """Type texts and press keys: a part in angle brackets is a key, a longer text is pasted, which is quicker.

    A `Seen` is waited for before what follows is typed: rows that come later, say, cannot be marked yet.
    """
    for part in parts:
        if isinstance(part, Seen):
            await see(pilot, part.words)
        elif part.startswith("<"):
            await pilot.press(part.strip("<>"))
        elif len(part) > LONGEST_TYPED:
            pilot.app.post_message(events.Paste(part))
            await pilot.pause()
        else:
            await pilot.press(*part)


async def run_change(pilot: Pilot[None], *then: str) -> str:
    """Look at the preview, run it, and see `then`."""
    preview = "Exactly this runs"
    await see(pilot, preview)
    await pilot.press("R")
    app = pilot.app
    assert isinstance(app, HousekeysApp)
    await until(pilot, lambda: preview not in text_of(app))  # `then` may be in the preview as well
    return await see(pilot, *then)


async def fill_in(pilot: Pilot[None], field: str, text: str) -> None:
    """Type into a field of the form that is open, in the place of what it holds; the others keep what they have."""
    row = next(row for row in pilot.app.screen.query(FieldRow) if row.field.name == field)
    row.input.focus()
    await pilot.pause()
    await type_in(pilot, "<ctrl+u>", text)


async def run_named(pilot: Pilot[None], name: str, *then: str) -> str:
    """Look at the preview, type the name that it asks for, run it, and see `then`."""
    await see(pilot, "Exactly this runs", f"Type {name} to run this")
    await type_in(pilot, name)
    await until(pilot, lambda: pilot.app.screen.query_one("#typed-name", Input).value == name)
    await pilot.press("enter", "enter")
    return await see(pilot, *then)


def then(*keys: str | Seen, see_first: str = "SHA-256", see_last: str) -> Walk:
    """From the table: press keys, and wait for a page."""

    async def walk(pilot: Pilot[None]) -> None:
        await see(pilot, see_first)
        await type_in(pilot, *keys)
        await see(pilot, see_last)

    return walk


def copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on, what the console sends to the terminal's clipboard."""
    sent: list[str] = []

    def copy(_app: HousekeysApp, text: str, _what: str) -> bool:
        sent.append(text)
        return True

    monkeypatch.setattr(HousekeysApp, "copy", copy)
    return sent


def pushed(make: Callable[[], ConsoleScreen[Any]], *words: str, press: tuple[str, ...] = ()) -> Walk:
    """A page that needs no connection."""

    async def walk(pilot: Pilot[None]) -> None:
        await pilot.pause()
        pilot.app.push_screen(make())
        await see(pilot, *words)
        await pilot.press(*press)
        await stand_still(pilot)

    return walk


async def issue_for(pilot: Pilot[None], passphrase: str, *keys: str) -> None:
    """From the table to the form: choose tenants with `keys`, and unlock."""
    await pilot.press("n")
    await see(pilot, "Issue tokens: for whom?", "TABLES")
    await type_in(pilot, *keys)
    await see(pilot, "Unlock partner key 1")
    await type_in(pilot, passphrase, "<enter>")
