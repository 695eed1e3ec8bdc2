"""Processes that begin with everything imported: one imports a module, and forks a child for each that is wanted.

`python -m tests.forking MODULE` takes a list of words in each line of stdin, as JSON, the first being the file for what
the child prints. The child runs `MODULE.run(words)`. Its number is told when it begins, and how it ended when it has.
chDB is for the children to import: it has threads from the first moment on, and no thread lives through a fork.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Child:
    """A process that runs: its number, and the file with what it has printed."""

    pid: int
    printed: Path
    forks: Forks

    @property
    def has_printed(self) -> bool:
        return self.printed.exists() and self.printed.stat().st_size > 0

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it has ended of its own
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """How it ended, as subprocess says it: below zero by a signal."""
        return self.forks.read()


class Forks:
    """The process that forks. One child runs at a time."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-m", "tests.forking", module]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, printed: Path, *words: str) -> Child:
        """Let a child begin, which prints to a file of its own."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([str(printed), *words]) + "\n")
        self.process.stdin.flush()
        return Child(self.read(), printed, self)

    def finishes(self, printed: Path, *words: str) -> bool:
        """Whether a child comes to its end; otherwise it must have been killed, and not have failed."""
        ended = self.start(printed, *words).wait()
        told = printed.read_text()
        assert ended in (0, -signal.SIGKILL), told
        return told.endswith("finished\n")

    def read(self) -> int:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that forks is gone; its stderr says why"
        return int(line)

    def close(self) -> None:
        self.process.communicate()  # the end of its stdin is its own


@contextmanager
def forks_of(module: str) -> Iterator[Forks]:
    """Forks of a module, as long as a test or a module of tests needs them."""
    forks = Forks(module)
    try:
        yield forks
    finally:
        forks.close()


def _run_child(module: str, printed: str, words: list[str]) -> None:
    """Never returns."""
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    code = 1
    try:
        importlib.import_module(module).run(words)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(module: str) -> None:
    importlib.import_module(module)
    importlib.import_module("clickhouse_connect")
    for line in sys.stdin:
        printed, *words = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run_child(module, printed, words)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
