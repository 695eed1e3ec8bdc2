"""A list of 100,000 users against one of 100: from the rows to the first picture, and the memory of each row."""

from __future__ import annotations

import statistics
import sys

from tests.bench.figures import Figure
from tests.bench.starting import user_environ
from tests.bench.terminal import Terminal

MANY, FEW = 100_000, 100
ROUNDS = 3
READY = "the rows are there"
DRAWN = "user_"
KIB = 1024


def drawn(rows: int) -> tuple[float, float]:
    """Seconds from the rows to the first picture, and the bytes of memory at most."""
    command = [sys.executable, "-m", "tests.bench.users_app", str(rows)]
    with Terminal(command, user_environ(), 160, 48) as terminal:
        ready = terminal.wait_for(READY.encode(), 120)
        seconds = terminal.wait_for(f"{DRAWN}{1:06}".encode(), 120) - ready
        terminal.settle()
        return seconds, terminal.peak_memory


def measure() -> list[Figure]:
    rounds = [(drawn(MANY), drawn(FEW)) for _ in range(ROUNDS)]
    many, few = (statistics.median(each[place][0] for each in rounds) for place in (0, 1))
    full, small = (statistics.median(each[place][1] for each in rounds) for place in (0, 1))
    memory = f"{(full - small) / (MANY - FEW) / KIB:.1f} KiB for each user, its values included"
    return [
        Figure(f"first picture of {MANY:,} users / of {FEW}", many * 1e3, few * 1e3, "ms", 2),
        Figure(f"memory with {MANY:,} users / with {FEW}", full / KIB**2, small / KIB**2, "MiB", None, note=memory),
    ]
