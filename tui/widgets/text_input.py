"""The input of every form and prompt: one line, and a cursor that stands still, for blinking costs bytes over SSH."""

from __future__ import annotations

from textual.widgets import Input


class TextInput(Input):
    """An Input without a box."""

    def __init__(self, value: str = "", *, placeholder: str = "", secret: bool = False, id: str | None = None) -> None:
        super().__init__(value, placeholder, password=secret, compact=True, select_on_focus=False, id=id)
        self.cursor_blink = False
