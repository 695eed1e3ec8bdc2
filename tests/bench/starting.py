"""Start-up: `--version` against a bare interpreter, and the first picture against a bare Textual app with one table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.terminal import Terminal

HOUSEKEYS = str(Path(sys.executable).with_name("housekeys"))
ROUNDS = 15
FIRST_PICTURES = 9


def user_environ(**more: str) -> dict[str, str]:
    """The environment of a user: compiled modules are kept between runs, which some machines of ours forbid."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


def seconds_to_end(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=user_environ())
    return time.perf_counter() - started


def seconds_to_draw(command: Sequence[str], environ: Mapping[str, str], marker: bytes) -> float:
    with Terminal(command, environ) as terminal:
        return terminal.wait_for(marker)


def alternate(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float]:
    """Medians of two measurements taken in turn, so that a noisy moment hits both. One unmeasured round warms up."""
    pairs = [(first(), second()) for _ in range(rounds + 1)][1:]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def measure() -> list[Figure]:
    version, interpreter = alternate(
        ROUNDS,
        lambda: seconds_to_end([HOUSEKEYS, "--version"]),
        lambda: seconds_to_end([sys.executable, "-c", "pass"]),
    )
    with tempfile.TemporaryDirectory() as home:
        environ = user_environ(HOUSEKEYS_HOME=home)
        console, bare = alternate(
            FIRST_PICTURES,
            lambda: seconds_to_draw([HOUSEKEYS], environ, b"housekeys"),
            lambda: seconds_to_draw([sys.executable, "-m", "tests.bench.bare_app"], environ, b"NAME"),
        )
    return [
        Figure("--version / bare interpreter", version * 1e3, interpreter * 1e3, "ms", 3),
        Figure("first picture / bare Textual app with a table", console * 1e3, bare * 1e3, "ms", 1.5),
    ]
