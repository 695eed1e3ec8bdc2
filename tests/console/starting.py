"""The console as tests start it: frozen clock, fixed operator, every file below a temporary folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.pilot import Pilot

from core.errors import UnreachableError
from core.paths import Paths
from core.profiles import ProfileFile, load
from core.secrets import Prompt
from core.session import Session
from tui.app import HousekeysApp
from tui.start import OpenSession, Start, open_session

NARROW = (80, 24)
WIDE = (160, 48)
HOSTILE = (
    "[bold]x[/]",
    "[/]",
    "[link=file:///etc]x",
    "a\x1b[31mred\x07\r\nb",
    "abc\u202edef\u2066",
    "\u200b\ufeff",
    "日本語の名前がとても長いです日本語の名前がとても長いです",
    "🔑👩\u200d👩\u200d👧 key",
    "e\u0301" * 10,
    "x" * 300,
    "`'\"\\;--",
    "$accent {0} %s",
)
REFUSED = UnreachableError("Cannot connect to ch-1.example:8443.", advice="Check host and port.")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

_texts: WeakKeyDictionary[Compositor, str | None] = WeakKeyDictionary()  # of pages whose changes are told


def start_in(folder: Path, config: str = "", *, screen: str = "journal", profile: str = "embedded") -> Start:
    """A Start whose files are all below `folder`; `config` is the text of the profile file."""
    paths = Paths.locate({"HOUSEKEYS_HOME": str(folder)})
    if config:
        paths.config_file.parent.mkdir(parents=True, exist_ok=True)
        paths.config_file.write_text(config)
    return Start(
        paths,
        load(paths.config_file),
        profile,
        operator="op@bastion",
        screen=screen,
        now=lambda: NOW,
        connect_at_start=False,
    )


def opening(result: object) -> OpenSession:
    """A way to open sessions that gives `result`, or raises it when it is an exception."""

    async def open_it(_start: Start, _file: ProfileFile, _name: str, _prompt: Prompt) -> Session:
        if isinstance(result, Exception):
            raise result
        session: Any = result
        return session  # type: ignore[no-any-return]

    return open_it


async def never(_start: Start, _file: ProfileFile, _name: str, _prompt: Prompt) -> Session:
    """A server that does not answer."""
    await asyncio.Event().wait()
    raise AssertionError


def connected(start: Start, how: OpenSession = open_session) -> Start:
    """`start`, connecting by itself."""
    return replace(start, open_session=how, connect_at_start=True)


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until `condition` holds, letting the console work meanwhile."""
    app = cast(HousekeysApp, pilot.app)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"did not come about; on the screen is:\n{text_of(app)}")
        if app._exception is not None:
            raise app._exception
        await asyncio.sleep(0.03)  # a pause would ask the widgets each time, which takes longer than to look
    await pilot.pause()


def told(app: HousekeysApp) -> str:
    """The passing messages that are up now."""
    return "\n".join(notification.message for notification in app._notifications)


def page_changes(compositor: Compositor) -> None:
    """To be called each time a page is drawn, or would be: in between, `text_of` finds its text once."""
    _texts[compositor] = None


def text_of(app: HousekeysApp) -> str:
    """What is on the screen, as plain lines."""
    compositor = app.screen._compositor
    text = _texts.get(compositor)
    if text is None:
        # Drawn without the page below it, a dialog would stay without it in the next picture as well.
        visible_screen_stack.set(app._background_screens)
        text = "\n".join("".join(segment.text for segment in strip) for strip in compositor.render_strips())
        if compositor in _texts:
            _texts[compositor] = text
    return text
