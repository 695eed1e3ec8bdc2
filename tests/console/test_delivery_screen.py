"""Handing tokens over: shown once, copied, written, and gone; and the form that makes them."""

from __future__ import annotations

import asyncio
import gc
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widget import Widget
from textual.widgets import Input

from core.tokens.planning import Issuing
from tests.console.album import Take
from tests.console.ledger import HOSTILE, PASSPHRASE, new_token, ready_to_issue, screen_of
from tests.console.starting import NARROW, connected, never, start_in, told, until
from tests.console.walking import copies, issue_for, run_change, see, type_in
from tui.app import HousekeysApp
from tui.screens.delivery import DeliveryScreen
from tui.screens.issue import TokenFormScreen, issue_form
from tui.screens.question import QuestionScreen
from tui.screens.tokens import TokensScreen
from tui.start import OpenSession


def console(folder: Path, how: OpenSession) -> HousekeysApp:
    return HousekeysApp(connected(start_in(folder, screen="tokens"), how))


async def test_a_token_is_hidden_until_it_is_asked_for_and_closing_before_handing_over_asks(
    take: Take, tmp_path: Path
) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        app.push_screen(DeliveryScreen([new_token()]))
        await take(pilot, "hidden", "hidden")
        await pilot.press("escape")
        await see(pilot, "was not shown, copied or written")
        await pilot.press("escape")
        await see(pilot, "hidden")
        await pilot.press("4")
        assert "Close this page first" in told(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await type_in(pilot, "<tab>", "<enter>")
        await until(pilot, lambda: isinstance(app.screen, TokensScreen))
        app.push_screen(DeliveryScreen([new_token(HOSTILE), new_token()]))
        await see(pilot, "1 of 2")
        await pilot.press("space", "l")
        await take(pilot, "shown", "2:2:SECRET", "1 of 2", sizes=("80x24", "160x48"))


async def test_nothing_on_the_screen_keeps_a_token_after_the_page_is_closed(tmp_path: Path) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        token = new_token()
        needle = token.text[100:160]
        app.push_screen(DeliveryScreen([token]))
        await see(pilot, "hidden")
        await pilot.press("space")
        assert needle[:40] in "".join((await see(pilot, "2:2:SECRET")).split())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TokensScreen))
        del token
        for _ in range(3):
            await pilot.pause()
            gc.collect()
        keeping = [thing for thing in gc.get_objects() if isinstance(thing, Widget) and _holds(thing, needle)]
        assert keeping == []
        assert not [thing for thing in gc.get_objects() if isinstance(thing, DeliveryScreen) and thing._tokens]


def _holds(widget: Widget, needle: str) -> bool:
    """Whether what a widget knows, or what it has drawn, has `needle` in it."""
    if needle in repr(vars(widget)):
        return True
    if isinstance(widget, Input):
        return needle in widget.value
    strips = widget._styles_cache._cache.values()
    return any(needle in strip.text for strip in strips)


async def test_a_token_is_written_to_a_private_file_with_the_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copies(monkeypatch)
    target = tmp_path / "token.txt"
    app = console(tmp_path / "home", ready_to_issue("acme_prod"))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No tokens yet.")
        await issue_for(pilot, PASSPHRASE, "<enter>", "<enter>")
        await see(pilot, "Issue a token")
        await pilot.press("enter")
        await run_change(pilot, "The token is hidden.")
        await type_in(pilot, "y", "l", "w")
        await see(pilot, "Write the token to a file", "Russian")
        await type_in(pilot, "<ctrl+u>", str(target), "<enter>")
        text = await run_change(pilot, "The token is hidden.")
        assert copied[0] not in text
        await until(pilot, target.exists)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TokensScreen))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text().splitlines()[-1] == copied[0]
    assert "Токен доступа" in target.read_text()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert copied[0].split(":")[2].encode() not in kept


async def _never_made(_values: object, _progress: Callable[[int, int], None]) -> Issuing:
    raise AssertionError


async def test_making_tokens_says_how_far_it_is_and_can_be_stopped(take: Take, tmp_path: Path) -> None:
    stopped = asyncio.Event()

    async def make(_values: object, progress: Callable[[int, int], None]) -> Issuing:
        progress(1200, 3000)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            raise
        raise AssertionError

    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        names = [HOSTILE, "acme_prod", *(f"tenant_{number}" for number in range(40))]
        keys = "Encrypted to DataLens key 2, signed with partner key 3."
        app.push_screen(issue_form(names, keys, _never_made))
        await take(pilot, "form", "Issue 42 tokens")
        await pilot.press("escape")
        app.push_screen(TokenFormScreen("Issue 3,000 tokens", [], make, intro="For many.", button="Make"))
        await see(pilot, "Make")
        page = screen_of(pilot)
        assert isinstance(page, TokenFormScreen)
        page.send()
        await see(pilot, "1,200 of 3,000 made, esc stops")
        await pilot.press("escape")
        await until(pilot, stopped.is_set)
        await until(pilot, lambda: isinstance(app.screen, TokensScreen))
