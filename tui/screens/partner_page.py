"""What the screens of Partner Connect share that are opened from its list: the way back."""

from __future__ import annotations

from typing import ClassVar

from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.widgets.columns import R


class PartnerPage(EntityScreen[R]):
    """A screen with rows, from which escape leads to the partner connections once nothing is left to clear."""

    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("rows.back", "back", "escape", "step_back",
                "Leave the detail, clear filter and marks, then back to the partner connections."),
    )  # fmt: skip

    def step_back(self) -> None:
        if self.pane.has_focus_within or self.table.filter_text or self.table.marks:
            super().step_back()
        else:
            self.console.go("partner")
