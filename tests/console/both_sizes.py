"""The picture of a page at both sizes from one run: the terminal is made wider once the narrow one was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import textual._doc as taking
from textual.pilot import Pilot
from textual.worker import WorkerState

from tests.console.starting import NARROW, WIDE, text_of, until
from tests.console.walking import Walk, stand_still
from tui.app import HousekeysApp

Pictures = Callable[[HousekeysApp, Walk], bool]
"""Walks through an app at 80x24; whether the pictures there, and of the same at 160x48, are the expected ones."""


def take_both(app: HousekeysApp, walk: Walk) -> tuple[str, str]:
    """The SVGs of what is seen after `walk` at 80x24, and of the same at 160x48."""
    narrow: list[str] = []

    async def walk_and_widen(pilot: Pilot[None]) -> None:
        await walk(pilot)
        await pilot.wait_for_scheduled_animations()
        await pilot.pause()
        narrow.append(app.export_screenshot(title=app.title, simplify=True))
        await widen(pilot)

    wide = taking.take_svg_screenshot(app=app, terminal_size=NARROW, run_before=walk_and_widen)
    return narrow[0], wide


async def widen(pilot: Pilot[None]) -> None:
    """Make the terminal wide and wait until everything is drawn as it stays."""
    app = cast(HousekeysApp, pilot.app)
    endless = running(app)  # a connection that never comes about, say
    before = text_of(app)
    await pilot.resize_terminal(*WIDE)
    await until(pilot, lambda: app.size == WIDE and text_of(app) != before and running(app) <= endless)
    await stand_still(pilot)


def running(app: HousekeysApp) -> set[Any]:
    """The workers that are at work."""
    return {worker for worker in app.workers if worker.state in (WorkerState.PENDING, WorkerState.RUNNING)}
