"""A program on a terminal of its own: what it draws can be awaited and counted, keys can be typed."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Terminal:
    """A pseudo-terminal of `columns` x `lines` with one program on it. Ends the program when left."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], columns: int = 80, lines: int = 24) -> None:
        self.output = b""
        self.started = time.perf_counter()
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environ = {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)

    def read(self, seconds: float) -> bytes:
        """What arrives within `seconds`; empty when nothing does."""
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        try:
            chunk = os.read(self._master, 1 << 16)
        except OSError:  # the program has ended and closed its side
            return b""
        self.output += chunk
        return chunk

    def wait_for(self, marker: bytes, seconds: float = 30) -> float:
        """Seconds since the start until `marker` was drawn. Raises TimeoutError with what was drawn instead."""
        deadline = time.perf_counter() + seconds
        while marker not in self.output:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{marker!r} did not appear in {self.output[-2000:]!r}")
            self.read(0.05)
        return time.perf_counter() - self.started

    def settle(self, quiet: float = 0.4) -> bytes:
        """Everything drawn until nothing has been for `quiet` seconds."""
        drawn = b""
        while chunk := self.read(quiet):
            drawn += chunk
        return drawn

    @property
    def peak_memory(self) -> int:
        """The most memory the program has held so far, in bytes; from Linux's /proc."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        while self._process.poll() is None:  # a program that still writes would block on a full terminal
            self.read(0.05)
        os.close(self._master)
