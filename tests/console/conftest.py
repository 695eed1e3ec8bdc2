"""What holds for all tests of the console."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable

import pytest
import pytest_textual_snapshot as plugin
import textual._doc as taking
from textual import _wait
from textual import screen as drawing
from textual.pilot import Pilot

from tests.console.album import take as take
from tests.console.both_sizes import Pictures, take_both
from tests.console.walking import Walk
from tui.app import HousekeysApp
from tui.key_order import KeysInOrder

_NOTHING = re.compile(r'<rect [^>]*\bwidth="0"[^>]*/>')
_normalized = plugin.normalize_svg

# A Pilot waits after each key until the process rests for so many seconds. It is better asked of the console.
_wait.SLEEP_GRANULARITY = 1 / 250
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 2
# Nobody watches: to draw 20 times a second instead of 60 saves a quarter of what most of these tests take.
drawing.UPDATE_PERIOD = 1 / 20  # type: ignore[misc]
_press, _pause = Pilot.press, Pilot.pause
LAYOUTS = 2  # what is laid out may scroll, and then is laid out again


async def press_and_wait(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, and wait until the last one has had its effect."""
    await _press(pilot, *keys)
    app = pilot.app
    while isinstance(app, KeysInOrder) and (app.keys_at_work or app.message_queue_size) and app.is_running:  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def pause_until_drawn(pilot: Pilot[None], delay: float | None = None) -> None:
    """Pause; without a delay until all that was asked for is laid out and drawn."""
    await _pause(pilot, delay)
    for _ in range(LAYOUTS if delay is None else 0):
        screen = pilot.app.screen
        if screen.is_running and pilot.app.is_running:
            with contextlib.suppress(TimeoutError):  # a page that closes meanwhile is not drawn again
                await asyncio.wait_for(screen.wait_for_refresh(), 1)


@pytest.fixture(autouse=True)
def keys_have_their_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does after a key, or after a pause, builds on what was done before."""
    monkeypatch.setattr(Pilot, "press", press_and_wait)
    monkeypatch.setattr(Pilot, "pause", pause_until_drawn)


def without_nothing(svg: str) -> str:
    """A picture without its rectangles of no width: whether an empty segment is drawn depends on when."""
    return _NOTHING.sub("", _normalized(svg))


@pytest.fixture(autouse=True)
def pictures_as_they_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare what can be seen; used on the picture taken and on the stored one alike."""
    monkeypatch.setattr(plugin, "normalize_svg", without_nothing)


@pytest.fixture
def pictures(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """Compares the pictures of a page at both sizes, the second one stored as `.1`."""

    def compare(app: HousekeysApp, walk: Walk) -> bool:
        taken = take_both(app, walk)
        for svg in taken:
            with monkeypatch.context() as patch:
                patch.setattr(taking, "take_svg_screenshot", lambda svg=svg, **_: svg)
                if not snap_compare(app):
                    return False
        return True

    return compare
