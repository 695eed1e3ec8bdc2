"""The two themes, dark and light: calm greys and one accent. Colour never carries meaning alone."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = "housekeys-dark"
LIGHT: Final = "housekeys-light"

THEMES: Final = (
    Theme(
        name=DARK,
        primary="#5fb3a8",
        accent="#5fb3a8",
        foreground="#d5d9de",
        background="#14171b",
        surface="#1b1f24",
        panel="#23282f",
        success="#7fb77e",
        warning="#d8a657",
        error="#e0696f",
        dark=True,
        variables={
            "muted": "#7d8793",
            "cursor": "#2a3a3d",
            "scroll": "#3a424c",
            "danger-text": "#ffffff",
            "danger": "#b3363e",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#0b7468",
        accent="#0b7468",
        foreground="#22262b",
        background="#fafaf8",
        surface="#f0f0ec",
        panel="#e5e5df",
        success="#2f7d32",
        warning="#8a5a00",
        error="#b3262e",
        dark=False,
        variables={
            "muted": "#6a7077",
            "cursor": "#d5e6e2",
            "scroll": "#c4c4bc",
            "danger-text": "#ffffff",
            "danger": "#b3262e",
        },
    ),
)


def other(name: str) -> str:
    """The theme that is not `name`."""
    return LIGHT if name == DARK else DARK
