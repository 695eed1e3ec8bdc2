"""A line or a few above the rows of a screen: what comes next, what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from tui.widgets.lines import Line, LinesView


class Notice(LinesView, can_focus=False):
    """As high as what it says, and nothing at all when it says nothing."""

    DEFAULT_CSS = "Notice { height: 0; max-height: 9; }"

    def say(self, lines: Sequence[Line]) -> None:
        """Replace what it says."""
        self.show([*lines, Line()] if lines else [])
        self._fit()

    def on_resize(self, _event: events.Resize) -> None:
        self._wrap()
        self._fit()

    def _fit(self) -> None:
        height = self.height_needed if self.lines else 0
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
