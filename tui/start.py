"""What the console is started with. Everything that differs between a run and a test is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.paths import Paths
from core.profiles import ProfileFile
from core.secrets import Prompt

if TYPE_CHECKING:
    from core.session import Session

# Opens a session: (file, profile name, read-only override, prompt).
OpenSession = Callable[["Start", ProfileFile, str, Prompt], Awaitable["Session"]]


async def open_session(start: Start, profile_file: ProfileFile, profile_name: str, prompt: Prompt) -> Session:
    """Open a real session; the driver and everything behind it are imported here, off the event loop."""
    import asyncio
    import importlib

    module = await asyncio.to_thread(importlib.import_module, "core.session")
    session: Session = await module.Session.open(
        profile_file, profile_name, start.paths, read_only=start.read_only, prompt=prompt
    )
    return session


def utc_now() -> datetime:
    return datetime.now(UTC)


def current_operator() -> str:
    """`user@host`, for the header."""
    from core.running.report import Operator

    operator = Operator.current()
    return f"{operator.name}@{operator.host}"


@dataclass(frozen=True, slots=True)
class Start:
    """Where everything is, which profile to open, and who sits here."""

    paths: Paths
    profile_file: ProfileFile
    profile_name: str
    read_only: bool | None = None  # --read-only, --write, or neither
    operator: str = ""  # `user@host`; empty: found out
    screen: str = "tenants"  # the first screen, by its id
    now: Callable[[], datetime] = utc_now
    open_session: OpenSession = open_session
    connect_at_start: bool = True
