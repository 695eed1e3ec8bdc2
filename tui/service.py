"""The connection of the console: which profile is open, opening or failed. State only; the app runs the workers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import HousekeysError

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.worker import Worker

    from core.profiles import Profile, ProfileFile
    from core.session import Session

log = logging.getLogger(__name__)

Status = Literal["closed", "opening", "open", "failed"]


@dataclass(slots=True)
class Connection:
    """What screens look at; changed only by the app."""

    profile_file: ProfileFile
    profile_name: str
    status: Status = "closed"
    session: Session | None = None
    error: HousekeysError | None = None

    @property
    def profile(self) -> Profile | None:
        """The profile as it was when the session was opened; before that, as the file has it now."""
        if self.session is not None:
            return self.session.profile
        return self.profile_file.profiles.get(self.profile_name)


def start_worker(node: DOMNode, job: Callable[[], Coroutine[None, None, None]], group: str) -> None:
    """Run `job` in a worker of `node`; it ends an older one of its group. `job` catches what it raises."""
    _worker: Worker[None] = node.run_worker(job, group=group, exclusive=True, exit_on_error=False)


def explained(error: BaseException) -> HousekeysError:
    """`error` as one that can be shown; what was not foreseen goes to the log with its traceback."""
    if isinstance(error, HousekeysError):
        log.info("%s", error, exc_info=error)
        return error
    log.error("unexpected error", exc_info=error)
    if isinstance(error, OSError):
        return HousekeysError(f"A file or the network failed: {error.strerror or type(error).__name__}.")
    return HousekeysError(
        f"Unexpected error ({type(error).__name__}).",
        advice="This is a mistake in Housekeys. The log file has the details (`housekeys info` says where it is).",
    )
