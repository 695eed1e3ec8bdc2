"""Keys in their order: the next one is handed on when the one before has had its effect.

Textual gives a key to what has the focus when the key arrives. Over SSH several keys come in one packet: without this,
text typed behind a tab would go to the field before it, and what is typed behind the key that opens a form would be
taken for commands of the table below the form.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input, TextArea

PATIENCE = 100  # looks at what a key has done before the next one is handed on in any case
_LOOK = 0.05  # seconds; a console that was held up takes one look, however long it was

Typed = events.Key | events.Paste


class KeysInOrder(App[None]):
    """An app that takes one key, or one pasted text, at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Typed] = deque()
        self._at_work: Typed | None = None
        self._came_back = False  # whether what is at work has bubbled up to the app and was handled there
        self._effect: asyncio.Task[None] | None = None

    @property
    def keys_at_work(self) -> bool:
        """Whether a key has not had its effect yet, or waits for its turn."""
        return self._at_work is not None or bool(self._waiting)

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, Typed) or event.is_forwarded:
            await super().on_event(event)
            self._came_back = self._came_back or event is self._at_work
        elif self._at_work not in (None, event):
            self._waiting.append(event)
        elif self._only_adds_to_a_text(event) and self._waiting and self._only_adds_to_a_text(self._waiting[0]):
            await super().on_event(event)
            self._take_the_next()
        else:
            self._at_work, self._came_back = event, False
            screen, told = self.screen, self._told()
            await super().on_event(event)
            self._effect = asyncio.create_task(self._then_the_next(self._effect_of(event, screen, told)))

    def _only_adds_to_a_text(self, event: Typed) -> bool:
        """Whether more text would go to the same field: a token typed or pasted without brackets must not take long."""
        printable = isinstance(event, events.Paste) or event.is_printable
        return printable and isinstance(self.focused, Input | TextArea)

    async def _then_the_next(self, effect: Coroutine[Any, Any, None]) -> None:
        looking = asyncio.create_task(effect)
        for _ in range(PATIENCE):
            if looking in (await asyncio.wait([looking], timeout=_LOOK))[0]:
                break
        looking.cancel()
        self._take_the_next()

    def _take_the_next(self) -> None:
        self._at_work = self._waiting.popleft() if self._waiting else None
        if self._at_work is not None:
            self.post_message(self._at_work)

    async def _effect_of(self, event: Typed, screen: Screen[Any], told: list[MessagePump]) -> None:
        """Returns when all that `event` has set going is done; `screen` and `told` are those of before."""
        while True:
            for node in told:  # the key itself goes up this way, ahead of the question whether all is handled
                await _everything_handled(node)
            await self._drawn()  # where the focus goes next depends on what is where
            before, told = told, self._told()
            if told == before and self._was_taken(event, screen):
                return  # nothing of it has moved the focus or opened a page

    async def _drawn(self) -> None:
        screen = self.screen
        if not screen.is_running:
            await asyncio.sleep(_LOOK)
            return
        drawn = asyncio.create_task(screen.wait_for_refresh())
        try:  # a page that the key has closed is drawn no more
            while not drawn.done() and screen.is_running and self.screen is screen:
                await asyncio.wait([drawn], timeout=_LOOK)
        finally:
            drawn.cancel()

    def _told(self) -> list[MessagePump]:
        """Whom a key's change is told, one after the other upwards: a form shows one more field, say."""
        return list((self.focused or self.screen).ancestors_with_self)

    def _was_taken(self, event: Typed, before: Screen[Any]) -> bool:
        by_a_priority_binding = not event.is_forwarded
        if not (by_a_priority_binding or self._came_back or event._stop_propagation):
            return False
        # A page that was opened takes keys once it is built and has its focus.
        return self.screen is before or (self.screen.is_mounted and getattr(self.screen, "built", True))


async def _everything_handled(node: MessagePump) -> None:
    """Returns when `node` has handled what was in its queue; what it told its parent is in the parent's by then."""
    handled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def say_so() -> None:  # Textual reads the signature of what it calls: that of `set_result` takes ten times longer
        handled.set_result(None)

    if node.call_later(say_so):
        while not handled.done() and node.is_running:
            await asyncio.wait([handled], timeout=_LOOK)
