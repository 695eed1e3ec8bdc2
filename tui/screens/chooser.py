"""A line to type in and what it matches below: used to jump to a screen and as the palette of commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from core.display import one_line
from tui.widgets.columns import fit
from tui.widgets.text_input import TextInput


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen. `words` are more words it is found by; `reason` says why it cannot be chosen."""

    id: str
    title: str
    key: str = ""
    description: str = ""
    words: str = ""
    reason: str = ""


def matching(options: Sequence[Option], typed: str) -> list[Option]:
    """The options that hold every typed word; those whose title begins with it first."""
    words = typed.casefold().split()
    found = [o for o in options if all(word in f"{o.title} {o.words} {o.description}".casefold() for word in words)]

    def rank(option: Option) -> int:
        title = option.title.casefold()
        start = " ".join(words)
        return 0 if title.startswith(start) else 1 if all(word in title for word in words) else 2

    return sorted(found, key=rank) if words else found


class Matches(Widget):
    """The matching options, the chosen one marked."""

    def __init__(self) -> None:
        super().__init__(id="matches")
        self._options: Sequence[Option] = ()
        self._chosen = 0

    def show(self, options: Sequence[Option], chosen: int) -> None:
        self._options, self._chosen = options, chosen
        self.styles.height = max(1, min(len(options), max(4, self.app.size.height - 9)))
        self.refresh()

    def render(self) -> Content:
        if not self._options:
            return Content.styled("   nothing matches", "$muted")
        width, height = self.size.width, max(self.size.height, 1)
        top = max(0, min(self._chosen - height // 2, len(self._options) - height))
        alone = not any(option.key or option.reason or option.description for option in self._options)
        titles = width - 3 if alone else min(max(len(option.title) for option in self._options) + 2, 30)
        lines = []
        for index, option in enumerate(self._options[top : top + height], top):
            here = index == self._chosen
            key = "" if alone else fit(option.key, 9)
            rest = option.reason or option.description
            text = fit(f" {'>' if here else ' '} {fit(one_line(option.title), titles)}{key}{one_line(rest)}", width)
            style = "bold $accent" if here else "$muted" if option.reason else "$foreground"
            lines.append(Content.styled(text, f"{style} on $cursor" if here else style))
        return Content("\n").join(lines)


class ChooserScreen(ModalScreen[str | None]):
    """Dismissed with the id of an option, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", show=False),
        Binding("down,ctrl+n", "step(1)", "next", show=False),
        Binding("up,ctrl+p", "step(-1)", "previous", show=False),
        Binding("pagedown", "step(8)", "next", show=False),
        Binding("pageup", "step(-8)", "previous", show=False),
        Binding("tab", "complete", "complete", show=False, priority=True),
    ]

    def __init__(self, sign: str, hint: str, options: Sequence[Option]) -> None:
        super().__init__()
        self._sign, self._hint = sign, hint
        self._all = tuple(options)
        self._shown = list(options)
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="chooser"):
            with Horizontal(id="chooser-line"):
                yield Static(f" {self._sign} ", markup=False, id="chooser-sign")
                yield TextInput(placeholder=self._hint)
            yield Matches()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._show()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._shown = self.found(message.value)
        self._chosen = 0
        self._show()

    def on_resize(self) -> None:
        self._show()  # as many as there is room for

    def found(self, typed: str) -> list[Option]:
        """What is offered for what was typed. An option without an id only says something."""
        return matching(self._all, typed)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if self._shown and self._shown[self._chosen].id:
            self.dismiss(self._shown[self._chosen].id)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_step(self, step: int) -> None:
        if self._shown:
            self._chosen = max(0, min(self._chosen + step, len(self._shown) - 1))
            self._show()

    def action_complete(self) -> None:
        if self._shown:
            self.query_one(Input).value = self._shown[self._chosen].title
            self.query_one(Input).cursor_position = len(self._shown[0].title)

    def _show(self) -> None:
        self.query_one(Matches).show(self._shown, self._chosen)
