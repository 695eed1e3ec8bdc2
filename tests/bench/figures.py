"""A measured figure: a ratio against a baseline in the same run, for machines are noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """`measured` and `baseline` in the same unit; `goal` bounds measured / baseline from the `better` side."""

    name: str
    measured: float
    baseline: float
    unit: str
    goal: float | None
    better: Literal["lower", "higher"] = "lower"
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.measured / self.baseline

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when the figure is for information."""
        if self.goal is None:
            return None
        return self.ratio <= self.goal if self.better == "lower" else self.ratio >= self.goal
