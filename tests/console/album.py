"""Pictures of several states from one run of the console: to start it takes longer than to draw it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
import pytest_textual_snapshot as plugin
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.console.starting import NARROW, WIDE
from tests.console.walking import see

SIZES = {"160x48": WIDE, "80x24": NARROW}  # the console is left narrow
Take = Callable[..., Awaitable[None]]


@pytest.fixture
def take(snapshot: SnapshotAssertion) -> Iterator[Take]:
    """`await take(pilot, "name", *words)`: a picture at both sizes, each once `words` are on the screen.

    `sizes` names one of them only. What differs is told at the end, so that one run renews all pictures.
    """
    pictures = snapshot.use_extension(plugin.SVGImageExtension)
    differing: list[str] = []

    async def taken(pilot: Pilot[None], name: str, *words: str, sizes: tuple[str, ...] = tuple(SIZES)) -> None:
        for size in sizes:
            await pilot.resize_terminal(*SIZES[size])
            await see(pilot, *words)
            await pilot.wait_for_scheduled_animations()
            svg = pilot.app.export_screenshot(title=pilot.app.title, simplify=True)
            if pictures(name=f"{name}-{size}") != svg:
                differing.append(f"{name}-{size}")

    yield taken
    assert not differing, "these pictures differ"
