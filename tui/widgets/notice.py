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
        self._wrap_and_fit()

    def on_show(self, _event: events.Show) -> None:
        self._wrap_and_fit()

    def _wrap_and_fit(self) -> None:
        self._wrap()
        self._fit()

    def _fit(self) -> None:
        # What is hidden has no width by which its height could be told; it is fitted again when it is shown.
        self.styles.height = self.height_needed if self.scrollable_content_region.width else len(self.lines)


class Notice(FittingLines, can_focus=False):
    """What comes next, what is wrong: above the rows, with a line between."""

    DEFAULT_CSS = "Notice { max-height: 9; }"

    def say(self, lines: Sequence[Line]) -> None:
        super().say([*lines, Line()] if lines else [])
