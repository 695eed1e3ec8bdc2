"""The line below a table in which a filter is typed. Its input is made when it is first used."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.text_input import TextInput


class FilterLine(Horizontal):
    """Opens with `/`; enter keeps the filter, escape drops it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "clear", show=False),
        Binding("down", "keep", "to the rows", show=False),
    ]

    class Changed(Message):
        """Another text was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterLine.Changed)

    class Closed(Message):
        """Typing has ended."""

    def open(self, text: str) -> None:
        """Show the line with `text` in it and take the keys."""
        self.display = True
        if not self.children:
            self._mount_input(text)
        self.call_after_refresh(self._take_keys)

    def fill(self, text: str) -> None:
        """Show the line with `text` in it, without taking the keys."""
        self.display = True
        if self.children:
            self._input.value = text
        else:
            self._mount_input(text)
        self.post_message(self.Changed(text))

    def _mount_input(self, text: str) -> None:
        self.mount(Static(" /", markup=False), TextInput(text, id="filter-input"))

    @property
    def _input(self) -> TextInput:
        return self.query_one("#filter-input", TextInput)

    def clear(self) -> None:
        """Drop the filter and hide the line."""
        if self.children:
            self._input.value = ""
        self.display = False
        self.post_message(self.Changed(""))
        self.post_message(self.Closed())

    def _take_keys(self) -> None:
        self._input.focus()

    def action_drop(self) -> None:
        self.clear()

    def action_keep(self) -> None:
        self.display = bool(self._input.value)
        self.post_message(self.Closed())

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Changed(message.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_keep()

    def on_click(self, event: events.Click) -> None:
        event.stop()
