"""Lines that are as high as what they say: below a form, and above the rows of a screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from tui.widgets.lines import Line, LinesView


class FittingLines(LinesView, can_focus=False):
    """Takes the height it needs at its width, and none when it says nothing."""

    DEFAULT_CSS = "FittingLines { height: 0; }"

    def say(self, lines: Sequence[Line]) -> None:
        """Replace what it says."""
        self.display = bool(lines)
        self.show(lines)
        self._fit()

    def on_mount(self) -> None:
        self.display = bool(self.lines)

    def on_resize(self, _event: events.Resize) -> None:
        self._wrap()
        self._fit()

    def _fit(self) -> None:
        # What was hidden has no width yet, by which its height could be told; it is resized when it is shown.
        height = self.height_needed if self.size.width else len(self.lines)
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height


class Notice(FittingLines, can_focus=False):
    """What comes next, what is wrong: above the rows, with a line between."""

    DEFAULT_CSS = "Notice { max-height: 9; }"

    def say(self, lines: Sequence[Line]) -> None:
        super().say([*lines, Line()] if lines else [])
