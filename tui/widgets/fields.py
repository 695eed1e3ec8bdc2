"""The fields of a form: what each asks for, and the widgets that take it. Keyboard only, no boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from core.display import one_line
from tui.widgets.text_input import TextInput

Choose = Callable[[Any, Callable[[str], None]], None]
"""Opens something to choose from over the form that is given, and gives what was chosen to the function."""

Values = Mapping[str, str]
"""What was typed, by the name of the field. A flag is "yes" or the empty string."""

YES = "yes"


def accept(_value: str) -> str:
    """A check that finds nothing wrong."""
    return ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said below a field of what it holds; only an `error` keeps the form from being sent."""

    text: str
    kind: Literal["error", "warning", "information"] = "error"


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. `check` says what is wrong with a value, as a sentence, or returns the empty string."""

    name: str
    label: str
    value: str = ""
    kind: Literal["text", "secret", "choice", "flag", "lines"] = "text"
    hint: str = ""  # an example or an explanation
    check: Callable[[str], str] = accept
    required: bool = False
    choices: Sequence[str] = ()
    shown_if: Callable[[Values], bool] | None = None  # the field is asked only then
    height: int = 6  # of a field of several lines
    choose: Choose | None = None  # helps to fill in a field of kind `text`; what is chosen is added to what it holds
    single: bool = False  # what is chosen takes the place of what it holds
    judge: Callable[[Values], Remark | None] | None = None  # a check that needs the other fields as well

    def is_shown(self, values: Values) -> bool:
        """Whether it is asked when the fields have these values."""
        return self.shown_if is None or self.shown_if(values)

    def problem(self, value: str) -> str:
        """What is wrong with `value`, or the empty string."""
        if not value.strip():
            return f"{self.label} is needed." if self.required else ""
        return self.check(value)


class ChoiceInput(Widget, can_focus=True):
    """One of a few words, changed with the arrow keys or space."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "previous", show=False),
        Binding("right,l,space", "step(1)", "next", show=False),
    ]
    value: reactive[str] = reactive("", init=False)

    class Changed(Message):
        """Another word was chosen."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, choices: Sequence[str], value: str) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.set_reactive(ChoiceInput.value, value if value in self.choices else self.choices[0])

    def render(self) -> Content:
        if sum(cell_len(one_line(choice)) + 3 for choice in self.choices) - 1 > self.size.width:
            return self._only_chosen()
        parts: list[Content] = []
        for choice in self.choices:
            here = choice == self.value
            text = one_line(choice)
            parts.append(Content.styled(f"({text})" if here else f" {text} ", "bold $accent" if here else "$muted"))
        return Content(" ").join(parts)

    def _only_chosen(self) -> Content:
        """Where there is no room for all of them."""
        place = f"  {self.choices.index(self.value) + 1} of {len(self.choices)}, ← → for others"
        return Content.assemble((f"({one_line(self.value)})", "bold $accent"), (place, "$muted"))

    def action_step(self, step: int) -> None:
        self.value = self.choices[(self.choices.index(self.value) + step) % len(self.choices)]
        self.post_message(self.Changed())

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            self.post_message(self.Submitted())


class FlagInput(Widget, can_focus=True):
    """Yes or no, changed with space."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,left,right", "turn", "turn", show=False)]
    value: reactive[str] = reactive("", init=False)

    class Changed(Message):
        """It was turned."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.set_reactive(FlagInput.value, value)

    def render(self) -> Content:
        return Content.styled("[x] yes" if self.value else "[ ] no", "$foreground")

    def action_turn(self) -> None:
        self.value = "" if self.value else YES
        self.post_message(self.Changed())

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            self.post_message(self.Submitted())


class FieldRow(Vertical):
    """A label, its input, and below it what is wrong or what is meant."""

    class Changed(Message):
        """What was typed has changed."""

    class Submitted(Message):
        """Enter was pressed in it."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self, field: Field, label_width: int, *, hint_always: bool = True, values: Callable[[], Values] = dict
    ) -> None:
        """`values` gives those of all fields."""
        super().__init__()
        self.field = field
        self._values = values
        self._hint_always = hint_always
        self._label_width = label_width
        self._touched = False

    def compose(self) -> ComposeResult:
        mark = "*" if self.field.required else " "
        with Horizontal(classes="field-line"):
            label = Static(f"{self.field.label.ljust(self._label_width)} {mark} ", markup=False, classes="field-label")
            label.styles.width = self._label_width + 3
            yield label
            yield self._make_input()
        note = Static("", markup=False, classes="field-note")
        note.styles.padding = (0, 0, 0, self._label_width + 3)
        yield note

    def _make_input(self) -> Widget:
        field = self.field
        if field.kind == "choice":
            return ChoiceInput(field.choices, field.value)
        if field.kind == "flag":
            return FlagInput(field.value)
        if field.kind == "lines":
            from textual.widgets import TextArea  # large, and few forms need it

            area = TextArea(field.value, compact=True, tab_behavior="focus", show_line_numbers=False)
            area.cursor_blink = False
            area.styles.height = field.height
            return area
        return TextInput(field.value, secret=field.kind == "secret")

    def on_mount(self) -> None:
        self._show_note()

    def on_descendant_focus(self) -> None:
        self.query_one(".field-label").add_class("current")
        self._show_note()

    def on_descendant_blur(self) -> None:
        self.query_one(".field-label").remove_class("current")
        self._show_note()

    @property
    def input(self) -> Widget:
        return self.children[0].children[1]  # asked for often: it is not looked for

    @property
    def value(self) -> str:
        if not self.children or len(self.children[0].children) < 2:  # it was only just made
            return self.field.value
        widget = self.input
        if isinstance(widget, Input | ChoiceInput | FlagInput):
            return widget.value
        text: str = getattr(widget, "text", "")  # a TextArea, which is not imported where none is shown
        return text

    def add(self, text: str) -> None:
        """Add one more to a list of things, separated by commas; a single thing takes the place of another."""
        if isinstance(widget := self.input, Input):
            before = "" if self.field.single else widget.value.rstrip(", ")
            widget.value = f"{before}, {text}" if before else text
            widget.cursor_position = len(widget.value)

    @property
    def problem(self) -> str:
        if problem := self.field.problem(self.value):
            return problem
        remark = self._remark
        return remark.text if remark is not None and remark.kind == "error" else ""

    @property
    def _remark(self) -> Remark | None:
        """What is to be said of a value that is there."""
        judge = self.field.judge
        return judge(self._values()) if judge is not None and self.value.strip() else None

    def judge_again(self) -> None:
        """Another field has changed."""
        if self.field.judge is not None and self.is_mounted:
            self._show_note()

    def show_problem(self) -> str:
        """From now on say what is wrong; returns it."""
        self._touched = True
        self._show_note()
        return self.problem

    def _show_note(self) -> None:
        problem = self.problem if self._touched else ""
        remark = Remark(problem) if problem else self._remark
        note = self.query_one(".field-note", Static)
        note.set_class(remark is not None and remark.kind == "error", "problem")
        note.set_class(remark is not None and remark.kind == "warning", "warning")
        hinted = self._hint_always or self.query_one(".field-label").has_class("current")
        text = one_line(remark.text if remark is not None else self.field.hint if hinted else "")
        note.update(Content(text))
        note.display = bool(text)

    def _on_changed(self) -> None:
        self._touched = True
        self._show_note()
        self.post_message(self.Changed())

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if message.value != self.field.value or self._touched:
            self._on_changed()

    def on_text_area_changed(self, message: Message) -> None:
        message.stop()
        self._on_changed()

    def on_choice_input_changed(self, message: Message) -> None:
        message.stop()
        self._on_changed()

    def on_flag_input_changed(self, message: Message) -> None:
        message.stop()
        self._on_changed()

    def on_input_submitted(self, message: Message) -> None:
        message.stop()
        self.post_message(self.Submitted(self))

    def on_choice_input_submitted(self, message: Message) -> None:
        message.stop()
        self.post_message(self.Submitted(self))

    def on_flag_input_submitted(self, message: Message) -> None:
        message.stop()
        self.post_message(self.Submitted(self))
