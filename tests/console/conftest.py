"""What holds for all tests of the console."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import pytest_textual_snapshot as plugin
import textual._doc as taking
from textual._compositor import Compositor
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from core.keys import envelope
from tests.console.album import take as take
from tests.console.both_sizes import Pictures, take_both
from tests.console.waiting import (
    draw_when_looked_at,
    parse_once,
    pause_until_drawn,
    press_and_wait,
    wait_for_the_busy,
)
from tests.console.walking import Walk
from tests.unit.keys.sample_keys import CHEAP
from tui.app import HousekeysApp

_NOTHING = re.compile(r'<rect [^>]*\bwidth="0"[^>]*/>')
_normalized = plugin.normalize_svg


@pytest.fixture(autouse=True)
def keys_have_their_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does after a key, or after a pause, builds on what was done before."""
    monkeypatch.setattr(Pilot, "press", press_and_wait)
    monkeypatch.setattr(Pilot, "pause", pause_until_drawn)
    monkeypatch.setattr(Pilot, "_wait_for_screen", wait_for_the_busy)
    monkeypatch.setattr(Compositor, "render_update", draw_when_looked_at)
    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)


@pytest.fixture(autouse=True)
def passphrases_are_tried_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes to try one is no matter of the console: keys made there are sealed as cheaply as may be."""
    monkeypatch.setattr(envelope, "STRONG", CHEAP)


def without_nothing(svg: str) -> str:
    """A picture without its rectangles of no width: whether an empty segment is drawn depends on when."""
    return _NOTHING.sub("", _normalized(svg))


@pytest.fixture(autouse=True)
def pictures_as_they_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare what can be seen; used on the picture taken and on the stored one alike."""
    monkeypatch.setattr(plugin, "normalize_svg", without_nothing)


@pytest.fixture
def pictures(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """Compares the pictures of a page at both sizes, the second one stored as `.1`."""

    def compare(app: HousekeysApp, walk: Walk) -> bool:
        taken = take_both(app, walk)
        for svg in taken:
            with monkeypatch.context() as patch:
                patch.setattr(taking, "take_svg_screenshot", lambda svg=svg, **_: svg)
                if not snap_compare(app):
                    return False
        return True

    return compare
