"""A terminal that is gone, as when an SSH connection breaks off.

Its signal goes to the process that leads the terminal's session. Under `make run` that is make, which waits for its
child: the console, with unlocked keys and the lock on the data, would stay without anybody.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
import time
from typing import Final

CHECK: Final = 2.0  # seconds between two looks


def on_terminal() -> bool:
    """Whether keys come from a terminal. One that is gone is none any more."""
    try:
        return os.isatty(0)
    except OSError:
        return False


def print_nowhere_if_lost() -> None:
    """Let what is printed to a terminal that is gone go nowhere: else every print is an error, and nobody sees it."""
    for stream in (1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def watch() -> None:
    """End this process as the signal of the terminal would have, once there is none; without one, do nothing.

    In a thread: the event loop waits for ever to draw on a terminal that is gone.
    """
    if on_terminal():
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # inherited: of a console nobody wants that (nohup)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        threading.Thread(target=_end_when_lost, name="terminal watch", daemon=True).start()


def _end_when_lost() -> None:
    while on_terminal():
        time.sleep(CHECK)
    os.kill(os.getpid(), signal.SIGHUP)
