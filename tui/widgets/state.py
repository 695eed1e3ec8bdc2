"""What stands where a table would be: waiting, nothing there, a failure, a missing right."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import HousekeysError
from tui.widgets.lines import Line, LinesView


class StateView(LinesView, can_focus=False):
    """Lines in place of rows."""


def waiting_lines(text: str) -> Sequence[Line]:
    """Something is on its way."""
    return (Line(text, style="muted"),)


def failure_lines(error: HousekeysError, retry: str, missing: str = "") -> Sequence[Line]:
    """An error: what is wrong, what to do, the grant to ask for, and the server's own words below."""
    lines = [Line(error.message, style="error")]
    if error.advice:
        lines.append(Line(error.advice))
    if missing:
        lines += [Line(), Line(missing, style="warning")]
    if retry:
        lines += [Line(), Line(retry, style="accent")]
    if error.detail and error.detail != error.advice:
        lines += [Line(), *(Line(line, style="muted") for line in error.detail.split("\n"))]
    return lines
