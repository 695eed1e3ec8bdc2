"""Signals by which a command ends in order: it cleans up, tells what it knows, and its exit code says which one it was.

Ctrl-C is one, SIGTERM is what CI systems and `timeout` send, SIGHUP comes when the terminal is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from tui.lost_terminal import print_nowhere_if_lost

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_SECONDS: Final = 1.0  # `timeout` sends its signal twice: to the command, and to the group that it is in


class Interruption:
    """What signals ask of a task: the first one cancels it, a second one what it still does then, a third one kills."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.by: signal.Signals | None = None  # the first one
        self._task = task
        self._first_heard = 0.0
        self._again: signal.Signals | None = None
        self._telling = False

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Hear them, but those that whoever started the command wants ignored, as nohup does."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        heard = [number for number in _SIGNALS if before[number] not in (signal.SIG_IGN, None)]
        for number in heard:
            signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number in heard:
                signal.signal(number, before[number])

    def begin_to_tell(self) -> None:
        """To be called before it is told what is known: that may take for ever, so from now on a signal kills."""
        self._telling = True
        if self.by is signal.SIGHUP:
            print_nowhere_if_lost()

    def exit_code(self) -> int:
        """By the convention of shells. After a second signal the process ends here, whatever its threads wait for."""
        if self._again is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            _end_by(self._again)
        return 128 + (self.by or 0)

    def _hear(self, number: int, _: object) -> None:
        heard, now = signal.Signals(number), time.monotonic()
        if self.by is None:
            self.by, self._first_heard = heard, now
        elif heard is self.by and now - self._first_heard < SAME_SECONDS:
            return
        elif self._telling or self._again is not None:
            _end_by(heard)
        else:
            self._again = heard
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)


def _end_by(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
