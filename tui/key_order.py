"""Keys in their order: the next one is handed on when the one before has had its effect.

Textual gives a key to what has the focus when the key arrives. Over SSH several keys come in one packet: without this,
text typed behind a tab would go to the field before it, and what is typed behind the key that opens a form would be
taken for commands of the table below the form.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.widgets import Input, TextArea

PATIENCE = 3  # seconds that a key waits for the effect of the one before; a machine may be busy
_LOOK_AGAIN = 0.001  # seconds
_QUIET_LOOKS = 3  # a message on its way from one widget to the next is in no queue for a moment

Typed = events.Key | events.Paste


class KeysInOrder(App[None]):
    """An app that takes one key, or one pasted text, at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Typed] = deque()
        self._at_work: Typed | None = None
        self._came_back = False  # whether what is at work has bubbled up to the app and was handled there
        self._effect: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, Typed) or event.is_forwarded:
            await super().on_event(event)
            self._came_back = self._came_back or event is self._at_work
        elif self._at_work not in (None, event):
            self._waiting.append(event)
        elif self._only_adds_to_a_text(event):
            await super().on_event(event)
            self._take_the_next()
        else:
            self._at_work, self._came_back = event, False
            screen = self.screen
            await super().on_event(event)
            self._effect = asyncio.create_task(self._then_the_next(event, screen))

    def _only_adds_to_a_text(self, event: Typed) -> bool:
        """Whether what follows goes to the same field: a token typed or pasted without brackets must not take long."""
        printable = isinstance(event, events.Paste) or event.is_printable
        return printable and isinstance(self.focused, Input | TextArea)

    async def _then_the_next(self, event: Typed, screen: Screen[Any]) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        quiet = 0
        while quiet < _QUIET_LOOKS and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK_AGAIN)
            quiet = quiet + 1 if self._has_had_its_effect(event, screen) else 0
        self._take_the_next()

    def _take_the_next(self) -> None:
        self._at_work = self._waiting.popleft() if self._waiting else None
        if self._at_work is not None:
            self.post_message(self._at_work)

    def _has_had_its_effect(self, event: Typed, before: Screen[Any]) -> bool:
        if not event.is_forwarded:  # a priority binding of the app has taken it
            return True
        if not (self._came_back or event._stop_propagation):
            return False
        if self.screen is not before and not (self.screen.is_mounted and getattr(self.screen, "built", True)):
            return False  # a page that was opened takes keys once it is built and has its focus
        # What a key changes is told upwards: a form shows one more field, say.
        told = (self.focused or self.screen).ancestors_with_self
        return not any(node.message_queue_size for node in told)
