"""Pictures of several states from one run of the console: to start it takes longer than to draw it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_textual_snapshot as plugin
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.console.both_sizes import running
from tests.console.starting import NARROW, REFUSED, WIDE, opening, until
from tests.console.walking import reconnect, see
from tui.app import HousekeysApp
from tui.screens.detailed import DetailedScreen
from tui.start import OpenSession

SIZES = {"160x48": WIDE, "80x24": NARROW}  # the console is left narrow
Take = Callable[..., Awaitable[None]]


def resting(app: HousekeysApp, endless: set[Any]) -> Callable[[], bool]:
    """Whether nothing is at work but what was so before, and the detail is that of the row under the cursor."""

    def rests() -> bool:
        screen = app.screen
        return running(app) <= endless and not (isinstance(screen, DetailedScreen) and screen.detail_follows)

    return rests


@pytest.fixture
def take(snapshot: SnapshotAssertion) -> Iterator[Take]:
    """`await take(pilot, "name", *words)`: a picture at both sizes, each once `words` are on the screen.

    `sizes` names one of them only, or both in another order, and the console is left at the last. What differs is
    told at the end, so that one run renews all pictures.
    """
    pictures = snapshot.use_extension(plugin.SVGImageExtension)
    differing: list[str] = []

    async def taken(pilot: Pilot[None], name: str, *words: str, sizes: tuple[str, ...] = tuple(SIZES)) -> None:
        app = pilot.app
        assert isinstance(app, HousekeysApp)
        endless: set[Any] = set()  # a connection that never comes about, say
        for size in sizes:
            if app.size != SIZES[size]:
                await pilot.resize_terminal(*SIZES[size])
            await see(pilot, *words)
            endless = endless or running(app)
            await until(pilot, resting(app, endless))
            await pilot.wait_for_scheduled_animations()
            svg = pilot.app.export_screenshot(title=pilot.app.title, simplify=True)
            if pictures(name=f"{name}-{size}") != svg:
                differing.append(f"{name}-{size}")

    yield taken
    assert not differing, f"these pictures differ: {', '.join(differing)}"


async def take_start(take: Take, pilot: Pilot[None], how: OpenSession) -> None:
    """The pictures of a page while it connects and when it cannot; then it connects by `how`."""
    await take(pilot, "loading", "Connecting")
    await reconnect(pilot, opening(REFUSED))
    await take(pilot, "error", "Cannot connect", "Press r")
    await reconnect(pilot, how)
