"""How the tests of the console wait for it, and what of its work they leave out: nobody watches.

A Pilot asks every widget of a page whether it has handled all it was told, after each key and in each pause, and the
console draws its page each time. Together that was two fifths of the time of these tests.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from typing import Any

from rich.console import RenderableType
from textual import _wait, events
from textual import screen as drawing
from textual._compositor import Compositor
from textual._queue import Queue
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.message import Message
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from tests.console.starting import page_changes
from tui.app import HousekeysApp
from tui.key_order import KeysInOrder

# A Pilot waits after each key until the process rests for so many seconds. It is better asked of the console.
_wait.SLEEP_GRANULARITY = 1 / 250
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 2
# To draw 20 times a second instead of 60 saves a quarter of what most of these tests take.
drawing.UPDATE_PERIOD = 1 / 20  # type: ignore[misc]
LAYOUTS = 2  # what is laid out may scroll, and then is laid out again
PATIENCE = 30.0  # seconds
_press, _pause, _draw = Pilot.press, Pilot.pause, Compositor.render_update
_parse_rules = Stylesheet._parse_rules
_parsed: dict[Hashable, list[RuleSet]] = {}  # by the text, where it is from, and the colours it is read with


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


async def wait_for_the_busy(pilot: Pilot[None]) -> bool:
    """Wait until all widgets have handled what they were told; only those are asked that have something to do.

    In the place of `Pilot._wait_for_screen`, which asks them all: a message to each of a hundred widgets.
    """
    app = pilot.app
    if not app.screen_stack:
        return False
    screen = app.screen
    waited_for = [node for node in (app, screen, *screen.walk_children()) if node in (app, screen) or is_busy(node)]
    left: set[MessagePump] = set()
    all_done = asyncio.Event()

    def saying_so(node: MessagePump) -> Callable[[], None]:
        def handled() -> None:
            left.discard(node)
            if not left:
                all_done.set()

        handled._param_count = 0  # type: ignore[attr-defined]  # or Textual inspects its signature, which takes longer
        return handled

    left.update(node for node in waited_for if node.post_message(events.Callback(callback=saying_so(node))))
    if left:
        ends = [asyncio.create_task(event.wait()) for event in (all_done, app._exception_event)]
        _, pending = await asyncio.wait(ends, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        assert len(pending) < len(ends), "widgets did not handle what they were told"
    return not left


def is_busy(node: MessagePump) -> bool:
    """Whether it handles a message, or has one waiting: else its loop waits for the next one."""
    queue: Queue[Message | None] = node._message_queue
    return not (queue.empty() and queue.ready_event._waiters)


def draw_when_looked_at(compositor: Compositor, full: bool = False, **how: Any) -> RenderableType | None:
    """Draw a whole page, as for a picture. What changes on it is not drawn: there is no terminal to send it to.

    `text_of` draws the page for itself. Widgets in an app of their own are drawn at each change, as in a terminal.
    """
    page_changes(compositor)
    if full or not (compositor.root and isinstance(compositor.root.app, HousekeysApp)):
        return _draw(compositor, full, **how)
    compositor._dirty_regions.clear()
    return None


def parse_once(sheet: Stylesheet, css: str, *where: Any, **how: Any) -> list[RuleSet]:
    """Read a style sheet once for all consoles: each would read the same ones twice while it starts."""
    wanted = css, where, *how.items(), frozenset(sheet._variables.items())
    if wanted not in _parsed:
        _parsed[wanted] = _parse_rules(sheet, css, *where, **how)
    return _parsed[wanted]
