"""A row of choices at the end of a page: words, not boxes."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A word that can be pressed with enter or space."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "press", show=False)]

    class Pressed(Message):
        """It was pressed."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, label: str, *, id: str, dangerous: bool = False) -> None:
        super().__init__(id=id, classes="dangerous" if dangerous else None)
        self.label = label
        self.styles.width = len(label) + 4

    def name_it(self, label: str) -> None:
        """Give it another word."""
        self.label = label
        self.styles.width = len(label) + 4
        self.refresh()

    def render(self) -> Content:
        return Content(f"[ {self.label} ]" if self.has_focus else f"  {self.label}  ")

    def action_press(self) -> None:
        if not self.disabled:
            self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_press()


class Choices(Horizontal):
    """Choices side by side; the arrow keys go from one to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", "previous", show=False),
        Binding("right", "app.focus_next", "next", show=False),
    ]
